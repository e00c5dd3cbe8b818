from __future__ import annotations

import hashlib
from datetime import UTC, datetime

from specthread.domain import commands as c
from specthread.views.dry_run import forecast
from support.engine_world import ADA, plan, story_of, task, world
from support.git_fixture import git, make_repository

TASKS = plan(
    task(1, "Subtract", "grep -q subtract calc.py", files="calc.py"),
    task(2, "Multiply", "grep -q multiply calc.py", files="calc.py", depends="1"),
)


def everything_below(folder) -> dict[str, str]:
    """Each file with what it holds, and each folder."""
    return {
        str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest() if path.is_file() else ""
        for path in sorted(folder.rglob("*"))
        if not path.is_socket()
    }


async def test_a_dry_run_leaves_no_event_no_ref_no_file_and_makes_no_call(tmp_path):
    repository = make_repository(tmp_path / "repository", {"calc.py": "def add(a, b):\n    return a + b\n"})
    async with world(tmp_path, repository, story_of(TASKS, {})) as it:
        await it.create()
        await it.until(lambda spectask: spectask.state == "spec_review" and not spectask.uncommitted)
        await it.until(lambda spectask: all(run.logged_turn == run.turn for run in spectask.plans))
        (repository / "calc.py").write_text("changed\n")
        state, files = it.engine.visible, everything_below(tmp_path)
        refs = git(repository, "for-each-ref")
        around = await it.engine.surroundings(it.spectask, "")
        told = forecast(
            state, it.spectask, c.StartImplementation(spectask=it.id, limits=it.spectask.limits), ADA, around, datetime.now(UTC)
        )
        assert list(dict.fromkeys(ask.code for ask in told.asks)) == ["not-approved", "dirty-overlap"]
        assert (around.is_free, around.dirty, [each.task.number for each in told.tasks]) == (True, ("calc.py",), ["1", "2"])
        assert it.engine.visible is state
        assert git(repository, "for-each-ref") == refs
        assert everything_below(tmp_path) == files
