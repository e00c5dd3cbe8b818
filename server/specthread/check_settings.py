"""What a repository says about how its specs are checked: the linter's part of `[check]` in its `specthread.toml`."""

from __future__ import annotations

import re
from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from specthread import config
from specthread.spec.levels import AS_WRITTEN, Levels, levels_of


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckSettings:
    """The levels of codes, what is not checked (globs below `root`), and the names that a SHALL may follow."""

    root: str = ""
    levels: Levels = AS_WRITTEN
    exclude: tuple[str, ...] = ()
    systems: tuple[str, ...] = ()

    def excludes(self, path: str) -> bool:
        """Tells whether a path below `root`, or a folder around it, is left out; `path` is relative to it, with `/`."""
        return any(_pattern(glob).fullmatch(path) for glob in self.exclude)


def load_check_settings(file: Path, codes: Collection[str]) -> tuple[CheckSettings, list[config.ConfigProblem]]:
    """Returns what the file says about checking, and what of it cannot be meant, which is left out. Never raises."""
    values, problems = config.read(file, _complaint)
    written = {name.removeprefix(_LEVELS): value for name, value in values.items() if name.startswith(_LEVELS)}
    levels, complaints = levels_of(written.items(), codes)
    if complaints:
        text = file.read_text("utf-8", errors="replace")
        problems += [
            config.ConfigProblem(file=str(file), line=config.line_of(text, _LEVELS + each.name), message=each.message)
            for each in complaints
        ]
    settings = CheckSettings(
        root=str(file.parent),
        levels=levels,
        exclude=tuple(values.get("check.exclude", ())),
        systems=tuple(values.get("check.systems", ())),
    )
    return settings, problems


_LEVELS = "check.levels."


def _complaint(name: str, value: Any) -> str:  # noqa: ANN401  any TOML value
    if name == "check.levels":
        return "`check.levels` must be a table of codes and their levels; it was left out."
    if name in {"check.exclude", "check.systems"}:
        fits = isinstance(value, list) and all(isinstance(each, str) and each.strip() for each in value)
        return "" if fits else f"`{name}` must be a list of texts; it was left out."
    return config.complaint_about_theirs(name, value) if name.startswith("check.") else ""


def _pattern(glob: str) -> re.Pattern[str]:
    """Returns what a glob means: `**` any folders, `*` and `?` within a name; without `/` in front or within it a name anywhere."""
    anywhere = "" if "/" in glob.rstrip("/") else "(?:.*/)?"
    steps = {"**/": "(?:.*/)?", "**": ".*", "*": "[^/]*", "?": "[^/]"}
    parts = re.split(r"(\*\*/|\*\*|\*|\?)", glob.removeprefix("./").strip("/"))
    return re.compile(anywhere + "".join(steps.get(part) or re.escape(part) for part in parts) + "(?:/.*)?", re.DOTALL)
