"""Requests that submit a command and answer when it is durable."""

from __future__ import annotations

import asyncio
import secrets
from itertools import takewhile

from immutables import Map

from specthread.domain import commands as c
from specthread.domain.approval import is_approved
from specthread.domain.commands_note import AnswerPut
from specthread.domain.completion import with_dependencies
from specthread.domain.family import short
from specthread.domain.ids import CommentId, Digest, Oid, RunId, TaskNumber
from specthread.domain.model import Refusal, SpecTask, State
from specthread.domain.names import spectask_of
from specthread.domain.notes import Note
from specthread.domain.planned import parsed
from specthread.domain.rules_approval import obstacles
from specthread.domain.rules_spectask import ended
from specthread.domain.run import AnyRun
from specthread.domain.runs import all_runs
from specthread.plan.dag import build_dag
from specthread.plan.waiting import why_waiting
from specthread.protocol import convert, wire_params, wire_result
from specthread.protocol.convert_forecast import forecast_view
from specthread.protocol.find import find_run, find_target
from specthread.protocol.port import Accepted
from specthread.protocol.request import Answer, Request, named_spectask
from specthread.spec.anchor import anchor_at
from specthread.views.dry_run import forecast
from specthread.views.progress import needs

# --- making and reviewing -----------------------------------------------------------------------------------------------


async def new(request: Request, params: wire_params.NewParams) -> Answer:
    """Makes a SpecTask; planning starts at once, or the review of a spec folder that is there already."""
    answer = await request.ports.create(params, await request.client.actor(params.path))
    if isinstance(answer, Refusal):
        return answer
    made = answer.envelopes[0].spectask
    return wire_result.NewResult(spectask=await request.view(made), seq=answer.seq)


async def comment(request: Request, params: wire_params.CommentParams) -> Answer:
    """Adds a comment, anchored to the words on its line."""
    found = named_spectask(request, params.id)
    if isinstance(found, Refusal):
        return found
    name = _document_name(found, params.file)
    document = found.documents.get(name)
    content = document.content if document else b""
    line = _line_reading(content, params.words, params.line) if params.words.strip() else params.line
    if line is None:
        return Refusal(code="unknown-words", message=f"The live {name} has no such line.", hint="Save the document, then comment again.")
    if document is not None and line > content.count(b"\n") + 1:
        text = f"{name} has no line {line}."
        return Refusal(code="unknown-line", message=text, hint=f"`specthread review {found.id}` says where the documents are.")
    anchor = anchor_at(content, line)
    remark = c.Remark(
        comment=CommentId(f"c-{secrets.token_hex(4)}"), quote=anchor.quote, section=anchor.section, line=anchor.line, text=params.text
    )
    return await request.change(c.AddComment(spectask=found.id, document=name, remark=remark), params.key)


def _line_reading(content: bytes, words: str, near: int) -> int | None:
    """Returns the line with these words that is nearest to where the person sees it."""
    lines = enumerate(content.decode(errors="replace").split("\n"), 1)
    reading = [number for number, line in lines if line.strip() == words.strip()]
    return min(reading, key=lambda number: abs(number - near), default=None)


def _document_name(spectask: SpecTask, file: str) -> str:
    """Returns the document meant by a name or path: `requirements`, `requirements.md`, `…/requirements.md`, or its file in the folder it was adopted from.

    Of several files with one name, the deltas of a change, the one is meant whose path shares the longest end with what was written.
    """
    wanted = file.replace("\\", "/").removesuffix(".md")  # the path may be of any system and need not exist
    if wanted in spectask.documents:
        return wanted
    shared = {document.name: _shared_end(wanted, document.path.removesuffix(".md")) for document in spectask.documents.values()}
    longest = max(shared.values(), default=0)
    nearest = [name for name, length in shared.items() if length == longest]
    return nearest[0] if longest and len(nearest) == 1 else wanted.rpartition("/")[2]


def _shared_end(one: str, other: str) -> int:
    """Returns how many of the last parts of two paths are the same."""
    pairs = zip(reversed(one.split("/")), reversed(other.split("/")), strict=False)
    return sum(1 for _ in takewhile(lambda pair: pair[0] == pair[1], pairs))


