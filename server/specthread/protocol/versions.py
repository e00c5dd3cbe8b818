"""The texts a document had, and how two of them differ."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from difflib import unified_diff

from specthread.domain.model import Refusal, SpecTask
from specthread.domain.names import documents_of
from specthread.engine.document_history import DocumentVersion
from specthread.protocol import wire
from specthread.protocol.request import Request, named_spectask
from specthread.protocol.wire_result import DiffResult, DocumentDiff, DocumentVersionView, VersionsResult
from specthread.spec.digest import short

_SHORTEST = 4


@dataclass(frozen=True, slots=True, kw_only=True)
class _Text:
    """A text of a document under the name that people know it by."""

    name: str
    content: bytes


async def versions(request: Request, params: wire.VersionsParams) -> VersionsResult | Refusal:
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
                digest=each.digest,
                commit=each.commit,
                time=each.when,
                author=each.author,
                subject=each.subject,
                version=each.version,
                text=each.content.decode(errors="replace"),
            )
            for each in known
        ],
    )


async def diff(request: Request, params: wire.DiffParams) -> DiffResult | Refusal:
    """Tells how documents differ between two versions; from the last approved one to the live text where none is named."""
    found = named_spectask(request, params.id)
    if isinstance(found, Refusal):
        return found
    names = [_document(found, params.document)] if params.document else list(documents_of(found))
    diffs: list[DocumentDiff] = []
    for name in names:
        if isinstance(name, Refusal):
            return name
        if name not in found.documents:
            continue
        known = await request.ports.versions_of(found, name)
        before, after = _text(found, name, known, params.since), _text(found, name, known, params.until)
        if isinstance(before, Refusal):
            return before
        if isinstance(after, Refusal):
            return after
        diffs.append(DocumentDiff(document=name, since=before.name, until=after.name, diff=_difference(name, before, after)))
    return DiffResult(spectask=found.id, documents=diffs)


def _document(spectask: SpecTask, named: str) -> str | Refusal:
    name = named.removesuffix(".md")
    if name in spectask.documents:
        return name
    known = ", ".join(spectask.documents) or "none yet"
    return Refusal(code="unknown-document", message=f"{spectask.id} has no document {named}.", hint=f"It has: {known}.")


def _text(spectask: SpecTask, name: str, known: Sequence[DocumentVersion], wanted: str) -> _Text | Refusal:
    """Returns a text by its name: `live`, `approved`, `v<n>`, or the beginning of its digest or commit."""
    live = spectask.documents[name]
    if wanted == "live":
        return _Text(name=f"{name}@{short(live.digest)}", content=live.content)
    if wanted == "approved" and name not in spectask.approvals:
        return _Text(name="nothing", content=b"")
    if wanted == "approved":
        approval = spectask.approvals[name]
        return _Text(name=f"{name}@{short(approval.digest)}", content=approval.content)
    for version in spectask.versions:
        if wanted == f"v{version.number}" and name in version.contents:
            return _Text(name=wanted, content=version.contents[name])
    for each in known if len(wanted) >= _SHORTEST else ():
        if each.digest.startswith(wanted) or each.commit.startswith(wanted):
            return _Text(name=f"{name}@{short(each.digest)}", content=each.content)
    numbers = ", ".join(f"v{version.number}" for version in spectask.versions)
    texts = ", ".join(dict.fromkeys(short(each.digest) for each in known))
    hint = f"Name one of: live, approved{', ' if numbers else ''}{numbers}{', ' if texts else ''}{texts}."
    return Refusal(code="unknown-version", message=f"{name} has no version {wanted}.", hint=hint)


def _difference(name: str, before: _Text, after: _Text) -> str:
    old, new = (text.content.decode(errors="replace").splitlines() for text in (before, after))
    return "\n".join(unified_diff(old, new, f"{name} ({before.name})", f"{name} ({after.name})", lineterm=""))
