from __future__ import annotations

import pytest

from specthread.domain import commands as c
from specthread.domain import reports
from specthread.domain.ids import RunId
from specthread.views.progress import approval_state, needs, progress
from support.fake_engine import ADA, ID, FakeEngine


@pytest.fixture
def engine(tmp_path):
    return FakeEngine(tmp_path)


def spectask(engine):
    return engine.visible.spectasks[ID]


def kinds(engine):
    return [need.kind for need in needs(spectask(engine))]


async def test_a_document_goes_from_missing_to_valid_and_void(engine):
    await engine.create()
    assert approval_state(spectask(engine), "design") == "missing"
    await engine.plan()
    assert approval_state(spectask(engine), "design") == "none"
    documents = spectask(engine).documents
    named = tuple((name, documents[name].digest) for name in documents)
    await engine.do(c.ApproveDocuments(spectask=ID, documents=named), ADA)
    assert approval_state(spectask(engine), "design") == "recording"
    await engine.record()
    assert approval_state(spectask(engine), "design") == "valid"
    await engine.write("design", b"# Design\n\nQuite another.\n")
    assert approval_state(spectask(engine), "design") == "void"


async def test_a_tick_leaves_an_approval_valid(engine):
    await engine.create()
    await engine.plan()
    await engine.approve()
    await engine.write("tasks", spectask(engine).documents["tasks"].content.replace(b"- [ ] 1.", b"- [x] 1."))
    assert approval_state(spectask(engine), "tasks") == "valid"


async def test_nothing_is_needed_while_the_planner_works(engine):
    await engine.create()
    assert kinds(engine) == []


async def test_a_planned_spectask_needs_a_review_then_a_start(engine):
    await engine.create()
    await engine.plan()
    assert kinds(engine) == ["review"]
    await engine.approve()
    assert kinds(engine) == ["run"]


async def test_a_question_comes_first_and_goes_with_its_answer(engine):
    await engine.create()
    await engine.plan()
    await engine.approve()
    await engine.implement()
    ask = reports.AskQuestion(spectask=ID, run=RunId(f"{ID}/ws-1"), question="q", kind="question", text="Which?", choices=("a", "b"))
    await engine.do(ask)
    await engine.write("design", b"# Design\n\nQuite another.\n")
    assert kinds(engine) == ["question", "review"]
    await engine.do(c.AnswerQuestion(spectask=ID, run=RunId(f"{ID}/ws-1"), answer="a"), ADA)
    assert kinds(engine) == ["review"]


async def test_a_failed_session_needs_a_human(engine):
    await engine.create()
    await engine.plan()
    await engine.approve()
    await engine.implement()
    await engine.do(reports.FailRun(spectask=ID, run=RunId(f"{ID}/ws-1"), reason="No way."))
    assert [(need.kind, need.run, need.text) for need in needs(spectask(engine))] == [("retry", f"{ID}/ws-1", "Task 1 stopped: No way.")]


async def test_merged_skipped_and_all_tasks_are_counted(engine):
    await engine.create()
    await engine.plan()
    await engine.approve()
    await engine.do(c.SkipTask(spectask=ID, task="3"), ADA)
    made = progress(spectask(engine))
    assert (made.total, made.merged, made.skipped) == (3, 0, 1)


async def test_a_cancelled_spectask_needs_nobody(engine):
    await engine.create()
    await engine.plan()
    await engine.do(c.CancelSpecTask(spectask=ID), ADA)
    assert kinds(engine) == []
