import pytest

from specthread.spec.changes import Cannot, contents_with
from specthread.spec.document import DocumentName
from specthread.spec.rename import rename
from specthread.spec.renumber import renumber_tasks
from specthread.spec.spec import read_spec
from specthread.spec.symbols import Symbol

REQUIREMENTS = "### Requirement 1: a\n\n#### Acceptance Criteria\n\n1. THE x SHALL a.\n2. THE x SHALL b.\n3. THE x SHALL c.\n\n### Requirement R7: b\n\n7.1 d\n"
DESIGN = "### Property 1: p\n\n**Validates: Requirements 1.2, 7.1**\n"


def spec(tasks, dialect="specthread", requirements=REQUIREMENTS, design=DESIGN):
    texts = {"requirements": requirements, "design": design, "tasks": tasks}
    return read_spec({DocumentName(name): text.encode() for name, text in texts.items()}, dialect)


def tasks_after(read, changes):
    assert not isinstance(changes, Cannot), changes
    return contents_with(read, changes)["tasks"].decode()


@pytest.mark.parametrize(
    ("kind", "old", "new", "before", "after"),
    [
        ("criterion", "1.2", "9", "_Requirements: 1.1-1.3_", "_Requirements: 1.1, 1.9, 1.3_"),
        ("criterion", "1.3", "1.9", "_Requirements: 1.1 - 1.3\u30017.1_", "_Requirements: 1.1 - 1.2\u30011.9\u30017.1_"),
        ("criterion", "1.1", "9", "_Requirements: 1.1 (first), 1.11_", "_Requirements: 1.9 (first), 1.11_"),
        ("requirement", "1", "4", "_Requirements: R1, 1.1-3, 7.1_", "_Requirements: R4, 4.1-3, 7.1_"),
        ("requirement", "1", "4", "_Requirements: Requirements 1 and 1.8_", "_Requirements: Requirements 4 and 4.8_"),
        ("requirement", "R7", "R8", "_Requirements: 7, R7_", "_Requirements: 8, R8_"),
        ("task", "1", "5", "_Depends: 1_ and\n- [ ] 1.1 x", "_Depends: 5_ and\n- [ ] 5.1 x"),
        ("property", "1", "4", "**Property 1: p**", "**Property 4: p**"),
    ],
)
def test_a_renamed_id_is_written_wherever_it_is_named_in_the_form_it_had(kind, old, new, before, after):
    read = spec(f"- [ ] 1. one\n- [ ] 2. two\n  - {before}\n")
    first = "5" if kind == "task" else "1"
    assert tasks_after(read, rename(read, Symbol(kind, old), new)) == f"- [ ] {first}. one\n- [ ] 2. two\n  - {after}\n"


def test_the_criteria_of_a_renamed_requirement_follow_in_every_document():
    read = spec("- [ ] 1. one\n  - _Requirements: 1.2_\n")
    changes = rename(read, Symbol("requirement", "1"), "3")
    assert contents_with(read, changes) == {
        "requirements": REQUIREMENTS.replace("Requirement 1", "Requirement 3").encode(),
        "design": DESIGN.replace("1.2", "3.2").encode(),
        "tasks": b"- [ ] 1. one\n  - _Requirements: 3.2_\n",
    }


GRAPH = """\
- [ ] 1. one
- [ ] 2. two

## Task Dependencies

```json
{"waves": [{"id": "2", "tasks": ["1", {"id": "Task 2"}]}, ["2", 1]]}
```
"""
ARROWS = '- [ ] 1. one\n- [ ] 2. two\n\n## Dependencies\n\n```mermaid\nT1 --> T2["two 2"]\nstyle T2 red\n```\n'


def test_the_graph_follows_a_renamed_task_and_its_own_numbers_do_not():
    read = spec(GRAPH)
    after = tasks_after(read, rename(read, Symbol("task", "2"), "7"))
    assert after == GRAPH.replace("2. two", "7. two").replace("Task 2", "Task 7").replace('["2", 1]', '["7", 1]')
    read = spec(ARROWS)
    after = tasks_after(read, rename(read, Symbol("task", "2"), "7"))
    assert after == ARROWS.replace("2. two", "7. two").replace("T2", "T7")


