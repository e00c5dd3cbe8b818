"""The story of one PlanningRun: read the repository at `base`, write or revise the documents, answer the comments.

The planner has no branch and writes only through document tools. What a human changed while it wrote is merged with what it writes; where both changed the same words it is shown
theirs and writes again.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import partial

import msgspec

from specgit.repository import Repository
from specgit.types import Oid as GitOid
from specthread.agents.backend import RunEnd, ToolResult, ToolSpec, ToolUse
from specthread.agents.document_tools import Rendered, document_tools, rendered
from specthread.agents.prompts import ReviewNote, planner_opening
from specthread.agents.tools import ANSWER_COMMENT, READING, WRITE_DOCUMENT
from specthread.domain import commands as c
from specthread.domain import events as e
from specthread.domain import reports
from specthread.domain.ids import CommentId
from specthread.domain.model import Actor, Refusal, SpecTask
from specthread.domain.names import documents_of, spectask_of
from specthread.domain.planned import linted
from specthread.domain.react import RunPlanner
from specthread.domain.rules_planning import MAX_QUESTIONS, to_answer
from specthread.domain.run import PlanningRun
from specthread.domain.runs import find_run
from specthread.engine.context_cache import content_key
from specthread.engine.document_merge import merge_document
from specthread.engine.external_planning import Claim, how_to_write, planning_place
from specthread.engine.history import briefing_of, documents_known, heard_through
from specthread.engine.port import ConversationPort
from specthread.engine.ports import Ports, in_thread
from specthread.engine.project_background import BACKGROUND, commands, conventions, related
from specthread.engine.project_map import MAP, map_of
from specthread.engine.reading_project import READING_TOOLS, ProjectReader
from specthread.engine.repositories import OpenRepository
from specthread.engine.session import agent_of, assignment_for, report_end
from specthread.plan.findings import findings
from specthread.spec.source import BYTE_ORDER_MARK, scan


async def run_planner(ports: Ports, effect: RunPlanner) -> None:
    """Runs the planner's conversation until its documents are ready, or it asks, fails or is stopped."""
    spectask = ports.spectask(effect.spectask)
    plan = next(plan for plan in spectask.plans if plan.id == effect.run)
    opened = await ports.repository(spectask.id)
    # A run that has made no call has no conversation to read back.
    envelopes = await ports.read_events(spectask.id, 0, plan.id) if plan.spend.calls else ()
    told = briefing_of(envelopes)
    # Who goes on writes from memory: what changed since is not known to it, and has to be merged.
    known = documents_known(await ports.read_events(spectask.id, 0, None), plan) if told else _contents_of(spectask)
    toolbox = PlannerTools(ports=ports, opened=opened, spectask=spectask, plan=plan, known=known)
    backend = await in_thread(agent_of, ports, opened, plan)
    if isinstance(backend, RunEnd):
        await report_end(ports, plan, backend)
        return
    briefing = told or f"{await _opening(ports, opened, spectask, plan)}{how_to_write(spectask) if backend.needs_place else ''}"
    assignment = await assignment_for(ports, opened, plan, opening=briefing, tools=toolbox.specs, envelopes=envelopes)

    def port(claim: Claim) -> ConversationPort:
        return ConversationPort(
            ports,
            spectask.id,
            plan.id,
            heard=heard_through(envelopes),
            briefing="" if told else briefing,
            claim=claim,
            refuse=partial(_no_more_questions, ports, plan),
            model=assignment.model,
        )

    claim = partial(_claim, ports, plan)
    if backend.needs_place:
        async with planning_place(ports, opened, toolbox, plan) as (place, files):
            end = await backend.run(replace(assignment, place=place), port(files.claim(claim)), toolbox)
    else:
        end = await backend.run(assignment, port(claim), toolbox)
    await report_end(ports, plan, end)


