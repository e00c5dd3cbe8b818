"""The end of the report: what a person can do next, and how the work is undone, as commands."""

from __future__ import annotations

from specthread.domain.family import short
from specthread.domain.model import SpecTask
from specthread.domain.run import WorkSession
from specthread.views.progress import Need, needs


def next_steps(spectask: SpecTask) -> str:
    """Returns what waits for a person, each with its command, and how the work is looked at and taken."""
    lines = [f"- {_sentence(need.text)} {command}" for need in needs(spectask) if (command := _command(spectask, need))]
    if spectask.feature is not None:
        feature = f"spectask/{spectask.id}/feature"
        lines += [
            f"- See the work: `git log --first-parent {spectask.base[:12]}..{feature}`, or all of it at once: `git diff {spectask.base[:12]} {feature}`",
            f"- Take it: `specthread land {spectask.id}` once it is accepted, or `git merge --ff-only {feature}`"
            + (f" on `{spectask.target}`" if spectask.target else "")
            + ", or without `--ff-only` where that branch has moved on meanwhile.",
        ]
    return "\n".join(["## Next steps", "", *lines]) if lines else ""


def _sentence(text: str) -> str:
    line = text.strip().partition("\n")[0].strip()
    return line if line.endswith((".", "?", "!")) else f"{line}."


def _command(spectask: SpecTask, need: Need) -> str:
    run = need.run or spectask.id
    commands = {
        "question": f'`specthread answer {run} "…"`',
        "permission": f'`specthread answer {run} "…"`',
        "budget": f'`specthread answer {run} "…"`',
        "review": f"`specthread review {spectask.id}`",
        "run": f"`specthread run {spectask.id}`",
        "retry": f"`specthread retry {run}`",
        "resume": f"`specthread resume {spectask.id}`",
        "accept": f"`specthread accept {spectask.id}@{spectask.final[:12]}`" if spectask.final else "",
    }
    return commands.get(need.kind, "")


def way_back(spectask: SpecTask) -> str:
    """Returns how one task or all of them are undone: what was merged last is undone first."""
    if spectask.feature is None:
        return ""
    merged = sorted((session for session in spectask.sessions.values() if session.merged), key=_when, reverse=True)
    lines = ["- Before you take it nothing is to undo: do not merge the branch; your own branches were not touched."]
    if merged:
        told = "once it is in your branch, there; to undo everything all of these, in this order. The feature branch itself belongs to Specthread"
        lines += [f"- Undo a task: {told}:", "", "  ```sh"]
        lines += [f"  git revert --no-edit -m 1 {session.merged}  # {_name(session)}" for session in merged]
        lines += ["  ```"]
    return "\n".join(["## The way back", "", *lines])


def _when(session: WorkSession) -> tuple[float, int]:
    return session.ended.timestamp() if session.ended else 0.0, session.number


def _name(session: WorkSession) -> str:
    return f"task {session.task}, {short(session.id)}" if session.task else short(session.id)
