"""From what a person typed to the SpecTask or run that is meant: whole ids, unique beginnings, and bare `ws-1`."""

from __future__ import annotations

from specthread.domain.model import ENDED_TASK_STATES, Refusal, SpecTask, State
from specthread.domain.run import AnyRun
from specthread.domain.runs import all_runs

_SHOWN = 5


def find_spectask(state: State, text: str) -> SpecTask | Refusal:
    """Returns the SpecTask with this id, or the only one whose id begins so."""
    known = {str(identifier): spectask for identifier, spectask in state.spectasks.items()}
    if text in known:
        return known[text]
    found = [name for name in known if name.startswith(text)] if text else []
    if len(found) == 1:
        return known[found[0]]
    return _several(text, found, "SpecTask") if found else _unknown(text, "SpecTask")


def find_run(state: State, text: str) -> AnyRun | Refusal:
    """Returns the run with this id; the SpecTask's part may be a unique beginning, or be left out where one SpecTask matches."""
    before, slash, name = text.rpartition("/")
    if slash:
        spectask = find_spectask(state, before)
        if isinstance(spectask, Refusal):
            return spectask
        known = {_short(run): run for run in all_runs(spectask)}
        return known.get(name) or Refusal(
            code="unknown-id", message=f"{spectask.id} has no run {name}.", hint=f"`specthread sessions {spectask.id}` lists its runs."
        )
    found = [(spectask, run) for spectask in state.spectasks.values() for run in all_runs(spectask) if _short(run) == text]
    living = [run for spectask, run in found if run.ended is None and spectask.state not in ENDED_TASK_STATES]
    meant = living or [run for _, run in found]
    if len(meant) == 1:
        return meant[0]
    return _several(text, [str(run.id) for run in meant], "run") if meant else _unknown(text, "run")


def find_target(state: State, text: str) -> SpecTask | AnyRun | Refusal:
    """Returns the SpecTask or the run a person named."""
    if "/" in text or (text.startswith(("ws-", "plan-", "review-")) and text.partition("-")[2].isdigit()):
        return find_run(state, text)
    return find_spectask(state, text)


def _several(text: str, found: list[str], kind: str) -> Refusal:
    names = ", ".join(sorted(found)[:_SHOWN]) + (", …" if len(found) > _SHOWN else "")
    hint = "Put the SpecTask in front, as here." if kind == "run" else "Type more of the id."
    return Refusal(code="ambiguous-id", message=f"Several {kind}s match {text}: {names}.", hint=hint)


def _unknown(text: str, kind: str) -> Refusal:
    return Refusal(code="unknown-id", message=f"There is no {kind} {text}.", hint="`specthread list` shows the SpecTasks that exist.")


def _short(run: AnyRun) -> str:
    return run.id.rpartition("/")[2]
