"""Reading SpecTasks back from their branches: what `rebuild` does where the event log is lost or older than they are, or the repository came from another machine."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from decimal import Decimal
from pathlib import Path
from typing import Literal

from specgit.errors import GitError
from specgit.history import EVENT_TRAILER, CommitFact
from specgit.repository import Repository, TreeEntry
from specgit.trees import read_blobs
from specgit.types import Oid as GitOid
from specgit.types import RefName, SpecRefs, spec_refs
from specthread.domain import commands as c
from specthread.domain.events import RebuiltVersion, SpecTaskRebuilt
from specthread.domain.ids import Digest, Oid, SpecTaskId, TaskNumber
from specthread.domain.model import Actor, Approval, Document, Limits, Refusal
from specthread.engine.overtaken import last_turns
from specthread.engine.ports import Ports, in_thread
from specthread.engine.repositories import OpenRepository
from specthread.spec.digest import content_digest
from specthread.views.rebuilding import GitFacts, MergeFact, rebuilt
from specthread.views.records_read import (
    ApprovalRecord,
    DamagedRecord,
    DecisionRecord,
    Metadata,
    read_approvals,
    read_comment,
    read_coordination,
    read_costs,
    read_decision,
    read_metadata,
)

_SPECS = re.compile(r"refs/(?:heads/spectask/(?P<live>[^/]+)/specs|specthread/archive/(?P<archived>[^/]+)/branches/specs)")
_SESSION = re.compile(r".*/ws-(\d+)")
_VERSION = re.compile(r".*/v(\d+)")


@dataclass(frozen=True, slots=True, kw_only=True)
class Rebuilt:
    """What came of one SpecTask: read back, known already, or not readable for a reason."""

    spectask: str
    outcome: Literal["rebuilt", "known", "damaged"]
    reason: str = ""


async def rebuild(ports: Ports, path: Path, actor: Actor, only: str = "") -> tuple[Rebuilt, ...]:
    """Takes up every SpecTask of the repository around `path`, or `only` one, that the log does not know or git has taken further.

    Raises GitError where there is no repository.
    """
    opened = await in_thread(ports.repositories.open, path)
    names = await in_thread(_names, opened.repository)
    found = [await _taken_up(ports, opened, name, actor) for name in names if only in {"", name}]
    return tuple(found)


def _names(repository: Repository) -> list[str]:
    matches = (_SPECS.fullmatch(ref) for ref in repository.refs("refs/heads/spectask", "refs/specthread/archive"))
    return sorted({match["live"] or match["archived"] for match in matches if match})


async def _taken_up(ports: Ports, opened: OpenRepository, name: str, actor: Actor) -> Rebuilt:
    identifier = SpecTaskId(name)
    known = ports.visible().spectasks.get(identifier)
    if known is not None and not known.overtaken:
        here = known.repository in await in_thread(_homes, opened.repository)
        return Rebuilt(spectask=name, outcome="known", reason="" if here else f"It is known as one of {known.repository}.")
    try:
        found = await in_thread(read_back, opened.repository, identifier, ports.now())
    except (DamagedRecord, GitError, ValueError, LookupError) as fault:
        return Rebuilt(spectask=name, outcome="damaged", reason=str(fault))
    found = _within(found, ports.settings.limits)
    answer = await ports.submit(c.RebuildSpecTask(spectask=identifier, found=found), actor)
    if isinstance(answer, Refusal):
        outcome: Literal["known", "damaged"] = "known" if answer.code == "id-taken" else "damaged"
        return Rebuilt(spectask=name, outcome=outcome, reason="" if outcome == "known" else answer.message)
    return Rebuilt(spectask=name, outcome="rebuilt")


def _within(found: SpecTaskRebuilt, most: Limits) -> SpecTaskRebuilt:
    """Returns it with no higher spending limit than this machine's: what a branch says of money, a person says again."""
    own = found.asked.limits
    lower = replace(own, task_usd=_lower(own.task_usd, most.task_usd), run_usd=_lower(own.run_usd, most.run_usd))
    asked = replace(found.asked, limits=lower)
    found = replace(found, asked=asked)
    if asked.limits.stop_usd <= most.stop_usd:
        return found
    note = f"Its spending limit was ${asked.limits.stop_usd}; here it is ${most.stop_usd}, until you raise it: specthread run --budget."
    limits = replace(asked.limits, stop_usd=most.stop_usd)
    return replace(found, asked=replace(asked, limits=limits, warnings=(*asked.warnings, note)))


