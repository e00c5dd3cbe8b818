"""The verb `check` itself: which specs, with which settings, told in which form, and the exit code that follows."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from typing import NamedTuple

from specthread.cli.check.discovery import Trouble, specs_below
from specthread.cli.check.fixing import Fixed, Mended, difference, fixed, written
from specthread.cli.check.many import Work, all_checked
from specthread.cli.check.reading import Finding
from specthread.cli.check.scope import scope_of
from specthread.cli.check.text import counted, fixed_lines, sum_of, text_of
from specthread.cli.outcome import OK, PROBLEM, clean, has_colours, print_json


class Wanted(NamedTuple):
    """What a command line asks for; `form` is how findings are told, `mode` what is done about fixes: nothing, `fix` or `diff`."""

    paths: list[str]
    form: str
    mode: str
    archived: bool


def check(wanted: Wanted) -> int:
    """Checks and tells; returns the gravest exit code: of the findings, or of what could not be checked."""
    found = specs_below([_shown(path) for path in wanted.paths or ["."]], archived=wanted.archived)
    scope = scope_of(found.folders)
    troubles = [*scope.troubles, *found.troubles]
    if found.folders and not scope.work:
        sys.stderr.write("Nothing was checked: the settings exclude all of it.\n")
    if wanted.mode == "none":
        checked = list(all_checked(scope.work))
        findings = [finding for each in checked for finding in each.findings]
        troubles += [trouble for each in checked for trouble in each.troubles]
        return _told(wanted.form, findings, troubles)
    results = [fixed(*work) for work in scope.work]
    troubles += [trouble for each in results for trouble in each.troubles]
    if wanted.mode == "diff":
        return _differences(results, troubles)
    return _fixes(wanted.form, scope.work, results, troubles)


def _shown(path: str) -> str:
    """The path as it is shown: relative where it lies below the folder that the program runs in."""
    below = f"{os.getcwd()}{os.sep}"
    return path.removeprefix(below) or "." if path.startswith(below) else path.removeprefix(f".{os.sep}") or "."


def _told(form: str, findings: Sequence[Finding], troubles: Sequence[Trouble]) -> int:
    if form == "text":
        colours = has_colours(sys.stdout)
        sys.stdout.writelines(text_of(finding, colours=colours) for finding in findings)
        sys.stdout.write(f"{sum_of(findings)}\n" if findings or not troubles else "")
    else:
        from specthread.cli.check import formats  # noqa: PLC0415  only where it is asked for

        if form == "github":
            sys.stdout.write(formats.github_of(findings, troubles))
        else:
            print_json(formats.sarif_of(findings, troubles) if form == "sarif" else formats.json_of(findings, troubles))
    sys.stderr.writelines(f"{clean(trouble.message)}\n" for trouble in troubles)
    return _status(findings, troubles)


def _status(findings: Sequence[Finding], troubles: Sequence[Trouble]) -> int:
    errors = any(finding.problem.severity == "error" for finding in findings)
    return max(PROBLEM if errors else OK, *(trouble.status for trouble in troubles), OK)


def _fixes(form: str, work: Sequence[Work], results: Sequence[Fixed], troubles: list[Trouble]) -> int:
    """Writes what was mended; what could not be written is found as before."""
    findings: list[Finding] = []
    made: list[Mended] = []
    for (folder, _), result in zip(work, results, strict=True):
        refused = [trouble for each in result.mended if (trouble := written(each, folder.named))]
        troubles += refused
        kept = {trouble.path for trouble in refused}
        made += [each for each in result.mended if each.path not in kept]
        findings += [finding for finding in result.left if finding.path not in kept]
        findings += [finding for finding in result.found if finding.path in kept]
    if made:
        lines = fixed_lines((each.path, code, number) for each in made for code, number in each.made.items())
        (sys.stdout if form == "text" else sys.stderr).writelines(lines)
    return _told(form, findings, troubles)


def _differences(results: Sequence[Fixed], troubles: Sequence[Trouble]) -> int:
    """Prints what would be mended, byte for byte; nothing is written."""
    mended = [each for result in results for each in result.mended]
    sys.stdout.flush()
    sys.stdout.buffer.write(b"".join(difference(each) for each in mended))
    sys.stdout.buffer.flush()
    number = sum(sum(each.made.values()) for each in mended)
    sys.stderr.write(f"{counted(number, 'problem')} in {counted(len(mended), 'file')} would be fixed.\n")
    sys.stderr.writelines(f"{clean(trouble.message)}\n" for trouble in troubles)
    return _status([finding for result in results for finding in result.found], troubles)
