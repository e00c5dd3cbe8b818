"""What is known ahead of a conflict; a value that `model` holds."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Foreseen:
    """The paths in which the unmerged work of two sessions conflicts now (none: no longer), in these attempts of theirs; `told` are all that were ever found."""

    paths: tuple[str, ...]
    told: frozenset[str]
    attempts: tuple[int, int]
