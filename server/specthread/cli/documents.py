"""Verbs about spec files on disk: check, inspect, plan. They need no daemon and no repository."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Any

import typer

from specthread.cli.outcome import OUTSIDE, PROBLEM, USAGE, Failure, clean
from specthread.spec.document import BUGFIX, DESIGN, REQUIREMENTS, TASKS, DocumentName, Problem

_NAMES = (REQUIREMENTS, BUGFIX, DESIGN, TASKS)
_SIGNS = {"error": "error  ", "warning": "warning", "info": "info   "}

_NO_SPEC = "Name a folder with requirements.md, design.md or tasks.md in it, one of these files, or a folder with .specs/."
_LARGEST = 50_000_000
"""Bytes above which a file is not read."""

_AlwaysJson = Annotated[bool, typer.Option("--json", help="JSON is the only form there is.")]
_Documents = dict[DocumentName, bytes]


def check(
    paths: Annotated[list[Path] | None, typer.Argument(metavar="[PATH]…", help="Spec folders or files, or folders above them.")] = None,
    *,
    form: Annotated[str, typer.Option("--format", help="text or json.")] = "text",
    as_json: Annotated[bool, typer.Option("--json", help="The same as --format json.")] = False,
) -> None:
    """Check spec documents. Exits with 1 where something is wrong."""
    if form not in {"text", "json"}:
        raise Failure("bad-option", f"`--format` is `text` or `json`, not `{form}`.", status=USAGE)
    found = [(file, problem) for path in paths or [Path()] for file, problem in _problems(path)]
    if as_json or form == "json":
        _print({"problems": [{"path": str(file), **_value(problem)} for file, problem in found]})
    else:
        for file, problem in found:
            sys.stdout.write(f"{file}:{problem.line}: {_SIGNS[problem.severity]} {clean(problem.message)} [{problem.code}]\n")
        errors = sum(problem.severity == "error" for _, problem in found)
        sys.stdout.write(f"{errors} error{'' if errors == 1 else 's'}, {len(found) - errors} other.\n" if found else "No problems.\n")
    _exit_for(problem for _, problem in found)


def inspect(path: Annotated[Path, typer.Argument(help="A spec folder or one of its files.")], *, as_json: _AlwaysJson = True) -> None:
    """Print the parsed model of a spec as JSON."""
    from specthread.spec.dialects import detect  # noqa: PLC0415  each verb loads what it needs
    from specthread.spec.report_json import inspect_value  # noqa: PLC0415  the same

    del as_json  # There is no other form.
    documents = _documents_at(path)
    first = next(iter(documents.values()), b"")
    _print(inspect_value(documents, detect(str(path.resolve()), first)))


def plan(path: Annotated[Path, typer.Argument(help="A tasks file or the spec folder around it.")], *, as_json: _AlwaysJson = True) -> None:
    """Print the dependency graph of tasks as JSON. Exits with 1 where it cannot be carried out."""
    from specthread.plan.dag import build_dag, plan_value  # noqa: PLC0415  each verb loads what it needs
    from specthread.spec.tasks import parse_tasks  # noqa: PLC0415  the same

    del as_json  # There is no other form.
    documents = _documents_at(path)
    if TASKS not in documents:
        raise Failure("no-tasks", f"{path} has no tasks document.", "Name a tasks.md, or the folder it is in.")
    dag = build_dag(parse_tasks(documents[TASKS]).tasks)
    _print(plan_value(dag))
    _exit_for(dag.problems)


def _problems(path: Path) -> Iterator[tuple[Path, Problem]]:
    from specthread.plan.dag import build_dag  # noqa: PLC0415  each verb loads what it needs
    from specthread.spec.lint import lint  # noqa: PLC0415  the same
    from specthread.spec.tasks import parse_tasks  # noqa: PLC0415  the same

    for folder in _spec_folders(path):
        documents = _documents_at(folder)
        graph = build_dag(parse_tasks(documents[TASKS]).tasks).problems if TASKS in documents else ()
        for problem in (*lint(documents), *graph):
            file = folder if folder.is_file() else folder / f"{problem.document}.md"
            yield file, problem


def _spec_folders(path: Path) -> list[Path]:
    """Returns the path itself where it is a spec, else every spec below its `.specs`."""
    if not path.exists():
        raise Failure("unreadable", f"{path} is not there.", "Correct the path.", status=OUTSIDE)
    if path.is_file() or any((path / f"{name}.md").is_file() for name in _NAMES):
        return [path]
    root = path if path.name == ".specs" else path / ".specs"
    below = sorted(folder for folder in root.glob("*") if any((folder / f"{name}.md").is_file() for name in _NAMES))
    if not below:
        raise Failure("no-spec", f"There is no spec at {path.resolve()}.", _NO_SPEC)
    return below


def _documents_at(path: Path) -> _Documents:
    files = [path] if not path.is_dir() else [path / f"{name}.md" for name in _NAMES if (path / f"{name}.md").is_file()]
    if not files:
        raise Failure("no-spec", f"There is no spec in {path.resolve()}.", _NO_SPEC)
    return {_name_of(file): _read(file) for file in files}


def _name_of(file: Path) -> DocumentName:
    """Returns which document a file is: by its name, and a file of another name counts as tasks."""
    return next((name for name in _NAMES if file.stem == name), TASKS)


def _read(file: Path) -> bytes:
    try:
        with file.open("rb") as opened:
            content = opened.read(_LARGEST + 1)
    except OSError as error:
        raise Failure("unreadable", f"{file} cannot be read: {error.strerror}.", "Correct the path.", status=OUTSIDE) from error
    if len(content) > _LARGEST:
        raise Failure("too-large", f"{file} holds more than {_LARGEST // 1_000_000} MB.", "No spec does; correct the path.")
    return content


def _value(problem: Problem) -> dict[str, Any]:
    return {
        "document": problem.document,
        "line": problem.line,
        "code": problem.code,
        "severity": problem.severity,
        "message": problem.message,
    }


def _exit_for(problems: Iterator[Problem] | tuple[Problem, ...]) -> None:
    if any(problem.severity == "error" for problem in problems):
        raise typer.Exit(PROBLEM)


def _print(value: dict[str, Any]) -> None:
    sys.stdout.write(json.dumps(value, ensure_ascii=False, indent=2) + "\n")
