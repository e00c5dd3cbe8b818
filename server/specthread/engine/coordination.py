"""The tool `coordinate`, as the engine carries it out: what a session says to others, spawns, shares and waits for.

An agent's words are cleaned of secrets and of what is no text before anything is made of them; who speaks is the session that calls, whatever it says.
"""

from __future__ import annotations

import json
from decimal import Decimal
from typing import Any

from specgit.types import Oid as GitOid
from specgit.types import spec_refs
from specthread.agents.backend import RunStopped, ToolResult, ToolUse
from specthread.domain import reports
from specthread.domain.budget import budget_owner, dollars, rest
from specthread.domain.commands import Command, SpawnSession
from specthread.domain.coordination import MessageKind
from specthread.domain.events import SessionsAwaited
from specthread.domain.family import children_of, in_tree, short, work_of
from specthread.domain.ids import Oid, RunId, SpecTaskId
from specthread.domain.messages import open_questions
from specthread.domain.model import Actor, Refusal, SpecTask
from specthread.domain.run import WorkSession
from specthread.domain.text import material, sound_text
from specthread.engine.ports import Ports, in_thread
from specthread.engine.repositories import OpenRepository
from specthread.engine.session_work import bring_in

_KINDS: dict[str, MessageKind] = {
    "handoff": "handoff",
    "ask": "question",
    "answer": "answer",
    "broadcast": "broadcast",
    "blocked": "blocked",
    "unblocked": "unblocked",
}
NOTHING_TO_WAIT_FOR = (
    "There is nothing to wait for: you have no sessions at work and no open questions. What was said to you follows, if anything."
)
IS_OVER = "You go on. What came meanwhile follows."


