"""The verb trace: who built and tested which requirement, of a SpecTask by its daemon, or of any spec folder without one."""

from __future__ import annotations

import os
from dataclasses import asdict, replace
from pathlib import Path
from typing import Annotated

import typer

from specthread.cli.outcome import OUTSIDE, PROBLEM, Failure
from specthread.cli.screen import Json, note, show
from specthread.domain.model import Refusal
from specthread.protocol.wire_result import TraceResult
from specthread.spec.dialects import document_of, is_spec_folder
from specthread.views.trace import TraceIndex, TraceRules, rules_of

_NO_SPEC = "Name a folder that holds a spec, such as .specs/add-json or .kiro/specs/add-json."
_SHOWN = 10


def trace(
    spec: Annotated[str, typer.Argument(metavar="ID|PATH", help="A SpecTask, or the folder of any spec, which needs no daemon.")],
    requirement: Annotated[str, typer.Argument(metavar="[REQ]", help="Only this requirement or criterion, such as 1.2.")] = "",
    *,
    strict: Annotated[bool, typer.Option("--strict", help="Exit with 1 where a requirement has no task or no test.")] = False,
    as_json: Json = False,
) -> None:
    """Follow requirements to tasks, commits, code and tests. Marks what is missing."""
    from specthread.cli import trace_page  # noqa: PLC0415  loaded when there is something to show

    result = _of_path(Path(spec), requirement) if _is_path(spec) else _of_spectask(spec, requirement)
    draw = trace_page.detail_page if requirement else trace_page.matrix_page
    show(as_json, result.model_dump(mode="json"), lambda: draw(result))
    if strict and result.gaps:
        raise typer.Exit(PROBLEM)


def _of_spectask(spectask: str, requirement: str) -> TraceResult:
    from specthread.cli.ask import ask, make  # noqa: PLC0415  a folder needs no client
    from specthread.protocol import wire_params  # noqa: PLC0415  the same

    return ask("trace", make(wire_params.TraceParams, id=spectask, requirement=requirement), TraceResult)


def _is_path(typed: str) -> bool:
    """Whether a person means a folder or file: ids hold no separator, and a folder that is named like one counts where it holds a spec."""
    return "/" in typed or os.sep in typed or typed.startswith(".") or _holds_spec(Path(typed))


def _holds_spec(folder: Path) -> bool:
    deltas = folder.glob("specs/*/spec.md") if is_spec_folder(str(folder)) else ()
    return folder.is_dir() and any(document_of(each.name) for each in (*folder.glob("*.md"), *deltas))


def _of_path(path: Path, requirement: str) -> TraceResult:
    from specthread.protocol.tracing import trace_result  # noqa: PLC0415  only here

    if not path.exists():
        raise Failure("unreadable", f"{path} is not there.", "Correct the path.", status=OUTSIDE)
    index, home = _traced(path, Path(os.path.realpath(path if path.is_dir() else path.parent)))
    result = trace_result(index, home, home, requirement)
    if isinstance(result, Refusal):
        raise Failure(result.code, result.message, result.hint)
    return result


def _traced(path: Path, folder: Path) -> tuple[TraceIndex, str]:
    """The index around a folder and the home of the one spec in it: the folder itself, or one below; a folder of any name may hold one."""
    from specthread.engine.trace_files import TraceKeeper, WorkingFiles, commits_of, root_of  # noqa: PLC0415  only here

    alone = WorkingFiles(root=folder.parent, repository=None, walked=(folder.name,))
    files = root_of(folder) or alone
    inside = "" if folder == files.root else folder.relative_to(files.root).as_posix()
    home = inside if _holds_spec(folder) and is_spec_folder(str(folder)) else ""
    rules = _rules(files.root)
    index = TraceKeeper(home=home).follow(replace(files, walked=(*files.walked, *filter(None, [home]))), rules)
    found = [home] if home else [each for each in index.specs if f"{each}/".startswith(f"{inside}/" if inside else "")]
    if not found and _holds_spec(folder):
        files, home = (files, inside) if inside else (alone, folder.name)
        index, found = TraceKeeper(home=home).follow(replace(files, walked=(*files.walked, home)), rules), [home]
    if files.repository is not None:
        index = index.with_commits(commits_of(files.repository, "HEAD"))
    return index, _only(found, path)


def _only(homes: list[str], path: Path) -> str:
    if not homes:
        raise Failure("no-spec", f"There is no spec at {path}.", _NO_SPEC)
    if len(homes) > 1:
        names = ", ".join(sorted(homes)[:_SHOWN]) + (", …" if len(homes) > _SHOWN else "")
        raise Failure("several-specs", f"There are {len(homes)} specs at {path}: {names}.", "Name one of them.")
    return homes[0]


def _rules(root: Path) -> TraceRules:
    from specthread import config  # noqa: PLC0415  the same

    loaded = config.load(root, os.environ)
    for problem in loaded.problems:
        note(str(problem))
    if loaded.powers is not None and not loaded.powers.allowed and "trace.markers" in loaded.powers.keys:
        note(f"The markers in {loaded.powers.file} do not count until you allow them: `specthread allow`.")
    return rules_of(**asdict(loaded.settings.trace))
