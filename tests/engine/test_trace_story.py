from __future__ import annotations

import pytest

from specthread.agents.sandbox import probe
from specthread.agents.scripted import use
from specthread.spec.symbols import Symbol
from specthread.views.trace_rows import row_of
from support.engine_world import plan, story_of, task, world
from support.git_fixture import git, isolate_git, make_repository

pytestmark = pytest.mark.skipif(not probe().available, reason=probe().reason)

CODE = (
    (
        use("write", path="one.py", text="# Req 1.1\nONE = 1\n"),
        use("write", path="tests/test_one.py", text="def test_req_1_1(): ...\n"),
    ),
    (use("finish", summary="Added one, and tests/test_one.py to show it."),),
)


async def test_what_a_session_built_is_traced_from_its_requirement_to_commit_code_and_test(tmp_path, monkeypatch):
    isolate_git(monkeypatch, tmp_path / "home")
    repository = make_repository(tmp_path / "checkout", {"README.md": "One.\n"})
    tasks = plan(task(1, "Add one", 'python3 -c "import one"', files="one.py, tests/"))
    async with world(tmp_path, repository, story_of(tasks, {1: CODE})) as story:
        await story.create()
        await story.implement()
        await story.until(lambda spectask: spectask.state == "implementation_review" and not spectask.uncommitted)
        index = await story.engine.in_git.trace_of(story.spectask)
        row = row_of(index, f".specs/{story.id}", Symbol("criterion", "1.1"))
        assert row
        assert [(each.id, each.state) for each in row.tasks] == [("1", "merged")]
        assert [(each.id, each.state) for each in row.sessions] == [(f"{story.id}/ws-1", "completed")]
        merge = git(repository, "log", "-1", "--format=%H", "--grep=Merge task 1", f"spectask/{story.id}/feature")
        assert [(commit.oid, commit.session) for commit in row.commits] == [(merge, f"{story.id}/ws-1/1")]
        assert [(each.path, each.marker.span.line) for each in (*row.code, *row.tests)] == [("one.py", 1), ("tests/test_one.py", 1)]
        assert row.gaps == ()
        assert await story.engine.in_git.trace_at(repository / "README.md") is None
