import pytest
from hypothesis import given

from specthread.spec.links import changed_requirements, required_by, requirement_of, tasks_tracing
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


@pytest.mark.parametrize(
    ("requirements", "tracing"),
    [(set(), set()), ({"1"}, {"1.2", "2", "3"}), ({"2"}, {"1", "1.1", "1.2", "3"}), ({"3"}, {"2", "3"}), ({"9"}, {"3"})],
)
def test_tasks_trace_through_their_parents_and_without_any_reference_to_everything(requirements, tracing):
    assert tasks_tracing(TASKS, requirements) == tracing


def test_what_a_task_requires_includes_what_its_parents_require():
    assert required_by(TASKS) == {"1": ("2",), "1.1": ("2",), "1.2": ("1.1", "2"), "2": ("1.2", "3.1"), "3": ()}


def test_a_criterion_belongs_to_its_requirement():
    assert [requirement_of(name) for name in ("1.2", "12", "16A.1", "1.2.3")] == ["1", "12", "16A", "1"]
