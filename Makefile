# The contributor's whole vocabulary. Everything runs in .venv, which is made on demand and made again when pyproject.toml changes.
PYTHON ?= python3
BIN := .venv/bin
PYTEST := $(BIN)/pytest -n auto

.DEFAULT_GOAL := help
.PHONY: help demo test check bench fuzz soak live e2e golden protocol editors

help: ## this list
	@awk -F ':.*## ' '/^[a-z0-9]+:.*## / { printf "  make %-9s %s\n", $$1, $$2 }' Makefile

demo: .venv/run.stamp ## play the whole loop on a toy repository, without a key
	@$(BIN)/specthread demo $(ARGS)

test: .venv/dev.stamp ## the tests, in some minutes
	@$(PYTEST) -m "not slow" $(ARGS)

check: .venv/dev.stamp ## lint, format, types and import contracts
	@$(BIN)/ruff check
	@$(BIN)/ruff format --check
	@$(BIN)/mypy
	@$(BIN)/lint-imports

bench: .venv/dev.stamp ## measure the figures of the design beside their floor; writes build/bench.json
	@PYTHONPATH=tests $(BIN)/python -m bench $(ARGS)

fuzz: .venv/dev.stamp ## change spec documents at random, a million times, and see that what is promised of reading them holds
	@PYTHONPATH=tests $(BIN)/python -m fuzz $(ARGS)

SOAK_SECONDS ?= 1800
soak: .venv/dev.stamp ## kill, freeze, fill and break what the daemon stands on while it works, for half an hour, and see that nothing is lost
	@PYTHONPATH=tests $(BIN)/python -m chaos --seconds $(SOAK_SECONDS) $(ARGS)

live: .venv/dev.stamp ## play one small SpecTask with a real model, for a dollar at most, and print its cost; skipped without a key
	@PYTHONPATH=tests $(BIN)/python -m live $(ARGS)

e2e: .venv/dev.stamp editors ## whole stories and sweeps, real editors among them, in a quarter of an hour
	@tests/agents/install
	@$(PYTEST) -m slow $(ARGS)

editors: build/editors/vscode.stamp ## check, test and package the VS Code extension, and install what its tests drive
	@tests/editors/install

VSCODE := editors/vscode
VSCODE_SOURCES := $(shell find $(VSCODE) -path '*/node_modules' -prune -o -path '*/dist' -prune -o -type f -not -name LICENSE -print) editors/protocol.ts

build/editors/npm.stamp: $(VSCODE)/package.json $(VSCODE)/package-lock.json
	@command -v npm >/dev/null || { echo "npm is missing: install Node.js 20 or newer to work on the VS Code extension."; exit 1; }
	@echo "Installing what the VS Code extension is built with ..."
	@cd $(VSCODE) && npm ci --silent
	@mkdir -p $(@D) && touch $@

build/editors/vscode.stamp: build/editors/npm.stamp $(VSCODE_SOURCES)
	@cd $(VSCODE) && npm run --silent check && npm run --silent test && npm run --silent package
	@touch $@

golden: .venv/dev.stamp ## rewrite the expected answers of the tests; review the difference
	@SPECTHREAD_UPDATE=1 $(PYTEST) -m "not slow" $(ARGS)

protocol: .venv/dev.stamp ## write editors/protocol.ts from protocol/wire.py
	@$(BIN)/python -m specthread.protocol.typescript > editors/protocol.ts

.venv/python.stamp:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
		{ echo "Specthread needs Python 3.11 or newer. Please name one, for example: make PYTHON=python3.12"; exit 1; }
	@$(PYTHON) -m venv .venv
	@touch $@

# What running needs, and nothing else: `make demo` must not wait for the tools of a contributor.
.venv/run.stamp: pyproject.toml | .venv/python.stamp
	@echo "Installing Specthread into .venv ..."
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable .
	@touch $@

.venv/dev.stamp: pyproject.toml | .venv/python.stamp
	@echo "Installing Specthread and its development tools into .venv ..."
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable '.[dev]'
	@touch .venv/run.stamp $@
