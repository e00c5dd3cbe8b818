import pytest

from specthread.spec.changes import Cannot, contents_with
from specthread.spec.document import DocumentName
from specthread.spec.edit_reference import add_reference, remove_reference
from specthread.spec.edit_requirement import add_criterion
from specthread.spec.edit_task import add_task, move_task, set_state
from specthread.spec.spec import read_spec
from specthread.spec.task_style import Place

A = "* [ ] 1. a\n  - detail\n    - _Requirements: 1.1_\n"
B = "* [x] 4. b\n"
C = "    * [ ] 4.2 c\n      - _Depends: 1, 4_\n"
D = "* [ ] 5. d\n  - _Depends: 4.2_\n"
TASKS = f"# Plan\n\n{A}\n{B}{C}\n{D}"
SCENARIO = "### Requirement: a\n\n#### Scenario: b\n- **WHEN** c\n"
NEW_SCENARIO = f"{SCENARIO}\n#### Scenario: THE x SHALL c.\n- **WHEN** \u2026\n- **THEN** \u2026\n"
REQUIREMENTS = "### Requirement 1: a\n\n#### Acceptance Criteria\n\n1. THE x SHALL a.\n2. THE x SHALL b.\n\n### Requirement 2: b\n\n### Requirement 3: c\n1) z\n"


def inside(text):
    return "".join(f"    {line}\n" for line in text.splitlines())


def spec(tasks=TASKS, dialect="specthread", requirements=REQUIREMENTS):
    texts = {"requirements": requirements, "tasks": tasks}
    return read_spec({DocumentName(name): text.encode() for name, text in texts.items()}, dialect)


def after(read, changes, name="tasks"):
    assert not isinstance(changes, Cannot), changes
    return contents_with(read, changes)[name].decode()


@pytest.mark.parametrize(
    ("dialect", "state", "mark"),
    [
        ("specthread", "done", "x"),
        ("kiro", "queued", "~"),
        ("spec-workflow", "blocked", "~"),
        ("openspec", "in_progress", "-"),
        ("cc-sdd", "todo", " "),
    ],
)
def test_a_state_is_written_as_the_dialect_writes_it(dialect, state, mark):
    read = spec("- [?] 1. a", dialect)
    assert after(read, set_state(read, "1", state)) == f"- [{mark}] 1. a"


def test_a_state_without_a_sign_and_a_task_that_is_not_there_are_refused():
    assert set_state(spec(), "1", "blocked") == Cannot("Task lists of this kind have no sign for “blocked”.")
    assert set_state(spec(), "9", "done") == Cannot("There is no task 9.")
    assert set_state(spec(), "4", "done") == {}


@pytest.mark.parametrize(
    ("place", "before", "behind"),
    [
        (None, "  - _Depends: 4.2_\n", "\n* [ ] 6. new\n"),
        (Place("after", "1"), "    - _Requirements: 1.1_\n", "\n* [ ] 6. new\n"),
        (Place("below", "4"), "      - _Depends: 1, 4_\n", "    * [ ] 4.3 new\n"),
        (Place("after", "4.2"), "      - _Depends: 1, 4_\n", "    * [ ] 4.3 new\n"),
        (Place("below", "5"), "  - _Depends: 4.2_\n", "    * [ ] 5.1 new\n"),
    ],
)
def test_a_new_task_is_written_like_its_neighbours(place, before, behind):
    read = spec()
    assert after(read, add_task(read, "new", place)) == TASKS.replace(before, before + behind)


def test_a_new_task_ends_its_lines_as_its_document_does_and_a_ticket_keeps_its_width():
    read = spec("- [ ] T01\r\n- [ ] T0009 a\r\n", "spec-kit")
    assert after(read, add_task(read, "b", Place("after", "T0009"))) == "- [ ] T01\r\n- [ ] T0009 a\r\n- [ ] T0010 b\r\n"


def test_the_first_task_of_a_document_needs_no_neighbour():
    assert after(spec("# Plan\n"), add_task(spec("# Plan\n"), "a")) == "# Plan\n\n- [ ] 1. a\n"
    assert after(spec(""), add_task(spec(""), "a")) == "- [ ] 1. a\n"


@pytest.mark.parametrize(
    ("task", "place", "expected"),
    [
        ("1", Place("after", "5"), f"# Plan\n\n{B}{C}\n{D}\n{A}"),
        ("4.2", Place("after", "1"), f"# Plan\n\n{A}\n* [ ] 6. c\n  - _Depends: 1, 4_\n\n{B}\n{D.replace('4.2', '6')}"),
        ("1", Place("below", "4"), f"# Plan\n\n{B}{C.replace('1,', '4.3,')}{inside(A.replace('1. a', '4.3 a'))}\n{D}"),
    ],
)  # fmt: skip
def test_a_task_moves_with_all_below_it_and_what_names_it_follows(task, place, expected):
    read = spec()
    assert after(read, move_task(read, task, place)) == expected


