"""What reading a changed document anew costs, told by the objects that stay the same."""

import pytest

from specthread.spec.document import REQUIREMENTS, TASKS
from specthread.spec.source import scan
from specthread.spec.spec import read_spec

_REQUIREMENTS = b"### Requirement 1: Export\n\n1. THE app SHALL write a file.\n"
_TASKS = b"# Plan\n\n- [ ] 1. Build\n  - run `make --quiet`\n  - _Requirements: 1.1_\n- [ ] 2. Ship\n  - _Check: pytest -x_\n"


@pytest.mark.parametrize("typed", [b"make --quiet --debug", b"make", b"make --", b"a -- b"])
def test_two_hyphens_on_the_line_that_is_typed_in_do_not_make_the_document_be_read_anew(typed):
    before = scan(_TASKS)
    after = scan(_TASKS.replace(b"make --quiet", typed), before)
    assert after.splice is not None
    assert [line.text for line in after.lines] == [line.text for line in scan(after.content).lines]


@pytest.mark.parametrize("typed", [b"make <!-- x", b"make --> x"])
def test_what_opens_or_closes_a_comment_makes_the_document_be_read_anew(typed):
    assert scan(_TASKS.replace(b"make --quiet", typed), scan(_TASKS)).splice is None


def test_tasks_are_not_read_again_where_only_the_requirements_changed():
    before = read_spec({REQUIREMENTS: _REQUIREMENTS, TASKS: _TASKS})
    after = read_spec({REQUIREMENTS: _REQUIREMENTS.replace(b"a file", b"one file"), TASKS: _TASKS}, before=before)
    assert after.tasks_read is before.tasks_read
    assert after.requirements[REQUIREMENTS] is not before.requirements[REQUIREMENTS]


def test_a_phase_that_becomes_one_of_a_story_is_ordered_anew():
    text = b"## Phase 1: Setup\n\n- [ ] T001 a\n\n## Phase 2: One\n\n- [ ] T002 [US1] b\n\n## Phase 3: Two\n\n- [ ] T003 c\n"
    before = read_spec({TASKS: text}, "spec-kit")
    typed = {TASKS: text.replace(b"T003", b"T003 [US2]")}
    after = read_spec(typed, "spec-kit", before)
    assert [task.depends for task in before.tasks] == [(), ("T001",), ("T002",)]
    assert (
        [task.depends for task in after.tasks]
        == [task.depends for task in read_spec(typed, "spec-kit").tasks]
        == [(), ("T001",), ("T001",)]
    )
