"""`retry` of a whole SpecTask: what can go on goes on, whatever else cannot."""

from __future__ import annotations

from dataclasses import dataclass
from types import SimpleNamespace
from typing import Any, cast

from specthread.domain import commands as c
from specthread.domain.model import Refusal
from specthread.protocol import changing, wire_params, wire_result
from specthread.protocol.request import Request
from specthread.views.progress import needs
from support.situation import cancelled, implementing, working
from support.story import ID, REQUIREMENTS, Story, ws

PLAN = "".join(f"- [ ] {number}. Do\n  - _Requirements: 1.1_\n  - _Depends: none_\n  - _Check: pytest_\n" for number in range(1, 13))


@dataclass
class Told:
    """Answers changes by the real rules."""

    story: Story

    @property
    def ports(self) -> Any:
        return SimpleNamespace(engine=SimpleNamespace(visible=self.story.state))

    async def change(self, command: c.Command, _key: str) -> wire_result.Done | Refusal:
        answer = self.story.when(command)
        run = getattr(command, "run", "")
        return (
            answer if isinstance(answer, Refusal) else wire_result.Done(spectask=ID, seq=self.story.state.sequence, text=f"{run} goes on.")
        )


async def retried(story: Story) -> Any:
    params = wire_params.RetryParams(target=ID, fresh=False, key="k")
    return await changing.retry(cast("Request", Told(story)), params)


def two_stopped() -> Story:
    """Given two tasks that stopped; the words behind the first changed."""
    story = working()
    story.give("2")
    for number in (1, 2):
        story.do(c.CancelRun(spectask=ID, run=ws(number)))
    story.edit("requirements", REQUIREMENTS.replace(b"one JSON object", b"one JSON list"))
    return story


async def test_one_task_that_cannot_be_tried_again_keeps_no_other_from_it():
    story = two_stopped()
    answer = await retried(story)
    assert [story.session(number).state for number in (1, 2)] == ["cancelled", "pending"]
    assert answer.text == f"{ws(2)} goes on. ws-1 is not tried again: The words behind task 1 changed after approval."


async def test_what_can_nowhere_go_on_is_refused_for_its_own_reason():
    story = two_stopped()
    story.do(c.SkipTask(spectask=ID, task="2"))  # type: ignore[arg-type]
    answer = await retried(story)
    assert (answer.code, answer.message) == ("held", "The words behind task 1 changed after approval.")


async def test_where_nothing_stopped_that_is_said():
    assert (await retried(working())).code == "nothing-to-retry"


async def test_a_cancelled_spectask_names_what_takes_it_up_again():
    answer = await retried(cancelled())
    assert (answer.code, answer.hint) == ("ended", f"`specthread resume {ID}` takes it up again.")


def test_what_a_person_is_needed_for_stands_in_the_order_of_the_tasks():
    story = implementing(max_parallel=12)
    story.edit("tasks", PLAN.encode())
    story.approve()
    for number in range(1, 13):
        story.give(str(number))
        story.do(c.CancelRun(spectask=ID, run=ws(number)))
    assert [need.run for need in needs(story.spectask)] == [ws(number) for number in range(1, 13)]
