"""The feature branch in the files of a session that waits for those it spawned, played by a scripted model in a whole engine."""

import pytest

from specthread.agents.sandbox import probe
from specthread.agents.scripted import use
from specthread.domain import commands as c
from support.coordinating import HAS_CHECK, IMPORTS, coordinate, is_reviewed, written
from support.engine_world import plan, story_of, task, world
from support.git_fixture import git, isolate_git, make_repository

pytestmark = pytest.mark.skipif(not probe().available, reason=probe().reason)

BASE = "A = 1\nB = 2\nC = 3\nD = 4\nE = 5\nF = 6\n"


@pytest.fixture
def repository(tmp_path, monkeypatch):
    isolate_git(monkeypatch, tmp_path / "home")
    return make_repository(tmp_path / "checkout", {"base.py": BASE})


async def test_what_a_session_wrote_between_two_merges_into_its_files_is_kept(tmp_path, repository):
    mine, theirs = BASE.replace("A = 1", "A = 100"), BASE.replace("F = 6", "F = 600")
    parent = (
        (use("write", path="early.py", text="EARLY = 1\n"),),
        coordinate("spawn", text="Write one", wait=True),
        (use("read", path="base.py"),),
        (use("write", path="base.py", text=mine),),
        coordinate("spawn", text="Write two"),
        (use("ask", question="Go on?"),),
        coordinate("wait"),
        *written("top"),
    )
    child = ((use("read", path="base.py"),), (use("write", path="base.py", text=theirs),), (use("finish", summary="Done."),))
    tasks = plan(task(1, "Add top", IMPORTS.format("one, top, early"), files="top.py, base.py, early.py"))
    script = story_of(tasks, {1: parent, "ws-2": written("one"), "ws-3": child})
    async with world(tmp_path, repository, script, repository_settings=HAS_CHECK) as story:
        await story.create()
        await story.implement()
        await story.until(lambda spectask: len(spectask.sessions) > 2 and story.session(1).question and story.session(3).told_attempt)
        await story.give(c.AnswerQuestion(spectask=story.id, run=story.session(1).id, answer="Yes."))
        await story.until(is_reviewed)
        assert git(repository, "show", f"spectask/{story.id}/feature:base.py").splitlines() == [
            *("A = 100", "B = 2", "C = 3", "D = 4", "E = 5", "F = 600")
        ]
