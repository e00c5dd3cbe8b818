"""An archived SpecTask leaves the disk, and everything of it stays in git."""

import pytest

from specthread.agents.sandbox import probe
from specthread.agents.scripted import use
from specthread.domain import commands as c
from support.engine_world import plan, story_of, task, world
from support.git_fixture import fingerprint, git, isolate_git, make_repository

pytestmark = pytest.mark.skipif(not probe().available, reason=probe().reason)

CHECK = 'python3 -c "import one"'
WRITES = (use("write", path="one.py", text="ONE = 1\n"),), (use("finish", summary="Added one."),)


@pytest.fixture
def repository(tmp_path, monkeypatch):
    isolate_git(monkeypatch, tmp_path / "home")
    return make_repository(tmp_path / "checkout", {"README.md": "One.\n"})


def refs_of(repository, prefix):
    return git(repository, "for-each-ref", "--format=%(refname)", prefix).split()


async def done(story):
    await story.create()
    await story.implement()
    await story.until(lambda spectask: spectask.state == "implementation_review" and not spectask.uncommitted)
    await story.give(c.AcceptSpecTask(spectask=story.id, feature=story.spectask.final))
    await story.until(lambda spectask: spectask.state == "done" and not spectask.uncommitted)
    await story.until(lambda spectask: all(run.turn == run.logged_turn for run in (*spectask.plans, *spectask.sessions.values())))


async def test_what_it_had_on_disk_goes_and_its_history_stays(tmp_path, repository):
    before = fingerprint(repository)
    async with world(tmp_path, repository, story_of(plan(task(1, "Add one", CHECK, files="one.py")), {1: WRITES})) as story:
        await done(story)
        name, state = story.id, tmp_path / "state"
        tips = {ref: git(repository, "rev-parse", f"spectask/{name}/{ref}") for ref in ("specs", "ws-1", "feature")}
        (worktree,) = state.glob(f"worktrees/*/{name}/ws-1")
        (worktree / "left.txt").write_text("left behind\n")
        await story.give(c.ArchiveSpecTask(spectask=name))
        await story.until(lambda spectask: spectask.put_away)
        assert not story.spectask.troubles
        assert refs_of(repository, "refs/heads/spectask") == [f"refs/heads/spectask/{name}/feature"]
        archived = f"refs/specthread/archive/{name}/branches"
        assert git(repository, "rev-parse", f"{archived}/specs", f"{archived}/ws-1", f"spectask/{name}/feature").split() == [
            tips["specs"],
            tips["ws-1"],
            tips["feature"],
        ]
        assert git(repository, "show", f"refs/specthread/archive/{name}/ws-1/1:left.txt") == "left behind"
        assert refs_of(repository, "refs/tags/spectask") == [f"refs/tags/spectask/{name}/v1"]
        # A file that was swapped out may still be open in somebody's editor.
        assert [path for path in state.rglob("*") if name in path.name and ".held" not in path.parts] == []
        assert fingerprint(repository) == before


async def test_what_git_cannot_hold_is_told_and_waited_for(tmp_path, repository):
    async with world(tmp_path, repository, story_of(plan(task(1, "Add one", CHECK, files="one.py")), {1: WRITES})) as story:
        await done(story)
        (worktree,) = (tmp_path / "state").glob(f"worktrees/*/{story.id}/ws-1")
        git(make_repository(worktree / "other", {"a": "1\n"}), "status")
        (desk,) = (tmp_path / "state").glob(f"desk/*/{story.id}")
        (desk / "notes.txt").write_text("my own\n")
        await story.give(c.ArchiveSpecTask(spectask=story.id))
        await story.until(lambda spectask: spectask.troubles)
        assert "holds what git does not take: other. Move it away" in story.spectask.trouble
        assert (worktree / "other" / "a").exists()
        (worktree / "other").rename(tmp_path / "other")
        await story.until(lambda spectask: spectask.put_away and not spectask.troubles)
        assert (desk / "notes.txt").read_text() == "my own\n"


async def test_a_desk_that_was_not_kept_up_to_the_last_merge_goes_too(tmp_path, repository):
    async with world(tmp_path, repository, story_of(plan(task(1, "Add one", CHECK, files="one.py")), {1: WRITES})) as story:
        await done(story)
        (desk,) = (tmp_path / "state").glob(f"desk/*/{story.id}")
        tasks = story.spectask.documents["tasks"]
        before = tasks.content.replace(b"[x]", b"[ ]")
        await story.until(lambda spectask: spectask.state == "done")
        (desk / tasks.path).write_bytes(before)
        await story.give(c.ArchiveSpecTask(spectask=story.id))
        await story.until(lambda spectask: spectask.put_away)
        assert not desk.exists()


async def test_a_branch_that_a_person_works_on_waits_for_that_person(tmp_path, repository):
    async with world(tmp_path, repository, story_of(plan(task(1, "Add one", CHECK, files="one.py")), {1: WRITES})) as story:
        await done(story)
        specs = f"spectask/{story.id}/specs"
        git(repository, "worktree", "add", "--quiet", tmp_path / "mine", specs)
        await story.give(c.ArchiveSpecTask(spectask=story.id))
        await story.until(lambda spectask: spectask.troubles)
        assert f"{specs} is checked out in {tmp_path / 'mine'}" in story.spectask.trouble
        git(repository, "worktree", "remove", tmp_path / "mine")
        await story.until(lambda spectask: spectask.put_away and not spectask.troubles)


async def test_work_on_a_detached_head_and_texts_that_were_set_aside_are_not_lost(tmp_path, repository):
    async with world(tmp_path, repository, story_of(plan(task(1, "Add one", CHECK, files="one.py")), {1: WRITES})) as story:
        await done(story)
        (worktree,) = (tmp_path / "state").glob(f"worktrees/*/{story.id}/ws-1")
        git(worktree, "checkout", "--quiet", "--detach")
        (worktree / "mine.txt").write_text("committed\n")
        git(worktree, "add", "mine.txt")
        git(worktree, "commit", "--quiet", "--message", "Mine")
        (worktree / "loose.txt").write_text("not committed\n")
        (history,) = (tmp_path / "state").glob(f"desk-history/*/{story.id}")
        aside = history / "requirements" / "00000099.refused"
        aside.write_text("refused\n")
        await story.give(c.ArchiveSpecTask(spectask=story.id))
        await story.until(lambda spectask: spectask.put_away)
        kept = f"refs/specthread/archive/{story.id}/ws-1/1"
        assert git(repository, "show", f"{kept}:loose.txt") == "not committed"
        assert git(repository, "show", f"{kept}~1:mine.txt") == "committed"
        assert aside.read_text() == "refused\n"
