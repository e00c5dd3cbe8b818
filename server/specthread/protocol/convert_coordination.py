"""What sessions said to each other and know together, as it travels."""

from __future__ import annotations

from specthread.domain.coordination import Fact, Message
from specthread.domain.model import SpecTask
from specthread.protocol import wire_view

MOST_SHOWN = 200
"""Messages on a page; all of them are in the history and in git."""


def message_views(spectask: SpecTask) -> list[wire_view.MessageView]:
    """Returns the last messages between sessions, oldest first."""
    return [_message_view(message) for message in spectask.messages[-MOST_SHOWN:]]


def _message_view(message: Message) -> wire_view.MessageView:
    return wire_view.MessageView(
        number=message.number,
        kind=message.kind,
        sender=message.sender,
        receivers=list(message.receivers),
        text=message.text,
        time=message.time,
        answers=message.answers,
        open=message.is_open,
    )


def fact_views(spectask: SpecTask) -> list[wire_view.FactView]:
    """Returns the shared facts by key."""
    return [_fact_view(spectask.facts[key]) for key in sorted(spectask.facts)]


def _fact_view(fact: Fact) -> wire_view.FactView:
    changes = [wire_view.FactChangeView(version=each.version, value=each.value, by=each.by, time=each.time) for each in fact.changes]
    return wire_view.FactView(key=fact.key, value=fact.now.value, version=fact.now.version, changes=changes)
