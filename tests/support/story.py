"""Stories for the decision core: given what happened, when a command comes, then these events or this Refusal.

`Story` plays commands against the real `decide` and `apply`. Git is played by itself: every record is acknowledged at once with a made-up
oid, and an approval that completes a set is published, unless `git` is off.
"""

from __future__ import annotations

import itertools
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

from specthread.domain import commands as c
from specthread.domain import events as e
from specthread.domain import reports
from specthread.domain.decide import decide
from specthread.domain.ids import CommentId, Digest, Oid, RunId, SpecTaskId, TaskNumber
from specthread.domain.model import DAEMON, Actor, ImplementationTask, Limits, Refusal, SpecTask, State
from specthread.domain.names import documents_of
from specthread.domain.run import AnyRun, PlanningRun, Verification, WorkSession
from specthread.domain.runs import all_runs
from specthread.domain.state import apply
from specthread.plan.capacity import Capacity
from specthread.plan.schedule import ready

ID = SpecTaskId("add-json-7k3f")
ADA = Actor(kind="human", name="Ada", email="ada@example.org")
AGENT = Actor(kind="session", name=f"{ID}/ws-1")
START = datetime(2026, 3, 1, 9, 0, tzinfo=UTC)

REQUIREMENTS = b"""# Requirements

### Requirement 1: JSON report

**User Story:** As a developer, I want JSON, so that scripts can read the report.

#### Acceptance Criteria

1. WHEN the user passes `--json`, THE cli SHALL print one JSON object.
2. THE cli SHALL end the output with a newline.

### Requirement 2: Speed

**User Story:** As a user, I want answers at once, so that I stay in the flow.

#### Acceptance Criteria

1. WHEN the user repeats a command, THE cli SHALL answer within 100 ms.
"""
DESIGN = b"# Design\n\n## Overview\n\nOne function writes the object.\n"
TASKS = b"""# Implementation Plan

- [ ] 1. Write the JSON form
  - _Requirements: 1.1_
  - _Depends: none_
  - _Check: pytest tests/test_json.py_
- [ ] 2. Answer from the cache
  - _Requirements: 2.1_
  - _Depends: none_
  - _Check: pytest tests/test_cache.py_
- [ ] 3. Bring both together
  - [ ] 3.1 Wire the command
    - _Requirements: 1.1, 2.1_
    - _Depends: 1, 2_
    - _Check: pytest tests/test_command.py_
  - [ ] 3.2 Write the manual
    - _Requirements: 1.2_
    - _Depends: 3.1_
    - _Check: pytest tests/test_manual.py_
- [ ]* 4. Polish
  - _Requirements: 2.1_
  - _Depends: none_
  - _Check: regression_
"""
DOCUMENTS = {"requirements": REQUIREMENTS, "bugfix": b"# Bug\n\nIt crashes.\n", "design": DESIGN, "tasks": TASKS}
FASTER = REQUIREMENTS.replace(b"100 ms", b"50 ms")
"""Requirement 2 in other words; tasks 2, 3.1 and 4 trace to it."""


def two_phases(size: int) -> bytes:
    """Returns a plan in which each of so many tasks waits for as many."""
    leaf = "  - [ ] {}.{} Do\n    - _Requirements: 1.1_\n    - _Check: pytest_\n"
    first, second = ("".join(leaf.format(phase, number) for number in range(1, size + 1)) for phase in (1, 2))
    return f"- [ ] 1. Begin\n  - _Depends: none_\n{first}- [ ] 2. End\n  - _Depends: 1_\n{second}".encode()


def limits(**changes: Any) -> Limits:
    """Returns the default limits but for these."""
    return Limits(**changes)


def oid(number: int) -> Oid:
    """Returns a made-up commit id."""
    return Oid(f"{number:040x}")


def check(outcome: str = "verified", **changes: Any) -> Verification:
    """Returns what the daemon found about a claim."""
    return Verification(**{"outcome": outcome, "check": "pytest", "commit": oid(0xC), "tree": oid(0x7), **changes})


