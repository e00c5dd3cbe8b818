"""Messages and facts of a SpecTask as its records in git tell them: the older log is gone, so they begin anew with what they say."""

from __future__ import annotations

from collections.abc import Sequence

from specthread.domain.coordination import KEPT_CHANGES, Fact, FactChange, Message
from specthread.views.records_read import CoordinationRecord


def coordination_messages(records: Sequence[CoordinationRecord]) -> tuple[Message, ...]:
    """Returns the messages, oldest first; no question is open, because nobody who asked is at work any more."""
    found = {
        each.number: Message(
            number=each.number,
            seq=0,
            kind=each.kind,
            sender=each.sender,
            receivers=each.receivers,
            text=each.text,
            time=each.time,
            answers=each.answers,
        )
        for each in records
        if each.event == "CoordinationSent"
    }
    return tuple(found[number] for number in sorted(found))


def coordination_facts(records: Sequence[CoordinationRecord]) -> tuple[Fact, ...]:
    """Returns the facts with their last changes, in the order of their versions."""
    changes: dict[str, dict[int, FactChange]] = {}
    for each in records:
        if each.event == "FactChanged":
            change = FactChange(version=each.version, value=each.value, by=each.by, time=each.time)
            changes.setdefault(each.key, {})[each.version] = change
    return tuple(
        Fact(key=key, changes=tuple(known[version] for version in sorted(known))[-KEPT_CHANGES:]) for key, known in sorted(changes.items())
    )