def _lower(one: Decimal | None, other: Decimal | None) -> Decimal | None:
    return min((usd for usd in (one, other) if usd is not None), default=None)


def read_back(repository: Repository, identifier: SpecTaskId, now: datetime) -> SpecTaskRebuilt:
    """Returns a SpecTask as its branches and tags tell it; raises DamagedRecord, GitError."""
    refs = spec_refs(identifier)
    live = repository.resolve(refs.specs)
    specs = live or repository.resolve(refs.archived(refs.specs))
    if specs is None:
        raise DamagedRecord(f"There is no branch {refs.specs}.")
    root = f".specs/{identifier}"
    entries = {entry.path.removeprefix(f"{root}/"): entry for entry in repository.entries(specs, root)}
    files = {entry.path.removeprefix(f"{root}/"): content for entry, content in read_blobs(repository, list(_records(entries)))}
    if "spec-metadata.json" not in files:
        raise DamagedRecord(f"{root}/spec-metadata.json is missing on its specs branch.")
    metadata = read_metadata(files["spec-metadata.json"])
    if metadata.id != identifier:
        raise DamagedRecord(f"Its metadata is that of {metadata.id}.")
    decisions = [read_decision(content) for name, content in sorted(files.items()) if name.startswith("decisions/")]
    line = _own_line(repository, refs, metadata, decisions)
    versions = tuple(_versions(repository, refs, line))
    documents = tuple(_documents(repository, specs, metadata))
    return rebuilt(
        GitFacts(
            id=identifier,
            repository=_homes(repository)[0],
            metadata=metadata,
            documents=documents,
            approvals=tuple(_approvals(repository, specs, documents, versions, read_approvals(files["review/approvals.json"])))
            if "review/approvals.json" in files
            else (),
            versions=versions,
            comments=[read_comment(files[name]) for name in files if name.startswith("review/") and name != "review/approvals.json"],
            decisions=decisions,
            coordination=[read_coordination(content) for name, content in sorted(files.items()) if name.startswith("coordination/")],
            costs=read_costs(files["cost.json"]) if "cost.json" in files else {},
            merges=_merges(line),
            turns=last_turns(entries),
            branches=frozenset(_session_numbers(repository, refs)),
            specs=Oid(specs),
            feature=Oid(line[0].oid) if line else None,
            is_final=bool(line) and line[0].subject.startswith("Publish final"),
            was_started=metadata.state in {"implementing", "implementation_review", "done"}
            or any(each.kind == "ImplementationStarted" for each in decisions),
            accepted_by=next((each.person for each in reversed(decisions) if each.kind == "SpecTaskAccepted"), ""),
            archived=live is None,
        ),
        now,
    )


def _records(entries: dict[str, TreeEntry]) -> Iterator[TreeEntry]:
    """Yields the files that are read: those of JSON; transcripts are only counted."""
    return (entry for path, entry in entries.items() if path.endswith(".json") and entry.kind == "blob")


def _homes(repository: Repository) -> list[str]:
    """Returns the folders that the repository may be known by, the main one first: the one that was asked from may be gone tomorrow."""
    checkouts = [str(checkout) for _, checkout in repository.git_folders()]
    return [str(repository.git_dir), *checkouts] if repository.bare else [*checkouts, str(repository.git_dir)]


def _own_line(repository: Repository, refs: SpecRefs, metadata: Metadata, decisions: Sequence[DecisionRecord]) -> tuple[CommitFact, ...]:
    """Returns our own commits on the feature branch, newest first; what somebody else put on top is not ours to build on.

    The branch of accepted work may have been deleted after it landed: then the accepted commit is where it stood.
    """
    accepted = next((each.feature for each in reversed(decisions) if each.kind == "SpecTaskAccepted" and each.feature), "")
    tip = repository.resolve(refs.feature) or (repository.resolve(f"{accepted}^{{commit}}") if accepted else None)
    if tip is None:
        return ()
    line = repository.log(f"{metadata.base}..{tip}", first_parent=True)
    ours = next((place for place, commit in enumerate(line) if _trailer(commit, EVENT_TRAILER)), len(line))
    return line[ours:]


def _trailer(commit: CommitFact, key: str) -> str:
    return next((value for name, value in commit.trailers if name == key), "")


