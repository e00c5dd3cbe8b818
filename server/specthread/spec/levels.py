"""What a person decides about codes: each one's level, or that it is off. A code's own entry counts before that of its group."""

import re
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Final, Literal, get_args

from specthread.spec.document import Problem, Severity

Level = Literal["off", "info", "warning", "error"]

LEVELS: Final[tuple[Level, ...]] = get_args(Level)


@dataclass(frozen=True, slots=True)
class Levels:
    """The level of each code or group that somebody chose one for."""

    chosen: Mapping[str, Level]

    def of(self, code: str, own: Severity) -> Level:
        """The level of a code; its own where nobody chose another."""
        return self.chosen.get(code) or self.chosen.get(code.partition("/")[0]) or own


AS_WRITTEN: Final = Levels({})
"""Nobody chose anything."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckSettings:
    """The levels of codes, what is not checked (globs below `root`), and the names that a SHALL may follow."""

    root: str = ""
    levels: Levels = AS_WRITTEN
    exclude: tuple[str, ...] = ()
    systems: tuple[str, ...] = ()

    def excludes_file(self, path: str) -> bool:
        """Tells the same of an absolute path; what lies elsewhere than below `root` is not excluded."""
        below = f"{self.root.rstrip('/')}/"
        return bool(self.exclude) and path.startswith(below) and self.excludes(path.removeprefix(below))

    def excludes(self, path: str) -> bool:
        """Tells whether a path below `root`, or a folder around it, is left out; `path` is relative to it, with `/`."""
        return any(_pattern(glob).fullmatch(path) for glob in self.exclude)


DEFAULTS: Final = CheckSettings()
"""What counts where nobody says anything."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LevelComplaint:
    """Why an entry was left out: the name as it was written, and a sentence."""

    name: str
    message: str


def leveled(problems: Iterable[Problem], levels: Levels) -> list[Problem]:
    """The problems with their levels, without those that are off."""
    if not levels.chosen:
        return list(problems)
    graded = [(problem, levels.of(problem.code, problem.severity)) for problem in problems]
    return [problem._replace(severity=level) for problem, level in graded if level != "off"]


def levels_of(entries: Iterable[tuple[str, object]], codes: Collection[str]) -> tuple[Levels, list[LevelComplaint]]:
    """The levels that these entries choose for codes and groups, and what is wrong with the others, which are left out."""
    groups = {code.partition("/")[0] for code in codes}
    chosen: dict[str, Level] = {}
    written: dict[str, str] = {}
    complaints: list[LevelComplaint] = []
    for name, level in entries:
        key = name_of(name)
        if key not in codes and key not in groups:
            message = f"There is no code or group `{name}`.{_meant(key, codes)} `specthread check --explain` lists them."
        elif level not in LEVELS:
            message = f"`{name}` must be one of {', '.join(LEVELS)}, not {level!r}."
        elif key in chosen:
            message = f"`{name}` and `{written[key]}` are the same, so that it has two levels. Keep one of them; the first one counts."
        else:
            chosen[key] = level
            written[key] = name
            continue
        complaints.append(LevelComplaint(name=name, message=message))
    return Levels(chosen), complaints


def name_of(written: str) -> str:
    """The code or group that is meant: case, white space and a closing `/*` do not count, a dot is a slash."""
    return written.strip().casefold().replace(".", "/").removesuffix("*").removesuffix("/")


def _meant(key: str, codes: Collection[str]) -> str:
    near = get_close_matches(key, [*codes, *(code.partition("/")[0] for code in codes)], n=1)
    return f" Did you mean `{near[0]}`?" if near else ""


def _pattern(glob: str) -> re.Pattern[str]:
    """Returns what a glob means: `**` any folders, `*` and `?` within a name; without `/` in front or within it a name anywhere."""
    anywhere = "" if "/" in glob.rstrip("/") else "(?:.*/)?"
    steps = {"**/": "(?:.*/)?", "**": ".*", "*": "[^/]*", "?": "[^/]"}
    parts = re.split(r"(\*\*/|\*\*|\*|\?)", glob.removeprefix("./").strip("/"))
    return re.compile(anywhere + "".join(steps.get(part) or re.escape(part) for part in parts) + "(?:/.*)?", re.DOTALL)