class Coordination:
    """Carries out the calls of one session."""

    def __init__(self, ports: Ports, opened: OpenRepository, spectask: SpecTaskId, run: RunId) -> None:
        self._ports = ports
        self._opened = opened
        self._spectask = spectask
        self._run = run
        self._actor = Actor(kind="session", name=run)

    async def use(self, name: str, call: ToolUse) -> ToolResult:
        """Carries out the call known as `name`; carried out again, it says the same and does nothing twice."""
        given = {key: self._clean(value) for key, value in call.input.items()}
        action: str = given["action"]
        if action == "look":
            content: str | Refusal = looked(self._known, self._session)
        elif action == "get":
            content = self._fact(str(given.get("key", "")))
        elif action == "wait":
            content = await self._wait(name)
        else:
            content = await self._change(name, action, given)
        if isinstance(content, Refusal):
            return ToolResult(tool_use_id=call.id, content=_sentences(content), is_error=True)
        return ToolResult(tool_use_id=call.id, content=content)

    def _clean(self, value: Any) -> Any:  # noqa: ANN401  any value of a tool's input
        if isinstance(value, list):
            return [self._clean(each) for each in value]
        return self._ports.redacted(value).replace("\0", "") if isinstance(value, str) else value

    @property
    def _known(self) -> SpecTask:
        return self._ports.spectask(self._spectask)

    @property
    def _session(self) -> WorkSession:
        return self._known.sessions[self._run]

    async def _change(self, name: str, action: str, given: dict[str, Any]) -> str | Refusal:
        answer = await self._ports.submit(self._command(name, action, given), self._actor)
        if isinstance(answer, Refusal):
            return answer
        done = self._told(action, name, given)
        if not given.get("wait") or action not in {"spawn", "ask"}:
            return done
        rested = await self._wait(name)
        # What was done is done, also where the session may not rest now.
        return f"{done} {_sentences(rested) if isinstance(rested, Refusal) else rested}"

    def _command(self, name: str, action: str, given: dict[str, Any]) -> Command:
        text = given.get("text", "")
        if action == "spawn":
            budget = given.get("budget_usd")
            return SpawnSession(
                spectask=self._spectask,
                parent=self._run,
                work=text,
                role=given.get("role", ""),
                budget_usd=None if budget is None else Decimal(str(budget)),
                call=name,
            )
        if action == "set":
            key, value, version = given.get("key", ""), given.get("value", ""), given.get("version", 0)
            return reports.ChangeFact(spectask=self._spectask, run=self._run, key=key, value=value, version=version, call=name)
        to = tuple(given.get("to", ()))
        if action == "cancel":
            child = RunId(f"{self._spectask}/{short(to[0])}" if to else "")
            return reports.CancelChild(spectask=self._spectask, run=self._run, child=child)
        return reports.SendMessage(
            spectask=self._spectask, run=self._run, kind=_KINDS[action], to=to, text=text, call=name, question=given.get("question", 0)
        )

    def _told(self, action: str, name: str, given: dict[str, Any]) -> str:
        """Says what was done, from the state alone, so that a repeated call says the same."""
        spectask = self._known
        if action == "spawn":
            child = next(child for child in children_of(spectask, self._run) if child.spawn_call == name)
            left = rest(spectask, budget_owner(spectask, self._session))
            money = (
                f" It may spend {dollars(child.budget_usd)}; {dollars(left)} is left beside that." if child.budget_usd is not None else ""
            )
            return f"{short(child.id)} was spawned and begins when a place is free.{money}"
        if action == "set":
            changes = spectask.facts[given["key"]].changes
            version = next(change.version for change in changes if change.by == self._run and change.call == name)
            return f"`{given['key']}` is at version {version} now."
        if action == "cancel":
            return "It is cancelled."
        message = next(message for message in spectask.messages if message.sender == self._run and message.call == name)
        names = ", ".join(short(each) for each in message.receivers) or "nobody yet"
        return f"{'Question' if message.kind == 'question' else 'Message'} {message.number} went to {names}."

    def _fact(self, key: str) -> str | Refusal:
        fact = self._known.facts.get(key)
        if fact is None:
            return Refusal(
                code="unknown-fact", message=f"Nobody has shared `{key}`.", hint="Set it with version 0; `look` lists what there is."
            )
        return f"`{key}` is at version {fact.now.version}, set by {short(fact.now.by)}:\n{material(f'value of {key}', fact.now.value)}"

    async def _wait(self, name: str) -> str | Refusal:
        wait = self._session.wait
        if wait is None or wait.call != name:
            answer = await self._ports.submit(reports.AwaitSessions(spectask=self._spectask, run=self._run, call=name), self._actor)
            if isinstance(answer, Refusal):
                return answer
            if any(isinstance(envelope.event, SessionsAwaited) for envelope in answer.envelopes):
                raise RunStopped("It waits for other sessions.")
            return f"{NOTHING_TO_WAIT_FOR}{await self._brought_in()}"
        if self._session.state == "waiting":
            raise RunStopped("It waits for other sessions.")
        return f"{IS_OVER}{await self._brought_in()}"

    async def _brought_in(self) -> str:
        """Brings the feature branch into the session's files where it holds merged work of those it spawned that they lack; says so."""
        spectask, session = self._known, self._session
        merged = [child for child in children_of(spectask, session.id) if child.merged]
        if spectask.feature is None or not merged or session.conflict_with == spectask.feature:
            return _brought(merged) if merged and session.conflict_with else ""
        lacking = await in_thread(self._lacking, [GitOid(child.merged or "") for child in merged], session)
        if not lacking:
            return ""
        feature = GitOid(spectask.feature)
        conflicts = await in_thread(bring_in, self._ports, self._opened, spectask, session, feature)
        await self._ports.submit(reports.BringIn(spectask=self._spectask, session=self._run, feature=Oid(feature)))
        marked = f" Conflict markers are in {', '.join(conflicts)}: resolve them." if conflicts else ""
        return _brought(merged) + sound_text(marked)

    def _lacking(self, merges: list[GitOid], session: WorkSession) -> bool:
        tip = self._opened.repository.resolve(spec_refs(self._spectask).session(session.number)) or GitOid(session.start)
        held = [tip, *([GitOid(session.conflict_with)] if session.conflict_with else [])]
        return not all(any(self._opened.repository.is_ancestor(merge, commit) for commit in held) for merge in merges)


def _sentences(refusal: Refusal) -> str:
    return sound_text(f"{refusal.message} {refusal.hint}".strip())


def _brought(merged: list[WorkSession]) -> str:
    return f" The feature branch with the work of {', '.join(short(child.id) for child in merged)} is in your files now."


def looked(spectask: SpecTask, session: WorkSession) -> str:
    """Returns the sessions of a SpecTask, the facts they share and the questions that wait for one of them, for that one."""
    lines = ["Sessions:"]
    for other, depth in in_tree(spectask):
        who = " (you)" if other.id == session.id else ""
        about = f"task {other.task}" if other.task else "spawned"
        lines.append(f"{'  ' * depth}- {short(other.id)}{who}: {other.state}, {about}: {json.dumps(work_of(spectask, other).title)}")
    waiting = [task.plan for task in spectask.tasks.values() if task.state == "open"]
    lines += ["Open tasks:", *(f"- task {plan.number}: {json.dumps(plan.title)}" for plan in waiting)] if waiting else []
    facts = [spectask.facts[key] for key in sorted(spectask.facts)]
    lines += ["Facts:", *(f"- {fact.key}, version {fact.now.version}" for fact in facts)] if facts else []
    asked = open_questions(spectask, to=session.id)
    lines += [f"Question {message.number} of {short(message.sender)} waits for your answer." for message in asked]
    return material("sessions", "\n".join(lines))
