"""The texts a document had, and how two of them differ."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from difflib import unified_diff

from specthread.domain.model import Refusal, SpecTask
from specthread.domain.names import documents_of
from specthread.engine.document_history import DocumentVersion
from specthread.protocol import wire_params
from specthread.protocol.request import Request, named_spectask
from specthread.protocol.wire_result import DiffResult, DocumentDiff, DocumentVersionView, VersionsResult
from specthread.spec.digest import short

_SHORTEST = 4
_LONGEST = 500_000
"""Bytes of a text above which it is not compared: that could take minutes."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Text:
    """A text of a document under the name that people know it by."""

    name: str
    content: bytes


_NOTHING = _Text(name="nothing", content=b"")


async def versions(request: Request, params: wire_params.VersionsParams) -> VersionsResult | Refusal:
    """Lists the texts a document had, newest first."""
    found = named_spectask(request, params.id)
    if isinstance(found, Refusal):
        return found
    document = _document(found, params.document)
    if isinstance(document, Refusal):
        return document
    known = await request.ports.versions_of(found, document)
    return VersionsResult(
        spectask=found.id,
        document=document,
        versions=[
            DocumentVersionView(
                digest=each.digest, commit=each.commit, time=each.when, author=each.author, subject=each.subject, version=each.version
            )
            for each in known
        ],
    )


async def diff(request: Request, params: wire_params.DiffParams) -> DiffResult | Refusal:
    """Tells how documents differ between two versions; from the last approved one to the live text where none is named."""
    found = named_spectask(request, params.id)
    if isinstance(found, Refusal):
        return found
    named = _document(found, params.document) if params.document else ""
    if isinstance(named, Refusal):
        return named
    diffs: list[DocumentDiff] = []
    for name in [named] if named else [name for name in documents_of(found) if name in found.documents]:
        told = await _told(request, found, name, params)
        if isinstance(told, Refusal):
            return told
        diffs.append(told)
    return DiffResult(spectask=found.id, documents=diffs)


async def _told(request: Request, spectask: SpecTask, name: str, params: wire_params.DiffParams) -> DocumentDiff | Refusal:
    before = await _text(request, spectask, name, params.since)
    if isinstance(before, Refusal):
        return before
    after = await _text(request, spectask, name, params.until)
    if isinstance(after, Refusal):
        return after
    if max(len(before.content), len(after.content)) > _LONGEST:
        hint = f"`git diff` compares it, in the commits that `specthread history {spectask.id}` names."
        return Refusal(code="too-long", message=f"{name} is longer than {_LONGEST} bytes and is not compared here.", hint=hint)
    difference = await asyncio.to_thread(_difference, name, before, after)
    return DocumentDiff(document=name, since=before.name, until=after.name, diff=difference)


async def _text(request: Request, spectask: SpecTask, name: str, wanted: str) -> _Text | Refusal:
    known = _well_known(spectask, name, wanted)
    return known or _by_digest(spectask, name, await request.ports.versions_of(spectask, name), wanted)


def _document(spectask: SpecTask, named: str) -> str | Refusal:
    name = named.removesuffix(".md")
    if name in spectask.documents:
        return name
    known = ", ".join(spectask.documents) or "none yet"
    return Refusal(code="unknown-document", message=f"{spectask.id} has no document {named}.", hint=f"It has: {known}.")


def _well_known(spectask: SpecTask, name: str, wanted: str) -> _Text | None:
    """Returns a text by a name that the state knows: `live`, `approved`, `v<n>`; a document that was not part of that is nothing."""
    if wanted == "live":
        live = spectask.documents[name]
        return _Text(name=f"{name}@{short(live.digest)}", content=live.content)
    if wanted == "approved":
        approval = spectask.approvals.get(name)
        return _Text(name=f"{name}@{short(approval.digest)}", content=approval.content) if approval else _NOTHING
    version = next((each for each in spectask.versions if wanted == f"v{each.number}"), None)
    if version is None:
        return None
    return _Text(name=wanted, content=version.contents[name]) if name in version.contents else _NOTHING


def _by_digest(spectask: SpecTask, name: str, known: Sequence[DocumentVersion], wanted: str) -> _Text | Refusal:
    """Returns a text by the beginning of its digest or commit."""
    for each in known if len(wanted) >= _SHORTEST else ():
        if each.digest.startswith(wanted) or each.commit.startswith(wanted):
            return _Text(name=f"{name}@{short(each.digest)}", content=each.content)
    numbers = [f"v{version.number}" for version in spectask.versions]
    texts = dict.fromkeys(short(each.digest) for each in known)
    hint = f"Name one of: {', '.join(['live', 'approved', *numbers, *texts])}."
    return Refusal(code="unknown-version", message=f"{name} has no version {wanted}.", hint=hint)


def _difference(name: str, before: _Text, after: _Text) -> str:
    old, new = (text.content.decode(errors="replace").splitlines() for text in (before, after))
    return "\n".join(unified_diff(old, new, f"{name} ({before.name})", f"{name} ({after.name})", lineterm=""))
