"""What is written to git about a SpecTask can be read back, whatever happened to it."""

from __future__ import annotations

from dataclasses import replace

import pytest

from specthread.domain import commands as c
from specthread.domain.model import Actor
from specthread.domain.runs import all_runs
from specthread.views import records, records_read
from support.situation import GIVEN, reviewing
from support.story import ID, remark


@pytest.mark.parametrize("given", GIVEN)
def test_metadata_and_costs_say_what_the_state_says(given):
    spectask = GIVEN[given]().spectask
    files = records.standing_files(spectask)
    read = records_read.read_metadata(files[f".specs/{ID}/spec-metadata.json"])
    assert (read.id, read.prompt, read.base, read.target, read.limits) == (
        spectask.id,
        spectask.prompt,
        spectask.base,
        spectask.target,
        spectask.limits,
    )
    assert (read.flow, read.agent, read.created, read.warnings, read.chosen) == (
        spectask.flow,
        spectask.agent,
        spectask.created,
        spectask.warnings,
        None if spectask.all_chosen else tuple(sorted(spectask.chosen)),
    )
    assert {name: place.path for name, place in read.documents.items()} == {
        name: document.path for name, document in spectask.documents.items()
    }
    assert {number: task.state for number, task in read.tasks.items()} == {number: task.state for number, task in spectask.tasks.items()}
    for session in spectask.sessions.values():
        found = read.sessions[session.id]
        assert (found.task, found.state, found.started, found.summary) == (session.task, session.state, session.started, session.summary)
        assert found.verification == (replace(session.verification, output="") if session.verification else None)
    assert {plan.id for plan in spectask.plans} == read.plans.keys()
    costs = records_read.read_costs(files[f".specs/{ID}/cost.json"])
    assert {run.id: replace(run.spend, reserved_usd=costs[run.id].reserved_usd) for run in all_runs(spectask)} == costs


def test_comments_and_approvals_are_read_back():
    story = reviewing()
    story.do(c.AddComment(spectask=ID, document="design", remark=remark()))
    comment = story.spectask.comments["c1"]
    assert records_read.read_comment(records.comment_file(comment)) == comment
    story.approve("requirements")
    (approval,) = records_read.read_approvals(records.approvals_file(story.spectask))
    known = story.spectask.approvals["requirements"]
    assert (approval.document, approval.digest, approval.person, approval.time) == ("requirements", known.digest, known.person, known.time)


@pytest.mark.parametrize("actor", [Actor(kind="human", name="Ada: L"), Actor(kind="session", name=f"{ID}/ws-1"), Actor(kind="daemon")])
def test_actors_are_read_back(actor):
    assert records_read.read_actor(str(actor)) == actor


@pytest.mark.parametrize("content", [b"", b"{", b"[]", b"{}", b'{"id": 1}', b"\xff\xfe"])
def test_a_file_that_is_something_else_is_told(content):
    with pytest.raises(records_read.DamagedRecord, match=r"spec-metadata.json cannot be read"):
        records_read.read_metadata(content)
