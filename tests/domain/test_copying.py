from __future__ import annotations

import dataclasses

import pytest

from specthread.domain.copying import replace
from support.situation import GIVEN


@pytest.mark.parametrize("name", GIVEN)
def test_a_copy_is_what_the_standard_library_makes_and_the_value_stays(name: str):
    spectask = GIVEN[name]().spectask
    before = dataclasses.replace(spectask)
    assert replace(spectask) == spectask
    assert replace(spectask, events=7, reason="because") == dataclasses.replace(spectask, events=7, reason="because")
    for run in (*spectask.plans, *spectask.sessions.values()):
        assert replace(run, turn=3) == dataclasses.replace(run, turn=3)
    assert spectask == before


def test_a_field_that_is_not_there_is_refused():
    with pytest.raises(AttributeError):
        replace(GIVEN["planning"]().spectask, colour="red")
