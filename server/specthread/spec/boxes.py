"""Check boxes: the one character in `- [ ]` that says how far a task is."""

import re
from dataclasses import dataclass
from typing import Final, Literal

from specthread.spec.document import Line

TaskState = Literal["todo", "in_progress", "done", "queued", "blocked"]

STATES: Final[dict[str, TaskState]] = {" ": "todo", "x": "done", "X": "done", "-": "in_progress", "~": "queued"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Box:
    """A check box as a list item: the column of its mark, and the task number and text behind it."""

    indent: int
    mark: int
    raw: str
    optional: bool
    id: str | None
    text: str


def read_box(line: Line) -> Box | None:
    """The check box on this line; an unknown mark makes a box only in front of a task number."""
    found = None if line.hidden or "[" not in line.text else _BOX.match(line.text)
    if found is None:
        return None
    numbered = _NUMBERED.match(found["text"])
    if numbered is None and found["raw"] not in STATES:
        return None
    text = numbered["title"] if numbered else found["text"]
    return Box(
        indent=len(found["indent"].expandtabs(4)),
        mark=found.start("raw"),
        raw=found["raw"],
        optional=found["optional"] is not None or (numbered is not None and numbered["optional"] is not None),
        id=(numbered["deep"] or numbered["top"]) if numbered else None,
        text=text.removesuffix("**").strip() if found["text"].startswith("**") else text.strip(),
    )


def unticked(line: Line) -> str:
    """The text of the line with a check box, if there is one, read as not started."""
    box = read_box(line)
    return line.text if box is None else f"{line.text[: box.mark]} {line.text[box.mark + 1 :]}"


_BOX = re.compile(r"(?P<indent>[ \t]*)[-*+][ \t]+\[(?P<raw>.)\](?P<optional>\\?\*)?(?:[ \t]+|$)(?P<text>.*)")
# A single number needs its dot (`1.`), or “3 things to do” would be task 3; a dotted number (`1.2`) does not.
_NUMBERED = re.compile(
    r"(?:\*\*)?(?:(?P<deep>[0-9]{1,6}(?:\.[0-9]{1,6}){1,7}[a-z]?)\\?[.):]?|(?P<top>[0-9]{1,6}[a-z]?)\\?[.):])"
    r"(?:\*\*|(?P<optional>\\?\*))?(?:[ \t]+|$)(?P<title>.*)"
)
