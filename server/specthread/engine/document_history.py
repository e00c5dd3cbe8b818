"""What a live document was before: each edit of it that git holds, with its text and the version it became."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from specgit.types import spec_refs
from specthread.domain.ids import Digest
from specthread.domain.model import SpecTask
from specthread.engine.repositories import OpenRepository
from specthread.spec.digest import content_digest


@dataclass(frozen=True, slots=True, kw_only=True)
class DocumentVersion:
    """One text of a document: who wrote it when, in which commit, and the approved version it is part of, such as `v1`, if any."""

    commit: str
    digest: Digest
    when: datetime
    author: str
    subject: str
    content: bytes
    version: str = ""


def versions_of(opened: OpenRepository, spectask: SpecTask, name: str) -> tuple[DocumentVersion, ...]:
    """Returns the texts of a document on the specs branch, newest first, archived or not; raises GitError."""
    document = spectask.documents.get(name)
    refs, repository = spec_refs(spectask.id), opened.repository
    tip = repository.resolve(refs.specs) or repository.resolve(refs.archived(refs.specs))
    if document is None or tip is None:
        return ()
    published = {dict(version.contents).get(name): f"v{version.number}" for version in reversed(spectask.versions)}
    found: list[DocumentVersion] = []
    commits = repository.log(tip, first_parent=True, path=document.path)
    for commit, content in zip(commits, repository.read_all([(commit.oid, document.path) for commit in commits]), strict=True):
        if content is not None:
            found.append(
                DocumentVersion(
                    commit=commit.oid,
                    digest=Digest(content_digest(content)),
                    when=commit.when,
                    author=commit.author.name,
                    subject=commit.subject,
                    content=content,
                    version=published.get(content, ""),
                )
            )
    return tuple(found)