@pytest.mark.parametrize(
    ("dialect", "requirements", "symbol", "new", "after"),
    [
        ("spec-kit", "### User Story 1 - a (Priority: P1)\n", Symbol("requirement", "US1"), "US3", "### User Story 3 - a (Priority: P1)\n"),
        ("spec-kit", "### User Story 1 - a (Priority: P1)\n", Symbol("requirement", "US1"), "4", "### User Story 4 - a (Priority: P1)\n"),
        ("spec-kit", "- **FR-001**: it MUST\n", Symbol("requirement", "FR-001"), "FR-007", "- **FR-007**: it MUST\n"),
        ("openspec", "### Requirement: Old  name\n", Symbol("requirement", "Old name"), "New", "### Requirement: New\n"),
        (
            "kiro",
            "### 需求 1\uff1a标题\r\n\r\n#### 验收标准\r\n\r\n1. 系统\r\n",
            Symbol("requirement", "1"),
            "2",
            "### 需求 2\uff1a标题\r\n\r\n#### 验收标准\r\n\r\n1. 系统\r\n",
        ),
    ],
)
def test_every_dialect_writes_an_id_in_its_own_way(dialect, requirements, symbol, new, after):
    read = spec("", dialect, requirements)
    assert contents_with(read, rename(read, symbol, new))["requirements"].decode() == after


@pytest.mark.parametrize(
    ("symbol", "new", "reason"),
    [
        (Symbol("requirement", "1"), "R7", "There is a requirement R7 already."),
        (Symbol("requirement", "9"), "2", "There is no requirement 9"),
        (Symbol("requirement", "1"), "two words", "would not be read as the id of a requirement"),
        (Symbol("criterion", "1.1"), "2.1", "Only the last number of a criterion can be renamed."),
        (Symbol("criterion", "1.1"), "x", "would not be read as the id of a criterion"),
        (Symbol("task", "1"), "", "An id is needed"),
    ],
)
def test_an_id_that_is_taken_or_none_is_refused_with_a_reason(symbol, new, reason):
    refused = rename(spec("- [ ] 1. one\n"), symbol, new)
    assert isinstance(refused, Cannot)
    assert reason in refused.reason


def test_one_criterion_of_another_scheme_is_not_taken_for_a_range_of_requirements():
    read = spec("- [ ] 1. one\n  - _Requirements: R1-AC2_\n")
    assert "tasks" not in rename(read, Symbol("requirement", "1"), "3")


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (
            "- [ ] 2. a\n- [ ] 4. b\n  - [ ] 4.3 c\n  - _Depends: 2, 4.3_\n",
            "- [ ] 1. a\n- [ ] 2. b\n  - [ ] 2.1 c\n  - _Depends: 1, 2.1_\n",
        ),
        ("- [ ] 1. a\n- [ ] 1. b\n  - _Depends: 1_\n", "- [ ] 1. a\n- [ ] 2. b\n  - _Depends: 1_\n"),
        (
            "- [ ] 3. a\n- [ ] 1. b\n- [ ] 2. c\n- [ ] 4. d\n  - _Depends: 1-3_\n",
            "- [ ] 1. a\n- [ ] 2. b\n- [ ] 3. c\n- [ ] 4. d\n  - _Depends: 2-3, 1_\n",
        ),
        ("- [ ] 2. a (depends on 1)\n- [ ] 1. b\n", "- [ ] 1. a (depends on 2)\n- [ ] 2. b\n"),
        ("## 1. S\n- [ ] 1.2 a\n- [ ] 1.4 b\n## 3. T\n- [ ] 3.1 c\n", "## 1. S\n- [ ] 1.1 a\n- [ ] 1.2 b\n## 3. T\n- [ ] 3.1 c\n"),
    ],
)
def test_tasks_are_numbered_in_the_order_they_stand_in(before, after):
    read = spec(before)
    assert tasks_after(read, renumber_tasks(read)) == after


def test_tickets_keep_their_width():
    read = spec("- [ ] T003 a\n- [ ] T007 [P] b (depends on T003)\n", "spec-kit")
    assert tasks_after(read, renumber_tasks(read)) == "- [ ] T001 a\n- [ ] T002 [P] b (depends on T001)\n"


def test_a_number_nobody_carries_is_not_given_to_another_task():
    refused = renumber_tasks(spec("- [ ] 1. a\n- [ ] 3. b\n  - _Depends: 2_\n"))
    assert isinstance(refused, Cannot)
    assert "Tasks name 2" in refused.reason


@pytest.mark.parametrize(
    ("written", "after"),
    [
        ("1.1-1.3 (main case only)", "1.1-1.2, 1.9 (main case only)"),
        ("1.2-1.3 *", "1.2, 1.9 *"),
        ("1.3 (later)", "1.9 (later)"),
        ("Requirements 1.2-1.3", "Requirements 1.2, 1.9"),
    ],
)
def test_what_stands_behind_the_ids_of_an_entry_stays(written, after):
    before = spec(f"- [ ] 1. a\n  - _Requirements: {written}_\n")
    changes = rename(before, Symbol("criterion", "1.3"), "1.9")
    assert not isinstance(changes, Cannot), changes
    assert contents_with(before, changes)["tasks"].decode() == f"- [ ] 1. a\n  - _Requirements: {after}_\n"
