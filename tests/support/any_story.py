"""Any story: a situation, then commands of every kind in any order."""

from __future__ import annotations

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st

from specthread.domain.model import DAEMON
from specthread.plan.capacity import Capacity
from specthread.plan.schedule import ready
from support.command_strategy import submissions
from support.situation import GIVEN
from support.story import Story

STEPS = 30
ANY_ORDER = settings(max_examples=50, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])


def play(data, look=lambda _story: None) -> Story:
    """Plays a situation and then commands of every kind; git acknowledges at once, later or never."""
    story = GIVEN[data.draw(st.sampled_from(sorted(GIVEN)))]()
    story.git = data.draw(st.booleans())
    for _ in range(data.draw(st.integers(1, STEPS))):
        move = data.draw(st.integers(0, 5))
        if move == 0:
            story.acknowledge()
        elif move == 1 and (commands := ready(story.state, Capacity(), story.now)):
            story.when(commands[0], DAEMON)
        else:
            story.when(*data.draw(submissions(story)))
        look(story)
    return story
