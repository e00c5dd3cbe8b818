"""Lines of a hundred thousand characters on which a pattern that looks back would search for minutes."""

import pytest

from specthread.spec.document import REQUIREMENTS, TASKS
from specthread.spec.lint import lint
from specthread.spec.tasks import parse_tasks

_COUNT = 100_000


@pytest.mark.parametrize(
    "line",
    [
        f"- [ ] 1. x{' ' * _COUNT}(P) y",
        f"- [ ] 1. x (depends on {' ' * _COUNT}",
        f"- [ ] 1. x (depends on {': ' * _COUNT}",
        f"- [ ] 1. x\n  - _Check: {'1' * _COUNT}_",
        f"## Dependencies\n- [ ] 1. x\n```\n{'1.' * _COUNT}\n```",
        f"- [ ] 1. x\n## Dependencies\n```\n{'1.' * _COUNT}\n```",
        f"- [ ] 1. x\n## Dependencies\n```\n{'1[' * _COUNT}\n```",
        "- [ ] 1. x\n## Dependencies\n" + "```a\n1\n```\n\n" * (_COUNT // 5),
    ],
    ids=range(8),
)
def test_a_long_line_of_tasks_is_read_at_the_price_of_its_length(line):
    assert [task.id for task in parse_tasks(line.encode()).tasks] == ["1"]
    assert lint({TASKS: line.encode()}) is not None


@pytest.mark.parametrize("text", ["<!--", "](", "--> <!--", "**"])
def test_a_long_criterion_is_read_at_the_price_of_its_length(text):
    line = f"### Requirement 1: x\n{'**' * (_COUNT // 2)}x**\n1. THE app SHALL {text * (_COUNT // len(text))}\n"
    assert lint({REQUIREMENTS: line.encode()}) is not None


def test_many_comments_that_silence_codes_are_read_at_the_price_of_their_number():
    tasks = "".join(f"- [ ] {number}. x <!-- specthread-ignore task/no-check -->\n" for number in range(1, 20_001))
    assert {problem.code for problem in lint({TASKS: tasks.encode()})} == {"document/too-long"}


def test_many_references_that_lead_nowhere_are_told_without_comparing_each_with_each():
    requirements = "".join(f"### Requirement {number}: x\n\n1. THE app SHALL y\n" for number in range(1, 3_001))
    tasks = "".join(f"- [ ] {number}. x\n  - _Requirements: {number + 5_000}.1_\n" for number in range(1, 3_001))
    problems = lint({REQUIREMENTS: requirements.encode(), TASKS: tasks.encode()})
    assert sum(problem.code == "link/unknown-requirement" for problem in problems) == 3_000
