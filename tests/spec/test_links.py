import pytest
from hypothesis import given

from specthread.spec.links import changed_requirements, owner_of, required_by, tasks_resting_on_changes
from specthread.spec.tasks import parse_tasks
from support.spec_text import documents

OLD = b"""# Requirements

Everything is fast.

### Requirement 1: one

1. THE cli SHALL a.

### Requirement 2: two

1. THE cli SHALL b.
"""


@pytest.mark.parametrize(
    ("new", "changed"),
    [
        (OLD, set()),
        (OLD.replace(b"\n", b"\r\n\r\n").replace(b"THE cli", b"  THE   cli"), set()),
        (OLD + b"<!-- specthread:x -->\n", set()),
        (OLD.replace(b"SHALL b", b"SHALL c"), {"2"}),
        (OLD.replace(b": one", b": uno"), {"1"}),
        (OLD + b"\n### Requirement 3: three\n\n1. THE cli SHALL d.\n", {"3"}),
        (OLD[: OLD.index(b"### Requirement 2")], {"2"}),
        (OLD.replace(b"Requirement 2", b"Requirement 7"), {"2", "7"}),
        (OLD.replace(b"fast", b"slow"), {"1", "2"}),
        (b"", {"1", "2"}),
    ],
)
def test_changed_requirements_are_told_by_their_words(new, changed):
    assert changed_requirements(OLD, new) == changed
    assert changed_requirements(new, OLD) == changed


@given(documents(), documents())
def test_changes_are_the_same_in_both_directions_and_none_in_the_same_document(old, new):
    assert changed_requirements(old, old) == frozenset()
    assert changed_requirements(old, new) == changed_requirements(new, old)


TASKS = parse_tasks(
    b"""- [ ] 1. parent
  - _Requirements: 2_
  - [ ] 1.1 inherits
  - [ ] 1.2 adds
    - _Requirements: 1.1_
- [ ] 2. one
  - _Requirements: 1.2, 3.1_
- [ ] 3. checkpoint
"""
).tasks
THREE = OLD + b"\n### Requirement 3: three\n\n1. THE cli SHALL c.\n"
EVERY = {"1", "1.1", "1.2", "2", "3"}


@pytest.mark.parametrize(
    ("words", "resting"),
    [
        (b"", set()),
        (b"SHALL a", {"1.2", "2", "3"}),
        (b"SHALL b", {"1", "1.1", "1.2", "3"}),
        (b"SHALL c", {"2", "3"}),
        (b"Everything", EVERY),
    ],
)
def test_tasks_rest_on_what_they_and_their_parents_refer_to_and_without_any_reference_on_everything(words, resting):
    changed = THREE.replace(words, words + b" now") if words else THREE
    assert tasks_resting_on_changes(TASKS, THREE, changed) == resting


def resting(listed, heading="### Requirement {}: x"):
    """Whether a task with this list is held back when the second of three requirements changes; another one refers to all three."""
    names = ("1.1", "1.2", "1.3") if "dotted" in heading else ("1", "2", "3")
    document = "".join(f"{heading.format(name).removesuffix(' dotted')}\n\n1. THE cli SHALL {name}.\n\n" for name in names).encode()
    all_three = ", ".join(names)
    tasks = parse_tasks(f"- [ ] 1. a\n  - _Requirements: {listed}_\n- [ ] 2. b\n  - _Requirements: {all_three}_\n".encode()).tasks
    changed = document.replace(f"SHALL {names[1]}".encode(), b"SHALL fly")
    assert changed != document
    return "1" in tasks_resting_on_changes(tasks, document, changed)


@pytest.mark.parametrize(
    ("listed", "heading", "held"),
    [
        ("2.1", "### Requirement {}: x", True),
        ("1.1, 3", "### Requirement {}: x", False),
        ("R2", "### Requirement {}: x", True),
        ("2.1", "### R{}: x", True),
        ("R2", "### R{}: x", True),
        ("R1, 3.1", "### R{}: x", False),
        ("REQ-2", "### REQ-{}: x", True),
        ("2", "### REQ-{}: x", True),
        ("REQ-1", "### REQ-{}: x", False),
        ("1.2.1", "### Requirement {}: x dotted", True),
        ("1.1.1", "### Requirement {}: x dotted", False),
        ("All", "### Requirement {}: x", True),
        ("1.1-3.1", "### Requirement {}: x", True),
        ("1-3", "### Requirement {}: x", True),
        ("NFR-9", "### Requirement {}: x", True),
        ("NFR Security", "### Requirement {}: x", True),
        *(
            (listed, "### Requirement {}: x", True)
            for listed in ("1.1, 2.*", "1.1, R2.*", "1.1, 2.x", "1.1, #2", "1.1, All of 2", "1.1, \uff12.\uff11")
        ),
        *((listed, "### Requirement {}: x", True) for listed in ("1.1 (2.1)", "1.1 (and 2.1)", "1 - 3.2", "3-1", "1.1 until 3.1", "1-500")),
        *(
            (listed, "### Requirement {}: x", False)
            for listed in ("1.1 (first)", "1.1-1.2", "1.1-1.4, 3", "1.1 or 3.1", "1", "Requirement 1 (all)")
        ),
        ("1.1.1-1.3.2", "### Requirement {}: x dotted", True),
        ("REQ-1 to REQ-3", "### REQ-{}: x", True),
        ("REQ-1..REQ-3", "### REQ-{}: x", True),
    ],
)
def test_a_task_is_found_however_it_writes_the_id(listed, heading, held):
    assert resting(listed, heading) is held


def test_where_no_requirement_is_named_every_changed_word_is_behind_every_task():
    tasks = parse_tasks(b"- [ ] 1.1 a\n", "openspec").tasks
    old = b"## RENAMED Requirements\n\n- FROM: `### Requirement: A`\n- TO: `### Requirement: B`\n"
    assert tasks_resting_on_changes(tasks, old, old.replace(b"B`", b"C`"), "openspec") == {"1.1"}
    assert tasks_resting_on_changes(tasks, old, old.replace(b"- TO", b"-  TO"), "openspec") == set()


def test_a_change_that_no_task_refers_to_may_be_behind_each_of_them_but_an_addition_is_behind_none():
    tasks = parse_tasks(b"- [ ] 1. a\n  - _Requirements: 1_\n").tasks
    assert tasks_resting_on_changes(tasks, OLD, OLD.replace(b"SHALL b", b"SHALL fly")) == {"1"}
    assert tasks_resting_on_changes(tasks, OLD, THREE) == set()


def test_what_a_task_requires_includes_what_its_parents_require():
    assert required_by(TASKS) == {"1": ("2",), "1.1": ("2",), "1.2": ("1.1", "2"), "2": ("1.2", "3.1"), "3": ()}


def test_a_criterion_belongs_to_its_requirement():
    known = {"1", "12", "16A", "3.4"}
    assert [owner_of(name, known) for name in ("1.2", "12", "16A.1", "1.2.3", "R1.2", "3.4.1", "3.1", "FR-1")] == [
        *("1", "12", "16A", "1", "1", "3.4"),
        *(None, None),
    ]