async def _claim(ports: Ports, plan: PlanningRun, summary: str) -> str | None:
    """Says that the documents are ready, and returns what the planner has to do first."""
    spectask = ports.spectask(spectask_of(plan.id))
    found = await in_thread(findings, _contents_of(spectask), spectask.dialect, spectask.flow)
    answer = await ports.submit(reports.FinishPlanning(spectask=spectask.id, plan=plan.id, summary=summary, findings=found))
    if isinstance(answer, Refusal):
        return f"{answer.message} {answer.hint}"
    return next((envelope.event.text for envelope in answer.envelopes if isinstance(envelope.event, e.PlanningSentBack)), None)


def _contents_of(spectask: SpecTask) -> dict[str, bytes]:
    return {name: document.content for name, document in spectask.documents.items()}


def _no_more_questions(ports: Ports, plan: PlanningRun) -> str:
    run = find_run(ports.spectask(spectask_of(plan.id)), plan.id)
    if not isinstance(run, PlanningRun) or run.asked < MAX_QUESTIONS:
        return ""
    return f"You have asked {MAX_QUESTIONS} questions, and no more are passed on. Decide, and write it under Open Questions."


async def _opening(ports: Ports, opened: OpenRepository, spectask: SpecTask, plan: PlanningRun) -> str:
    project = await _project(ports, opened, GitOid(spectask.base))
    before = await in_thread(related, spectask, tuple(ports.visible().spectasks.values()))
    revising = plan.purpose == "revise"
    notes = [ReviewNote(comment=item.id, document=item.document, quote=item.quote, text=item.text) for item in to_answer(spectask)]
    prompt = f"{spectask.prompt}\n\nThe reviewer says: {plan.message}" if plan.message else spectask.prompt
    return planner_opening(
        prompt=prompt,
        flow=spectask.flow,
        wanted=documents_of(spectask),
        repository_map=project.map,
        background={
            **({"commands that check the project": project.commands} if project.commands else {}),
            **{f"conventions in {path}": text for path, text in project.conventions.items()},
            **{f"planned here before as {name}": text for name, text in before.items()},
        },
        documents={
            name: spectask.documents[name].content.decode(errors="replace") for name in documents_of(spectask) if name in spectask.documents
        },
        notes=notes if revising else (),
        revising=revising,
        dialect="" if spectask.dialect == "specthread" else spectask.dialect,
    )


class _Project(msgspec.Struct, frozen=True):
    """What is told of a commit, which never changes."""

    map: str
    commands: str
    conventions: dict[str, str]


async def _project(ports: Ports, opened: OpenRepository, commit: GitOid) -> _Project:
    key = content_key(f"read/{commit}", "project", MAP, BACKGROUND)
    known = ports.cache.get(key)
    if known is not None:
        return msgspec.json.decode(known, type=_Project)
    found = await in_thread(_looked_at, opened.repository, commit)
    ports.cache.put(key, msgspec.json.encode(found))
    return found


def _looked_at(repository: Repository, commit: GitOid) -> _Project:
    return _Project(map=map_of(repository, commit), commands=commands(repository, commit), conventions=conventions(repository, commit))