def test_a_task_that_stands_there_already_is_not_moved():
    assert move_task(spec(), "5", Place("after", "4")) == {}


def test_a_task_is_not_moved_into_itself():
    assert move_task(spec(), "4", Place("below", "4.2")) == Cannot("Task 4 cannot be moved into itself.")


@pytest.mark.parametrize(
    ("requirements", "name", "dialect", "expected"),
    [
        (REQUIREMENTS, "1", "specthread", REQUIREMENTS.replace("SHALL b.\n", "SHALL b.\n3. THE x SHALL c.\n")),
        (REQUIREMENTS, "2", "specthread", REQUIREMENTS.replace("2: b\n", "2: b\n\n#### Acceptance Criteria\n\n1. THE x SHALL c.\n")),
        (REQUIREMENTS, "3", "specthread", REQUIREMENTS + "2) THE x SHALL c.\n"),
        ("### Requirement 1: a\r\n- **AC-1.1**: z\r\n\r\n# Next", "1", "kiro", "### Requirement 1: a\r\n- **AC-1.1**: z\r\n- **AC-1.2**: THE x SHALL c.\r\n\r\n# Next"),
        ("### User Story 1 - a\n\n1. **Given** b\n", "US1", "spec-kit", "### User Story 1 - a\n\n1. **Given** b\n2. THE x SHALL c.\n"),
        (SCENARIO, "a", "openspec", NEW_SCENARIO),
    ],
)  # fmt: skip
def test_a_new_criterion_has_the_next_number_and_the_style_of_its_list(requirements, name, dialect, expected):
    read = spec("", dialect, requirements)
    assert after(read, add_criterion(read, name, "THE x  SHALL c."), "requirements") == expected


def test_a_requirement_of_one_sentence_takes_no_criteria():
    refused = add_criterion(spec("", "spec-kit", "- **FR-001**: it MUST\n"), "FR-001", "x")
    assert isinstance(refused, Cannot)
    assert "one sentence" in refused.reason


@pytest.mark.parametrize(
    ("task", "name", "expected"),
    [
        ("1", "2", TASKS.replace("1.1_", "1.1, 2_")),
        ("1", "1.1", TASKS),
        ("4", "1.2", TASKS.replace("4. b\n", "4. b\n    - _Requirements: 1.2_\n")),
        ("5", "2", TASKS.replace("  - _Depends: 4.2_", "    - _Requirements: 2_\n  - _Depends: 4.2_")),
    ],
)
def test_a_task_names_one_requirement_more_on_the_line_it_has_or_on_one_like_those_of_its_siblings(task, name, expected):
    read = spec()
    assert after(read, add_reference(read, task, name)) == expected


def test_a_ticket_names_a_story_in_a_label():
    read = spec("- [ ] T001 [P] a\n- [ ] T002 [US1] b\n", "spec-kit", "### User Story 1 - a\n### User Story 2 - b\n")
    assert after(read, add_reference(read, "T001", "US2")) == "- [ ] T001 [P] [US2] a\n- [ ] T002 [US1] b\n"
    assert after(read, add_reference(read, "T002", "US2")) == "- [ ] T001 [P] a\n- [ ] T002 [US1] [US2] b\n"
    assert after(read, remove_reference(read, "T002", "US1")) == "- [ ] T001 [P] a\n- [ ] T002 b\n"


@pytest.mark.parametrize(
    ("before", "name", "expected"),
    [
        ("- _Requirements: 1.1, 1.2_", "1.1", "- _Requirements: 1.2_"),
        ("- _Requirements: 1.1, 1.2_", "1.2", "- _Requirements: 1.1_"),
        ("- _Requirements: 1.1-1.3_", "1.2", "- _Requirements: 1.1, 1.3_"),
        ("- _Requirements: 1.1_ _Files: a_", "1.1", "- _Requirements: none_ _Files: a_"),
        ("- x\n  - _Requirements: 1.1_", "1.1", "- x"),
    ],
)
def test_a_task_names_one_requirement_less_and_an_empty_list_goes(before, name, expected):
    read = spec(f"- [ ] 1. a\n  {before}\n")
    assert after(read, remove_reference(read, "1", name)) == f"- [ ] 1. a\n  {expected}\n"


def test_a_criterion_of_a_requirement_that_is_named_as_a_whole_cannot_be_left_out():
    refused = remove_reference(spec("- [ ] 1. a\n  - _Requirements: 1_\n"), "1", "1.1")
    assert refused == Cannot("Task 1 names 1 as a whole. Name its criteria one by one first.")
