from __future__ import annotations

import pytest

from specthread.domain import commands as c
from specthread.domain import events as e
from specthread.domain import planned, reports
from specthread.domain.approval import held_tasks, is_approved, unapproved_documents
from specthread.domain.ids import Digest, TaskNumber
from specthread.domain.model import DAEMON, Refusal
from specthread.domain.react import wanted
from specthread.spec import links
from support.situation import approved, implementing, in_final_review, planning, reviewing
from support.story import ADA, DESIGN, FASTER, ID, REQUIREMENTS, TASKS, two_phases, ws

CYCLE = TASKS.replace(
    b"- [ ] 1. Write the JSON form\n  - _Requirements: 1.1_\n  - _Depends: none_",
    b"- [ ] 1. Write\n  - _Requirements: 1.1_\n  - _Depends: 3_",
)


def named(events):
    return [type(event).__name__ for event in events]


# --- what an approval is


def test_each_document_is_approved_by_itself_and_the_last_one_completes_the_set():
    story = reviewing()
    for name in ("design", "requirements"):
        (partly,) = story.approve(name)
        assert (partly.version, story.spectask.state, story.spectask.versions) == (None, "spec_review", ())
    (complete,) = story.approve("tasks")
    assert complete.version == 1
    assert (story.spectask.state, story.spectask.versions[0].tag) == ("approved", f"spectask/{ID}/v1")


def test_an_approval_holds_the_words_the_person_and_the_time():
    approval = approved().spectask.approvals["design"]
    assert (approval.content, approval.person, approval.in_advance) == (DESIGN, "Ada", False)


def test_a_digest_may_be_shortened_as_it_is_shown():
    story = reviewing()
    short = tuple((name, Digest(digest[:7])) for name, digest in story.digests())
    story.do(c.ApproveDocuments(spectask=ID, documents=short))
    assert is_approved(story.spectask)


def test_a_document_that_changed_since_it_was_read_is_not_approved():
    story = reviewing()
    read = story.digests("requirements")
    story.edit("requirements", FASTER)
    assert story.refused(c.ApproveDocuments(spectask=ID, documents=read)) == "stale-version"


def test_the_same_words_are_not_approved_twice():
    story = approved()
    assert story.refused(c.ApproveDocuments(spectask=ID, documents=story.digests())) == "already-approved"


@pytest.mark.parametrize(
    ("tasks", "code"),
    [(TASKS.replace(b"_Check: pytest tests/test_cache.py_", b"_Check: true_"), "lint-errors"), (CYCLE, "lint-errors")],
    ids=["a trivial check", "a circle"],
)
def test_tasks_that_cannot_be_carried_out_are_not_approved(tasks, code):
    story = reviewing()
    story.edit("tasks", tasks)
    assert story.refused(c.ApproveDocuments(spectask=ID, documents=story.digests("tasks"))) == code
    story.approve("requirements", "design")


def test_a_plan_that_is_too_large_is_refused_and_told_without_working_it_out():
    story = reviewing()
    story.edit("tasks", two_phases(520))
    started = planned.planned_tasks.cache_info().misses
    decided = story.when(c.ApproveDocuments(spectask=ID, documents=story.digests("tasks")))
    assert isinstance(decided, Refusal)
    assert (decided.code, "more than 250,000 dependencies" in decided.message) == ("lint-errors", True)
    assert planned.planned_tasks.cache_info().misses == started


def test_a_stepwise_review_keeps_the_order():
    story = reviewing(review_mode="stepwise")
    assert story.refused(c.ApproveDocuments(spectask=ID, documents=story.digests("design"))) == "out-of-order"
    story.approve("requirements")
    assert story.refused(c.ApproveDocuments(spectask=ID, documents=story.digests("tasks"))) == "out-of-order"
    story.approve("design", "tasks")
    assert is_approved(story.spectask)


def test_a_stepwise_review_goes_back_where_an_earlier_document_changed():
    story = reviewing(review_mode="stepwise")
    story.approve("requirements")
    story.edit("requirements", FASTER)
    assert story.refused(c.ApproveDocuments(spectask=ID, documents=story.digests("design"))) == "out-of-order"