async def resolve(request: Request, params: wire_params.ResolveParams) -> Answer:
    """Settles a comment by hand."""
    found = named_spectask(request, params.id)
    if isinstance(found, Refusal):
        return found
    named = [comment for comment in found.comments if comment.startswith(params.comment)]
    if len(named) != 1:
        what = "Several comments begin with" if named else "There is no comment"
        return Refusal(
            code="unknown-comment", message=f"{what} {params.comment}.", hint=f"`specthread review {found.id}` shows the open comments."
        )
    return await request.change(c.ResolveComment(spectask=found.id, comment=named[0]), params.key)


async def approve(request: Request, params: wire_params.ApproveParams) -> Answer:
    """Approves exactly the words that were read."""
    found = named_spectask(request, params.id)
    if isinstance(found, Refusal):
        return found
    # The rule asks for what the linter says; it is asked here before, where nobody waits.
    await asyncio.to_thread(obstacles, found)
    documents = tuple((_document_name(found, each.document), Digest(each.digest)) for each in params.documents)
    return await request.change(c.ApproveDocuments(spectask=found.id, documents=documents), params.key)


async def request_changes(request: Request, params: wire_params.RequestChangesParams) -> Answer:
    """Sends the documents back to the planner."""
    found = named_spectask(request, params.id)
    if isinstance(found, Refusal):
        return found
    return await request.change(c.RequestChanges(spectask=found.id, message=params.message), params.key)


# --- running ------------------------------------------------------------------------------------------------------------


async def run(request: Request, params: wire_params.RunParams) -> Answer:
    """Starts the approved tasks, or says what would start."""
    found = named_spectask(request, params.id)
    if isinstance(found, Refusal):
        return found
    limits, options = convert.limits_from(params.limits, found.limits), convert.options_from(params, found.options)
    tasks = tuple(map(TaskNumber, params.tasks))
    command = c.StartImplementation(spectask=found.id, limits=limits, tasks=tasks, options=options if options != found.options else None)
    at_once = 1 if options.mode == "sequential" else limits.max_parallel
    if params.dry_run:
        return await _dry_run(request, found, command, at_once)
    refusal = await request.ports.may_run(found)
    if refusal:
        return refusal
    answer = await request.submit(command, params.key)
    return answer if isinstance(answer, Refusal) else _run_result(found, at_once, answer, tasks)


async def _dry_run(request: Request, spectask: SpecTask, command: c.StartImplementation, at_once: int) -> Answer:
    """Says what the command would do; nothing is submitted, so nothing is written."""
    around = await request.ports.surroundings_of(spectask)
    actor = await request.client.actor(spectask.repository)
    now, state = request.ports.clock(), request.ports.engine.visible
    told = await asyncio.to_thread(forecast, state, spectask, command, actor, around, now)
    result = _run_result(spectask, at_once, None, command.tasks)
    return result.model_copy(update={"forecast": forecast_view(told), "critical_path": list(told.critical_path)})


def _run_result(spectask: SpecTask, max_parallel: int, answer: Accepted | None, chosen: tuple[TaskNumber, ...]) -> wire_result.RunResult:
    tasks = spectask.documents.get("tasks")
    dag = build_dag(parsed(tasks.content if tasks else b"", spectask.dialect))
    over = {number for number, task in spectask.tasks.items() if task.state in {"merged", "skipped"}}
    if chosen:
        over |= set(spectask.tasks) - with_dependencies(spectask, chosen)
    waves = [[number for number in wave if number not in over] for wave in dag.waves]
    return wire_result.RunResult(
        spectask=spectask.id,
        started=answer is not None,
        why="" if answer or is_approved(spectask) else why_waiting(State(spectasks=Map({spectask.id: spectask})), spectask.id),
        seq=answer.seq if answer else 0,
        waves=[wave for wave in waves if wave],
        critical_path=[number for number in dag.critical_path if number not in over],
        max_parallel=max_parallel,
    )


