"""Accepted work on the branch that it was for: moved there where nobody works on that branch, else by the one command that the person runs."""

from __future__ import annotations

import shlex
from contextlib import suppress
from dataclasses import dataclass
from typing import Literal

from specgit.errors import BranchInUse, GitError, NotAhead, RefMoved, SymbolicBranch
from specgit.types import Oid as GitOid
from specgit.types import RefName
from specthread.domain.model import Refusal, SpecTask
from specthread.engine.ports import Ports, in_thread
from specthread.engine.repositories import OpenRepository
from specthread.engine.trust import cautions, require_known

_SHORT = 12


@dataclass(frozen=True, slots=True, kw_only=True)
class Landing:
    """What came of it: the target was moved, held the work already, or is moved by the person with `command`."""

    how: Literal["moved", "already", "by-hand"]
    target: str
    commit: str
    command: str = ""


def has_landed(opened: OpenRepository, spectask: SpecTask) -> bool:
    """Tells whether the target holds the finished work, however that came."""
    target = opened.repository.resolve(f"refs/heads/{spectask.target}") if spectask.target else None
    return target is not None and spectask.final is not None and opened.repository.is_ancestor(GitOid(spectask.final), target)


def land(opened: OpenRepository, spectask: SpecTask, person: str) -> Landing | Refusal:
    """Brings accepted work onto its target, by compare-and-swap and only ahead. Raises GitError where git is in the way.

    Where it ends with a git command for the person, UntrustedConfig is raised in its place if that could run what they do not know.
    """
    landing = _landed(opened, spectask, person)
    if "git " in (landing.hint if isinstance(landing, Refusal) else landing.command):
        require_known(opened.known_settings, opened.repository)
    return landing


async def cautions_for(ports: Ports, spectask: SpecTask) -> tuple[str, ...]:
    """Returns what a person should know of what runs here, and before they run git in the repository; nothing of that where it cannot be looked at."""
    if spectask.state == "archived":
        return ()
    lacking = await in_thread(ports.settings.lacks_sandbox)
    bare = () if not lacking or ports.settings.demo else (f"UNSANDBOXED: {lacking} Until then each command asks before it runs.",)
    with suppress(GitError, OSError):
        opened = await ports.repository(spectask.id)
        return (*bare, *await in_thread(cautions, opened.known_settings, opened.repository))
    return bare


def _landed(opened: OpenRepository, spectask: SpecTask, person: str) -> Landing | Refusal:
    refused = _not_landable(spectask)
    if refused or spectask.final is None or spectask.target is None:
        return refused or _no_target(spectask)
    branch, final = RefName(f"refs/heads/{spectask.target}"), GitOid(spectask.final)
    tip = opened.repository.resolve(branch)
    if tip is None:
        return _no_target(spectask)
    if opened.repository.is_ancestor(final, tip):
        return Landing(how="already", target=spectask.target, commit=final)
    try:
        opened.writer.fast_forward(branch, final, expect=tip, reason=f"specthread: land {spectask.id} for {person}")
    except BranchInUse as used:
        return _by_hand(spectask.target, final, used, ahead=opened.repository.is_ancestor(tip, final))
    except SymbolicBranch as other:
        hint = f"Check that one out and run `git merge {final[:_SHORT]}`."
        return Refusal(code="no-target", message=f"{spectask.target} only stands for {other.meant}, so it was not moved.", hint=hint)
    except NotAhead:
        return Refusal(
            code="target-moved",
            message=f"{spectask.target} has moved on: it has commits that the accepted work does not hold.",
            hint=f"Check {spectask.target} out and run `git merge {final[:_SHORT]}`.",
        )
    except RefMoved:
        return Refusal(code="target-moved", message=f"{spectask.target} moved at this very moment.", hint="Try again.")
    return Landing(how="moved", target=spectask.target, commit=final)


def _by_hand(target: str, final: GitOid, used: BranchInUse, *, ahead: bool) -> Landing | Refusal:
    """Says how the person moves a branch that they work on: to the accepted commit, whatever the feature branch holds by then."""
    place = shlex.quote(str(used.path))
    if used.how != "checked out":
        hint = "Finish or abort that, then land again."
        return Refusal(code="target-busy", message=f"{target} is being {used.how} in {used.path}.", hint=hint)
    if not used.path.exists():
        hint = "`git worktree prune` forgets it; then land again."
        return Refusal(code="target-busy", message=f"{target} is checked out in {used.path}, which is gone.", hint=hint)
    inside = f"git -C {place}" if (used.path / ".git").exists() else "git"
    return Landing(how="by-hand", target=target, commit=final, command=f"{inside} merge {'--ff-only ' if ahead else ''}{final[:_SHORT]}")


def _not_landable(spectask: SpecTask) -> Refusal | None:
    if spectask.state == "done":
        return None
    hint = f"`specthread accept {spectask.id}` accepts it." if spectask.state == "implementation_review" else "Wait until it is done."
    said = spectask.state.replace("_", " ")
    return Refusal(code="not-accepted", message=f"{spectask.id} is {said}: only accepted work lands.", hint=hint)


def _no_target(spectask: SpecTask) -> Refusal:
    named = f"the branch {spectask.target} is gone" if spectask.target else "it was started from a commit, and not from a branch"
    hint = f"Check out the branch you want it on and run `git merge {(spectask.final or '')[:_SHORT]}`."
    return Refusal(code="no-target", message=f"{spectask.id} has no branch to land on: {named}.", hint=hint)
