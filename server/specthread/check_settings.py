"""What a repository says about how its specs are checked: the linter's part of `[check]` in its `specthread.toml`."""

from __future__ import annotations

from collections.abc import Collection
from functools import lru_cache
from pathlib import Path
from typing import Any

from specthread import config, config_vocabulary
from specthread.spec.levels import DEFAULTS, CheckSettings, levels_of
from specthread.spec.rules import RULES
from specthread.toml_line import line_of


def load_check_settings(file: Path, codes: Collection[str]) -> tuple[CheckSettings, list[config.ConfigProblem]]:
    """Returns what the file says about checking, and what of it cannot be meant, which is left out. Never raises."""
    values, problems = config.read(file, _complaint)
    written = {name.removeprefix(_LEVELS): value for name, value in values.items() if name.startswith(_LEVELS)}
    levels, complaints = levels_of(written.items(), codes)
    if complaints:
        text = file.read_text("utf-8", errors="replace")
        problems += [
            config.ConfigProblem(file=str(file), line=line_of(text, _LEVELS + each.name), message=each.message) for each in complaints
        ]
    settings = CheckSettings(
        root=str(file.parent),
        levels=levels,
        exclude=tuple(values.get("check.exclude", ())),
        systems=tuple(values.get("check.systems", ())),
    )
    return settings, problems


def settings_above(folder: Path) -> CheckSettings:
    """Returns what the nearest settings file in a folder or above it says; what cannot be meant in it does not count."""
    for above in (folder, *folder.parents):
        try:
            told = (above / config_vocabulary.REPOSITORY_FILE).stat()
        except OSError:
            continue
        return _loaded(above / config_vocabulary.REPOSITORY_FILE, (told.st_mtime_ns, told.st_size))
    return DEFAULTS


@lru_cache(maxsize=16)
def _loaded(file: Path, _stamp: tuple[int, int]) -> CheckSettings:
    return load_check_settings(file, RULES.keys())[0]


_LEVELS = "check.levels."


def _complaint(name: str, value: Any) -> str:  # noqa: ANN401  any TOML value
    if name == "check.levels":
        return "`check.levels` must be a table of codes and their levels; it was left out."
    if name in {"check.exclude", "check.systems"}:
        fits = isinstance(value, list) and all(isinstance(each, str) and each.strip() for each in value)
        return "" if fits else f"`{name}` must be a list of texts; it was left out."
    return config_vocabulary.complaint_about_theirs(name, value) if name.startswith("check.") else ""
