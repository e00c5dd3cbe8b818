"""What a project's own files say of how it is checked."""

import json

import pytest

from specthread.engine.detected_checks import detected

CASES = [
    ({"pyproject.toml": "[tool.pytest.ini_options]\n[tool.mypy]\n"}, {"types": "mypy .", "tests": "pytest -q"}, ""),
    (
        {"pyproject.toml": "[tool.ruff]\nline-length = 100\n[tool.mypy]\nfiles = ['src']\n"},
        {"format": "ruff format --check .", "lint": "ruff check .", "types": "mypy"},
        "ruff format -q --force-exclude --",
    ),
    ({"pyproject.toml": "[tool.black]\n[tool.ruff]\n"}, {"format": "black --check -q .", "lint": "ruff check ."}, "black -q --"),
    ({"setup.cfg": "[tool:pytest]\n[mypy]\nfiles = src\n"}, {"types": "mypy", "tests": "pytest -q"}, ""),
    (
        {"package.json": '{"scripts": {"test": "vitest", "lint": "eslint .", "format:check": "prettier --check ."}}', "yarn.lock": ""},
        {"format": "CI=1 yarn run format:check", "lint": "CI=1 yarn run lint", "tests": "CI=1 yarn run test"},
        "npx --no-install prettier --write --ignore-unknown --",
    ),
    ({"package.json": '{"scripts": {"test": "echo \\"Error: no test specified\\" && exit 1"}}'}, {}, ""),
    (
        {"Cargo.toml": '[package]\nname = "x"\nedition = "2024"\n'},
        {"format": "cargo fmt --check", "tests": "cargo test --offline --quiet"},
        "cargo fmt",
    ),
    ({"Makefile": "lint: all\n\techo\ntest:\n\techo\nTEST := 1\nX = lint\n"}, {"lint": "make lint", "tests": "make test"}, ""),
    ({"pyproject.toml": "[tool.pytest]\n", "Makefile": "test:\n\tpip install x\n"}, {"tests": "pytest -q"}, ""),
    (
        {"pyproject.toml": "tool = 3\n[", "package.json": "[1]", "Cargo.toml": "package = 1"},
        {"format": "cargo fmt --check", "tests": "cargo test --offline --quiet"},
        "cargo fmt",
    ),
    ({"pyproject.toml": "tool = 3\n", "package.json": '{"scripts": [1]}'}, {}, ""),
    ({}, {}, ""),
]


@pytest.mark.parametrize(("files", "commands", "formatter"), CASES)
def test_a_projects_files_say_how_it_is_checked(files, commands, formatter):
    found = detected(files)
    assert found.commands == commands
    assert (found.formatter.command if found.formatter else "") == formatter


def test_rust_is_formatted_as_its_workspace_says_and_not_by_paths():
    formatter = detected({"Cargo.toml": "[workspace]\n"}).formatter
    assert formatter.on(["a.rs"]) == "cargo fmt"
    assert formatter.takes("src/a.rs")
    assert not formatter.takes("a.py")
    assert detected({"pyproject.toml": "[tool.ruff]"}).formatter.on(["a b.py"]) == "ruff format -q --force-exclude -- 'a b.py'"


def test_go_is_told_by_its_module():
    assert list(detected({"go.mod": "module x\n"}).commands) == ["format", "lint", "tests"]


@pytest.mark.parametrize(
    ("script", "formats"),
    [
        ("prettier --check .", True),
        ("prettier . --check --log-level warn", True),
        ("eslint . && prettier --check .", True),
        ("prettier --check src", False),
        ("prettier --check './src/**/*.ts'", False),
        ("prettier --check src && eslint .", False),
    ],
)
def test_prettier_formats_only_where_the_project_checks_all_that_it_would_format(script, formats):
    found = detected({"package.json": json.dumps({"scripts": {"format:check": script}})})
    assert found.commands == {"format": "CI=1 npm run format:check"}
    assert (found.formatter is not None) == formats
