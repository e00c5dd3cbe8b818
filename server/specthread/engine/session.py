"""The story of one WorkSession: give the agent its worktree and its task, let it work, take its word to the verifier.

Everything the story needs after a restart is in the log: the conversation is rebuilt from it, and the worktree is where it was.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import replace
from functools import partial
from pathlib import Path

from specthread.agents.backend import AgentBackend, Assignment, RunEnd, RunStopped, ToolSpec
from specthread.agents.permissions import Request
from specthread.agents.prompts import EarlierResult, implementer_opening, system_prompt
from specthread.agents.spill import KEPT_OUTPUT
from specthread.agents.tools import ASK, COORDINATE, FINISH, WorkspaceTools
from specthread.domain import events as e
from specthread.domain import reports
from specthread.domain.family import work_of
from specthread.domain.ids import TaskNumber
from specthread.domain.model import Refusal, SpecTask
from specthread.domain.names import documents_of, spectask_of
from specthread.domain.planned import prerequisites
from specthread.domain.react import RunSession
from specthread.domain.rules_coordination import result_of
from specthread.domain.run import Run, WorkSession
from specthread.domain.text import sound_text
from specthread.engine.agent_place import agent_named, make_place
from specthread.engine.coordination import Coordination
from specthread.engine.environment import Environment, output_of
from specthread.engine.history import briefing_of, heard_through, turns_from_events
from specthread.engine.locking import LockingTools, hold_what_it_uses
from specthread.engine.permitting import PermittedTools
from specthread.engine.port import ConversationPort
from specthread.engine.ports import Ports, in_thread
from specthread.engine.quota import within_quota
from specthread.engine.repositories import OpenRepository
from specthread.engine.session_time import ended_in_time, time_limit
from specthread.engine.session_work import look_at, protected_folders
from specthread.engine.settings import RoleSettings
from specthread.engine.setup import Setup, clean_up, place_for, without_copies
from specthread.engine.shared_context import shared_context
from specthread.engine.workplace import prepare_workplace, private_git_of
from specthread.spec.document import BUGFIX, REQUIREMENTS, DocumentName
from specthread.spec.spec import kind_of, read_spec
from specthread.spec.symbols import meanings, meant

NO_NETWORK = (
    "shares the network, since its model is there, and your permissions.deny forbids `network`. Choose another agent, or forbid less: "
    "what it asks for is put to you all the same."
)


async def run_session(ports: Ports, effect: RunSession) -> None:
    """Runs the session's conversation until it claims, asks, fails or is stopped."""
    spectask = ports.spectask(effect.spectask)
    session = spectask.sessions[effect.run]
    if not await hold_what_it_uses(ports, spectask, session):
        return
    # Others may have ended, and people spoken, while it waited for what it uses.
    spectask = ports.spectask(effect.spectask)
    session = spectask.sessions[effect.run]
    opened = await ports.repository(spectask.id)
    worktree = await in_thread(prepare_workplace, ports, opened, spectask, session)
    with ports.blocks.block() as port:
        await _work(ports, opened, spectask, session, worktree, await place_for(ports, opened, spectask, session, port=port))


async def _work(
    ports: Ports, opened: OpenRepository, spectask: SpecTask, session: WorkSession, worktree: Path, environment: Environment
) -> None:
    """Lets the agent work in the place that was made for it, once that is set up."""
    envelopes = await ports.read_events(spectask.id, 0, session.id)
    files = WorkspaceTools.for_work(
        root=worktree,
        shown_root=environment.shown,
        shell=partial(environment.run, output_limit=KEPT_OUTPUT),
        protected=protected_folders(spectask),
        output=output_of(private_git_of(opened, spectask, session)),
        look=look_at(opened, spectask, session),
    )
    toolbox = LockingTools(inner=files, ports=ports, run=session.id)
    told = briefing_of(envelopes)
    briefing = told or f"{session_opening(ports, spectask, session, envelopes)}{await in_thread(place_of, opened, worktree)}"
    backend = await in_thread(agent_of, ports, opened, session)
    if isinstance(backend, RunEnd):
        await report_end(ports, session, backend)
        return
    assignment = await assignment_for(ports, opened, session, opening=briefing, tools=(*toolbox.specs, COORDINATE), envelopes=envelopes)
    if backend.needs_place:
        emptied = await in_thread(without_copies, opened, environment, private_git_of(opened, spectask, session))
        assignment = replace(assignment, place=await in_thread(make_place, opened, environment, session, emptied))

    async def claim(summary: str) -> str | None:
        answer = await ports.submit(reports.ClaimSession(spectask=spectask.id, session=session.id, summary=summary))
        return answer.message if isinstance(answer, Refusal) else None

    port = ConversationPort(
        ports,
        spectask.id,
        session.id,
        heard=heard_through(envelopes),
        briefing="" if told else briefing,
        claim=claim,
        coordinate=Coordination(ports, opened, spectask.id, session.id).use,
        regain=lambda: hold_what_it_uses(ports, ports.spectask(spectask.id), ports.spectask(spectask.id).sessions[session.id]),
        model=backend.name if backend.needs_place else assignment.model,
    )
    setup = Setup(ports=ports, opened=opened, spectask=spectask, session=session, environment=environment, permit=port.permit)
    try:
        failed = await setup.begin()
    except RunStopped:
        return
    if failed:
        await report_end(ports, session, RunEnd(kind="failed", reason=failed))
        return
    limit = time_limit(spectask, session, ports.repository_settings(opened).timeouts)
    permitted = PermittedTools(inner=toolbox, permit=port.permit, workspace=files.workspace, sandboxed=environment.is_held)
    work = within_quota(ports, session, worktree, backend.run(assignment, port, permitted))
    await report_end(ports, session, await ended_in_time(ports, session, limit, work))
    await clean_up(ports, opened, spectask.id, session.id)


