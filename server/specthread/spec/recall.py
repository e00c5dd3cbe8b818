"""What was worked out for the version of a document before, so that the next one pays for what changed."""

from collections.abc import Callable
from typing import Any, TypeVar, cast

_Made = TypeVar("_Made")


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
        if key in self._kept:
            return cast("_Made", self._kept[key])
        made = self._before[key] if key in self._before else make()
        self._kept[key] = made
        return cast("_Made", made)
