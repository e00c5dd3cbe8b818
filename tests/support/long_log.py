"""A long event log, as years of work would leave it: SpecTasks that were planned, implemented by twenty sessions each, and accepted."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path

from specthread.domain import events as e
from specthread.domain.ids import Digest, Oid, RunId, SpecTaskId, TaskNumber
from specthread.domain.model import Actor, Limits, PlannedTask
from specthread.domain.run import Verification
from specthread.engine.log import EventLog
from specthread.engine.store import INSERT, row_from_envelope

TASKS = 20
ADA = Actor(kind="human", name="Ada", email="ada@example.org")
OID = Oid("1" * 40)
START = datetime(2026, 3, 1, 9, 0, tzinfo=UTC)
_DOCUMENTS = ("requirements", "design", "tasks")
_REPLY = {"content": [{"type": "text", "text": "I look at the module first. " * 6}], "stop_reason": "tool_use", "usage": {"output": 90}}


def make_long_log(path: Path, *, spectasks: int, events: int, repository: str = "/nowhere") -> None:
    """Writes a log of about `events` events at `path`, quickly and without the engine."""
    log = EventLog.open(path, host="bench")
    instance = log.instance
    log._disconnect()
    database = sqlite3.connect(path)
    with database:
        seq = 0
        for number in range(spectasks):
            identifier = SpecTaskId(f"task-{number:04}")
            rows = []
            for event in _recorded(life(identifier, repository, events // spectasks), seq):
                seq += 1
                time = START + timedelta(seconds=seq)
                envelope = e.Envelope(
                    seq=seq, instance=instance, schema=e.SCHEMA, host="bench", actor=ADA, time=time, spectask=identifier, event=event
                )
                rows.append(row_from_envelope(envelope))
            database.executemany(INSERT, rows)
    database.close()


def life(identifier: SpecTaskId, repository: str, events: int) -> Iterator[e.Event]:
    """Yields the life of one SpecTask in about so many events, to its end; it leaves nothing to do."""
    yield e.SpecTaskCreated(
        prompt=f"Do {identifier}",
        repository=repository,
        base=OID,
        target="main",
        warnings=(),
        flow="feature",
        agent="messages",
        review_mode="together",
        execute=False,
        advance=False,
        limits=Limits(),
    )
    plan = RunId(f"{identifier}/plan-1")
    yield e.PlanningStarted(plan=plan, purpose="plan")
    digests = tuple((name, Digest(f"{name}-{identifier}")) for name in _DOCUMENTS)
    for name, digest in digests:
        content = f"# {name} of {identifier}\n\n".encode() + b"A line of the document as people write it.\n" * 100
        yield e.DocumentEdited(
            document=name, path=f".specs/{identifier}/{name}.md", content=content, digest=digest, kind="planner", author="p"
        )
    yield e.PlanningFinished(plan=plan, summary="Planned.")
    yield e.SpecApproved(documents=digests, person="Ada", version=1)
    yield e.VersionPublished(number=1, digests=digests, specs=OID, feature=OID, tag=f"spectask/{identifier}/v1")
    yield e.TasksPlanned(tasks=tuple(_planned(number) for number in range(1, TASKS + 1)))
    yield e.ImplementationStarted(person="Ada", limits=Limits())
    turns = max(1, (events - 60) // TASKS // 3 - 2)
    for number in range(1, TASKS + 1):
        yield from _session(RunId(f"{identifier}/ws-{number}"), TaskNumber(str(number)), turns)
    yield e.FinalPublished(feature=OID)
    yield e.SpecTaskAccepted(feature=OID, person="Ada")


def _recorded(events: Iterator[e.Event], seq: int) -> Iterator[e.Event]:
    """Yields the events that follow number `seq`, each record with its acknowledgement."""
    for event in events:
        seq += 1
        yield event
        if event.record:
            yield e.RecordCommitted(of=seq, oid=OID)
            seq += 1


def _planned(number: int) -> PlannedTask:
    return PlannedTask(number=TaskNumber(str(number)), parent=None, title=f"Build part {number}", requires=("1.1",), check="make test")


def _session(session: RunId, task: TaskNumber, turns: int) -> Iterator[e.Event]:
    yield e.SessionStarted(session=session, task=task, attempt=1, role="implementer", agent="messages", start=OID)
    yield e.RunReady(run=session)
    for turn in range(1, turns + 1):
        yield e.CallStarted(run=session, call=turn, turn=turn, reserved_usd=Decimal("0.05"))
        yield e.CallFinished(run=session, call=turn, turn=turn, reply=_REPLY, input_tokens=900, output_tokens=90, cost_usd=Decimal("0.01"))
        yield e.ToolFinished(run=session, turn=turn, tool_use_id=f"t{turn}", content="def part():\n    return 1\n" * 8)
    yield e.TranscriptCommitted(run=session, turn=turns, oid=OID)
    yield e.SessionClaimed(session=session, summary="Done.")
    yield e.CheckFinished(session=session, verification=Verification(outcome="verified", check="make test", commit=OID, tree=OID))
    yield e.SessionMerged(session=session, feature=OID)
    yield e.TranscriptCommitted(run=session, turn=turns, oid=OID)
