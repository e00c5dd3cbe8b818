"""Accepted work on the branch that it was for: moved there where nobody works on that branch, else by the one command that the person runs."""

from __future__ import annotations

import shlex
from dataclasses import dataclass
from typing import Literal

from specgit.errors import CheckedOutElsewhere, NotAhead, RefMoved
from specgit.types import Oid as GitOid
from specgit.types import RefName
from specthread.domain.model import Refusal, SpecTask
from specthread.engine.repositories import OpenRepository


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
    return bool(target and spectask.final) and opened.repository.is_ancestor(GitOid(spectask.final or ""), target or GitOid(""))


def land(opened: OpenRepository, spectask: SpecTask, person: str) -> Landing | Refusal:
    """Brings accepted work onto its target, by compare-and-swap and only ahead. Raises GitError where git is in the way."""
    refused = _not_landable(spectask)
    if refused or spectask.final is None or spectask.target is None:
        return refused or _no_target(spectask)
    branch, final = RefName(f"refs/heads/{spectask.target}"), GitOid(spectask.final)
    tip = opened.repository.resolve(branch)
    if tip is None:
        return _no_target(spectask)
    if opened.repository.is_ancestor(final, tip):
        return Landing(how="already", target=spectask.target, commit=final)
    feature = f"spectask/{spectask.id}/feature"
    try:
        opened.writer.fast_forward(branch, final, expect=tip, reason=f"specthread: land {spectask.id} for {person}")
    except CheckedOutElsewhere as elsewhere:
        ahead = opened.repository.is_ancestor(tip, final)
        command = f"git -C {shlex.quote(str(elsewhere.path))} merge {'--ff-only ' if ahead else ''}{feature}"
        return Landing(how="by-hand", target=spectask.target, commit=final, command=command)
    except NotAhead:
        return Refusal(
            code="target-moved",
            message=f"{spectask.target} has moved on: it has commits that {feature} does not hold.",
            hint=f"Check {spectask.target} out and run `git merge {feature}`.",
        )
    except RefMoved:
        return Refusal(code="target-moved", message=f"{spectask.target} moved at this very moment.", hint="Try again.")
    return Landing(how="moved", target=spectask.target, commit=final)


def _not_landable(spectask: SpecTask) -> Refusal | None:
    if spectask.state == "done":
        return None
    hint = f"`specthread accept {spectask.id}` accepts it." if spectask.state == "implementation_review" else "Wait until it is done."
    said = spectask.state.replace("_", " ")
    return Refusal(code="not-accepted", message=f"{spectask.id} is {said}: only accepted work lands.", hint=hint)


def _no_target(spectask: SpecTask) -> Refusal:
    named = f"the branch {spectask.target} is gone" if spectask.target else "it was started from a commit, and not from a branch"
    hint = f"Check out the branch you want it on and run `git merge spectask/{spectask.id}/feature`."
    return Refusal(code="no-target", message=f"{spectask.id} has no branch to land on: {named}.", hint=hint)
