"""The project's own checks beside a task's: what was green on the starting tree and is red on the work goes back; what was red before says nothing about the work.

The commands come from the person's settings or from the files of the starting tree, never from the work that they judge. What they say of a starting tree is
worked out once, however many sessions begin from it.
"""

from __future__ import annotations

import math
import re
from collections.abc import Collection, Mapping, Sequence
from difflib import unified_diff

from specgit.scan import WorktreeScan
from specgit.types import Oid as GitOid
from specthread.domain.model import SpecTask
from specthread.domain.run import CheckState, ProjectCheck, Verification, WorkSession
from specthread.engine.check_run import CheckRun, exported, told
from specthread.engine.detected_checks import KINDS, SOURCES, Detected, Formatter, Kind, detected
from specthread.engine.environment import environment_for
from specthread.engine.evidence import strayed
from specthread.engine.permitting import may_check
from specthread.engine.ports import Ports, in_thread
from specthread.engine.repositories import OpenRepository
from specthread.engine.workplace import prepare_worktree, private_git_of

FORMATTER_SECONDS = 120.0
MISSING_SECONDS = 300.0
"""For so long it is believed that a check cannot run."""
DIFF_KEPT = 4_000
_TOOL_MISSING = re.compile(
    r"\bError 127$|\bNo module named (pytest|ruff|mypy|black)$|error: no such command|is not installed for the toolchain", re.MULTILINE
)


async def checks_of(ports: Ports, opened: OpenRepository, tree: str) -> Detected:
    """Returns the checks that count for work on a tree: those that settings name, and where they say nothing those that the tree shows; the demo has none."""
    settings = ports.repository_settings(opened).checks
    if ports.settings.demo:
        return Detected(commands={}, formatter=None)
    found = Detected(commands={}, formatter=None)
    if settings.detect:
        places = [(tree, name) for name in SOURCES]
        contents = await in_thread(opened.repository.read_all, places)
        found = detected(
            {name: content.decode(errors="replace") for name, content in zip(SOURCES, contents, strict=True) if content is not None}
        )
    known: dict[Kind, str] = {**found.commands}
    if ports.repository_settings(opened).project_check:
        known.pop("tests", None)  # it is the project's test, and every merge is checked with it
    named = {**known, **settings.commands}
    # What was found makes the check green that was found, and may make red one that a person named.
    fitting = found.formatter if named.get("format") == found.commands.get("format") else None
    formatter = fitting if settings.formatter is None else Formatter(command=settings.formatter) if settings.formatter else None
    return Detected(commands={kind: named[kind] for kind in KINDS if named.get(kind)}, formatter=formatter)


async def replaced(ports: Ports, opened: OpenRepository, verification: Verification, files: Sequence[str]) -> frozenset[str]:
    """Returns the commands of checks that the work no longer shows, where the task names a file that says how the project is checked: it is the task's to change."""
    sources = [name for name in SOURCES if name in verification.changed]
    if not verification.commit or not files or len(strayed(files, sources)) == len(sources):
        return frozenset()
    now = await checks_of(ports, opened, verification.commit)
    return frozenset(check.command for check in verification.checks if check.command not in now.commands.values())


async def permitted(ports: Ports, session: WorkSession, found: Detected) -> tuple[Detected, list[str]]:
    """Returns what of the checks may run here, and what a person is told of the rest; raises PermissionAwaited where one may not run unasked."""
    given = {kind: await may_check(ports, session, command) for kind, command in found.commands.items()}
    formatter = found.formatter
    if formatter is not None and not await may_check(ports, session, formatter.command):
        formatter = None
    allowed = {kind: command for kind, command in found.commands.items() if given[kind]}
    left_out = [
        f"the project's {kind} check was not permitted: {command}" for kind, command in found.commands.items() if kind not in allowed
    ]
    return Detected(commands=allowed, formatter=formatter), left_out


async def project_checks(
    ports: Ports, opened: OpenRepository, spectask: SpecTask, session: WorkSession, commands: Mapping[Kind, str], commit: GitOid
) -> tuple[ProjectCheck, ...]:
    """Runs on the work what was green before it, and returns what was found of each check."""
    before = {command: await _before(ports, opened, spectask, session, command) for command in commands.values()}
    green = [command for command in commands.values() if before[command].passed]
    use = f"project-ws-{session.number}"
    after = await _run(ports, opened, spectask, session, green, commit, use)
    # What fails by chance says nothing of the work.
    red = [command for command, run in after.items() if _state(run) == "red"]
    after = {**after, **await _run(ports, opened, spectask, session, red, commit, use)}
    return tuple(_compared(kind, command, before[command], after.get(command)) for kind, command in commands.items())


