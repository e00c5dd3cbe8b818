from __future__ import annotations

from specthread.domain.commands import Command, CreateSpecTask, RebuildSpecTask
from specthread.domain.events import EVENTS, Event
from specthread.domain.reports import StartCall


def test_every_event_changes_the_state_or_says_that_it_does_not():
    from specthread.domain.state import APPLY

    assert {kind.__name__ for kind in APPLY} == set(EVENTS)


def test_every_command_is_decided():
    from specthread.domain.decide import DECIDE
    from specthread.domain.rules_lock import LOCK_RULES

    # A SpecTask is created or rebuilt before there is one that a rule could look at; whether a call may start hangs on all of them.
    assert {kind.__name__ for kind in [*DECIDE, *LOCK_RULES, CreateSpecTask, RebuildSpecTask, StartCall]} == {
        kind.__name__ for kind in Command.__subclasses__()
    }


def test_no_event_hides_behind_another():
    assert [kind.__name__ for kind in EVENTS.values() if kind.__base__ is not Event or kind.__subclasses__()] == []
