"""A clock that goes backwards: events keep their order, and nothing took less than no time."""

import re
from dataclasses import replace
from datetime import UTC, datetime, timedelta

from specthread.domain.state import State, apply
from specthread.engine.log import EventLog
from specthread.engine.replaying import replayed
from specthread.protocol import convert
from specthread.views.report import report_markdown
from support.situation import GIVEN


async def test_a_clock_that_goes_back_with_every_event_changes_nothing_but_times(tmp_path):
    start = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)
    log = EventLog.open(tmp_path / "events.db", host="test")
    rows = [replace(row, time=start - timedelta(hours=row.seq)) for row in GIVEN["done"]().log]
    await log.append(rows)
    assert [row.seq for row in log.read_all()] == list(range(1, len(rows) + 1))
    state, _ = replayed(log)
    live = State()
    for row in rows:
        live = apply(live, row)
    assert state == live
    (spectask,) = state.spectasks.values()
    assert spectask.state == "done"
    report = report_markdown(spectask, (), None)
    assert ", 0 s" in report
    assert not re.search(r"-\d+ (?:s|min)\b", report)
    runs = [*spectask.plans, *spectask.sessions.values()]
    assert all(convert.session_view(state, run, start - timedelta(days=9)).duration == 0 for run in runs)
    await log.close()
