"""What was worked out for the version of a document before, so that the next one pays for what changed."""

from collections.abc import Callable, Iterable
from typing import Any, TypeVar

_Made = TypeVar("_Made")
_Item = TypeVar("_Item")


class Recall:
    """Results of pure functions by key, those asked for in this version and in the one before. Not for two threads at once."""

    __slots__ = ("_before", "_kept")

    def __init__(self, before: "Recall | None" = None) -> None:
        self._before: dict[Any, Any] = before._kept if before is not None else {}  # noqa: SLF001  of the same class
        self._kept: dict[Any, Any] = {}

    def __call__(self, key: tuple[Any, ...], make: Callable[[], _Made]) -> _Made:
        """What was made for this key in this version or the one before; otherwise it is made now.

        A key names the maker and all values that decide the result.
        """
        made: _Made
        if key in self._kept:
            made = self._kept[key]
            return made
        made = self._before[key] if key in self._before else make()
        self._kept[key] = made
        return made

    def each(self, make: Callable[[_Item], _Made], items: Iterable[_Item]) -> list[_Made]:
        """What a pure function makes of each of many items, a call for each saved."""
        kept, before = self._kept, self._before
        found: list[_Made] = []
        for item in items:
            key = (make, item)
            if key not in kept:
                kept[key] = before[key] if key in before else make(item)
            found.append(kept[key])
        return found
