"""Long documents that are generated for measuring: of our own dialect, of a language that another linter reads, and projects of another tool.

Their words are drawn, always the same ones, so that no two sentences say nearly the same.
"""

from __future__ import annotations

import random
from collections.abc import Iterator
from pathlib import Path

REQUIREMENTS = 100
OPEN_EVERY = 12
"""One task in so many has no check, so that there is something to tell at every keystroke."""
WITHOUT_SCENARIO = 100
"""One OpenSpec folder in so many has a requirement without a scenario, so that both linters have something to find."""
NOTE = "Note: "
"""What a line of prose under a task begins with."""

_NAMES = (
    "invoice", "ledger", "basket", "voucher", "parcel", "shelf", "driver", "route", "ticket", "calendar", "branch", "folder",
    "journal", "printer", "badge", "reader", "column", "header", "margin", "banner", "window", "filter", "layout", "bundle",
    "thread", "budget", "holiday", "contract", "supplier", "customer", "delivery", "refund", "discount", "barcode", "weight",
    "label", "carrier", "depot",
)  # fmt: skip
_DEEDS = (
    "stores", "prints", "sends", "rejects", "archives", "numbers", "groups", "sorts", "exports", "imports", "marks", "confirms",
    "counts", "signs", "locks", "merges", "splits", "mails",
)  # fmt: skip
_PLACES = (
    "archive", "inbox", "register", "overview", "printout", "summary", "folder", "table", "list", "export", "calendar", "history",
    "basket", "report", "message", "dialogue",
)  # fmt: skip


def requirements(count: int = REQUIREMENTS) -> bytes:
    """Returns a requirements.md with four criteria in each requirement."""
    dice = random.Random(1)
    lines = ["# Requirements", ""]
    for number in range(1, count + 1):
        lines += [f"### Requirement {number}: The {_name(dice)} of a {_name(dice)}", ""]
        lines += [f"**User Story:** As a {_name(dice)} clerk, I want {_thing(dice)}, so that {_thing(dice)} is right.", ""]
        lines += ["#### Acceptance Criteria", ""]
        lines += [
            f"1. WHEN {_thing(dice)} arrives, THE {_name(dice)} SHALL {_response(dice)}.",
            f"2. IF {_thing(dice)} has no {_name(dice)}, THEN THE {_name(dice)} SHALL {_response(dice)}.",
            f"3. WHILE {_thing(dice)} is open, THE {_name(dice)} SHALL {_response(dice)}.",
            f"4. WHERE {_thing(dice)} is set, THE {_name(dice)} SHALL {_response(dice)}.",
            "",
        ]
    return "".join(f"{line}\n" for line in lines).encode()


def tasks(length: int) -> bytes:
    """Returns a tasks.md of exactly so many lines, with a code block at its end."""
    dice = random.Random(2)
    lines = ["# Implementation Plan", ""]
    end = ["", "```", "make report", "```"]
    number = 0
    while len(lines) < length - len(end):
        number += 1
        lines += _task(dice, number)
    return "".join(f"{line}\n" for line in (*lines[: length - len(end)], *end)).encode()


def _task(dice: random.Random, number: int) -> Iterator[str]:
    yield f"- [{'x' if number % 3 == 0 else ' '}] {number}. Write {_thing(dice)}"
    yield from (f"  - {NOTE}{_thing(dice)} {dice.choice(_DEEDS)} {_thing(dice)}, and so does {_thing(dice)}" for _ in range(3))
    requirement = (number - 1) % REQUIREMENTS + 1
    yield f"  - _Requirements: {requirement}.1, {requirement}.2, {requirement}.3, {requirement}.4_"
    yield f"  - _Depends: {number - 1}_" if number % 5 > 1 else "  - _Depends: none_"
    yield f"  - _Files: src/part{number}.py, tests/test_part{number}.py_"
    if number % OPEN_EVERY:
        yield f"  - _Check: python -m unittest tests.test_part{number}_"


def python_module(length: int) -> str:
    """Returns a Python module of exactly so many lines; one function in twelve has a name too many, for a linter to find."""
    dice = random.Random(3)
    lines = ['"""Parts of a report."""', ""]
    number = 0
    while len(lines) < length:
        number += 1
        lines += ["", f"def part{number}(rows: list[str], limit: int) -> list[str]:", f'    """Returns {_thing(dice)}."""']
        lines += [f"    # {NOTE}{_thing(dice)} {dice.choice(_DEEDS)} {_thing(dice)}" for _ in range(3)]
        lines += [f"    unused = {number}"] if number % OPEN_EVERY == 0 else []
        lines += [f"    return [row for row in rows if row][:limit + {number}]", ""]
    return "".join(f"{line}\n" for line in lines[:length])


def openspec_project(folder: Path, count: int) -> int:
    """Writes an OpenSpec project with so many specs of 60 to 120 lines each, and returns how many lines they have together."""
    total = 0
    for number in range(count):
        spec = folder / "openspec" / "specs" / f"part-{number:04}" / "spec.md"
        spec.parent.mkdir(parents=True)
        text = "".join(f"{line}\n" for line in _capability(random.Random(number), number))
        spec.write_text(text)
        total += text.count("\n")
    (folder / "openspec" / "changes").mkdir()
    (folder / "openspec" / "project.md").write_text("# Report\n\nA report in parts.\n")
    return total


def _capability(dice: random.Random, number: int) -> Iterator[str]:
    yield from (f"# Part {number}: {_name(dice)}", "", "## Purpose", "")
    yield from (f"This part {dice.choice(_DEEDS)} {_thing(dice)} and {dice.choice(_DEEDS)} {_thing(dice)}.", "", "## Requirements", "")
    for part in range(1, 5 + number % 5):
        yield from (f"### Requirement: The {_name(dice)} of table {part}", "")
        yield from (f"The {_name(dice)} SHALL {_response(dice)}.", "")
        if part == 1 and number % WITHOUT_SCENARIO == 0:
            continue
        for case in range(2):
            yield from (f"#### Scenario: {_name(dice).capitalize()} {case}", f"- **GIVEN** {_thing(dice)} of {_thing(dice)}")
            yield f"- **WHEN** {_thing(dice)} is asked for"
            yield f"- **THEN** the {_name(dice)} {dice.choice(_DEEDS)} {_thing(dice)}"
            yield from (f"- **AND** {_thing(dice)} stays in the {dice.choice(_PLACES)}", "")


def _name(dice: random.Random) -> str:
    return dice.choice(_NAMES)


def _thing(dice: random.Random) -> str:
    return f"the {dice.choice(_NAMES)} of {dice.choice(_NAMES)} {dice.randrange(10, 1000)}"


def _response(dice: random.Random) -> str:
    return f"{dice.choice(_DEEDS).removesuffix('s')} {_thing(dice)} into the {dice.choice(_PLACES)} within {dice.randrange(1, 60)} seconds"