def _compared(kind: Kind, command: str, before: CheckRun, after: CheckRun | None) -> ProjectCheck:
    shown = after if after is not None and not after.passed else before if not before.passed else None
    return ProjectCheck(
        kind=kind, command=command, before=_state(before), after=_state(after) if after else "not-run", output=shown.output if shown else ""
    )


def _state(run: CheckRun) -> CheckState:
    missing = run.passed is False and _TOOL_MISSING.search(run.output)
    return "cannot-run" if run.passed is None or missing else "green" if run.passed else "red"


async def _before(ports: Ports, opened: OpenRepository, spectask: SpecTask, session: WorkSession, command: str) -> CheckRun:
    start = GitOid(session.start)

    async def work() -> CheckRun:
        return (await _run(ports, opened, spectask, session, [command], start, f"project-start-ws-{session.number}"))[command]

    def holds(run: CheckRun) -> float:
        # What was missing may be installed meanwhile, or be given again; what is late once is late again, and nobody waits for it twice.
        return math.inf if run.is_late or _state(run) != "cannot-run" else MISSING_SECONDS

    return await ports.starting_trees.get((opened.name, start, command), work, holds)


async def _run(
    ports: Ports, opened: OpenRepository, spectask: SpecTask, session: WorkSession, commands: Sequence[str], tree: GitOid, use: str
) -> Mapping[str, CheckRun]:
    if not commands:
        return {}
    seconds = ports.repository_settings(opened).check_timeout
    async with exported(ports, opened, spectask, session, tree=tree, use=use) as environment:
        return {command: told(ports, await environment.run(command, seconds)) for command in commands}


def objection(check: ProjectCheck, gone: Collection[str] = ()) -> str:
    """Returns what an agent is told of a check that its work has made red, or nothing; `gone` are commands that it was to replace."""
    if check.before != "green" or check.after != "red" or check.command in gone:
        return ""
    return f"The project's {check.kind} check `{check.command}` was green before your work and fails on it. Correct that, then finish again.\n\n{check.output}"


def remark(check: ProjectCheck, gone: Collection[str] = ()) -> str:
    """Returns what a person is told of a check that says nothing about the work, or nothing."""
    if check.before == "red":
        return f"the project's {check.kind} check was red before the work, so it does not count: {check.command}"
    if "cannot-run" in {check.before, check.after}:
        return f"the project's {check.kind} check cannot run here: {check.command}"
    if check.command in gone and check.after == "red":
        return f"the project's {check.kind} check is the task's to replace, and its work takes it away: {check.command}"
    return ""


async def format_work(ports: Ports, opened: OpenRepository, spectask: SpecTask, session: WorkSession, found: Detected) -> tuple[str, str]:
    """Runs the project's formatter on the files that a session changed, before they are committed; returns its diff, and why it could not run.

    Only where the starting tree was formatted as a whole: elsewhere it would change what the agent did not touch.
    """
    check = found.commands.get("format")
    if found.formatter is None or check is None:
        return "", ""
    worktree = await in_thread(prepare_worktree, ports, opened, spectask, session)
    against = GitOid(session.conflict_with or session.start)
    work = await in_thread(opened.worktrees.scan, worktree, against=against)
    paths = [path for path in work.files if found.formatter.takes(path)]
    if not paths or not (await _before(ports, opened, spectask, session, check)).passed:
        return "", ""
    private = private_git_of(opened, spectask, session)
    environment = await environment_for(ports, opened, worktree, head=session.start, tree=session.start, private=private)
    run = told(ports, await environment.run(found.formatter.on(paths), FORMATTER_SECONDS))
    diff = _diff(work, await in_thread(opened.worktrees.scan, worktree, against=against))
    return ports.redacted(diff)[:DIFF_KEPT], "" if run.passed else run.output.strip().partition("\n")[0] or "it failed"


def _diff(before: WorktreeScan, after: WorktreeScan) -> str:
    texts = ((path, *(scan.files.get(path, ("", b""))[1].decode(errors="replace") for scan in (before, after))) for path in after.files)
    parts = (unified_diff(old.splitlines(), new.splitlines(), path, path, lineterm="") for path, old, new in texts if old != new)
    return "\n".join(line for part in parts for line in part)
