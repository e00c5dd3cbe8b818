"""Rules for documents, comments and approvals, and for the records that git acknowledges."""

from __future__ import annotations

from specthread.domain import commands as c
from specthread.domain import events as e
from specthread.domain.approval import is_approved, next_version, open_records
from specthread.domain.fold_run import find_run
from specthread.domain.model import (
    LIVE_RUN_STATES,
    Actor,
    CommentId,
    Digest,
    EditKind,
    PlannedTask,
    Refusal,
    RunId,
    SpecTask,
    TaskNumber,
    document_names,
    document_path,
)
from specthread.domain.rules_spectask import ended, running_plan
from specthread.spec.anchor import Anchor, locate
from specthread.spec.digest import content_digest, short
from specthread.spec.document import DocumentName
from specthread.spec.links import changed_requirements, tasks_tracing
from specthread.spec.lint import lint
from specthread.spec.tasks import parse_tasks

Decision = tuple[e.Event, ...] | Refusal


def edit(spectask: SpecTask, command: c.EditDocument, actor: Actor) -> Decision:
    """Takes a new content made from exactly the present one, settles comments whose text is gone, and adds remarks."""
    refused = ended(spectask)
    if refused:
        return refused
    if command.document not in document_names(spectask.flow):
        return Refusal(
            code="unknown-document",
            message=f"{spectask.id} has no document {command.document}.",
            hint=f"It has {', '.join(document_names(spectask.flow))}.",
        )
    known = spectask.documents.get(command.document)
    present = known.content if known else None
    if present != command.expects:
        return Refusal(
            code="stale-document", message=f"{command.document} changed meanwhile.", hint="Merge with the present content and try again."
        )
    events: list[e.Event] = []
    if present != command.content:
        events.append(edited(spectask, command.document, command.content, command.kind, actor))
        events += _settled_comments(spectask, command.document, command.content)
    events += [_added(command.document, remark, actor) for remark in command.remarks]
    return tuple(events)


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
    return [
        e.CommentResolved(comment=comment.id, how="text-gone")
        for comment in spectask.comments.values()
        if comment.document == name
        and not comment.resolved
        and comment.quote
        and locate(content, Anchor(quote=comment.quote, section=comment.section, line=comment.line)) is None
    ]


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
    return ended(spectask) or (_added(command.document, command.remark, actor),)


def _comment_known(spectask: SpecTask, comment: CommentId) -> Refusal | None:
    if comment in spectask.comments:
        return None
    return Refusal(
        code="unknown-id", message=f"{spectask.id} has no comment {comment}.", hint=f"`specthread review {spectask.id}` lists them."
    )


def answer_comment(spectask: SpecTask, command: c.AnswerComment, actor: Actor) -> Decision:  # noqa: ARG001  every rule has the same form
    """Records what the planner did about a comment."""
    return _comment_known(spectask, command.comment) or (e.CommentAnswered(comment=command.comment, text=command.text),)


def resolve_comment(spectask: SpecTask, command: c.ResolveComment, actor: Actor) -> Decision:  # noqa: ARG001  every rule has the same form
    """Settles a comment by hand."""
    refused = _comment_known(spectask, command.comment)
    if refused:
        return refused
    return () if spectask.comments[command.comment].resolved else (e.CommentResolved(comment=command.comment, how="manual"),)


def request_changes(spectask: SpecTask, command: c.RequestChanges, actor: Actor) -> Decision:
    """Sends the documents back with the open comments; needs a message or an open comment."""
    refused = ended(spectask)
    if refused:
        return refused
    if running_plan(spectask):
        return Refusal(
            code="still-planning",
            message=f"The planner is already working on {spectask.id}.",
            hint="Comments you add now are read in the next revision.",
        )
    if not spectask.documents:
        return Refusal(
            code="wrong-state",
            message=f"{spectask.id} has no documents yet.",
            hint=f"`specthread watch {spectask.id}` follows the planner.",
        )
    unsettled = [comment for comment in spectask.comments.values() if not comment.resolved]
    if not command.message.strip() and not unsettled:
        return Refusal(
            code="nothing-to-change", message="There is neither a message nor an open comment.", hint="Say what should change: -m “…”."
        )
    return (
        e.ChangesRequested(message=command.message, person=actor.name),
        e.PlanningStarted(plan=RunId(f"{spectask.id}/plan-{len(spectask.plans) + 1}"), purpose="revise", message=command.message),
    )


