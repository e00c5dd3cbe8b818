"""The settings that are few and belong together, as frozen values."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class ContextSettings:
    """How many earlier results a session is told, and how many characters of each; 0 in one of them tells it nothing of others."""

    depth: int = 5
    characters: int = 500


@dataclass(frozen=True, slots=True, kw_only=True)
class EnvironmentSettings:
    """What sessions and checks find around the code; None as `share` means: detect the dependency folders, empty: share none.

    `setup` is done with network before an agent works, `cleanup` after it has ended, each in at most `timeout` seconds.
    """

    share: tuple[str, ...] | None = None
    setup: str = ""
    cleanup: str = ""
    timeout: float = 900.0


@dataclass(frozen=True, slots=True, kw_only=True)
class TraceSettings:
    """How code speaks of requirements: own forms of markers, which files are read (none: all), which are not, and which are tests (none: the usual)."""

    markers: tuple[str, ...] = ()
    paths: tuple[str, ...] = ()
    exclude: tuple[str, ...] = ()
    tests: tuple[str, ...] = ()
