"""Putting an archived SpecTask away: first what worktrees hold goes into git, then the disk is freed, then the branches step aside.

What ignore rules name, such as build output, goes with its worktree. Texts that were set aside from a desk stay where they are.

The feature branch and the tags stay where they are: they are the work, and a pull request or a person may still use them.
"""

from __future__ import annotations

from collections.abc import Sequence
from collections.abc import Set as AbstractSet
from pathlib import Path

from specgit.errors import GitError
from specgit.folder import delete_tree
from specgit.scan import Dropped
from specgit.snapshot import Keep
from specgit.types import spec_refs
from specthread.domain import reports
from specthread.domain.events import DocumentEdited
from specthread.domain.model import SpecTask
from specthread.domain.react import PutAway
from specthread.domain.run import WorkSession
from specthread.engine.desk_file import DeskFolders
from specthread.engine.desk_history import has_set_aside
from specthread.engine.ports import DAEMON_PERSON, Ports, in_thread, to_its_end
from specthread.engine.repositories import OpenRepository

_NAMED = 5


async def put_away(ports: Ports, effect: PutAway) -> None:
    """Puts the SpecTask away and reports it."""
    await to_its_end(_put_away(ports, effect))


async def _put_away(ports: Ports, effect: PutAway) -> None:
    opened = await ports.repository(effect.spectask)
    spectask = ports.spectask(effect.spectask)
    for session in spectask.sessions.values():
        await in_thread(_free_worktree, opened, spectask, session)
    written = [each.event for each in await ports.read_events(spectask.id, 0, None) if isinstance(each.event, DocumentEdited)]
    await in_thread(_free_folders, opened, spectask, {(event.path, event.content) for event in written})
    refs = spec_refs(spectask.id)
    branches = [refs.specs, *(refs.session(session.number) for session in spectask.sessions.values())]
    await in_thread(opened.writer.archive, {branch: refs.archived(branch) for branch in branches})
    await ports.submit(reports.FinishArchive(spectask=spectask.id))


def _free_worktree(opened: OpenRepository, spectask: SpecTask, session: WorkSession) -> None:
    """Removes the session's worktree; what no branch holds of it is kept first. Raises GitError where git cannot hold all of it."""
    path = opened.worktree(spectask.id, f"ws-{session.number}")
    tip = opened.repository.resolve(spec_refs(spectask.id).session(session.number))
    if tip is not None and path.is_dir():
        _require_whole(path, opened.worktrees.scan(path, against=tip).dropped)
    keep = Keep(
        ref=spec_refs(spectask.id).archive(f"ws-{session.number}", str(session.attempt)),
        message=f"Keep what ws-{session.number} left",
        author=DAEMON_PERSON,
        when=spectask.updated or spectask.created,
        trailers=(("Spec-Session", f"{session.id}/{session.attempt}"),),
    )
    opened.worktrees.remove(path, keep=keep)
    if path.exists():
        raise GitError(f"{path} holds files, but git no longer knows it as a worktree. Move it away; the rest then goes on by itself.")


def _require_whole(path: Path, dropped: Sequence[Dropped]) -> None:
    # What was copied in from the checkout is there still.
    lost = [each.path for each in dropped if each.reason != "copied-in"]
    if lost:
        names = ", ".join(lost[:_NAMED])
        more = f" and {len(lost) - _NAMED} more" if len(lost) > _NAMED else ""
        raise GitError(
            f"The worktree {path} holds what git does not take: {names}{more}. Move it away or delete it; the rest then goes on by itself."
        )


def _free_folders(opened: OpenRepository, spectask: SpecTask, written: AbstractSet[tuple[str, bytes]]) -> None:
    """Deletes the scratch folders, and the desk where it holds nothing but what was `written`: a document may have changed after the desk was last kept."""
    delete_tree(opened.scratch(spectask.id, "all").parent)
    desk = opened.desk(spectask.id)
    folders = DeskFolders.of(desk)
    files = [path for path in desk.rglob("*") if not path.is_dir() or path.is_symlink()] if desk.is_dir() else []
    if all(not path.is_symlink() and (path.relative_to(desk).as_posix(), path.read_bytes()) in written for path in files):
        delete_tree(desk)
        if not has_set_aside(folders.history):
            delete_tree(folders.history)
    for folder in (folders.held, opened.worktree(spectask.id, "all").parent):
        if folder.is_dir() and not any(folder.iterdir()):
            folder.rmdir()
