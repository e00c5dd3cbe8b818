"""The repository's own files, for the tests that keep it tidy."""

from __future__ import annotations

import ast
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

ROOT = Path(__file__).parents[2]
PRODUCT = ("server/", "git_integration/")
Definition = ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef


@dataclass(frozen=True, slots=True, kw_only=True)
class Named:
    """A class or function: `name` is `path::Outer.inner`, `lines` its length without docstring and decorators."""

    name: str
    node: Definition
    lines: int
    public: bool


@cache
def tracked_files() -> tuple[str, ...]:
    """Returns every path that is, or would be, committed."""
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"], cwd=ROOT, capture_output=True, check=True
    )
    return tuple(sorted(path for path in listed.stdout.decode().split("\0") if path and (ROOT / path).is_file()))


def python_files(*folders: str) -> tuple[str, ...]:
    """Returns the Python files below the folders; the toy repository of the demo is not ours to keep tidy."""
    return tuple(path for path in tracked_files() if path.endswith(".py") and path.startswith(folders) and "/demo/toy/" not in path)


@cache
def parse(path: str) -> ast.Module:
    """Returns the syntax tree of a file of the repository."""
    return ast.parse((ROOT / path).read_text(), path)


def definitions(path: str) -> Iterator[Named]:
    """Yields every class and function of a file, nested ones included."""
    yield from _inside(path, "", parse(path), public=True)


def _inside(path: str, prefix: str, parent: ast.AST, *, public: bool) -> Iterator[Named]:
    for node in ast.iter_child_nodes(parent):
        if not isinstance(node, Definition):
            yield from _inside(path, prefix, node, public=public)
            continue
        seen = public and not node.name.startswith("_")
        yield Named(name=f"{path}::{prefix}{node.name}", node=node, lines=_length(node), public=seen)
        yield from _inside(path, f"{prefix}{node.name}.", node, public=seen and isinstance(node, ast.ClassDef))


def _length(node: Definition) -> int:
    total = (node.end_lineno or node.lineno) - node.lineno + 1
    if ast.get_docstring(node) is None:
        return total
    docstring = node.body[0]
    return total - ((docstring.end_lineno or docstring.lineno) - docstring.lineno + 1)