async def assignment_for(
    ports: Ports, opened: OpenRepository, run: Run, *, opening: str, tools: tuple[ToolSpec, ...], envelopes: tuple[e.Envelope, ...]
) -> Assignment:
    """Returns what a run's agent is given: its role's settings, its opening, its tools, and what it already did."""
    settings, system = await in_thread(_role_of, ports, opened, run.role, run.agent)
    return Assignment(
        run=run.id,
        role=run.role,
        system=system,
        opening=opening,
        model=settings.model,
        effort=settings.effort,
        max_tokens=settings.max_tokens,
        max_turns=settings.max_turns,
        tools=tuple(tool for tool in (*tools, ASK, FINISH) if settings.may_use(tool.name)),
        first_turn=run.first_turn,
        history=turns_from_events(envelopes, run.first_turn),
    )


def _role_of(ports: Ports, opened: OpenRepository, role: str, agent: str) -> tuple[RoleSettings, str]:
    """Returns a role's settings and its system prompt, which files of the person and of the repository may change."""
    settings = ports.settings.role(role, ports.repository_settings(opened))
    backend = ports.backends.get(agent_named(ports.backends, settings.agent or agent))
    worker = "_external" if backend is not None and backend.needs_place else "_worker"
    return settings, system_prompt(role, settings.prompt, worker)


def agent_of(ports: Ports, opened: OpenRepository, run: Run) -> AgentBackend | RunEnd:
    """Returns the agent that a run works with: its role's own where the role has one, else the SpecTask's; or the end of a run whose agent is not there."""
    own = ports.settings.role(run.role, ports.repository_settings(opened)).agent
    found = ports.backends.get(agent_named(ports.backends, own or run.agent))
    if found is not None and found.needs_place and not _may_have_network(ports):
        return RunEnd(kind="failed", reason=f"{found.name} {NO_NETWORK}", outside=True)
    if found is not None:
        return found
    names = ", ".join(sorted(ports.backends))
    return RunEnd(kind="failed", reason=f"There is no agent {own or run.agent}; this daemon has: {names}.", outside=True)


def _may_have_network(ports: Ports) -> bool:
    """Tells whether an agent may share the network for as long as it runs: no rule could stop it then."""
    return ports.settings.permissions.verdict(Request(tool="network", what="", network=True)) != "deny"


async def report_end(ports: Ports, run: Run, end: RunEnd) -> None:
    """Records a run that ended without a claim; one that was stopped is as its state says."""
    if end.kind in {"failed", "stuck", "limit"}:
        await ports.submit(
            reports.FailRun(spectask=spectask_of(run.id), run=run.id, reason=end.reason, stuck=end.kind == "stuck", outside=end.outside)
        )


def place_of(opened: OpenRepository, worktree: Path) -> str:
    """Returns what an agent is told of a worktree that does not hold everything, or holds more than git does; nothing of any other."""
    cone, copied = opened.worktrees.cone(worktree), opened.worktrees.include(worktree, ())
    parts = []
    if cone is not None:
        parts.append(
            f"Of the repository, only the files at the top and these folders are in your worktree: {', '.join(cone.folders)}. "
            "What is elsewhere is not deleted, and the check sees all of it; a file that you write there counts."
        )
    if copied:
        parts.append(
            f"These ignored files were copied from the human's checkout and are not committed, under another name neither; copy nothing out of them into other files: "
            f"{sound_text(', '.join(copied))}."
        )
    return "\n".join(["", "# Your worktree", "", *parts, ""]) if parts else ""


