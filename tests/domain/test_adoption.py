from __future__ import annotations

import json

import pytest

from specgit.types import spec_refs
from specthread.domain import commands as c
from specthread.domain import events as e
from specthread.domain.approval import held_tasks
from specthread.domain.ids import SpecTaskId, TaskNumber
from specthread.domain.model import DAEMON
from specthread.domain.names import documents_of, ref_part
from specthread.domain.react import RunPlanner, wanted
from specthread.domain.state import apply
from specthread.engine.log import decode_event, encode_event
from specthread.plan.waiting import why_task_waiting, why_waiting
from specthread.views.assist.offers import offers
from specthread.views.report import report_markdown
from support.situation import KIRO, KIRO_TASKS, adopted, kiro_folder, planning
from support.story import ADA, ID, REQUIREMENTS, Story, creation

OTHER = SpecTaskId("other-7k3f")


def implementing_adopted():
    story = adopted()
    story.approve()
    story.start()
    return story


def test_a_folder_that_is_there_is_reviewed_and_not_planned():
    story = adopted()
    assert story.kinds()[:5] == ["SpecTaskCreated", *["DocumentEdited"] * 3, "SpecAdopted"]
    assert (story.spectask.state, story.spectask.plans, story.spectask.dialect, story.spectask.adopted) == ("spec_review", (), "kiro", KIRO)
    assert not any(isinstance(effect, RunPlanner) for effect in wanted(story.spectask))


def test_documents_keep_their_paths_and_bytes():
    documents = adopted().spectask.documents
    assert {document.path: document.content for document in documents.values()} == {each.path: each.content for each in kiro_folder()}
    assert {document.author for document in documents.values()} == {"Ada"}


def test_what_it_waits_for_says_where_it_came_from():
    story = adopted()
    assert why_waiting(story.state, ID).startswith(f"Adopted from {KIRO}; waits for your approval of requirements, design, tasks")
    assert f"| Adopted from | `{KIRO}` (kiro) |" in report_markdown(story.spectask)


def test_what_was_ticked_already_is_done_before_and_not_done_again():
    story = implementing_adopted()
    assert {number: task.state for number, task in story.spectask.tasks.items()} == {
        "1": "skipped",
        "2.1": "skipped",
        "2.2": "open",
        "3": "open",
    }
    assert why_task_waiting(story.spectask, TaskNumber("1")) == "Ticked when the spec was adopted: done before."
    assert "| 1 Set up the project | done before |" in report_markdown(story.spectask)
    assert story.ready() == ["2.2"]


def test_a_box_that_is_cleared_before_the_approval_is_work_again():
    story = adopted()
    story.edit("tasks", KIRO_TASKS.replace(b"[x] 1.", b"[ ] 1."))
    story.approve()
    assert (story.task("1").state, story.task("2.1").state) == ("open", "skipped")


def test_a_box_ticked_by_hand_after_the_approval_claims_nothing():
    story = implementing_adopted()
    story.edit("tasks", KIRO_TASKS.replace(b"[ ] 2.2", b"[x] 2.2"))
    story.request_changes()
    story.finish_planning()
    assert story.task("2.2").state == "open"
    assert why_task_waiting(story.spectask, TaskNumber("2.2")).startswith("Ticked by hand")


def test_a_merge_ticks_one_byte_for_the_task_and_one_for_its_parent():
    story = implementing_adopted()
    story.complete("2.2")
    expected = KIRO_TASKS.replace(b"[ ] 2.2", b"[x] 2.2").replace(b"[ ] 2.", b"[x] 2.")
    assert story.spectask.documents["tasks"].content == expected
    assert sum(one != other for one, other in zip(expected, KIRO_TASKS, strict=True)) == 2


def test_a_revision_by_the_planner_keeps_what_was_ticked():
    story = adopted()
    story.request_changes()
    story.write("tasks", KIRO_TASKS.replace(b"[x]", b"[ ]").replace(b"rows", b"lines"))
    story.finish_planning()
    assert story.text("tasks").encode() == KIRO_TASKS.replace(b"rows", b"lines")
    assert story.spectask.state == "spec_review"


def test_a_changed_requirement_holds_the_tasks_that_trace_to_it():
    story = implementing_adopted()
    story.edit("requirements", REQUIREMENTS.replace(b"\n", b"\r\n").replace(b"100 ms", b"50 ms"))
    assert story.ready() == ["2.2"]
    story.edit("requirements", REQUIREMENTS.replace(b"\n", b"\r\n").replace(b"one JSON object", b"one JSON list"))
    assert story.ready() == []


def test_spec_kit_tasks_are_found_ticked_and_offered_in_their_own_dialect():
    tasks = b"# Tasks: Report\n\n## Phase 1: Setup\n\n- [ ] T001 Create the project\n- [ ] T002 [P] Write the rows in src/rows.py\n"
    spec = b"# Feature Specification: Report\n\n### User Story 1 - Read it (Priority: P1)\n\nA person reads the report.\n"
    folder = "specs/001-report"
    documents = (
        c.AdoptedDocument(name="requirements", path=f"{folder}/spec.md", content=spec),
        c.AdoptedDocument(name="tasks", path=f"{folder}/tasks.md", content=tasks),
    )
    story = Story()
    story.create(dialect="spec-kit", flow="quick", adopted=documents)
    story.approve()
    assert {offer.line for offer in offers(story.spectask, "tasks", tasks) if offer.verb == "start-task"} == {5, 6}
    story.start()
    story.complete("T001")
    assert story.text("tasks").encode() == tasks.replace(b"[ ] T001", b"[x] T001")


