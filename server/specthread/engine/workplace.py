"""The place where a session works: its branch, its worktree with copied files, and the git folder that its commands see.

Making it is a saga. Until the first turn of an attempt has come back no tool was used, so nobody has worked there, and a session that ends before that gives back what
was made for it; a worktree that holds anything else stays where it is.
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from specgit.errors import GitError
from specgit.folder import delete_tree
from specgit.snapshot import Keep
from specgit.types import Oid as GitOid
from specgit.types import spec_refs
from specthread.domain.model import SpecTask
from specthread.domain.react import RunSession
from specthread.domain.run import WorkSession
from specthread.domain.runs import find_run
from specthread.engine.environment import make_private_git
from specthread.engine.ports import DAEMON_PERSON, Ports, in_thread
from specthread.engine.repositories import OpenRepository
from specthread.engine.saga import Step, carry_out, take_back


def worktree_of(opened: OpenRepository, session: WorkSession, spectask: SpecTask) -> Path:
    """Returns the stable path of the session's worktree."""
    return opened.worktree(spectask.id, f"ws-{session.number}")


def private_git_of(opened: OpenRepository, spectask: SpecTask, session: WorkSession) -> Path:
    """Returns the folder of the git that the attempt's commands see."""
    return opened.scratch(spectask.id, f"git-ws-{session.number}-{session.attempt}")


def own_of(opened: OpenRepository, spectask: SpecTask, session: WorkSession) -> Path:
    """Returns the folder of the dependency folders that are the attempt's own."""
    return opened.scratch(spectask.id, f"own-ws-{session.number}-{session.attempt}")


def prepare_worktree(ports: Ports, opened: OpenRepository, spectask: SpecTask, session: WorkSession) -> Path:
    """Makes the session's worktree, or keeps the one that is there; a fresh attempt archives it first."""
    carry_out(worktree_steps(ports, opened, spectask, session))
    return worktree_of(opened, session, spectask)


def prepare_workplace(ports: Ports, opened: OpenRepository, spectask: SpecTask, session: WorkSession) -> Path:
    """Makes everything that the session's agent needs around it; what is there already is kept."""
    carry_out(workplace_steps(ports, opened, spectask, session))
    return worktree_of(opened, session, spectask)


async def give_back_workplace(ports: Ports, effect: RunSession) -> tuple[str, ...]:
    """Removes what was made for a session that has ended before anybody worked there; returns what could not be removed, as sentences."""
    spectask = ports.spectask(effect.spectask)
    session = find_run(spectask, effect.run)
    if not isinstance(session, WorkSession) or session.attempt != effect.attempt or not is_unworked(session):
        return ()
    opened = await ports.repository(spectask.id)
    return await in_thread(take_back, workplace_steps(ports, opened, spectask, session))


def left_behind(state: Path, spectasks: Iterable[SpecTask]) -> tuple[RunSession, ...]:
    """Returns the sessions whose place is still there although they ended before anybody worked in it: the daemon died before it had given that back."""
    return tuple(
        RunSession(spectask=spectask.id, run=session.id, attempt=session.attempt)
        for spectask in spectasks
        for session in (() if spectask.state == "archived" else spectask.sessions.values())
        if session.ended and not session.kept_turn and is_unworked(session)
        if any((state / "worktrees").glob(f"*/{spectask.id}/ws-{session.number}"))
    )


def is_unworked(session: WorkSession) -> bool:
    """Tells whether nobody can have worked in the session's worktree: it was made for this attempt, whose first turn has not come back."""
    return (session.attempt == 1 or session.fresh) and session.turn < session.first_turn


def workplace_steps(ports: Ports, opened: OpenRepository, spectask: SpecTask, session: WorkSession) -> tuple[Step, ...]:
    """Returns the steps that make a session's place; the last one is for the sandbox alone."""
    worktree = worktree_steps(ports, opened, spectask, session)
    if ports.settings.lacks_sandbox():
        return worktree
    path, private = worktree_of(opened, session, spectask), private_git_of(opened, spectask, session)
    return (
        *worktree,
        Step(
            what=f"the git folder {private}",
            do=lambda: make_private_git(opened, private, session.start, session.start, opened.worktrees.cone(path)),
            undo=lambda: delete_tree(private),
        ),
    )


def worktree_steps(ports: Ports, opened: OpenRepository, spectask: SpecTask, session: WorkSession) -> tuple[Step, ...]:
    """Returns the steps that make the session's worktree."""
    path = worktree_of(opened, session, spectask)
    settings = ports.repository_settings(opened)
    branch = spec_refs(spectask.id).session(session.number)
    return (
        # What an earlier attempt left is worth keeping, and is kept in the archive.
        Step(what="the archive of the earlier attempt", do=lambda: _begin_afresh(opened, spectask, session, path)),
        Step(
            what=f"the worktree {path}",
            do=lambda: opened.worktrees.add(path, branch=branch, start=GitOid(session.start), sparse=settings.sparse),
            undo=lambda: _give_back_worktree(opened, spectask, session, path),
        ),
        # They go with the worktree.
        Step(what="the copied files", do=lambda: _copy_in(ports, opened, path)),
    )


def _copy_in(ports: Ports, opened: OpenRepository, path: Path) -> None:
    ports.learn_secrets(opened, opened.worktrees.include(path, ports.repository_settings(opened).include))


def _give_back_worktree(opened: OpenRepository, spectask: SpecTask, session: WorkSession, path: Path) -> None:
    """Removes the worktree, if nothing is in it but what it began with, and lets its branch step aside: branches are never deleted."""
    start, refs = GitOid(session.start), spec_refs(spectask.id)
    branch = refs.session(session.number)
    if path.is_dir():
        strange = opened.worktrees.strange_files(path, against=start)
        if strange:
            raise GitError(
                f"it holds {strange[0]}{f' and {len(strange) - 1} more' if strange[1:] else ''}, which Specthread did not put there."
            )
    opened.worktrees.remove(path, keep=None)
    if opened.repository.resolve(branch) == start:
        opened.writer.archive({branch: refs.archived(branch)})


def _begin_afresh(opened: OpenRepository, spectask: SpecTask, session: WorkSession, path: Path) -> None:
    # Until the first call of the attempt nobody has worked in it, so doing this twice after a crash loses nothing.
    if not session.fresh or session.state != "starting":
        return
    refs = spec_refs(spectask.id)
    branch, archive = refs.session(session.number), refs.archive(f"ws-{session.number}", str(session.attempt - 1))
    tip = opened.repository.resolve(branch)
    if tip is None:
        return
    keep = Keep(
        ref=archive,
        message=f"Keep what attempt {session.attempt - 1} of ws-{session.number} left",
        author=DAEMON_PERSON,
        when=session.started,
        trailers=(("Spec-Session", f"{session.id}/{session.attempt - 1}"),),
    )
    opened.worktrees.remove(path, keep=keep)
    if opened.repository.resolve(archive) is None:
        opened.writer.set_ref(archive, tip, None)
    if tip != GitOid(session.start):
        opened.writer.set_ref(branch, GitOid(session.start), tip)
