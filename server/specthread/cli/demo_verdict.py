"""Looks in the repository whether the demo's story ended as it must: git is asked, not the daemon that played it."""

from __future__ import annotations

import asyncio
import os
import re
import tempfile
from dataclasses import dataclass
from pathlib import Path

from specgit.repository import Repository
from specgit.trees import export_tree
from specgit.types import Oid, spec_refs
from specthread.agents import sandbox
from specthread.agents.process import CommandResult
from specthread.cli.demo_toy import path_with_python
from specthread.protocol.wire_view import SpecTaskView

TESTS = "python3 -m unittest"
FEWEST_EVENTS = 80
_TEST_SECONDS = 60.0
_TICK = re.compile(r"^\s*- \[x\] ", re.MULTILINE)


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """What was found: a sentence for everything that is not as it must be."""

    problems: tuple[str, ...]

    @property
    def good(self) -> bool:
        """Tells whether everything is as it must be."""
        return not self.problems


def verdict_on(view: SpecTaskView, path: Path, events: int) -> Verdict:
    """Returns what the story came to in the repository at `path`."""
    problems = [*_story_problems(view, events)]
    if view.state == "done":
        repository = Repository.open(path)
        problems += [*_git_problems(view, repository), *_test_problems(view, repository)]
    return Verdict(problems=tuple(problems))


def _story_problems(view: SpecTaskView, events: int) -> list[str]:
    expected = {
        f"The SpecTask is {view.state}, not done: {view.why}": view.state == "done",
        "Not every task is merged.": all(task.state == "merged" for task in view.tasks),
        "There are fewer than four tasks.": len(view.tasks) >= 4,  # noqa: PLR2004  what the story has
        "Not every session's check was red before and green after.": all(
            each.verification is not None and each.verification.outcome == "verified" for each in view.sessions
        ),
        "No session was sent back by a failed check.": any(each.send_backs for each in view.sessions),
        "No session met a conflict.": any(each.conflicts for each in view.sessions),
        "No comment was answered.": any(comment.answer for comment in view.comments),
        f"There are only {events} events.": events >= FEWEST_EVENTS,
        "It cost something.": view.spend.cost_usd == 0,
    }
    return [sentence for sentence, held in expected.items() if not held]


def _git_problems(view: SpecTaskView, repository: Repository) -> list[str]:
    refs = spec_refs(view.id)
    tip = repository.resolve(refs.feature)
    if tip is None:
        return [f"There is no branch {view.branches.feature}."]
    merged = {fact.oid for fact in repository.log(f"{view.base}..{tip}", first_parent=True)}
    tasks = next(document.path for document in view.documents if document.name == "tasks")
    ticks = {
        name: len(_TICK.findall((repository.read(ref, tasks) or b"").decode()))
        for name, ref in (("specs", refs.specs), ("feature", refs.feature))
    }
    head = repository.head()
    expected = {
        "A merged task has no commit on the feature branch.": all(task.merged in merged for task in view.tasks),
        f"The ticks in tasks.md ({ticks}) are not the {len(view.tasks)} merged tasks.": set(ticks.values()) == {len(view.tasks)},
        "The checkout was touched.": head.oid == view.base and not head.dirty and not head.untracked,
    }
    return [sentence for sentence, held in expected.items() if not held]


def _test_problems(view: SpecTaskView, repository: Repository) -> list[str]:
    """Runs the toy's own tests on an export of the feature branch."""
    with tempfile.TemporaryDirectory(prefix="specthread-demo-") as name:
        folder = Path(name).resolve()
        export_tree(repository, Oid(view.final), folder)
        result = asyncio.run(_run_tests(folder))
    if result.outcome == "exited" and result.exit_code == 0:
        return []
    return [f"`{TESTS}` fails on the feature branch: {result.output.strip()[-500:]}"]


async def _run_tests(folder: Path) -> CommandResult:
    path = path_with_python(os.environ.get("PATH", ""))
    if not sandbox.probe().available:
        return await sandbox.run_unsandboxed(TESTS, cwd=folder, environment={"PATH": path}, timeout=_TEST_SECONDS)
    shown = sandbox.Mount(source=folder, target=str(folder), writable=True)
    mounts = (shown, *sandbox.interpreter_mounts(path.split(os.pathsep), ()))
    return await sandbox.run(
        TESTS, sandbox.SandboxProfile(mounts=mounts, cwd=str(folder), environment={"PATH": path}), timeout=_TEST_SECONDS
    )
