"""What comes with a command: whatever an editor, a lens or a person's key binding put there, read as far as it makes sense."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields
from typing import Any

from specthread.domain.model import Refusal

LONGEST = 200_000
"""Characters of one argument that are taken."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Arguments:
    """The named arguments of a command; what was not given is empty."""

    id: str = ""
    run: str = ""
    task: str = ""
    document: str = ""
    digest: str = ""
    feature: str = ""
    text: str = ""
    line: str = ""
    uri: str = ""
    question: str = ""


_NAMES = frozenset(field.name for field in fields(Arguments))


def arguments_from(given: Sequence[Any]) -> Arguments | Refusal:
    """Returns the arguments of a command: one object with names, or one text that names a SpecTask or a run."""
    first = given[0] if given else None
    if first is None:
        return Arguments()
    if isinstance(first, str) and len(given) == 1:
        return Arguments(id=first.partition("/")[0], run=first if "/" in first else "")
    if isinstance(first, dict) and len(given) == 1:
        values = {name: str(value) for name, value in first.items() if name in _NAMES and isinstance(value, str | int)}
        if values.keys() == first.keys() and all(len(value) <= LONGEST for value in values.values()):
            return Arguments(**values)
    hint = f"It takes nothing, the id of a SpecTask, or an object with {', '.join(sorted(_NAMES))}."
    return Refusal(code="bad-arguments", message="The command came with arguments that make no sense.", hint=hint)