async def say(request: Request, params: wire_params.SayParams) -> Answer:
    """Says something to a running agent."""
    found = find_run(request.ports.engine.visible, params.target)
    if isinstance(found, Refusal):
        return found
    return await request.change(c.SayToRun(spectask=spectask_of(found.id), run=found.id, text=params.text), params.key)


async def answer(request: Request, params: wire_params.AnswerParams) -> Answer:
    """Answers the open question of a run, or the only one of a SpecTask."""
    found = find_target(request.ports.engine.visible, params.target)
    put = _put_question(found, params.question) if isinstance(found, SpecTask) else None
    if isinstance(found, SpecTask) and put:
        given = AnswerPut(spectask=found.id, question=put.id, answer=_among(put.choices, params.text))
        return await request.change(given, params.key)
    if isinstance(found, SpecTask):
        found = _only_asking(found)
    if isinstance(found, Refusal):
        return found
    text = _chosen(found, params.text)
    command = c.AnswerQuestion(spectask=spectask_of(found.id), run=found.id, answer=text, question=params.question)
    return await request.change(command, params.key)


def _chosen(run: AnyRun, typed: str) -> str:
    """Returns the choice a number means, where the question has numbered choices and none of them reads so itself."""
    return _among(run.question.choices if run.question else (), typed)


def _among(choices: tuple[str, ...], typed: str) -> str:
    number = int(typed) if typed.strip().isdecimal() and typed.strip() not in choices else 0
    return choices[number - 1] if 0 < number <= len(choices) else typed


def _put_question(spectask: SpecTask, named: str) -> Note | None:
    """Returns the question from outside of our runs that a person means: the named one, or the only one while no run asks."""
    waiting = [note for note in spectask.notes if note.is_open]
    if named:
        return next((note for note in waiting if note.id == named), None)
    return waiting[0] if len(waiting) == 1 and not any(_asks(run) for run in all_runs(spectask)) else None


def _asks(run: AnyRun) -> bool:
    return bool(run.question and not run.question.answer_seq and run.ended is None)


def _only_asking(spectask: SpecTask) -> AnyRun | Refusal:
    asking = [run for run in all_runs(spectask) if _asks(run)]
    if len(asking) == 1:
        return asking[0]
    names = ", ".join(run.id for run in asking)
    text = f"Several runs ask: {names}." if asking else f"No run of {spectask.id} asks anything."
    return Refusal(
        code="which-question" if asking else "no-question", message=text, hint=f"`specthread show {spectask.id}` shows who waits."
    )


async def pause(request: Request, params: wire_params.TargetChange) -> Answer:
    """Pauses a SpecTask or one run."""
    return await _on_target(request, params, c.PauseSpecTask, c.PauseRun)


async def resume(request: Request, params: wire_params.TargetChange) -> Answer:
    """Resumes a SpecTask or one run."""
    return await _on_target(request, params, c.ResumeSpecTask, c.ResumeRun)


async def cancel(request: Request, params: wire_params.TargetChange) -> Answer:
    """Cancels a SpecTask or one run."""
    return await _on_target(request, params, c.CancelSpecTask, c.CancelRun)


async def _on_target(
    request: Request,
    params: wire_params.TargetChange,
    for_spectask: type[c.PauseSpecTask | c.ResumeSpecTask | c.CancelSpecTask],
    for_run: type[c.PauseRun | c.ResumeRun | c.CancelRun],
) -> Answer:
    found = find_target(request.ports.engine.visible, params.target)
    if isinstance(found, Refusal):
        return found
    if isinstance(found, SpecTask):
        return await request.change(for_spectask(spectask=found.id), params.key)
    return await request.change(for_run(spectask=spectask_of(found.id), run=found.id), params.key)


async def retry(request: Request, params: wire_params.RetryParams) -> Answer:
    """Tries a session again; for a SpecTask, all work that stopped and can go on, or the failed SpecTask itself."""
    found = find_target(request.ports.engine.visible, params.target)
    if isinstance(found, Refusal):
        return found
    if not isinstance(found, SpecTask):
        return await request.change(c.RetryRun(spectask=spectask_of(found.id), run=found.id, fresh=params.fresh), params.key)
    if found.state == "failed":
        return await request.change(c.ResumeSpecTask(spectask=found.id), params.key)
    return ended(found) or await _retry_all(request, params, found)