@pytest.mark.parametrize(("flow", "names"), [("bugfix", ("bugfix", "design", "tasks")), ("quick", ("requirements", "tasks"))])
def test_every_flow_has_its_own_set_of_documents(flow, names):
    story = reviewing(flow=flow)
    assert unapproved_documents(story.spectask) == names
    story.approve()
    assert story.spectask.state == "approved"


# --- what rests on a record waits for git


def test_nothing_starts_on_an_approval_before_git_holds_it():
    story = reviewing()
    story.git = False
    story.approve()
    assert not is_approved(story.spectask)
    assert story.refused(c.StartImplementation(spectask=ID, limits=story.spectask.limits)) == "recording"
    assert story.refused(c.ApproveDocuments(spectask=ID, documents=story.digests())) == "recording"
    assert story.refused(c.RequestChanges(spectask=ID, message="More")) == "recording"
    story.acknowledge()
    assert story.spectask.state == "approved"


def test_nothing_starts_on_a_start_before_git_holds_it():
    story = approved()
    story.git = False
    story.start()
    assert story.ready() == []
    assert story.refused(reports.StartSession(spectask=ID, task=TaskNumber("1")), DAEMON) == "not-ready"
    story.acknowledge()
    assert story.ready() == ["1", "2"]


def test_nothing_starts_on_a_skipped_task_before_git_holds_it():
    story = implementing()
    story.complete("1")
    story.git = False
    story.do(c.SkipTask(spectask=ID, task=TaskNumber("2")))
    assert "3.1" not in story.ready()
    story.acknowledge()
    assert story.ready() == ["3.1"]


def test_changed_words_hold_their_tasks_until_git_holds_the_new_approval():
    story = implementing()
    story.edit("requirements", FASTER)
    story.git = False
    story.approve("requirements")
    assert (unapproved_documents(story.spectask), story.ready()) == ((), ["1"])
    story.acknowledge()
    assert story.ready() == ["1", "2"]


def test_words_approved_again_hold_until_git_holds_that():
    story = approved()
    story.request_changes()
    story.write("requirements", FASTER)
    story.write("requirements", REQUIREMENTS)
    story.finish_planning()
    assert story.spectask.state == "approved"
    story.edit("requirements", FASTER)
    story.approve("requirements")
    story.edit("requirements", REQUIREMENTS)
    story.git = False
    story.approve("requirements")
    assert not is_approved(story.spectask)
    story.acknowledge()
    assert (is_approved(story.spectask), len(story.spectask.versions)) == (True, 3)


# --- void approvals


def test_a_tick_never_voids_an_approval():
    story = implementing()
    story.complete("1")
    assert "- [x] 1. Write" in story.text("tasks")
    story.edit("tasks", story.text("tasks").replace("[ ] 2", "[x] 2").encode())
    assert is_approved(story.spectask)
    assert story.task("2").state == "open"


@pytest.mark.parametrize(
    ("document", "content", "held"),
    [
        ("requirements", FASTER, {"2", "3.1", "4"}),
        ("requirements", REQUIREMENTS.replace(b"newline", b"line feed"), {"1", "3.1", "3.2"}),
        ("requirements", REQUIREMENTS.replace(b"# Requirements\n", b"# Requirements\n\nAll in Rust.\n"), {"1", "2", "3.1", "3.2", "4"}),
        ("requirements", REQUIREMENTS.replace(b"\n\n", b"\n\n\n"), {"1", "2", "3.1", "3.2", "4"}),
        ("design", b"# Design\n\nTwo functions.\n", {"1", "2", "3.1", "3.2", "4"}),
        ("tasks", TASKS.replace(b"2. Answer", b"2. Reply"), {"2"}),
        ("tasks", TASKS.replace(b"test_cache.py", b"test_store.py"), {"2"}),
        ("tasks", TASKS.replace(b"# Implementation Plan", b"# Plan"), {"1", "2", "3.1", "3.2", "4"}),
    ],
    ids=["one requirement", "the other", "the introduction", "white space", "the design", "a title", "a check", "a heading"],
)
def test_a_changed_word_holds_exactly_the_tasks_that_trace_to_it(document, content, held):
    story = implementing()
    story.edit(document, content)
    assert unapproved_documents(story.spectask) == (document,)
    assert held_tasks(story.spectask) == held
    assert set(story.ready()) == {"1", "2"} - held
    for number in {"1", "2"} & held:
        assert story.refused(reports.StartSession(spectask=ID, task=TaskNumber(number)), DAEMON) == "not-ready"