@dataclass(slots=True, kw_only=True)
class PlannerTools:
    """What a planner may do: read the tree of `base`, write the flow's documents, answer comments."""

    ports: Ports
    opened: OpenRepository
    spectask: SpecTask
    plan: PlanningRun
    known: dict[str, bytes]
    """Each document as this planner last saw or wrote it."""

    def knows(self, name: str, content: bytes) -> None:
        """Says that this is what the planner's next text of a document was made from."""
        self.known[name] = content

    @property
    def specs(self) -> tuple[ToolSpec, ...]:
        """Lists the tools."""
        values = document_tools(self.spectask.flow) if self.spectask.dialect == "specthread" else ()
        return (*READING_TOOLS, *values, WRITE_DOCUMENT, ANSWER_COMMENT)

    async def use(self, call: ToolUse) -> ToolResult:
        """Uses a tool."""
        if call.name == WRITE_DOCUMENT.name:
            return await self._write(call, call.input["document"].removesuffix(".md"), call.input["text"].encode())
        if call.name == ANSWER_COMMENT.name:
            command = reports.AnswerComment(
                spectask=self.spectask.id, plan=self.plan.id, comment=CommentId(call.input["comment"]), text=call.input["text"]
            )
            answer = await self.ports.submit(command, self._actor)
            return _said(call, f"{answer.message} {answer.hint}", wrong=True) if isinstance(answer, Refusal) else _said(call, "Answered.")
        made = await in_thread(rendered, call, self._contents())
        if isinstance(made, Rendered):
            return await self._write(call, made.document, made.content)
        return await self._read(call) if made is None else _said(call, made, wrong=True)

    def _contents(self) -> dict[str, bytes]:
        return _contents_of(self.ports.spectask(self.spectask.id))

    async def _read(self, call: ToolUse) -> ToolResult:
        """Reads the tree of `base`, or says what reading it gave before: a commit never changes, and a plan is often made again of the same one."""
        key = content_key(f"read/{self.spectask.base}", READING, self._shown, call.name, call.input)
        known = self.ports.cache.get(key)
        if known is not None:
            return _said(call, known.decode(errors="replace"))
        result = await ProjectReader(repository=self.opened.repository, commit=GitOid(self.spectask.base), shown_root=self._shown).use(call)
        if not result.is_error:
            self.ports.cache.put(key, result.content.encode(errors="replace"))
        return result

    @property
    def _shown(self) -> str:
        """Where the planner is told that the tree lies."""
        return str(self.opened.repository.checkout or "/project")

    @property
    def _actor(self) -> Actor:
        return Actor(kind="session", name=self.plan.id)

    async def _write(self, call: ToolUse, name: str, text: bytes) -> ToolResult:
        text = _in_form_of(self.known.get(name) or b"", text if text.endswith(b"\n") else text + b"\n")
        while True:
            live = self.ports.spectask(self.spectask.id).documents.get(name)
            present = live.content if live else None
            merged = text
            if present is not None and present != self.known.get(name):
                known = self.known.get(name) or b""
                lines = self.opened.merger.merge_text
                merge = await in_thread(merge_document, lines, self.spectask.dialect, name, known, present, text)
                if merge.conflict:
                    self.known[name] = present
                    return _said(
                        call,
                        f"A human changed {name} meanwhile, in the same place. {' '.join(merge.questions)}".rstrip()
                        + f" It now reads:\n\n{present.decode(errors='replace')}",
                        wrong=True,
                    )
                merged = merge.content
            edit = c.EditDocument(spectask=self.spectask.id, document=name, content=merged, expects=present, kind="planner")
            answer = await self.ports.submit(edit, self._actor)
            if isinstance(answer, Refusal) and answer.code == "stale-document":
                continue
            if isinstance(answer, Refusal):
                return _said(call, f"{answer.message} {answer.hint}", wrong=True)
            # Ticks of merged tasks may have been put back into what was written.
            self.known[name] = self.ports.spectask(self.spectask.id).documents[name].content
            return _said(call, await self._problems(name))

    async def _problems(self, name: str) -> str:
        contents = self._contents()
        found = [problem for problem in await in_thread(linted, contents, self.spectask.dialect) if problem.document == name]
        lines = [f"- line {p.line}: {p.severity} {p.code}: {p.message}" for p in found]
        errors = {f"{p.document}:{p.line} {p.message}" for p in found}
        more = await in_thread(findings, contents, self.spectask.dialect, self.spectask.flow)
        lines += [f"- {finding}" for finding in more if finding.startswith(name) and finding not in errors]
        if not lines:
            return f"{name} is written; the linter finds nothing wrong."
        return "\n".join([f"{name} is written; the linter says:", *lines])


def _in_form_of(present: bytes, text: bytes) -> bytes:
    """Returns a text with the byte order mark and the line endings of the present one: a revision changes the lines it means."""
    mark = BYTE_ORDER_MARK if present.startswith(BYTE_ORDER_MARK) else b""
    ending = scan(present).ending.encode()
    return mark + text.removeprefix(BYTE_ORDER_MARK).replace(b"\r\n", b"\n").replace(b"\n", ending)


def _said(call: ToolUse, text: str, *, wrong: bool = False) -> ToolResult:
    return ToolResult(tool_use_id=call.id, content=text, is_error=wrong)