async def _retry_all(request: Request, params: wire_params.RetryParams, spectask: SpecTask) -> Answer:
    """Tries again whatever can be; the answer says of all what came of it, and is a refusal where nothing could be."""
    done: list[wire_result.Done] = []
    refused: list[tuple[RunId, Refusal]] = []
    for run in [need.run for need in needs(spectask) if need.kind == "retry" and need.run]:
        key = f"{params.key}/{run}" if params.key else ""
        answer = await request.change(c.RetryRun(spectask=spectask.id, run=run, fresh=params.fresh), key)
        if isinstance(answer, Refusal):
            refused.append((run, answer))
        else:
            done.append(answer)
    if done:
        held_back = [f"{short(run)} is not tried again: {refusal.message}" for run, refusal in refused]
        return done[-1].model_copy(update={"text": " ".join([*(each.text for each in done), *held_back])})
    if refused:
        return refused[0][1]
    text, hint = f"No work of {spectask.id} has stopped.", f"`specthread show {spectask.id}` shows how it stands."
    return Refusal(code="nothing-to-retry", message=text, hint=hint)


async def spawn(request: Request, params: wire_params.SpawnParams) -> Answer:
    """Gives work to a session of its own, under a session or beside the plan."""
    state = request.ports.engine.visible
    found = find_target(state, params.target)
    if isinstance(found, SpecTask) and params.parent:
        found = find_run(state, f"{found.id}/{params.parent.rpartition('/')[2]}")
    if isinstance(found, Refusal):
        return found
    parent = None if isinstance(found, SpecTask) else found.id
    spectask = found if isinstance(found, SpecTask) else state.spectasks[spectask_of(found.id)]
    refusal = await request.ports.may_run(spectask)
    if refusal:
        return refusal
    command = c.SpawnSession(spectask=spectask.id, parent=parent, work=params.text, role=params.role, budget_usd=params.budget_usd)
    return await request.change(command, params.key)


async def accept(request: Request, params: wire_params.AcceptParams) -> Answer:
    """Accepts the finished feature branch."""
    found = named_spectask(request, params.id)
    if isinstance(found, Refusal):
        return found
    tip = await request.ports.feature_tip(found)
    if found.final and tip != found.final:
        return _moved(found, found.final, tip)
    feature = Oid(params.feature) if params.feature else None
    return await request.change(c.AcceptSpecTask(spectask=found.id, feature=feature), params.key)


def _moved(spectask: SpecTask, final: str, tip: str) -> Refusal:
    """Refuses to accept what was never verified: only the daemon's own commits on the feature branch were."""
    branch = f"spectask/{spectask.id}/feature"
    return Refusal(
        code="feature-moved",
        message=f"Somebody {f'moved {branch} to {tip[:12]}' if tip else f'deleted {branch}'}; what was verified is {final[:12]}.",
        hint=f"`git update-ref refs/heads/{branch} {final}` puts it back. Keep commits of your own on a branch of your own.",
    )


async def skip(request: Request, params: wire_params.SkipParams) -> Answer:
    """Leaves a task undone."""
    found = named_spectask(request, params.id)
    if isinstance(found, Refusal):
        return found
    return await request.change(c.SkipTask(spectask=found.id, task=TaskNumber(params.task)), params.key)


async def sync(request: Request, params: wire_params.SpecTaskChange) -> Answer:
    """Merges the moved target into the feature branch."""
    found = named_spectask(request, params.id)
    if isinstance(found, Refusal):
        return found
    return await request.change(c.SyncTarget(spectask=found.id), params.key)


async def archive(request: Request, params: wire_params.SpecTaskChange) -> Answer:
    """Puts an ended SpecTask away."""
    found = named_spectask(request, params.id)
    if isinstance(found, Refusal):
        return found
    return await request.change(c.ArchiveSpecTask(spectask=found.id), params.key)
