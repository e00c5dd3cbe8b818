"""The story of one ReviewRun: a reviewer reads the committed work of a claim and gives a verdict on each criterion.

It has tools that read and one that ends it. Whatever else it comes to, a refusal, a fault of the model, too many turns, too much money or time, ends the review without
a verdict, and the work goes on by its checks: a reviewer holds nothing up for ever.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path

from specgit.folder import delete_tree
from specgit.trees import export_tree
from specgit.types import Oid as GitOid
from specthread.agents.backend import AgentBackend, Assignment, RunEnd, RunStopped, ToolResult, ToolSpec, ToolUse
from specthread.agents.review import DIFF_CHARACTERS, VERDICT, review_opening, reviewer_prompt, verdict_tool, verdicts_from
from specthread.agents.tools import WorkspaceTools
from specthread.domain import reports
from specthread.domain.events import Envelope
from specthread.domain.family import work_of
from specthread.domain.model import SpecTask
from specthread.domain.react import RunReview
from specthread.domain.run import ReviewRun, WorkSession
from specthread.engine.history import briefing_of, heard_through, turns_from_events
from specthread.engine.port import ConversationPort
from specthread.engine.ports import Ports, in_thread
from specthread.engine.repositories import OpenRepository
from specthread.engine.session import agent_of, criteria_of, report_end

WHOLE_TASK = "task"
"""What is judged where no criterion is known to belong to the work: that it does what its task says."""
SHARE = Decimal("0.1")
"""The part of what a SpecTask may spend that one review may cost, where nobody says otherwise."""

MOST_SECONDS = 1800.0
"""So long a review may take from its start, or from that of the daemon; calls that wait for their provider count."""


def review_order(ports: Ports, spectask: SpecTask) -> reports.ReviewOrder | None:
    """Returns how work that passes its checks is to be reviewed; not at all in the demo and in the quick flow, or where the person wants none."""
    chosen = ports.settings.review
    if chosen.mode == "off" or ports.settings.demo or spectask.flow == "quick":
        return None
    share = (spectask.limits.stop_usd * SHARE).quantize(Decimal("0.01"))
    own = chosen.budget_usd
    # An external agent has no tool to give a verdict with.
    agent = "messages" if spectask.agent.startswith("acp:") else spectask.agent
    return reports.ReviewOrder(agent=agent, gate=chosen.mode == "gate", budget_usd=share if own is None else own, user_set=own is not None)


async def run_review(ports: Ports, effect: RunReview) -> None:
    """Runs the reviewer's conversation until it has given its verdicts, fails or is stopped."""
    spectask = ports.spectask(effect.spectask)
    review = next(review for review in spectask.reviews if review.id == effect.run)
    session = spectask.sessions[review.session]
    if review.agent not in ports.backends:
        reason = f"there is no agent {review.agent} that could review"
        await ports.submit(reports.FailRun(spectask=spectask.id, run=review.id, reason=reason, outside=True))
        return
    opened = await ports.repository(spectask.id)
    envelopes = await ports.read_events(spectask.id, 0, review.id) if review.spend.calls else ()
    folder = opened.scratch(spectask.id, f"review-{review.number}")
    try:
        await in_thread(_export, opened, GitOid(review.commit), folder)
        criteria, shared = _to_judge(spectask, session)
        shown = str(opened.repository.checkout or folder)
        toolbox = ReviewTools(
            ports=ports,
            spectask=spectask,
            review=review,
            verdict=verdict_tool(tuple(criteria)),
            shared=shared,
            files=frozenset(entry.path for entry in await in_thread(opened.repository.entries, GitOid(review.commit))),
            reading=WorkspaceTools.for_reading(root=folder, shown_root=shown),
        )
        told = briefing_of(envelopes)
        briefing = told or await in_thread(_opening, opened, spectask, session, review, criteria)
        assignment = await in_thread(_assignment, ports, opened, review, briefing, toolbox.specs, envelopes)

        async def claim(_: str) -> str:
            return f"A review ends with `{VERDICT}`, not with words."

        port = ConversationPort(
            ports,
            spectask.id,
            review.id,
            heard=heard_through(envelopes),
            briefing="" if told else briefing,
            claim=claim,
            model=assignment.model,
        )
        agent = await in_thread(_agent_of, ports, opened, review)
        await report_end(ports, review, agent if isinstance(agent, RunEnd) else await _in_time(agent.run(assignment, port, toolbox)))
    finally:
        await in_thread(delete_tree, folder)