def finish_planning(spectask: SpecTask, command: c.FinishPlanning, actor: Actor) -> Decision:  # noqa: ARG001  every rule has the same form
    """Ends a planning run with all documents written; approves in advance where the human asked for that and nothing is wrong."""
    plan = find_run(spectask, command.plan)
    if plan is None or plan.state not in LIVE_RUN_STATES:
        return ()
    missing = [name for name in document_names(spectask.flow) if name not in spectask.documents]
    if missing:
        return Refusal(
            code="documents-missing", message=f"These documents are not written yet: {', '.join(missing)}.", hint="Write them, then finish."
        )
    finished = e.PlanningFinished(plan=command.plan, summary=command.summary)
    if not spectask.advance or _lint_errors(spectask):
        return (finished,)
    documents = tuple((name, spectask.documents[name].digest) for name in document_names(spectask.flow))
    approved = e.SpecApproved(
        documents=documents, person=spectask.owner.name, in_advance=True, version=next_version(spectask, dict(documents))
    )
    return (finished, approved)


def _lint_errors(spectask: SpecTask) -> list[str]:
    problems = lint({DocumentName(name): document.content for name, document in spectask.documents.items()})
    return [f"{problem.document}:{problem.line} {problem.message}" for problem in problems if problem.severity == "error"]


def approve(spectask: SpecTask, command: c.ApproveDocuments, actor: Actor) -> Decision:
    """Approves exactly the words that were read; what cannot be carried out is not approvable."""
    refused = ended(spectask)
    if refused:
        return refused
    if running_plan(spectask):
        return Refusal(
            code="still-planning",
            message=f"The planner is still writing the documents of {spectask.id}.",
            hint="Wait until it is done, then read and approve.",
        )
    if open_records(spectask, "approval"):
        return Refusal(code="recording", message="An approval is still being recorded in git.", hint="Try again in a moment.")
    if not command.documents:
        return Refusal(
            code="name-the-version",
            message="No document was named.",
            hint=f"`specthread review {spectask.id}` prints them with their versions.",
        )
    for name, digest in command.documents:
        refused = _approvable(spectask, name, digest, {other for other, _ in command.documents})
        if refused:
            return refused
    resolved = tuple((name, spectask.documents[name].digest) for name, _ in command.documents)
    if all(name in spectask.approvals and spectask.approvals[name].digest == digest for name, digest in resolved) and is_approved(spectask):
        return Refusal(
            code="already-approved", message="These words are approved already.", hint=f"`specthread run {spectask.id}` starts the work."
        )
    return (e.SpecApproved(documents=resolved, person=actor.name, version=next_version(spectask, dict(resolved))),)


MIN_DIGEST = 7


def _approvable(spectask: SpecTask, name: str, digest: Digest, together: set[str]) -> Refusal | None:
    document = spectask.documents.get(name)
    if document is None:
        return Refusal(
            code="unknown-document",
            message=f"{spectask.id} has no document {name}.",
            hint=f"It has {', '.join(sorted(spectask.documents)) or 'none yet'}.",
        )
    if len(digest) < MIN_DIGEST or not document.digest.startswith(digest):
        return Refusal(
            code="stale-version",
            message=f"{name} is not the version you read: it is now {name}@{short(document.digest)}.",
            hint=f"Read it again with `specthread review {spectask.id}`.",
        )
    if name == "tasks":
        broken = [problem for problem in _lint_errors(spectask) if problem.startswith("tasks:")]
        if broken:
            return Refusal(
                code="lint-errors",
                message=f"tasks cannot be carried out as written: {broken[0]}",
                hint="Correct it in the desk, or request changes.",
            )
    if spectask.review_mode == "stepwise":
        before = document_names(spectask.flow)[: document_names(spectask.flow).index(name)]
        earlier = [
            other
            for other in before
            if other not in together
            and (other not in spectask.approvals or spectask.approvals[other].digest != spectask.documents[other].digest)
        ]
        if earlier:
            return Refusal(
                code="out-of-order", message=f"{earlier[0]} comes before {name} in a stepwise review.", hint=f"Approve {earlier[0]} first."
            )
    return None