def _merges(line: Iterable[CommitFact]) -> dict[int, MergeFact]:
    """Returns the last merge of each session."""
    found: dict[int, MergeFact] = {}
    for commit in line:
        session = re.fullmatch(r".*/ws-(\d+)/\d+", _trailer(commit, "Spec-Session"))
        if session and len(commit.parents) > 1 and int(session[1]) not in found:
            task = TaskNumber(_trailer(commit, "Spec-Task").partition("/")[2])
            found[int(session[1])] = MergeFact(task=task, commit=Oid(commit.oid), weak="(weak:" in commit.body)
    return found


def _versions(repository: Repository, refs: SpecRefs, line: Iterable[CommitFact]) -> Iterator[RebuiltVersion]:
    """Yields the published versions: the documents under each tag, and the commit by which the feature branch has them."""
    published = {_trailer(commit, EVENT_TRAILER): commit.oid for commit in line if commit.subject.startswith("Publish v")}
    tags = {int(match[1]): (ref, oid) for ref, oid in _tags(repository, refs).items() if (match := _VERSION.fullmatch(ref))}
    if len(published) > len(tags):
        raise DamagedRecord(
            f"The tags of its versions are missing. Fetch them: git fetch REMOTE 'refs/tags/spectask/{refs.task_id}/*:refs/tags/spectask/{refs.task_id}/*'"
        )
    for number, (ref, specs) in sorted(tags.items()):
        event = _trailer(repository.log(specs, limit=1)[0], EVENT_TRAILER)
        metadata = repository.read(specs, f".specs/{refs.task_id}/spec-metadata.json")
        if event not in published or metadata is None:
            raise DamagedRecord(
                f"No feature branch holds what the tag {ref} says was approved. Put it back: git branch {refs.feature.removeprefix('refs/heads/')} COMMIT"
            )
        contents = tuple((document.name, document.content) for document in _documents(repository, specs, read_metadata(metadata)))
        yield RebuiltVersion(
            number=number,
            digests=tuple((name, Digest(content_digest(content))) for name, content in contents),
            contents=contents,
            specs=Oid(specs),
            feature=Oid(published[event]),
            tag=ref.removeprefix("refs/tags/"),
        )


def _tags(repository: Repository, refs: SpecRefs) -> dict[RefName, GitOid]:
    return repository.refs(f"refs/tags/spectask/{refs.task_id}")


def _documents(repository: Repository, commit: GitOid, metadata: Metadata) -> Iterator[Document]:
    for name, place in metadata.documents.items():
        content = repository.read(commit, place.path)
        if content is None:
            raise DamagedRecord(f"{place.path} is missing on its specs branch.")
        digest = Digest(content_digest(content))
        yield Document(name=name, path=place.path, content=content, digest=digest, seq=0, author=place.author)


def _approvals(
    repository: Repository,
    specs: GitOid,
    documents: Iterable[Document],
    versions: Iterable[RebuiltVersion],
    records: Iterable[ApprovalRecord],
) -> Iterator[Approval]:
    """Yields the approvals whose words git still has: those of a tag, else of the document's history."""
    paths = {document.name: document.path for document in documents}
    for record in records:
        content = _approved_words(repository, specs, record, versions, paths.get(record.document, ""))
        if content is not None:
            yield Approval(
                document=record.document,
                digest=record.digest,
                content=content,
                person=record.person,
                time=record.time,
                seq=0,
                in_advance=record.in_advance,
            )


def _approved_words(
    repository: Repository, specs: GitOid, record: ApprovalRecord, versions: Iterable[RebuiltVersion], path: str
) -> bytes | None:
    published = [
        dict(version.contents)[record.document] for version in versions if dict(version.digests).get(record.document) == record.digest
    ]
    if published or not path:
        return published[-1] if published else None
    history = repository.read_all([(commit.oid, path) for commit in repository.log(specs, first_parent=True, path=path)])
    return next((content for content in history if content is not None and content_digest(content) == record.digest), None)


def _session_numbers(repository: Repository, refs: SpecRefs) -> Iterator[int]:
    places = (f"refs/heads/spectask/{refs.task_id}", f"refs/specthread/archive/{refs.task_id}/branches")
    return (int(match[1]) for ref in repository.refs(*places) if (match := _SESSION.fullmatch(ref)))
