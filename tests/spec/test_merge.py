"""Two edits of one document brought together by what they mean."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from specthread.spec.changes import exchanged
from specthread.spec.document import TASKS as TASKS_NAME
from specthread.spec.document import DocumentName
from specthread.spec.merge import Merged, merge_documents
from specthread.spec.merge_pieces import cut
from specthread.spec.source import scan
from specthread.spec.spec import kind_of
from specthread.spec.tasks import parse_tasks
from support.corpus import documents_in, folders, needs_corpus
from support.spec_text import documents

TASKS = """# Plan

- [ ] 1. Read
  - [ ] 1.1 Open
  - [ ] 1.2 Parse
    - by lines
- [ ] 2. Write
- [ ] 3. Ship
"""
REQUIREMENTS = """# Requirements

Everything is fast.

### Requirement 1: Export

#### Acceptance Criteria

1. THE app SHALL a.
2. THE app SHALL b.

### Requirement 2: Import

#### Acceptance Criteria

1. THE app SHALL c.
"""


def merged(ours, theirs, base=TASKS, name="tasks", dialect="specthread"):
    found = merge_documents(DocumentName(name), base.encode(), ours.encode(), theirs.encode(), dialect)
    assert not found.questions, found.questions
    return None if found.content is None else found.content.decode()


def asked(ours, theirs, base=TASKS, name="tasks"):
    found = merge_documents(DocumentName(name), base.encode(), ours.encode(), theirs.encode())
    assert found.content is None
    return list(found.questions)


def tick(text, *ids, mark="x"):
    for each in ids:
        text = text.replace(f"[ ] {each} ", f"[{mark}] {each} ").replace(f"[ ] {each}. ", f"[{mark}] {each}. ")
    return text


# --- what goes together


@pytest.mark.parametrize(
    ("ours", "theirs", "result"),
    [
        (tick(TASKS, "1.1"), tick(TASKS, "1.2"), tick(TASKS, "1.1", "1.2")),
        (tick(TASKS, "2"), tick(TASKS, "2"), tick(TASKS, "2")),
        (tick(TASKS, "2", mark="-"), tick(TASKS, "2"), tick(TASKS, "2")),
        (tick(TASKS, "2"), TASKS.replace("Write", "Write it"), tick(TASKS, "2").replace("Write", "Write it")),
        (
            tick(TASKS, "2"),
            TASKS.replace("- [ ] 2. Write\n", "- [ ] 2. Write\n  - a note\n"),
            tick(TASKS, "2").replace("Write\n", "Write\n  - a note\n"),
        ),
        (
            TASKS.replace("by lines\n", "by lines\n    - ours\n"),
            TASKS.replace("by lines\n", "by lines\n    - theirs\n"),
            TASKS.replace("by lines\n", "by lines\n    - ours\n    - theirs\n"),
        ),
        (TASKS + "- [ ] 4. Ours\n", TASKS + "- [ ] 5. Theirs\n", TASKS + "- [ ] 4. Ours\n- [ ] 5. Theirs\n"),
        (TASKS + "\n## Notes\n\nOurs.\n", TASKS + "- [ ] 4. Theirs\n", TASKS + "\n- [ ] 4. Theirs\n\n## Notes\n\nOurs.\n"),
        (TASKS.replace("- [ ] 3. Ship\n", ""), tick(TASKS, "2"), tick(TASKS, "2").replace("- [ ] 3. Ship\n", "")),
        (
            TASKS.replace("- [ ] 2. Write\n- [ ] 3. Ship\n", "- [ ] 3. Ship\n- [ ] 2. Write\n"),
            tick(TASKS, "2", "3"),
            tick(TASKS, "2", "3").replace("- [x] 2. Write\n- [x] 3. Ship\n", "- [x] 3. Ship\n- [x] 2. Write\n"),
        ),
        (TASKS.replace("\n", "\r\n"), tick(TASKS, "1.1"), tick(TASKS, "1.1").replace("\n", "\r\n")),
        (TASKS.removesuffix("\n"), tick(TASKS, "3"), tick(TASKS, "3").removesuffix("\n")),
    ],
)
def test_changes_of_different_things_go_together_wherever_they_stand(ours, theirs, result):
    assert merged(ours, theirs) == result


def test_a_box_that_one_side_emptied_stays_empty_where_the_other_left_it():
    assert merged(TASKS, tick(TASKS, "1.1"), base=tick(TASKS, "2")) == tick(TASKS, "1.1")


@pytest.mark.parametrize(
    ("ours", "theirs", "result"),
    [
        (
            REQUIREMENTS.replace("SHALL a", "SHALL A"),
            REQUIREMENTS.replace("SHALL b", "SHALL B"),
            REQUIREMENTS.replace("SHALL a", "SHALL A").replace("SHALL b", "SHALL B"),
        ),
        (
            REQUIREMENTS.replace("b.\n", "b.\n3. THE app SHALL d.\n"),
            REQUIREMENTS.replace("2: Import", "2: Import all"),
            REQUIREMENTS.replace("b.\n", "b.\n3. THE app SHALL d.\n").replace("2: Import", "2: Import all"),
        ),
    ],
)
def test_criteria_and_requirements_are_merged_one_by_one(ours, theirs, result):
    assert merged(ours, theirs, base=REQUIREMENTS, name="requirements") == result


def test_sections_of_a_design_are_merged_one_by_one():
    base = "# Design\n\n## A\n\nOne.\n## B\n\nTwo.\n"
    ours, theirs = base.replace("One", "1"), base.replace("## B", "## B\n\nFirst.")
    assert merged(ours, theirs, base=base, name="design") == base.replace("One", "1").replace("## B", "## B\n\nFirst.")


def test_a_title_or_section_that_is_called_otherwise_keeps_what_the_other_side_changed_elsewhere():
    base = "# Design\n\n## A\n\nOne.\n\n## B\n\nTwo.\n"
    ours, theirs = base.replace("# Design", "# My design").replace("## A", "## First"), base.replace("Two.", "2.")
    assert merged(ours, theirs, base=base, name="design") == ours.replace("Two.", "2.")
    assert merged(ours, base.replace("One", "1"), base=base, name="design") is None  # lines tell


# --- what is asked, and what only lines can tell


@pytest.mark.parametrize(
    ("ours", "theirs", "question"),
    [
        (
            TASKS.replace("- [ ] 3. Ship\n", ""),
            TASKS.replace("Ship", "Ship it"),
            "Task 3 was deleted on one side and changed on the other.",
        ),
        (TASKS.replace("- [ ] 3. Ship\n", ""), tick(TASKS, "3"), "Task 3 was deleted on one side and changed on the other."),
        (TASKS + "- [ ] 4. Ours\n", TASKS + "- [ ] 4. Theirs\n", "Task 4 was added on both sides, with different words."),
        (
            TASKS.replace("- [ ] 2. Write\n", ""),
            TASKS.replace("- [ ] 3.", "  - [ ] 2.1 Draft\n- [ ] 3."),
            "Task 2 was deleted on one side, and task 2.1 was added below it on the other.",
        ),
    ],
)
def test_what_two_people_meant_differently_is_asked(ours, theirs, question):
    assert asked(ours, theirs) == [question]
    assert asked(theirs, ours) == [question]


@pytest.mark.parametrize(
    ("ours", "theirs"),
    [
        (TASKS.replace("Write", "Draw"), TASKS.replace("Write", "Sing")),
        (TASKS.replace("2. Write\n- [ ] 3. Ship", "2. New\n- [ ] 3. Write\n- [ ] 4. Ship"), tick(TASKS, "2")),
        (TASKS + "- [ ] 3. Again\n", tick(TASKS, "2")),
        (tick(TASKS, "2", mark="?"), tick(TASKS, "2")),
        (
            TASKS.replace("- [ ] 2. Write\n- [ ] 3. Ship\n", "- [ ] 3. Ship\n- [ ] 2. Write\n"),
            TASKS.replace("  - [ ] 1.1 Open\n", "").replace("- [ ] 3. Ship\n", "- [ ] 3. Ship\n  - [ ] 1.1 Open\n"),
        ),
        (TASKS.replace("# Plan", "# Plan\n\n## A\n\nx\n"), TASKS.replace("# Plan", "# Plan\n\n## A\n\ny\n")),
    ],
)
def test_two_titles_new_numbers_or_one_number_twice_are_left_to_the_lines(ours, theirs):
    assert merged(ours, theirs) is None
    assert merged(theirs, ours) is None


FLAT = "# Plan\n\n- [ ] 1. Read\n- [ ] 2. Write\n- [ ] 3. Ship\n"
TWINS = "# Plan\n\n- [ ] 1. Write tests\n  - for a\n- [ ] 2. Write tests\n  - for b\n"
NOTED = "# Plan\n\n- [ ] 1. A\n  - a\n    - why\n"
TAIL = FLAT + "\nNotes: keep the API stable.\n"
DESIGN = "# Design\n\n## A\n\nOne.\nTwo.\n\n## B\n\nThree.\n"


@pytest.mark.parametrize(
    ("name", "base", "ours", "theirs"),
    [
        # a tick must not come to stand on what carries the number now
        ("tasks", FLAT, FLAT.replace("2. Write\n- [ ] 3. Ship", "2. Prepare tables\n- [ ] 3. Write it\n- [ ] 4. Ship it"), tick(FLAT, "2")),
        ("tasks", FLAT, FLAT.replace("Write", "Delete all"), tick(FLAT, "2")),
        ("tasks", TWINS, TWINS.replace("for a", "for x").replace("for b", "for a").replace("for x", "for b"), tick(TWINS, "1")),
        # nor a criterion in the requirement that has the number now
        (
            "requirements",
            REQUIREMENTS,
            REQUIREMENTS.replace(
                "### Requirement 2: Import", "### Requirement 2: Print\n\n1. THE app SHALL p.\n\n### Requirement 3: Import all"
            ),
            REQUIREMENTS + "2. THE app SHALL e.\n",
        ),
        # nothing may be lost or doubled
        ("tasks", NOTED, NOTED + "  - ours\n    - same\n", NOTED + "  - theirs\n    - same\n"),
        ("tasks", TAIL, TAIL.replace("Ship\n", "Ship\n- [ ] 4. Ours\n"), TAIL.replace("Ship\n", "Ship\n- [ ] 5. Theirs\n")),
        ("design", DESIGN, DESIGN.replace("## A", "## A1"), DESIGN.replace("## A", "## A2")),
        ("design", DESIGN, DESIGN.replace("## A", "## A1"), DESIGN.replace("## A\n\nOne.\nTwo.\n\n", "")),
        ("design", DESIGN, DESIGN.replace("Two.", "\n## C\n\nTwo."), DESIGN.replace("Two.", "\n## D\n\nTwo.")),
        # nor come to stand below something else
        ("design", DESIGN, DESIGN.replace("\n## B\n\nThree.\n", ""), DESIGN + "\n### B1\n\nFour.\n"),
        ("tasks", NOTED.replace("    - why\n", ""), NOTED.replace("    - why", "  - b"), NOTED.replace("why", "of a")),
        (
            "tasks",
            FLAT,
            FLAT.replace("Write\n", "Write\n  - _Requirements: 1.1_\n"),
            FLAT.replace("Write\n", "Write\n  - _Requirements: 1.2_\n"),
        ),
    ],
)
def test_what_could_come_to_mean_something_else_is_left_to_the_lines(name, base, ours, theirs):
    assert merged(ours, theirs, base=base, name=name) is None
    assert merged(theirs, ours, base=base, name=name) is None


def test_what_is_added_stands_below_what_it_was_added_to():
    result = FLAT + "  - [ ] 3.1 Theirs\n- [ ] 4. Ours\n"
    assert merged(FLAT + "- [ ] 4. Ours\n", FLAT + "  - [ ] 3.1 Theirs\n", base=FLAT) == result
    assert merged(FLAT + "  - [ ] 3.1 Theirs\n", FLAT + "- [ ] 4. Ours\n", base=FLAT) == result
    ours, theirs = (DESIGN.replace("Two.\n", f"Two.\n\n{added}\n\nNew.\n") for added in ("## X", "### A2"))
    assert merged(ours, theirs, base=DESIGN, name="design") == DESIGN.replace("Two.\n", "Two.\n\n### A2\n\nNew.\n\n## X\n\nNew.\n")


@pytest.mark.parametrize(
    ("ours", "theirs"),
    [
        (REQUIREMENTS.replace("fast", "quick"), REQUIREMENTS.replace("fast", "slow")),
        (REQUIREMENTS.replace("fast.", "fast.\nOurs."), REQUIREMENTS.replace("fast.", "fast.\nTheirs.")),
        (REQUIREMENTS.replace("SHALL a", "SHALL x"), REQUIREMENTS.replace("SHALL a", "SHALL y")),
    ],
)
def test_prose_that_both_changed_is_never_joined(ours, theirs):
    assert merged(ours, theirs, base=REQUIREMENTS, name="requirements") is None


def test_a_thousand_lines_of_prose_are_left_to_the_lines():
    base = "# Design\n\n" + "".join(f"line {number % 7}\n" for number in range(3_000))
    assert merged(base.replace("line 0", "line x", 1), base + "more\n", base=base, name="design") is None


# --- whatever the documents are


@given(documents(), documents(), st.sampled_from(["tasks", "requirements", "design"]))
def test_a_side_that_changed_nothing_or_the_same_changes_nothing(base, other, name):
    document = DocumentName(name)
    assert merge_documents(document, base, other, base).content == other
    assert merge_documents(document, base, base, other).content == other
    assert merge_documents(document, base, other, other).content == other


@given(documents(), documents(), documents(), st.sampled_from(["tasks", "requirements", "design"]))
def test_any_three_documents_are_merged_or_left_without_an_exception(base, ours, theirs, name):
    found = merge_documents(DocumentName(name), base, ours, theirs)
    assert found.content is None or not found.questions


numbers = st.integers(1, 12)
changes = st.lists(
    st.one_of(st.tuples(st.just("tick"), numbers), st.tuples(st.just("note"), numbers), st.tuples(st.just("start"), numbers)), max_size=8
)


def plan(count, layout):
    detail = "  - how it is done\n" if layout else ""
    return "# Plan\n\n" + "".join(f"- [ ] {number}. Task {number}\n{detail}" for number in range(1, count + 1))


def changed(text, edits, who, added):
    for kind, number in edits:
        head = f"{number}. Task {number}\n"
        if kind == "note":
            text = text.replace(head, f"{head}  - {who} says {number}\n")
        else:
            mark = "x" if kind == "tick" else "-"
            text = text.replace(f"[ ] {head}", f"[{mark}] {head}")
    return text + (f"- [ ] {added}. Task {added}\n" if added else "")


@given(changes, changes, st.booleans(), st.sampled_from([0, 13]), st.sampled_from([0, 14]))
def test_two_who_tick_note_and_add_never_meet_and_no_tick_is_lost(ours, theirs, layout, mine, other):
    base = plan(12, layout)
    sides = changed(base, ours, "one", mine), changed(base, theirs, "two", other)
    result = merged(*sides, base=base)
    assert result is not None
    marks = [{task.id: task.state_raw for task in parse_tasks(side.encode()).tasks} for side in (*sides, result)]
    order = {" ": 0, "-": 1, "x": 2}
    for number in map(str, range(1, 13)):
        assert marks[2][number] == max(marks[0][number], marks[1][number], key=order.__getitem__)
    ids = [task.id for task in parse_tasks(result.encode()).tasks]
    assert len(ids) == len(set(ids)) == 12 + bool(mine) + bool(other)
    assert [each for each in ids if int(each) <= 12] == [str(number) for number in range(1, 13)]
    notes = {line for side in sides for line in side.splitlines() if " says " in line}
    assert notes == {line for line in result.splitlines() if " says " in line}


@needs_corpus
def test_ticks_of_neighbours_go_together_in_every_real_list_of_tasks():
    for folder in folders():
        dialect, contents = documents_in(folder)
        for name, content in contents.items():
            todo = [task.box for task in parse_tasks(content, dialect).tasks if task.state == "todo" and kind_of(name) == TASKS_NAME]
            one, other, both = (scan(content).changed(exchanged(box, "x") for box in boxes) for boxes in (todo[::2], todo[1::2], todo))
            assert merge_documents(name, content, one, other, dialect) == Merged(both)


@needs_corpus
def test_pieces_of_every_real_document_make_it_up_again():
    for folder in folders():
        dialect, contents = documents_in(folder)
        for name, content in contents.items():
            pieces = cut(content, name, dialect)
            assert pieces is not None
            assert pieces.written() == content
