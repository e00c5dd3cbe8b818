"""A saved text becomes an edit: remarks taken out, merged with the live version, submitted as the human's."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Literal

from specthread.domain.commands import EditDocument
from specthread.domain.commands import Remark as NewRemark
from specthread.domain.model import Document, Refusal
from specthread.engine.desk_port import DeskPorts, MergedText
from specthread.spec.anchor import locate
from specthread.spec.remarks import Remark, take_remarks


@dataclass(frozen=True, slots=True, kw_only=True)
class Offer:
    """What came of a saved text.

    `taken`: it is part of the live document, durably. `stale`: the live document moves; try again. `conflict`: `merged` holds both sides
    between markers, `ours` the live one, `reason` what is at odds. `refused`: not now, for `reason`.
    """

    kind: Literal["taken", "stale", "conflict", "refused"]
    merged: bytes = b""
    ours: bytes = b""
    code: str = ""
    reason: str = ""


async def offer(ports: DeskPorts, name: str, saved: bytes, base: bytes) -> Offer:
    """Merges `saved`, made from `base`, into the live document and submits the result."""
    document = ports.snapshot().documents[name]
    merged, remarks = await asyncio.to_thread(_combine, ports, document, saved, base)
    if merged.conflict:
        at_odds = " ".join(merged.questions) or "Both changed the same lines."
        return Offer(kind="conflict", merged=merged.content, ours=document.content, reason=at_odds)
    fresh = _unknown(ports, document, remarks)
    if merged.content == document.content and not fresh:
        return Offer(kind="taken")
    command = EditDocument(
        spectask=ports.spectask,
        document=name,
        content=merged.content,
        expects=document.content,
        kind="human",
        remarks=tuple(_placed(ports, merged.content, remark) for remark in fresh),
    )
    answer = await ports.submit(command, ports.person())
    if not isinstance(answer, Refusal):
        return Offer(kind="taken")
    if answer.code == "stale-document":
        return Offer(kind="stale")
    return Offer(kind="refused", code=answer.code, reason=f"{answer.message} {answer.hint}".strip())


def _combine(ports: DeskPorts, document: Document, saved: bytes, base: bytes) -> tuple[MergedText, tuple[Remark, ...]]:
    text, remarks = take_remarks(saved)
    started, earlier = take_remarks(base)
    merged = ports.merge(document.name, started, document.content, text)
    if merged.conflict:
        # The human goes on with the merged text, so the remark lines should still be in it.
        whole = ports.merge(document.name, base, document.content, saved)
        return (whole if whole.conflict else merged), ()
    return merged, _added(remarks, earlier)


def _added(remarks: Sequence[Remark], earlier: Iterable[Remark]) -> tuple[Remark, ...]:
    known = Counter((remark.text, remark.anchor.quote) for remark in earlier)
    added: list[Remark] = []
    for remark in remarks:
        key = (remark.text, remark.anchor.quote)
        if known[key]:
            known[key] -= 1
        else:
            added.append(remark)
    return tuple(added)


def _unknown(ports: DeskPorts, document: Document, remarks: Sequence[Remark]) -> tuple[Remark, ...]:
    # A daemon that died after it took a save takes the same save again; the remark is then already there, unanswered.
    waiting = {
        (comment.text, comment.quote)
        for comment in ports.snapshot().comments.values()
        if comment.document == document.name and not comment.answer and not comment.resolved
    }
    return tuple(remark for remark in remarks if (remark.text, remark.anchor.quote) not in waiting)


def _placed(ports: DeskPorts, content: bytes, remark: Remark) -> NewRemark:
    line = locate(content, remark.anchor) or remark.anchor.line
    return NewRemark(comment=ports.new_comment_id(), quote=remark.anchor.quote, section=remark.anchor.section, line=line, text=remark.text)