@dataclass
class Story:
    """One SpecTask, or several, decided by the real rules in memory."""

    git: bool = True
    state: State = field(default_factory=State)
    log: list[e.Envelope] = field(default_factory=list)
    numbers: Any = field(default_factory=lambda: itertools.count(1))
    passed: float = 0.0
    """The seconds that passed between events, beside the one that each takes."""

    def when(self, command: c.Command, by: Actor = ADA) -> tuple[e.Event, ...] | Refusal:
        """Gives a command; returns its events, after git has acknowledged what must be in git, or the Refusal."""
        decision = decide(self.state, command, by)
        if isinstance(decision, Refusal):
            return decision
        for event in decision:
            self.record(event, by, command.spectask)
        if self.git and not isinstance(command, reports.RecordCommit):
            self.acknowledge()
        return decision

    def record(self, event: e.Event, by: Actor = DAEMON, spectask: SpecTaskId = ID) -> None:
        """Adds an event to the log and folds it into the state."""
        seq = self.state.sequence + 1
        time = START + timedelta(seconds=seq + self.passed)
        envelope = e.Envelope(seq=seq, instance="log", schema=e.SCHEMA, host="box", actor=by, time=time, spectask=spectask, event=event)
        self.state = apply(self.state, envelope)
        self.log.append(envelope)

    def acknowledge(self) -> None:
        """Lets git hold every open record, in order; nothing is written of what is held."""
        while open_records := [(seq, task.id) for task in self.state.spectasks.values() if not task.overtaken for seq in task.uncommitted]:
            self.commit(*min(open_records))

    def commit(self, of: int, spectask: SpecTaskId = ID) -> tuple[e.Event, ...]:
        """Lets git hold one record; an approval that completes a set is published with it."""
        event = self.log[of - 1].event
        published = isinstance(event, e.SpecApproved) and event.version is not None
        command = reports.RecordCommit(
            spectask=spectask,
            of=of,
            oid=oid(1000 + of),
            feature=oid(2000 + of) if published else None,
            tag=f"spectask/{spectask}/v{event.version}" if isinstance(event, e.SpecApproved) and published else "",
        )
        return self.do(command, DAEMON)

    def do(self, command: c.Command, by: Actor = ADA) -> tuple[e.Event, ...]:
        """Gives a command that must be accepted."""
        events = self.when(command, by)
        assert not isinstance(events, Refusal), events
        return events

    def refused(self, command: c.Command, by: Actor = ADA) -> str:
        """Gives a command that must be refused in whole words; returns the code."""
        answer = self.when(command, by)
        assert isinstance(answer, Refusal), answer
        assert answer.message.endswith((".", "!")), answer
        assert answer.hint, answer
        return answer.code

    # --- what is the case

    @property
    def spectask(self) -> SpecTask:
        """The SpecTask of the story."""
        return self.state.spectasks[ID]

    @property
    def now(self) -> datetime:
        """The time of the last event."""
        return START + timedelta(seconds=self.state.sequence + self.passed)

    def task(self, number: str) -> ImplementationTask:
        """Returns an ImplementationTask."""
        return self.spectask.tasks[TaskNumber(number)]

    def session(self, number: int = 1) -> WorkSession:
        """Returns the session ws-<number>."""
        return self.spectask.sessions[ws(number)]

    @property
    def plan(self) -> PlanningRun:
        """The last planning run."""
        return self.spectask.plans[-1]

    def text(self, name: str) -> str:
        """Returns a live document."""
        return self.spectask.documents[name].content.decode()

    def begins(self) -> tuple[c.Command, ...]:
        """Returns what the scheduler would begin now."""
        return ready(self.state, Capacity(), self.now)

    def ready(self) -> list[str]:
        """Returns the tasks that the scheduler would start now."""
        return [str(command.task) for command in self.begins() if isinstance(command, reports.StartSession)]

    def kinds(self) -> list[str]:
        """Returns the names of the events so far."""
        return [type(envelope.event).__name__ for envelope in self.log]

    # --- moves

    def create(self, **changes: Any) -> tuple[e.Event, ...]:
        """Asks for a spec."""
        return self.do(creation(**changes))

    def write(self, name: str, content: bytes, kind: Any = "planner", by: Actor | None = None) -> tuple[e.Event, ...]:
        """Writes a document over its present content."""
        known = self.spectask.documents.get(name)
        author = by or (ADA if kind == "human" else Actor(kind="session", name=self.plan.id))
        return self.do(
            c.EditDocument(spectask=ID, document=name, content=content, expects=known.content if known else None, kind=kind), author
        )

    def edit(self, name: str, content: bytes) -> tuple[e.Event, ...]:
        """Lets the human save a document."""
        return self.write(name, content, "human")

    def finish_planning(self) -> tuple[e.Event, ...]:
        """Lets the planner end its run."""
        return self.do(reports.FinishPlanning(spectask=ID, plan=self.plan.id, summary="Three documents."), DAEMON)

    def digests(self, *names: str) -> tuple[tuple[str, Digest], ...]:
        """Returns documents with their present digests; all of the flow where none is named."""
        chosen = names or documents_of(self.spectask)
        return tuple((name, self.spectask.documents[name].digest) for name in chosen)

    def approve(self, *names: str) -> tuple[e.Event, ...]:
        """Lets the human approve documents, all where none is named."""
        return self.do(c.ApproveDocuments(spectask=ID, documents=self.digests(*names)))

    def request_changes(self, message: str = "Make it faster.") -> tuple[e.Event, ...]:
        """Lets the human send the documents back."""
        return self.do(c.RequestChanges(spectask=ID, message=message))

    def start(self, **changes: Any) -> tuple[e.Event, ...]:
        """Lets the human start the implementation."""
        return self.do(c.StartImplementation(spectask=ID, limits=limits(**changes)))

    def give(self, number: str) -> WorkSession:
        """Gives a task to a session whose agent then works; returns it."""
        (started,) = self.do(reports.StartSession(spectask=ID, task=TaskNumber(number)), DAEMON)
        assert isinstance(started, e.SessionStarted)
        self.call(started.session)
        return self.spectask.sessions[started.session]

    def come_back(self, number: int = 1) -> tuple[e.Event, ...]:
        """Gives its place to a session that may go on."""
        return self.do(reports.GivePlace(spectask=ID, session=ws(number)), DAEMON)

    def call(self, run: RunId, cost: str | None = "0", reserve: str | None = "0") -> None:
        """Plays one whole model call."""
        turn = self._run(run).turn + 1
        self.do(reports.StartCall(spectask=ID, run=run, turn=turn, reserve_usd=None if reserve is None else Decimal(reserve)), DAEMON)
        self.do(finish(run, self._run(run).open_call, turn, cost), DAEMON)

    def _run(self, run: RunId) -> AnyRun:
        return next(each for each in all_runs(self.spectask) if each.id == run)

    def claim(self, number: int = 1) -> tuple[e.Event, ...]:
        """Lets an agent say that it is done."""
        return self.do(reports.ClaimSession(spectask=ID, session=ws(number), summary="It works."), DAEMON)

    def checked(self, number: int = 1, outcome: str = "verified", text: str = "2 failed") -> tuple[e.Event, ...]:
        """Reports the check of the present claim."""
        claim = self.session(number).claims
        command = reports.FinishCheck(spectask=ID, session=ws(number), claim=claim, verification=check(outcome), text=text)
        return self.do(command, DAEMON)

    def merged(self, number: int = 1) -> tuple[e.Event, ...]:
        """Reports the merge of a session."""
        return self.do(reports.FinishMerge(spectask=ID, session=ws(number), feature=oid(next(self.numbers) + 3000)), DAEMON)

    def complete(self, *tasks: str) -> None:
        """Carries tasks from start to merge, one after the other."""
        for task in tasks:
            number = self.give(task).number
            self.claim(number)
            self.checked(number)
            self.merged(number)

    def log_turns(self) -> None:
        """Has git hold every turn of every run."""
        for run in all_runs(self.spectask):
            self.do(reports.RecordTranscript(spectask=ID, run=run.id, turn=run.turn, oid=oid(1)), DAEMON)

    def publish(self) -> tuple[e.Event, ...]:
        """Reports “publish final”."""
        return self.do(reports.FinishFinal(spectask=ID, feature=oid(next(self.numbers) + 4000)), DAEMON)


def creation(**changes: Any) -> c.CreateSpecTask:
    """Returns the command that asks for a spec."""
    given: dict[str, Any] = {
        "spectask": ID,
        "prompt": "Add JSON",
        "repository": "/repo",
        "base": oid(0xB),
        "target": "main",
        "agent": "demo",
        "limits": limits(),
    }
    return c.CreateSpecTask(**{**given, **changes})


def finish(run: RunId, call: int, turn: int, cost: str | None = "0") -> reports.FinishCall:
    """Returns the command that journals a whole reply."""
    price = None if cost is None else Decimal(cost)
    return reports.FinishCall(spectask=ID, run=run, call=call, turn=turn, reply={"n": 1}, input_tokens=10, output_tokens=2, cost_usd=price)


def remark(comment: str = "c1", text: str = "Why?", quote: str = "One function writes the object.") -> c.Remark:
    """Returns a comment to be added."""
    return c.Remark(comment=CommentId(comment), quote=quote, section="Design / Overview", line=5, text=text)


def ws(number: int) -> RunId:
    """Returns the id of a session."""
    return RunId(f"{ID}/ws-{number}")


def plan(number: int = 1) -> RunId:
    """Returns the id of a planning run."""
    return RunId(f"{ID}/plan-{number}")
