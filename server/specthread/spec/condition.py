"""The condition under which a task is done at all: `_When: task 2 failed_`."""

import re
from typing import Final, Literal, NamedTuple

Outcome = Literal["failed", "merged", "skipped"]
"""How the named task must have ended."""

_FORM: Final = re.compile(
    r"(?:tasks?[ \t]+)?(?P<task>[0-9A-Za-z][0-9A-Za-z.-]*)[ \t]+(?:(?:is|was|has)[ \t]+)?(?P<outcome>failed|merged|skipped)", re.IGNORECASE
)


class Written(NamedTuple):
    """A condition as the document words it: the task by its number, and how it must have ended."""

    task: str
    outcome: Outcome


def read_condition(text: str) -> Written | None:
    """Returns what a condition says, or None where it has no meaning to a scheduler."""
    found = _FORM.fullmatch(text.strip().rstrip("."))
    return Written(found["task"], found["outcome"].lower()) if found else None  # type: ignore[arg-type]  # the pattern names them
