"""Which settings count for a spec, the ones nearest above it, and what they leave out."""

from __future__ import annotations

import os
from functools import cache
from typing import TYPE_CHECKING, NamedTuple

from specthread.cli.check.discovery import SpecFolder, Trouble
from specthread.cli.check.many import Work
from specthread.cli.outcome import USAGE
from specthread.spec.levels import DEFAULTS

if TYPE_CHECKING:
    from specthread.spec.levels import CheckSettings


class Scope(NamedTuple):
    """The specs that are checked with their levels, how many were left out, and what is wrong in settings."""

    work: list[Work]
    excluded: int
    troubles: list[Trouble]


def scope_of(folders: list[SpecFolder]) -> Scope:
    """Finds the settings of each spec and takes out what they exclude; a setting that cannot be meant is told once and does not count."""
    from_file = {file: _settings(file) for file in dict.fromkeys(_nearest(os.path.abspath(folder.path)) for folder in folders) if file}
    work: list[Work] = []
    for folder in folders:
        file = _nearest(os.path.abspath(folder.path))
        left = (folder, DEFAULTS) if file is None else _left(folder, from_file[file][0])
        work += [left] if left else []
    troubles = [trouble for _, told in from_file.values() for trouble in told]
    return Scope(work, len(folders) - len(work), troubles)


def _settings(file: str) -> tuple[CheckSettings, list[Trouble]]:
    from pathlib import Path  # noqa: PLC0415  only where there are settings

    from specthread.check_settings import load_check_settings  # noqa: PLC0415  the same
    from specthread.spec.rules import RULES  # noqa: PLC0415  the same

    settings, problems = load_check_settings(Path(file), RULES.keys())
    return settings, [Trouble(file, problem.line, str(problem), USAGE) for problem in problems]


def _left(folder: SpecFolder, settings: CheckSettings) -> Work | None:
    """The spec without the documents that the settings exclude, with its settings; None where nothing is left."""
    wanted = frozenset(name for name in folder.wanted if not settings.excludes(_below(settings.root, folder.files[name])))
    return (folder._replace(wanted=wanted), settings) if wanted else None


@cache
def _nearest(folder: str) -> str | None:
    file = os.path.join(folder, "specthread.toml")
    if os.path.isfile(file):
        return file
    above = os.path.dirname(folder)
    return _nearest(above) if above != folder else None


def _below(root: str, path: str) -> str:
    return os.path.relpath(os.path.abspath(path), root)