def test_a_held_session_is_verified_but_not_merged_before_the_new_approval():
    from specthread.domain.react import mergeable

    story = implementing()
    story.give("1")
    story.give("2")
    story.edit("requirements", FASTER)
    for number in (2, 1):
        story.claim(number)
        story.checked(number)
    assert [session.id for session in mergeable(story.spectask)] == [ws(1)]
    assert story.task("2").state == "verified"
    story.approve("requirements")
    assert [session.id for session in mergeable(story.spectask)] == [ws(1), ws(2)]


def test_a_failed_session_of_a_held_task_is_not_tried_again_before_the_new_approval():
    story = implementing()
    story.give("2")
    story.do(reports.FailRun(spectask=ID, run=ws(1), reason="lost"), DAEMON)
    story.edit("requirements", FASTER)
    assert story.refused(c.RetryRun(spectask=ID, run=ws(1))) == "held"
    story.approve("requirements")
    story.do(c.RetryRun(spectask=ID, run=ws(1)))


def test_a_word_changed_back_is_approved_as_before():
    story = implementing()
    story.edit("requirements", FASTER)
    story.edit("requirements", REQUIREMENTS)
    assert (is_approved(story.spectask), held_tasks(story.spectask)) == (True, frozenset())


# --- versions


def test_a_new_approval_makes_the_next_version_and_releases_the_tasks():
    story = implementing()
    story.edit("requirements", FASTER)
    (again,) = story.approve("requirements")
    second = story.spectask.versions[-1]
    assert (again.version, second.number, second.tag) == (2, 2, f"spectask/{ID}/v2")
    assert second.contents["requirements"] == FASTER
    assert (story.spectask.state, story.ready()) == ("implementing", ["1", "2"])


def test_merged_tasks_whose_requirement_changed_are_checked_again():
    story = implementing()
    story.complete("1", "2")
    story.edit("requirements", FASTER)
    story.approve("requirements")
    assert {number for number, task in story.spectask.tasks.items() if task.recheck} == {"2"}
    story.edit("design", b"# Design\n\nTwo functions.\n")
    story.approve("design")
    assert story.task("2").recheck


def test_a_new_version_brings_new_tasks_and_keeps_what_is_merged():
    story = implementing()
    story.complete("1")
    shorter = b"# Plan\n\n- [ ] 7. Do the rest\n  - _Requirements: 1, 2_\n  - _Check: pytest_\n"
    story.edit("tasks", shorter)
    story.approve("tasks")
    assert {number: task.state for number, task in story.spectask.tasks.items()} == {"1": "merged", "7": "open"}
    assert story.ready() == ["7"]


def test_a_session_whose_task_is_planned_no_more_is_ended():
    story = implementing()
    story.give("2")
    story.edit("tasks", TASKS.replace(b"2. Answer", b"5. Answer").replace(b"Depends: 1, 2", b"Depends: 1, 5"))
    story.approve("tasks")
    assert story.session().state == "cancelled"
    assert story.session().id not in {task.session for task in story.spectask.tasks.values()}


def test_a_dependency_on_a_parent_means_all_its_leaves():
    story = reviewing()
    story.edit(
        "tasks", TASKS.replace(b"- [ ]* 4. Polish\n  - _Requirements: 2.1_\n  - _Depends: none_", b"- [ ] 4. Polish\n  - _Depends: 3_")
    )
    story.approve()
    assert story.task("4").plan.depends == ("3.1", "3.2")


