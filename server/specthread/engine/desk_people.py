"""Whose hands are on a desk, and what of theirs is kept where it conflicts with what stands there."""

from __future__ import annotations

import getpass

from specgit.commits import CommitRequest
from specgit.errors import GitError
from specgit.types import spec_refs
from specthread.domain.ids import SpecTaskId
from specthread.domain.model import Actor
from specthread.domain.names import ref_part
from specthread.engine.ports import DAEMON_PERSON, Ports, in_thread
from specthread.engine.repositories import OpenRepository


def person_at(opened: OpenRepository) -> Actor:
    """Returns who edits on this machine: the repository's git identity, else the account's name."""
    try:
        identity = opened.repository.identity()
    except GitError:
        identity = None
    if identity is not None:
        return Actor(kind="human", name=identity.name, email=identity.email)
    return Actor(kind="human", name=getpass.getuser())


async def keep_conflict(ports: Ports, opened: OpenRepository, spectask: SpecTaskId, document: str, ours: bytes, theirs: bytes) -> None:
    """Commits both sides of a conflict where they are found again, before anybody is asked."""
    request = CommitRequest(
        ref=spec_refs(spectask).conflicts(ref_part(document)),
        message=f"Both sides of a conflict in {document} of {spectask}",
        author=DAEMON_PERSON,
        when=ports.now(),
        files={f"{document}.live.md": ours, f"{document}.saved.md": theirs},
    )
    await in_thread(opened.writer.commit, [request])