def test_cancelled_and_taken_up_again_it_is_reviewed_again():
    story = adopted()
    story.do(c.CancelSpecTask(spectask=ID))
    story.do(c.ResumeSpecTask(spectask=ID))
    assert story.spectask.state == "spec_review"


def test_what_is_clean_may_be_approved_in_advance():
    story = adopted(execute=True, advance=True)
    assert story.spectask.approvals["tasks"].in_advance
    assert story.spectask.state == "implementing"


def test_what_cannot_be_carried_out_is_not_approved_in_advance():
    story = adopted(execute=True, advance=True, adopted=kiro_folder(KIRO_TASKS.replace(b"1.1, 1.2", b"7.7")))
    assert (story.spectask.state, dict(story.spectask.approvals)) == ("spec_review", {})


# --- what is refused


def refusal(**changes):
    story = Story()
    return story.refused(creation(**{"dialect": "kiro", "adopted": kiro_folder(), **changes}))


@pytest.mark.parametrize("tasks", [b"", b"# Plan\n\nNothing yet.\n"])
def test_a_folder_without_tasks_has_nothing_to_carry_out(tasks):
    assert refusal(adopted=kiro_folder(tasks)) == "nothing-to-do"
    assert refusal(adopted=kiro_folder()[:2]) == "nothing-to-do"


def test_a_folder_without_requirements_is_no_whole_spec():
    assert refusal(adopted=kiro_folder()[1:]) == "documents-missing"
    assert refusal(adopted=kiro_folder(), flow="quick") == "documents-missing"


CHANGE = "openspec/changes/add-export"
DELTA = b"## ADDED Requirements\n\n### Requirement: Export\nThe app SHALL export.\n\n#### Scenario: Asked\n- **WHEN** asked\n- **THEN** it exports\n"
CHANGE_TASKS = b"## 1. Export\n\n- [x] 1.1 Prepare\n- [ ] 1.2 Write the file\n"


def change_folder(*deltas, tasks=CHANGE_TASKS, design=None):
    files = {**{f"specs/{name}/spec": DELTA for name in deltas}, **({"design": design} if design else {}), "tasks": tasks}
    return tuple(c.AdoptedDocument(name=name, path=f"{CHANGE}/{name}.md", content=content) for name, content in files.items())


def test_a_change_of_openspec_is_reviewed_and_carried_out_with_all_its_deltas():
    story = Story()
    story.do(creation(dialect="openspec", flow="quick", adopted=change_folder("notes", "auth")))
    assert story.spectask.adopted == CHANGE
    assert documents_of(story.spectask) == ("specs/auth/spec", "specs/notes/spec", "tasks")
    story.approve()
    assert dict(story.spectask.versions[-1].digests).keys() == set(story.spectask.documents)
    story.start()
    assert {number: task.state for number, task in story.spectask.tasks.items()} == {"1.1": "skipped", "1.2": "open"}
    assert story.ready() == ["1.2"]
    story.edit("specs/auth/spec", DELTA.replace(b"SHALL export", b"SHALL never export"))
    assert held_tasks(story.spectask) == {"1.1", "1.2"}


@pytest.mark.parametrize(
    ("documents", "code"),
    [
        (change_folder(), "documents-missing"),
        (change_folder("auth", tasks=b"# Nothing\n"), "nothing-to-do"),
        (change_folder("auth")[:1], "nothing-to-do"),
    ],
)
def test_a_change_without_deltas_or_tasks_is_no_whole_spec(documents, code):
    assert refusal(dialect="openspec", flow="quick", adopted=documents) == code


def test_every_name_of_a_document_can_be_told_in_the_name_of_a_ref():
    names = [
        "requirements",
        "specs/auth/spec",
        "specs/two words/spec",
        "specs/two-words/spec",
        "specs/a..b/spec",
        "specs/x.lock/spec",
        "specs/.h/\u4e00",
    ]
    refs = {spec_refs(ID).conflicts(ref_part(name)) for name in names}
    assert len(refs) == len(names)
    assert spec_refs(ID).conflicts("requirements") in refs


def test_a_folder_belongs_to_one_spectask_that_is_not_over():
    story = adopted()
    again = creation(spectask=OTHER, dialect="kiro", adopted=kiro_folder())
    assert story.refused(again) == "already-adopted"
    elsewhere = creation(spectask=OTHER, repository="/other", dialect="kiro", adopted=kiro_folder())
    story.do(elsewhere)
    story.do(c.CancelSpecTask(spectask=ID))
    story.do(creation(spectask=SpecTaskId("third-7k3f"), dialect="kiro", adopted=kiro_folder()))


def test_an_agent_may_not_adopt():
    assert Story().refused(creation(adopted=kiro_folder()), DAEMON) == "human-only"


# --- what older logs say


def test_a_log_that_knows_no_dialect_is_read_as_our_own():
    story = planning()
    created = json.loads(encode_event(story.log[0].event))
    del created["dialect"]
    event = decode_event("SpecTaskCreated", json.dumps(created).encode(), e.SCHEMA)
    state = apply(
        Story().state, e.Envelope(seq=1, instance="log", schema=1, host="box", actor=ADA, time=story.log[0].time, spectask=ID, event=event)
    )
    assert state.spectasks[ID].dialect == "specthread"
    assert event == story.log[0].event