def record_commit(spectask: SpecTask, command: c.RecordCommit, actor: Actor) -> Decision:  # noqa: ARG001  every rule has the same form
    """Acknowledges that git holds a record, and lets begin what waited for it."""
    if command.of not in spectask.uncommitted:
        return ()
    events: list[e.Event] = [e.RecordCommitted(of=command.of, oid=command.oid)]
    if command.feature is not None:
        events += _published(spectask, command)
    runs = (*spectask.plans, *spectask.sessions.values())
    answered = next((run for run in runs if run.question and run.question.answer_seq == command.of and run.state == "waiting"), None)
    if answered and answered.question:
        events.append(_after_answer(answered.id, answered.turn, answered.question.id, answered.question.answer))
    return tuple(events)


def _after_answer(run: RunId, turn: int, question: str, text: str) -> e.Event:
    if question.startswith("check-"):
        return e.SessionSentBack(session=run, cause="check", text=f"The check could not run. A human says: {text}", after_turn=turn)
    return e.RunResumed(run=run)


def _published(spectask: SpecTask, command: c.RecordCommit) -> list[e.Event]:
    approvals = [spectask.approvals[name] for name in document_names(spectask.flow)]
    digests = tuple((approval.document, approval.digest) for approval in approvals)
    number = len(spectask.versions) + 1
    assert command.feature is not None  # noqa: S101  the caller asked
    published = e.VersionPublished(number=number, digests=digests, specs=command.oid, feature=command.feature, tag=command.tag)
    tasks = spectask.approvals["tasks"].content
    planned = tuple(_planned_tasks(tasks))
    events: list[e.Event] = [published, e.TasksPlanned(tasks=planned, recheck=_rechecked(spectask, tasks))]
    if spectask.execute and spectask.state in {"planning", "spec_review"}:
        events.append(e.ImplementationStarted(person=spectask.owner.name, limits=spectask.limits))
    return events


def _planned_tasks(content: bytes) -> list[PlannedTask]:
    parsed = parse_tasks(content).tasks
    leaves = {task.id for task in parsed if task.leaf}

    def leaves_of(number: str) -> list[str]:
        return [number] if number in leaves else [leaf for leaf in leaves if leaf.startswith(f"{number}.")]

    return [
        PlannedTask(
            number=TaskNumber(task.id),
            parent=TaskNumber(task.parent) if task.parent else None,
            title=task.title,
            detail=task.detail,
            requires=task.requires,
            depends=tuple(TaskNumber(leaf) for depended in task.depends for leaf in sorted(leaves_of(depended)) if leaf != task.id),
            files=task.files,
            role=task.role or "implementer",
            check=task.check or "",
            optional=task.optional,
        )
        for task in parsed
        if task.leaf
    ]


def _rechecked(spectask: SpecTask, tasks: bytes) -> tuple[TaskNumber, ...]:
    if not spectask.versions or "requirements" not in spectask.approvals:
        return ()
    before = spectask.versions[-1].contents.get("requirements", b"")
    changed = changed_requirements(before, spectask.approvals["requirements"].content)
    tracing = tasks_tracing(parse_tasks(tasks).tasks, changed)
    return tuple(number for number, task in spectask.tasks.items() if task.state == "merged" and number in tracing)
