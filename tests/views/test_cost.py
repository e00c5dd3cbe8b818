"""What was spent, told by role, by requirement and call by call."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

from specthread.domain import reports
from specthread.domain.model import DAEMON
from specthread.domain.usage import Usage
from specthread.views.cost import SPLIT, by_requirement, by_role, calls_of, cost_section
from specthread.views.report import report_markdown
from support.situation import working
from support.story import ID, finish, ws


def worked(*names: str):
    """A story whose first task, for 1.1, cost 3 dollars, and whose second, for these names, cost 5; its planner cost nothing."""
    story = working()
    story.call(ws(1), "3", "3")
    story.give("2")
    story.call(ws(2), "5", "5")
    task = story.spectask.tasks["2"]
    split = replace(task, plan=replace(task.plan, requires=names or ("1.1", "2.1")))
    spectask = replace(story.spectask, tasks=story.spectask.tasks.set("2", split))
    story.state = replace(story.state, spectasks=story.state.spectasks.set(ID, spectask))
    return story


def test_what_a_task_cost_is_split_evenly_over_the_requirements_it_names():
    assert by_requirement(worked().spectask) == {"1.1": Decimal("5.5"), "2.1": Decimal("2.5")}


def test_a_third_is_told_to_a_millionth_and_what_names_nothing_by_itself():
    story = worked("1.1", "2.1", "10.2")
    plan = replace(story.plan, spend=replace(story.plan.spend, cost_usd=Decimal("0.25")))
    spectask = replace(story.spectask, plans=(plan,))
    found = by_requirement(spectask)
    assert list(found) == ["1.1", "2.1", "10.2", ""]
    assert (str(found["2.1"]), str(found[""])) == ("1.666667", "0.25")


def test_each_role_has_a_sum_with_what_the_cache_gave():
    story = worked()
    usage = Usage(input=10, cache_read=90, cache_write=5, output=7)
    story.do(reports.StartCall(spectask=ID, run=ws(1), turn=9, reserve_usd=Decimal(1)), DAEMON)
    story.do(replace(finish(ws(1), story.session().open_call, 9, "1"), usage=usage), DAEMON)
    roles = by_role([story.spectask])
    assert sum(spend.cost_usd for spend in roles.values()) == Decimal(9)
    role = roles[story.session().role]
    assert (role.cache_read, role.cache_write) == (90, 5)


def test_broken_calls_are_rows_too():
    story = working()
    usage = Usage(input=100, output=3, estimated=True)
    story.do(reports.StartCall(spectask=ID, run=ws(1), turn=9, reserve_usd=Decimal(1)), DAEMON)
    call = story.session().open_call
    lost = reports.LoseCall(
        spectask=ID, run=ws(1), call=call, turn=9, reason="cut: gone", cost_usd=Decimal("0.5"), usage=usage, request_id="req_1", model="m"
    )
    story.do(replace(lost, price_version="prices 1"), DAEMON)
    (*_, last) = calls_of(story.log)
    assert (last.run, last.call, last.fault, last.usage, last.usd) == ("ws-1", call, "cut: gone", usage, Decimal("0.5"))
    assert (last.request_id, last.model, last.price_version, last.cached) == ("req_1", "m", "prices 1", False)
    assert story.session().spend.input_tokens == 10 + 100


def test_the_report_tells_both_and_how_they_are_counted():
    story = worked()
    text = report_markdown(story.spectask)
    assert cost_section(story.spectask) in text
    assert "| 1.1 | $5.5000 |" in text
    assert SPLIT in text
    assert cost_section(working().spectask) == ""