def session_opening(ports: Ports, spectask: SpecTask, session: WorkSession, envelopes: tuple[e.Envelope, ...]) -> str:
    """Returns the first message of the session: its task, the criteria behind it, and what was done before."""
    task = work_of(spectask, session)
    dependencies, others = _results(spectask, prerequisites(task)) if ports.settings.shares_context else ([], [])
    text = implementer_opening(
        number=task.number,
        title=task.title,
        detail=task.detail,
        criteria=criteria_of(spectask, task.requires),
        required=_deltas(spectask),
        design=_approved_text(spectask, "design"),
        dependencies=dependencies,
        others=others,
        may_change=task.files,
        check=task.check or None,
        recent=ports.settings.context_depth,
        characters=ports.settings.context_characters,
    )
    text += shared_context(ports.settings, spectask, session, envelopes)
    earlier = [envelope.event.reason for envelope in envelopes if isinstance(envelope.event, e.RunFailed)]
    if not earlier:
        return text
    left = "Its files are put aside; you begin with the project as it is." if session.fresh else "Its files are as it left them."
    return f"{text}\n# An earlier try\n\nIt ended: {earlier[-1]}\n{left}\n"


def _results(spectask: SpecTask, depends: Collection[TaskNumber]) -> tuple[list[EarlierResult], list[EarlierResult]]:
    """Returns what the tasks that this one builds on have left, or why they failed, and what all others have left, in the order they were merged."""
    ended = [(other.ended, other.number, other) for other in spectask.sessions.values() if other.merged and other.summary and other.ended]
    merged = [other for _, _, other in sorted(ended, key=lambda item: item[:2])]
    known = {other.task: other for other in merged if other.task}
    failed = {other.task: other for other in spectask.sessions.values() if other.task and other.ended and not other.merged}
    builds_on = [found for number in dict.fromkeys(depends) if (found := known.get(number) or failed.get(number))]
    dependencies = [_result(spectask, other) for other in sorted(builds_on, key=lambda each: (each.ended, each.number))]
    return dependencies, [_result(spectask, other) for other in merged if other.task not in depends]


def _result(spectask: SpecTask, session: WorkSession) -> EarlierResult:
    task = work_of(spectask, session)
    changed = session.verification.changed if session.verification else ()
    summary = session.summary if session.merged else result_of(session)
    return EarlierResult(number=task.number, title=task.title, summary=summary, files=changed if session.merged else ())


def _approved_text(spectask: SpecTask, name: str) -> str:
    content = spectask.versions[-1].contents.get(name, b"") if spectask.versions else b""
    return content.decode(errors="replace")


def _deltas(spectask: SpecTask) -> dict[str, str]:
    """Returns what a change of OpenSpec requires, as it is written: its tasks name none of it, and what it removes is told by headings alone."""
    if spectask.dialect != "openspec":
        return {}
    return {name: _approved_text(spectask, name) for name in documents_of(spectask) if kind_of(DocumentName(name)) == REQUIREMENTS}


def criteria_of(spectask: SpecTask, wanted: tuple[str, ...]) -> dict[str, str]:
    """Returns the criteria that a task names, by id, as they were approved."""
    contents = spectask.versions[-1].contents if spectask.versions else {}
    named = {DocumentName(name): content for name, content in contents.items()}
    spec = read_spec({name: named[name] for name in named if kind_of(name) in {REQUIREMENTS, BUGFIX}}, spectask.dialect)
    criteria = {item.id: f"{_DEFECT if (name, part.id) == (BUGFIX, _CURRENT) else ''}{item.text}" for name, part, item in spec.criteria}
    whole = {requirement.id: requirement for _, requirement in spec.all_requirements}
    found: dict[str, str] = {}
    meaning = meanings(spec)
    for name in (meant(meaning, "requires", each).id for each in wanted):
        if name in criteria:
            found[name] = criteria[name]
        elif name in whole:
            found |= {item.id: criteria[item.id] for item in whole[name].criteria} or {name: whole[name].title}
    return found


_CURRENT = "1"
"""The part of a bug report that says how it is."""
_DEFECT = "What is wrong now, and must no longer happen: "
