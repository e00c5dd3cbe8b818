"""Rules for documents and comments."""

from __future__ import annotations

from specthread.domain import commands as c
from specthread.domain import events as e
from specthread.domain import reports
from specthread.domain.completion import with_ticks
from specthread.domain.ids import CommentId, Digest, RunId
from specthread.domain.model import Actor, EditKind, Refusal, SpecTask
from specthread.domain.names import document_path, documents_of
from specthread.domain.rules_spectask import ended, recording, running_plan
from specthread.spec.anchor import Anchor, locate_all
from specthread.spec.digest import content_digest

Decision = tuple[e.Event, ...] | Refusal


def edit(spectask: SpecTask, command: c.EditDocument, actor: Actor) -> Decision:
    """Takes a new content made from exactly the present one, settles comments whose text is gone, and adds remarks."""
    refused = ended(spectask) or _not_planning(spectask, actor)
    if refused:
        return refused
    if command.document not in documents_of(spectask):
        return Refusal(
            code="unknown-document",
            message=f"{spectask.id} has no document {command.document}.",
            hint=f"It has {', '.join(documents_of(spectask))}.",
        )
    known = spectask.documents.get(command.document)
    present = known.content if known else None
    # A planner writes the document anew and knows nothing of ticks: what is merged stays ticked.
    content = with_ticks(spectask, command.content) if (command.kind, command.document) == ("planner", "tasks") else command.content
    if present != command.expects:
        return Refusal(
            code="stale-document", message=f"{command.document} changed meanwhile.", hint="Merge with the present content and try again."
        )
    events: list[e.Event] = []
    if present != content:
        events.append(edited(spectask, command.document, content, command.kind, actor))
        events += _settled_comments(spectask, command.document, content)
    events += [_added(command.document, remark, actor) for remark in command.remarks if remark.comment not in spectask.comments]
    return tuple(events)


def _not_planning(spectask: SpecTask, actor: Actor) -> Refusal | None:
    plan = running_plan(spectask)
    if actor.kind != "session" or (plan and plan.id == actor.name):
        return None
    return Refusal(
        code="not-planning",
        message=f"{actor} may not write documents: only the planner does, while it plans.",
        hint="Say in the summary what should change; a human edits the document or requests changes.",
    )


def _not_its_planner(spectask: SpecTask, command: reports.AnswerComment, actor: Actor) -> Refusal | None:
    plan = running_plan(spectask)
    if plan and plan.id == command.plan == actor.name:
        return None
    return Refusal(
        code="not-planning",
        message=f"{actor} may not answer for {command.plan}: only the planner that works now does.",
        hint="A human settles a comment by hand, or requests changes.",
    )


def edited(spectask: SpecTask, name: str, content: bytes, kind: EditKind, actor: Actor) -> e.DocumentEdited:
    """Returns the event of a new content."""
    known = spectask.documents.get(name)
    return e.DocumentEdited(
        document=name,
        path=known.path if known else document_path(spectask.id, name),
        content=content,
        digest=Digest(content_digest(content)),
        kind=kind,
        author=actor.name or "Specthread",
        author_email=actor.email,
    )


def _settled_comments(spectask: SpecTask, name: str, content: bytes) -> list[e.Event]:
    quoting = [
        comment
        for comment in sorted(spectask.comments.values(), key=lambda comment: comment.seq)
        if comment.document == name and not comment.resolved and comment.quote
    ]
    if not quoting:
        return []
    lines = locate_all(content, [Anchor(quote=each.quote, section=each.section, line=each.line) for each in quoting])
    return [e.CommentResolved(comment=comment.id, how="text-gone") for comment, line in zip(quoting, lines, strict=True) if line is None]


def _added(document: str, remark: c.Remark, actor: Actor) -> e.CommentAdded:
    return e.CommentAdded(
        comment=remark.comment,
        document=document,
        quote=remark.quote,
        section=remark.section,
        line=remark.line,
        text=remark.text,
        author=actor.name,
    )


def add_comment(spectask: SpecTask, command: c.AddComment, actor: Actor) -> Decision:
    """Adds a review comment to a document that exists."""
    if command.document not in spectask.documents:
        return Refusal(
            code="unknown-document",
            message=f"{spectask.id} has no document {command.document}.",
            hint=f"It has {', '.join(sorted(spectask.documents)) or 'none yet'}.",
        )
    if not command.remark.text.strip():
        return Refusal(code="empty-comment", message="The comment is empty.", hint="Say what should change.")
    known = command.remark.comment in spectask.comments
    return ended(spectask) or (() if known else (_added(command.document, command.remark, actor),))


def _comment_known(spectask: SpecTask, comment: CommentId) -> Refusal | None:
    if comment in spectask.comments:
        return None
    return Refusal(
        code="unknown-id", message=f"{spectask.id} has no comment {comment}.", hint=f"`specthread review {spectask.id}` lists them."
    )


def answer_comment(spectask: SpecTask, command: reports.AnswerComment, actor: Actor) -> Decision:
    """Records what the planner that works now did about a comment."""
    refused = ended(spectask) or _comment_known(spectask, command.comment) or _not_its_planner(spectask, command, actor)
    return refused or (e.CommentAnswered(comment=command.comment, text=command.text),)


def resolve_comment(spectask: SpecTask, command: c.ResolveComment, actor: Actor) -> Decision:  # noqa: ARG001  every rule has the same form
    """Settles a comment by hand."""
    refused = ended(spectask) or _comment_known(spectask, command.comment)
    if refused:
        return refused
    return () if spectask.comments[command.comment].resolved else (e.CommentResolved(comment=command.comment, how="manual"),)


def request_changes(spectask: SpecTask, command: c.RequestChanges, actor: Actor) -> Decision:
    """Sends the documents back with the open comments; needs a message or an open comment."""
    refused = ended(spectask) or recording(spectask)
    if refused:
        return refused
    if running_plan(spectask):
        return Refusal(
            code="still-planning",
            message=f"The planner is already working on {spectask.id}.",
            hint="Comments you add now are read in the next revision.",
        )
    if not command.message.strip() and all(comment.resolved for comment in spectask.comments.values()):
        return Refusal(
            code="nothing-to-change",
            message="There is neither a message nor an open comment.",
            hint="Say what should change: -m “…”.",
        )
    return (
        e.ChangesRequested(message=command.message, person=actor.name),
        e.PlanningStarted(plan=RunId(f"{spectask.id}/plan-{len(spectask.plans) + 1}"), purpose="revise", message=command.message),
    )
