"""Old events told in today's words: one step for each former version of the event vocabulary.

A version ends only where the meaning of an event changes; a new field with a default, or a new event, needs none. A step stays for ever: the logs of its
version do.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final

Step = Callable[[str, dict[str, Any]], tuple[str, dict[str, Any]]]
"""From the name and the fields of an event, as JSON values, to those of the next version."""

STEPS: Final[Mapping[int, Step]] = {}
"""By the version that a step reads."""


def upcast(
    kind: str, fields: dict[str, Any], *, written: int, wanted: int, steps: Mapping[int, Step] = STEPS
) -> tuple[str, dict[str, Any]]:
    """Returns the name and fields of an event of version `written` as those of version `wanted`."""
    for version in range(written, wanted):
        kind, fields = steps[version](kind, fields)
    return kind, fields