async def _in_time(run: Awaitable[RunEnd]) -> RunEnd:
    """Returns how a review ended, or that its time is over: calls that are refused for now are tried without an end."""
    limit = asyncio.timeout(MOST_SECONDS)
    try:
        async with limit:
            return await run
    except TimeoutError:
        if not limit.expired():
            raise
        return RunEnd(kind="failed", reason="it took longer than a review may take", outside=True)


def _to_judge(spectask: SpecTask, session: WorkSession) -> tuple[dict[str, str], frozenset[str]]:
    """Returns what is judged, by name, and what of it a task that is not merged brings a part of, too: that one may be right to leave some to the other."""
    criteria = criteria_of(spectask, work_of(spectask, session).requires)
    others = (task for task in spectask.tasks.values() if task.session != session.id and task.state not in {"merged", "skipped"})
    shared = criteria.keys() & criteria_of(spectask, tuple(name for task in others for name in task.plan.requires)).keys()
    told = {name: f"{text}{_SHARED if name in shared else ''}" for name, text in criteria.items()}
    return told or {WHOLE_TASK: "The work does what the task says."}, frozenset(shared)


_SHARED = " (Another task brings a part of it: judge the part of this one.)"


def _agent_of(ports: Ports, opened: OpenRepository, review: ReviewRun) -> AgentBackend | RunEnd:
    """Returns the reviewer's agent; one that is a program of its own has no tool to give verdicts with."""
    found = agent_of(ports, opened, review)
    if isinstance(found, RunEnd) or not found.needs_place:
        return found
    reason = f"{found.name} cannot give verdicts. Name an agent that can in the role file `reviewer.md`, such as `agent: messages`."
    return RunEnd(kind="failed", reason=reason, outside=True)


def _export(opened: OpenRepository, commit: GitOid, folder: Path) -> None:
    delete_tree(folder)
    folder.mkdir(parents=True)
    export_tree(opened.repository, commit, folder)


def _opening(opened: OpenRepository, spectask: SpecTask, session: WorkSession, review: ReviewRun, criteria: dict[str, str]) -> str:
    task, found = work_of(spectask, session), session.verification
    diff = opened.repository.diff_text(GitOid(session.start), GitOid(review.commit), limit_bytes=DIFF_CHARACTERS)
    return review_opening(
        title=f"{task.number} {task.title}",
        detail=task.detail,
        criteria=criteria,
        summary=session.summary,
        check=found.check if found else "",
        changed=found.changed if found else (),
        diff=diff,
        notes=found.evidence if found else (),
    )


def _assignment(
    ports: Ports, opened: OpenRepository, review: ReviewRun, opening: str, tools: tuple[ToolSpec, ...], envelopes: tuple[Envelope, ...]
) -> Assignment:
    settings = ports.settings.role(review.role, ports.repository_settings(opened))
    return Assignment(
        run=review.id,
        role=review.role,
        system=reviewer_prompt(settings.prompt),
        opening=opening,
        model=settings.model,
        effort=settings.effort,
        max_tokens=settings.max_tokens,
        max_turns=settings.max_turns,
        tools=tools,
        first_turn=review.first_turn,
        history=turns_from_events(envelopes, review.first_turn),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class ReviewTools:
    """What a reviewer may do: read the work, and give its verdicts."""

    ports: Ports
    spectask: SpecTask
    review: ReviewRun
    verdict: ToolSpec
    shared: frozenset[str]
    files: frozenset[str]
    reading: WorkspaceTools

    @property
    def specs(self) -> tuple[ToolSpec, ...]:
        """Lists the tools."""
        return (*self.reading.specs, self.verdict)

    async def use(self, call: ToolUse) -> ToolResult:
        """Uses a tool; a verdict that can be taken ends the run."""
        if call.name != VERDICT:
            return await self.reading.use(call)
        found = verdicts_from(self.verdict, call.input, self.files.__contains__)
        if isinstance(found, str):
            return ToolResult(tool_use_id=call.id, content=found, is_error=True)
        command = reports.FinishReview(
            spectask=self.spectask.id, review=self.review.id, verdicts=found, summary=call.input["summary"], shared=self.shared
        )
        await self.ports.submit(command)
        raise RunStopped("The verdicts are given.")
