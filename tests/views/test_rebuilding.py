"""A SpecTask that is read back stands where it stood, and nothing of it goes on by itself."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal

import pytest
from immutables import Map

from specthread.domain import commands as c
from specthread.domain.decide import decide
from specthread.domain.events import Envelope, RebuiltVersion, SpecTaskRebuilt
from specthread.domain.ids import Oid
from specthread.domain.model import DAEMON, Refusal, State
from specthread.domain.react import KeepDesk, PutAway, wanted
from specthread.domain.runs import all_runs
from specthread.domain.state import apply
from specthread.engine.store import decode_event, encode_event
from specthread.plan.capacity import Capacity
from specthread.plan.schedule import ready
from specthread.plan.waiting import why_waiting
from specthread.protocol.convert import spectask_view
from specthread.protocol.wire_view import TargetView
from specthread.views.rebuilding import GitFacts, MergeFact, rebuilt
from specthread.views.records import standing_files
from specthread.views.records_read import read_costs, read_metadata
from specthread.views.report import report_markdown
from support.situation import GIVEN
from support.story import ADA, ID, oid

NOW = datetime(2026, 11, 27, tzinfo=UTC)


def facts(spectask, **changes):
    """What the branches of this SpecTask hold, once everything of it is recorded."""
    files = standing_files(spectask)
    versions = [
        RebuiltVersion(
            number=each.number,
            digests=each.digests,
            contents=tuple(each.contents.items()),
            specs=each.specs,
            feature=each.feature,
            tag=each.tag,
        )
        for each in spectask.versions
    ]
    given = GitFacts(
        id=spectask.id,
        repository=spectask.repository,
        metadata=read_metadata(files[f".specs/{ID}/spec-metadata.json"]),
        documents=tuple(spectask.documents.values()),
        approvals=tuple(spectask.approvals.values()),
        versions=versions,
        comments=tuple(spectask.comments.values()),
        costs=read_costs(files[f".specs/{ID}/cost.json"]),
        merges={
            session.number: MergeFact(task=session.task, commit=session.merged, weak=spectask.tasks[session.task].weak)
            for session in spectask.sessions.values()
            if session.merged
        },
        turns={run.id.rpartition("/")[2]: run.turn for run in all_runs(spectask) if run.turn},
        branches=frozenset(session.number for session in spectask.sessions.values()),
        specs=Oid(oid(1)),
        feature=spectask.feature,
        is_final=spectask.final is not None,
        was_started=spectask.state in {"implementing", "implementation_review", "done"} or bool(spectask.sessions),
        accepted_by=spectask.accepted_by,
        archived=False,
    )
    return replace(given, **changes)


def taken_up(event):
    """The state of an empty log after it took this up, as it would be after a restart."""
    events = decide(State(), c.RebuildSpecTask(spectask=ID, found=event), ADA)
    assert events == (event,)
    event = decode_event("SpecTaskRebuilt", encode_event(event), 1)
    assert isinstance(event, SpecTaskRebuilt)
    return apply(State(), Envelope(seq=1, instance="i", schema=1, host="h", actor=ADA, time=NOW, spectask=ID, event=event))


STANDS = {
    "planning": ("failed", "planning", False),
    "planning failed": ("failed", "planning", False),
    "reviewing": ("spec_review", None, False),
    "adopted": ("spec_review", None, False),
    "approved": ("approved", None, False),
    **dict.fromkeys(["implementing", "working", "waiting", "verifying", "merging", "under review", "failed"], ("implementing", None, True)),
    "in final review": ("implementation_review", None, False),
    "done": ("done", None, False),
    "cancelled": ("cancelled", "implementing", False),
}
"""State, state it was stopped in, and whether it is paused, for each situation in which the log was lost."""


@pytest.mark.parametrize("given", GIVEN)
def test_nothing_goes_on_by_itself_and_every_face_can_show_it(given):
    before = GIVEN[given]().spectask
    state = taken_up(rebuilt(facts(before), NOW))
    after = state.spectasks[ID]
    assert wanted(after) <= {KeepDesk(spectask=ID)}
    assert not ready(State(spectasks=Map({ID: after})), Capacity(), NOW)
    assert {name: document.content for name, document in after.documents.items()} == {
        name: document.content for name, document in before.documents.items()
    }
    assert {number for number, task in after.tasks.items() if task.state == "merged"} == {
        number for number, task in before.tasks.items() if task.state == "merged"
    }
    assert {run.id: run.spend.cost_usd for run in all_runs(after)} == {run.id: run.spend.cost_usd for run in all_runs(before)}
    assert why_waiting(state, ID)
    view = spectask_view(state, after, desk="", target=TargetView(), now=NOW)
    assert view.state == after.state
    assert report_markdown(after)
    assert (after.state, after.stopped_from, after.paused) == STANDS[given]


def test_a_session_of_which_only_the_branch_is_left_keeps_its_number():
    before = GIVEN["implementing"]().spectask
    state = taken_up(rebuilt(facts(before, branches=frozenset({1, 4}), turns={"ws-4": 2}), NOW))
    after = state.spectasks[ID]
    assert sorted(session.number for session in after.sessions.values()) == [1, 4]
    assert report_markdown(after)
    assert spectask_view(state, after, desk="", target=TargetView(), now=NOW).sessions
    resumed = decide(state, c.ResumeSpecTask(spectask=ID), ADA)
    assert not isinstance(resumed, Refusal)
    state = replace(state, spectasks=state.spectasks.set(ID, replace(after, paused=False)))
    (task, *_) = ready(state, Capacity(), NOW)
    (started,) = decide(state, task, DAEMON)
    assert started.session == f"{ID}/ws-5"


def test_an_archived_one_is_put_away_already():
    state = taken_up(rebuilt(facts(GIVEN["done"]().spectask, archived=True), NOW))
    assert state.spectasks[ID].state == "archived"
    assert PutAway(spectask=ID) not in wanted(state.spectasks[ID])


def test_one_that_is_known_is_not_taken_up_again_and_no_agent_may():
    state = GIVEN["implementing"]().state
    command = c.RebuildSpecTask(spectask=ID, found=rebuilt(facts(state.spectasks[ID]), NOW))
    refused = decide(state, command, ADA)
    assert isinstance(refused, Refusal)
    assert refused.code == "id-taken"
    refused = decide(State(), command, DAEMON)
    assert isinstance(refused, Refusal)
    assert refused.code == "human-only"


def test_what_an_adopted_spec_had_ticked_is_done_although_nothing_was_written_since():
    before = GIVEN["adopted"]()
    before.approve()
    spectask = before.spectask
    given = facts(spectask)
    tasks = dict(given.versions[0].contents)["tasks"].replace(b"- [ ] 1", b"- [x] 1", 1)
    version = replace(given.versions[0], contents=(*[each for each in given.versions[0].contents if each[0] != "tasks"], ("tasks", tasks)))
    given = replace(given, versions=[version], metadata=replace(given.metadata, tasks={}))
    after = taken_up(rebuilt(given, NOW)).spectasks[ID]
    done = {number: task.state for number, task in after.tasks.items() if task.done_before}
    assert set(done.values()) == {"skipped"}


def test_limits_that_are_none_are_refused():
    event = rebuilt(facts(GIVEN["implementing"]().spectask), NOW)
    for limits in (replace(event.asked.limits, stop_usd=Decimal("NaN")), replace(event.asked.limits, max_parallel=0)):
        found = replace(event, asked=replace(event.asked, limits=limits))
        refused = decide(State(), c.RebuildSpecTask(spectask=ID, found=found), ADA)
        assert isinstance(refused, Refusal)
        assert refused.code == "bad-limit"
