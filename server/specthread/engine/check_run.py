"""A command run on a committed tree: exported into a scratch folder, in the sandbox, thrown away afterwards."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from specgit.folder import delete_tree
from specgit.include import copy_included, included_files
from specgit.trees import export_tree
from specgit.types import Oid as GitOid
from specthread.agents.process import CommandResult
from specthread.domain.model import SpecTask
from specthread.domain.run import WorkSession
from specthread.engine.environment import Environment, environment_for
from specthread.engine.permitting import may_check
from specthread.engine.ports import Ports, in_thread
from specthread.engine.repositories import OpenRepository
from specthread.engine.workplace import own_of

OUTPUT_KEPT = 4_000
REGRESSION = "regression"
"""The check of a task that must change nothing that is tested: the project's own check, green before and after."""
NO_REGRESSION_CHECK = (
    "There is nothing to check this work with: its task names no command, no task that names one is merged before it, and the project has no check of its own. "
    "Name one in specthread.toml, in the section [check], for example: project = 'make test'. Then answer; the work is checked when the agent finishes again."
)
_NO_TEST_RAN = re.compile(
    r"^Ran 0 tests\b|\bno tests ran\b|\bNo tests found\b|\b0 passing\b|^running 0 tests$(?![\s\S]*^running [1-9])", re.MULTILINE
)
_CANNOT_RUN = frozenset({126, 127})


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckRun:
    """What a check did to a tree: `passed` None means that it could not run."""

    passed: bool | None
    exit_code: int | None
    output: str
    is_late: bool = False
    """Whether it could not run because it took too long."""


async def run_check(
    ports: Ports, opened: OpenRepository, spectask: SpecTask, session: WorkSession, *, tree: GitOid, command: str, use: str
) -> CheckRun:
    """Runs a check on a committed tree; raises PermissionAwaited where it may not run unasked."""
    if command == REGRESSION:
        return CheckRun(passed=None, exit_code=None, output=NO_REGRESSION_CHECK)
    permission = await may_check(ports, session, command)
    if not permission:
        return CheckRun(passed=None, exit_code=None, output=permission.said)
    async with exported(ports, opened, spectask, session, tree=tree, use=use) as environment:
        return told(ports, await environment.run(command, ports.repository_settings(opened).check_timeout))


@asynccontextmanager
async def exported(
    ports: Ports, opened: OpenRepository, spectask: SpecTask, session: WorkSession, *, tree: GitOid, use: str
) -> AsyncIterator[Environment]:
    """Gives a committed tree as the commands of a session see it, in the scratch folder `use`."""
    folder = opened.scratch(spectask.id, use)
    private = opened.scratch(spectask.id, f"{use}-git")
    try:
        await in_thread(_export, opened, tree, folder, private, ports.repository_settings(opened).include)
        own = own_of(opened, spectask, session)
        with ports.blocks.block() as port:
            yield await environment_for(ports, opened, folder, head=session.start, tree=tree, private=private, own=own, port=port)
    finally:
        await in_thread(_discard, folder, private)


def told(ports: Ports, result: CommandResult) -> CheckRun:
    """Returns what a command's end says of the tree."""
    output = ports.redacted(result.output)[-OUTPUT_KEPT:]
    if result.outcome != "exited" or result.exit_code in _CANNOT_RUN:
        said = output if result.outcome == "exited" else f"{output}\n({result.outcome})".strip()
        return CheckRun(passed=None, exit_code=result.exit_code, output=said, is_late=result.outcome == "timeout")
    passed = result.exit_code == 0 and not _NO_TEST_RAN.search(result.output)
    said = output if passed or result.exit_code else f"{output}\nNo test ran, so nothing was checked."
    return CheckRun(passed=passed, exit_code=result.exit_code, output=said)


def _export(opened: OpenRepository, tree: GitOid, folder: Path, private: Path, include: Sequence[str]) -> None:
    _discard(folder, private)
    folder.mkdir(parents=True)
    export_tree(opened.repository, tree, folder)
    # Like the dependency folders: what the human lets the work have, its check has too.
    copy_included(opened.repository, included_files(opened.repository, include), folder)


def _discard(folder: Path, private: Path) -> None:
    delete_tree(folder)
    delete_tree(private)
