"""Moves of sessions that spawn, speak, share and wait, for stories of the decision core."""

from __future__ import annotations

from typing import Any

from specthread.domain import commands as c
from specthread.domain import events as e
from specthread.domain import reports
from specthread.domain.model import DAEMON, Actor
from specthread.domain.rules_coordination import is_unsettled
from support.situation import working
from support.story import ID, Story, ws

CALLS = iter(range(1, 1_000_000))


def agent(number: int) -> Actor:
    return Actor(kind="session", name=ws(number))


def spawning(parent: int | None = 1, work: str = "Write one", **given: Any) -> c.SpawnSession:
    given = {"call": f"spawn-{next(CALLS)}", **given}
    return c.SpawnSession(spectask=ID, parent=ws(parent) if parent else None, work=work, **given)


def spawn(story: Story, parent: int = 1, **given: Any) -> int:
    """Lets a session spawn one that begins; returns its number."""
    started = story.do(spawning(parent, **given), agent(parent))[0]
    assert isinstance(started, e.SessionSpawned)
    story.do(reports.StartSpawned(spectask=ID, session=started.session), DAEMON)
    story.call(started.session)
    return int(started.session.rpartition("-")[2])


def message(number: int, kind: Any, *to: str, text: str = "Hello", **given: Any) -> reports.SendMessage:
    given = {"call": f"say-{next(CALLS)}", **given}
    return reports.SendMessage(spectask=ID, run=ws(number), kind=kind, to=to, text=text, **given)


def fact(number: int, version: int, value: str = "8080", key: str = "api/port", call: str = "") -> reports.ChangeFact:
    return reports.ChangeFact(spectask=ID, run=ws(number), key=key, value=value, version=version, call=call or f"set-{next(CALLS)}")


def rest_for(story: Story, number: int, call: str = "w") -> tuple[e.Event, ...]:
    return story.do(reports.AwaitSessions(spectask=ID, run=ws(number), call=call), agent(number))


def settle(story: Story) -> list[e.Event]:
    """Draws every consequence, as the scheduler does after each batch."""
    events: list[e.Event] = []
    while is_unsettled(story.spectask):
        events += story.do(reports.SettleSessions(spectask=ID), DAEMON)
    return events


def let_back(story: Story) -> None:
    """Gives their places to all that may go on."""
    for command in story.begins():
        if isinstance(command, reports.GivePlace):
            story.do(command, DAEMON)


def two_at_work() -> Story:
    story = working()
    story.give("2")
    return story
