"""How a project is tested, linted, typed and formatted, as its own files say: pyproject.toml and its like, package.json, Makefile, Cargo.toml, go.mod.

Nothing is run here. For each kind the first of these that says something counts.
"""

from __future__ import annotations

import json
import re
import shlex
import tomllib
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

Kind = Literal["format", "lint", "types", "tests"]
KINDS: tuple[Kind, ...] = ("format", "lint", "types", "tests")
"""In the order in which they are run: what is quick first, what leaves most behind last."""
SOURCES = (
    "pyproject.toml", "pytest.ini", "setup.cfg", "tox.ini", "ruff.toml", ".ruff.toml", "mypy.ini",
    "package.json", "pnpm-lock.yaml", "yarn.lock", "Makefile", "Cargo.toml", "go.mod",
)  # fmt: skip
"""The files that are read; whoever changes one may change what the checks do."""

_SCRIPT = ("tsx", "ts", "jsx", "js", "mjs", "cjs", "css", "scss", "html", "json", "md", "yaml", "yml", "vue")


@dataclass(frozen=True, slots=True, kw_only=True)
class Formatter:
    """A command to which paths are added, unless it formats the project as a whole, and the endings of the files that it takes; none: any."""

    command: str
    endings: tuple[str, ...] = ()
    by_path: bool = True

    def takes(self, path: str) -> bool:
        """Tells whether a file is one that it formats."""
        return not self.endings or path.rpartition(".")[2] in self.endings

    def on(self, paths: Sequence[str]) -> str:
        """Returns the command line that formats these files."""
        return f"{self.command} {shlex.join(paths)}" if self.by_path else self.command


@dataclass(frozen=True, slots=True, kw_only=True)
class Detected:
    """The command of each kind of check that a project has, and the formatter that makes the one for its format green."""

    commands: Mapping[Kind, str]
    formatter: Formatter | None


def detected(files: Mapping[str, str]) -> Detected:
    """Returns what the files at a project's top say; a file that cannot be understood says nothing."""
    commands: dict[Kind, str] = {}
    formatter: Formatter | None = None
    for look in (_python, _script, _rust, _go, _make):
        for kind, command, formats in look(files):
            if kind not in commands:
                commands[kind] = command
                formatter = formats or formatter
    return Detected(commands={kind: commands[kind] for kind in KINDS if kind in commands}, formatter=formatter)


_Found = Iterator[tuple[Kind, str, Formatter | None]]


def _python(files: Mapping[str, str]) -> _Found:
    project = _table(tomllib.loads, files.get("pyproject.toml", ""))
    tool = project.get("tool", {})
    tool = tool if isinstance(tool, dict) else {}
    old = files.get("setup.cfg", "") + files.get("tox.ini", "")
    if "pytest" in tool or "pytest.ini" in files or re.search(r"^\[(tool:)?pytest\]", old, re.MULTILINE):
        yield "tests", "pytest -q", None
    if "mypy" in tool or "mypy.ini" in files or re.search(r"^\[mypy\]", old, re.MULTILINE):
        named = isinstance(tool.get("mypy"), dict) and not tool["mypy"].keys().isdisjoint({"files", "packages", "modules"})
        yield (
            "types",
            "mypy" if named or re.search(r"^(files|packages|modules)\s*=", files.get("mypy.ini", old), re.MULTILINE) else "mypy .",
            None,
        )
    if "ruff" in tool or "ruff.toml" in files or ".ruff.toml" in files:
        yield "lint", "ruff check .", None
    if "black" in tool:
        yield "format", "black --check -q .", Formatter(command="black -q --", endings=("py", "pyi"))
    elif "ruff" in tool or "ruff.toml" in files or ".ruff.toml" in files:
        yield "format", "ruff format --check .", Formatter(command="ruff format -q --force-exclude --", endings=("py", "pyi"))


_NO_TESTS = "no test specified"
_SCRIPTS: Mapping[str, Kind] = {
    "test": "tests",
    "lint": "lint",
    "typecheck": "types",
    "type-check": "types",
    "check-types": "types",
    "format:check": "format",
    "format-check": "format",
    "check-format": "format",
}

_CHECKS_ALL = re.compile(r"\bprettier\b[^&|;]*\s(['\"]?)\.\1(?=\s|$)")
"""A script in which Prettier looks at the whole project: of another, what it checks is not known, and the formatter would change more."""


def _script(files: Mapping[str, str]) -> _Found:
    package = _table(json.loads, files.get("package.json", ""))
    scripts = package.get("scripts")
    runner = "pnpm" if "pnpm-lock.yaml" in files else "yarn" if "yarn.lock" in files else "npm"
    for name, command in scripts.items() if isinstance(scripts, dict) else ():
        kind = _SCRIPTS.get(name)
        if kind and isinstance(command, str) and _NO_TESTS not in command:
            prettier = Formatter(command="npx --no-install prettier --write --ignore-unknown --", endings=_SCRIPT)
            yield kind, f"CI=1 {runner} run {name}", prettier if _CHECKS_ALL.search(command) else None


def _rust(files: Mapping[str, str]) -> _Found:
    package = _table(tomllib.loads, files.get("Cargo.toml", ""))
    if package:
        # It follows the modules anyway, and only cargo knows the edition of each.
        yield "format", "cargo fmt --check", Formatter(command="cargo fmt", endings=("rs",), by_path=False)
        yield "tests", "cargo test --offline --quiet", None


def _go(files: Mapping[str, str]) -> _Found:
    if "go.mod" in files:
        yield (
            "format",
            'unformatted=$(gofmt -l .) && echo "$unformatted" && test -z "$unformatted"',
            Formatter(command="gofmt -w", endings=("go",)),
        )
        yield "lint", "go vet ./...", None
        yield "tests", "go test ./...", None


_TARGETS: Mapping[str, Kind] = {
    "test": "tests",
    "tests": "tests",
    "lint": "lint",
    "typecheck": "types",
    "types": "types",
    "format-check": "format",
    "fmt-check": "format",
    "check-format": "format",
}


def _make(files: Mapping[str, str]) -> _Found:
    for target in re.findall(r"^([\w-]+)\s*:(?![:=])", files.get("Makefile", ""), re.MULTILINE):
        if target in _TARGETS:
            yield _TARGETS[target], f"make {target}", None


def _table(read: Callable[[str], Any], text: str) -> dict[str, Any]:
    try:
        value = read(text) if text else {}
    except (ValueError, RecursionError):
        return {}
    return value if isinstance(value, dict) else {}