def test_words_that_are_published_already_make_no_new_version():
    story = implementing()
    story.edit("requirements", FASTER)
    story.edit("design", b"# Design\n\nTwo functions.\n")
    story.approve("requirements")
    story.edit("requirements", REQUIREMENTS)
    story.edit("design", DESIGN)
    assert not is_approved(story.spectask)
    (again,) = story.approve("requirements")
    assert (again.version, is_approved(story.spectask), len(story.spectask.versions)) == (None, True, 1)


# --- in advance


def test_a_clean_plan_is_approved_in_advance_and_started():
    story = planning(advance=True, execute=True)
    for name, content in {"requirements": REQUIREMENTS, "design": DESIGN, "tasks": TASKS}.items():
        story.write(name, content)
    finished, in_advance = story.finish_planning()
    assert named((finished, in_advance)) == ["PlanningFinished", "SpecApproved"]
    assert (in_advance.in_advance, in_advance.person, in_advance.version) == (True, ADA.name, 1)
    assert (story.spectask.state, story.ready()) == ("implementing", ["1", "2"])


@pytest.mark.parametrize(
    ("document", "content"),
    [("requirements", REQUIREMENTS.replace(b"SHALL", b"should")), ("tasks", CYCLE)],
    ids=["a requirement that is none", "a circle of tasks"],
)
def test_a_plan_with_an_error_waits_for_a_human(document, content):
    story = planning(advance=True, execute=True)
    for name, good in {"requirements": REQUIREMENTS, "design": DESIGN, "tasks": TASKS}.items():
        story.write(name, content if name == document else good)
    assert named(story.finish_planning()) == ["PlanningFinished"]
    assert story.spectask.state == "spec_review"


def test_a_revision_that_a_human_asked_for_is_not_approved_in_advance():
    story = planning(advance=True)
    for name, content in {"requirements": REQUIREMENTS, "design": DESIGN, "tasks": TASKS}.items():
        story.write(name, content)
    story.finish_planning()
    story.request_changes()
    story.write("requirements", FASTER)
    assert named(story.finish_planning()) == ["PlanningFinished"]


def test_an_approval_by_hand_starts_what_was_asked_to_be_executed():
    story = reviewing(execute=True)
    story.approve()
    assert story.spectask.state == "implementing"
    assert [type(event).__name__ for event in (envelope.event for envelope in story.log)].count("ImplementationStarted") == 1


def test_an_acceptance_is_of_the_approved_words():
    story = in_final_review()
    story.edit("requirements", FASTER)
    assert story.refused(c.AcceptSpecTask(spectask=ID, feature=None)) == "approval-void"
    story.git = False
    story.approve("requirements")
    assert story.refused(c.AcceptSpecTask(spectask=ID, feature=None)) == "recording"
    story.git = True
    story.acknowledge()
    assert story.spectask.state == "implementing"
    story.publish()
    assert isinstance(story.do(c.AcceptSpecTask(spectask=ID, feature=None))[0], e.SpecTaskAccepted)


# --- what it costs


def counted(monkeypatch, module, name):
    calls, real = [], getattr(module, name)
    monkeypatch.setattr(module, name, lambda *arguments: calls.append(arguments) or real(*arguments))
    return calls


def test_a_changed_document_is_compared_once_however_often_is_asked_what_it_holds_back(monkeypatch):
    story = implementing()
    story.edit("requirements", FASTER.replace(b"50 ms", b"49 ms"))
    held_tasks(story.spectask)
    parses = counted(monkeypatch, links, "requirements_of")
    for _ in range(3):
        wanted(story.spectask)
        story.ready()
        assert held_tasks(story.spectask) == {"2", "3.1", "4"}
    assert parses == []


def test_documents_are_linted_once_however_often_they_are_to_be_approved(monkeypatch):
    story = reviewing()
    story.edit("design", DESIGN + b"Linted once.\n")
    lints = counted(monkeypatch, planned, "lint")
    for name in ("tasks", "requirements", "design"):
        story.approve(name)
    story.do(c.StartImplementation(spectask=ID, limits=story.spectask.limits))
    assert len(lints) == 1
