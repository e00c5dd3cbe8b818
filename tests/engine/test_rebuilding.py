"""Without its event log, a SpecTask is read back from its branches: nothing that was decided, merged, said or paid is lost."""

import json
from dataclasses import replace

import pytest

from specthread.agents.sandbox import probe
from specthread.agents.scripted import replies_before, spoken, use
from specthread.domain import commands as c
from specthread.domain.budget import spend_of
from specthread.domain.ids import SpecTaskId
from specthread.domain.runs import all_runs
from specthread.engine.rebuilding import Rebuilt
from support.engine_world import ADA, REQUIREMENTS, plan, story_of, task, world
from support.git_fixture import fingerprint, git, isolate_git, make_repository

pytestmark = pytest.mark.skipif(not probe().available, reason=probe().reason)

ONE, TWO = ('python3 -c "import one"', 'python3 -c "import two"')
TASKS = plan(task(1, "Add one", ONE, files="one.py"), task(2, "Add two", TWO, files="two.py", depends="1"))


def writes(path, text, summary):
    return (use("write", path=path, text=text),), (use("finish", summary=summary),)


SESSIONS = {1: writes("one.py", "ONE = 1\n", "Added one."), 2: writes("two.py", "import one\n", "Added two.")}


@pytest.fixture
def repository(tmp_path, monkeypatch):
    isolate_git(monkeypatch, tmp_path / "home")
    return make_repository(tmp_path / "checkout", {"README.md": "Names.\n"})


def essence(spectask):
    """What must survive the loss of the log; times of events, attempts' counters and sequence numbers need not."""
    return {
        "asked": (spectask.prompt, spectask.base, spectask.target, spectask.flow, spectask.agent, spectask.review_mode, spectask.created),
        "limits": spectask.limits,
        "state": spectask.state,
        "documents": {
            name: (document.path, document.content, document.digest, document.author) for name, document in spectask.documents.items()
        },
        "approvals": {
            name: (approval.digest, approval.content, approval.person, approval.in_advance) for name, approval in spectask.approvals.items()
        },
        "versions": [
            (version.number, dict(version.digests), dict(version.contents), version.specs, version.feature, version.tag)
            for version in spectask.versions
        ],
        "comments": {name: replace(comment, seq=0) for name, comment in spectask.comments.items()},
        "tasks": {number: (task.plan, task.state, task.session, task.merged, task.weak) for number, task in spectask.tasks.items()},
        "sessions": {
            name: (session.number, session.task, session.state, session.summary, session.merged, session.turn)
            for name, session in spectask.sessions.items()
        },
        "plans": [(run.id, run.summary, run.turn) for run in spectask.plans],
        "cost": {run.id: run.spend for run in all_runs(spectask)},
        "total": spend_of(spectask),
        "feature": (spectask.feature, spectask.final, spectask.was_final, spectask.accepted_by),
    }


def quiet(spectask):
    return not spectask.uncommitted and all(run.turn == run.logged_turn for run in all_runs(spectask))


async def lost(tmp_path, repository, live, agents=None):
    """Plays `live` in a world, and returns what it left; its log is gone then, and all other state is there."""
    async with world(tmp_path, repository, agents or story_of(TASKS, SESSIONS)) as story:
        await story.create()
        await live(story)
        await story.until(quiet)
        spectask = story.spectask
    for file in tmp_path.glob("events.db*"):
        file.unlink()
    return spectask


async def rebuilt_in(story, repository, name):
    found = await story.engine.in_git.rebuild(repository, ADA)
    assert found == (Rebuilt(spectask=name, outcome="rebuilt"),)
    story.id = name
    return story.spectask


async def to_the_end(story):
    await story.implement()
    await story.until(lambda spectask: spectask.state == "implementation_review")
    await story.give(c.AcceptSpecTask(spectask=story.id, feature=story.spectask.final))
    await story.until(lambda spectask: spectask.state == "done")


async def test_finished_work_is_read_back_whole(tmp_path, repository):
    before = await lost(tmp_path, repository, to_the_end)
    untouched = fingerprint(repository)
    async with world(tmp_path, repository, story_of(TASKS, SESSIONS)) as story:
        after = await rebuilt_in(story, repository, before.id)
        assert essence(after) == essence(before)
        assert after.warnings[-1].startswith("Read back from git on ")
        assert not after.uncommitted
        assert await story.engine.in_git.rebuild(repository, ADA) == (Rebuilt(spectask=before.id, outcome="known"),)
        # It can be landed, archived and reported like any other.
        assert (await story.engine.in_git.land(after, "Ada")).how == "by-hand"
        await story.give(c.ArchiveSpecTask(spectask=story.id))
        await story.until(lambda spectask: spectask.put_away)
        assert fingerprint(repository) == untouched
    for file in tmp_path.glob("events.db*"):
        file.unlink()
    async with world(tmp_path, repository, story_of(TASKS, SESSIONS)) as story:
        archived = await rebuilt_in(story, repository, before.id)
        assert (archived.state, archived.put_away) == ("archived", True)
        assert essence(archived) | {"state": ""} == essence(before) | {"state": ""}


async def test_a_review_goes_on_where_it_was(tmp_path, repository):
    async def review(story):
        await story.until(lambda spectask: spectask.state == "spec_review")
        remark = c.Remark(comment="c-1", quote="A calculator.", section="Introduction", line=5, text="Which one?")
        await story.give(c.AddComment(spectask=story.id, document="requirements", remark=remark))
        await story.give(
            c.ApproveDocuments(spectask=story.id, documents=(("requirements", story.spectask.documents["requirements"].digest),))
        )

    before = await lost(tmp_path, repository, review)
    async with world(tmp_path, repository, story_of(TASKS, SESSIONS)) as story:
        after = await rebuilt_in(story, repository, before.id)
        assert essence(after) == essence(before)
        assert (after.state, after.comments["c-1"].text) == ("spec_review", "Which one?")
        await to_the_end(story)


async def test_work_under_way_is_kept_and_goes_on_only_when_it_is_told_to(tmp_path, repository):
    async def half(story):
        await story.implement()
        await story.until(lambda spectask: spectask.tasks["1"].state == "merged" and f"{spectask.id}/ws-2" in spectask.sessions)
        await story.until(lambda spectask: spectask.sessions[f"{spectask.id}/ws-2"].turn >= 1)
        await story.give(c.PauseSpecTask(spectask=story.id))

    before = await lost(tmp_path, repository, half)
    async with world(tmp_path, repository, story_of(TASKS, SESSIONS)) as story:
        after = await rebuilt_in(story, repository, before.id)
        assert (after.state, after.paused) == ("implementing", True)
        assert {number: task.state for number, task in after.tasks.items()} == {"1": "merged", "2": "blocked"}
        assert essence(after)["documents"] == essence(before)["documents"]
        assert essence(after)["cost"] == essence(before)["cost"]
        session = story.session(2)
        assert (session.state, session.task, "log was lost" in session.reason) == ("failed", "2", True)
        transcript = f".specs/{story.id}/sessions/ws-2/00/0001.md"
        told = git(repository, "show", f"spectask/{story.id}/specs:{transcript}")
        await story.give(c.ResumeSpecTask(spectask=story.id))
        await story.give(c.RetryRun(spectask=story.id, run=session.id))
        await story.until(lambda spectask: spectask.state == "implementation_review" and quiet(spectask))
        assert [task.state for task in story.spectask.tasks.values()] == ["merged", "merged"]
        assert git(repository, "show", f"spectask/{story.id}/specs:{transcript}") == told
        decided = git(repository, "ls-tree", "--name-only", f"spectask/{story.id}/specs", f".specs/{story.id}/decisions/").split()
        assert len(decided) == 1


async def test_planning_that_was_cut_off_is_taken_up_again(tmp_path, repository):
    def asks(request):
        steps = ((use("write_document", document="requirements", text=REQUIREMENTS),), (use("ask", question="Which numbers?"),))
        return spoken(request, *steps[min(replies_before(request), 1)])

    async def begun(story):
        await story.until(lambda spectask: spectask.plans[0].state == "waiting" and not spectask.uncommitted)

    before = await lost(tmp_path, repository, begun, asks)
    assert list(before.documents) == ["requirements"]
    async with world(tmp_path, repository, story_of(TASKS, SESSIONS)) as story:
        after = await rebuilt_in(story, repository, before.id)
        assert (after.state, after.plans[-1].state) == ("failed", "failed")
        assert essence(after)["documents"] == essence(before)["documents"]
        await story.give(c.ResumeSpecTask(spectask=story.id))
        await story.until(lambda spectask: spectask.state == "spec_review" and len(spectask.documents) == 3)


async def test_a_damaged_one_is_told_and_the_others_are_read(tmp_path, repository):
    async def reviewed(story):
        await story.until(lambda spectask: spectask.state == "spec_review")

    before = await lost(tmp_path, repository, reviewed)
    writer = "add-7k3f"
    git(repository, "update-ref", f"refs/heads/spectask/{writer}/specs", "main")
    async with world(tmp_path, repository, story_of(TASKS, SESSIONS)) as story:
        damaged, whole = await story.engine.in_git.rebuild(repository, ADA)
        assert (damaged.spectask, damaged.outcome) == (writer, "damaged")
        assert "spec-metadata.json is missing" in damaged.reason
        assert whole == Rebuilt(spectask=before.id, outcome="rebuilt")
        assert SpecTaskId(writer) not in story.engine.visible.spectasks


async def test_a_merge_that_the_feature_branch_does_not_hold_is_no_merge(tmp_path, repository):
    """What the records claim counts only as far as the feature branch holds it."""
    before = await lost(tmp_path, repository, to_the_end)
    specs = f"spectask/{before.id}/specs"
    metadata = json.loads(git(repository, "show", f"{specs}:.specs/{before.id}/spec-metadata.json"))
    assert metadata["tasks"]["2"]["state"] == "merged"
    merge = git(repository, "rev-list", "-1", "--grep=Merge task 2", f"spectask/{before.id}/feature")
    git(repository, "update-ref", f"refs/heads/spectask/{before.id}/feature", f"{merge}^1")
    async with world(tmp_path, repository, story_of(TASKS, SESSIONS)) as story:
        after = await rebuilt_in(story, repository, before.id)
        assert (after.tasks["1"].state, after.tasks["2"].state) == ("merged", "blocked")


async def test_a_request_for_changes_is_not_forgotten(tmp_path, repository):
    async def sent_back(story):
        await story.implement()
        await story.until(lambda spectask: spectask.state == "implementation_review")
        await story.give(c.RequestChanges(spectask=story.id, message="Not like this."))
        await story.until(lambda spectask: spectask.state == "revising")
        await story.give(c.PauseSpecTask(spectask=story.id))

    before = await lost(tmp_path, repository, sent_back)
    assert before.plans[-1].state not in {"completed", "failed"}
    async with world(tmp_path, repository, story_of(TASKS, SESSIONS)) as story:
        after = await rebuilt_in(story, repository, before.id)
        assert (after.state, after.stopped_from, after.before, after.final) == ("failed", "revising", "implementing", None)
        assert after.plans[-1].message == before.plans[-1].message
        await story.give(c.ResumeSpecTask(spectask=story.id))
        assert (story.spectask.state, story.spectask.plans[-1].purpose, story.spectask.plans[-1].message) == (
            "revising",
            "revise",
            before.plans[-1].message,
        )


async def test_versions_without_their_tags_are_not_taken_for_none(tmp_path, repository):
    before = await lost(tmp_path, repository, to_the_end)
    git(repository, "tag", "--delete", f"spectask/{before.id}/v1")
    async with world(tmp_path, repository, story_of(TASKS, SESSIONS)) as story:
        (found,) = await story.engine.in_git.rebuild(repository, ADA)
        assert (found.outcome, "git fetch" in found.reason) == ("damaged", True)
        assert not story.engine.visible.spectasks


async def test_accepted_work_is_read_back_after_its_branch_was_deleted(tmp_path, repository):
    before = await lost(tmp_path, repository, to_the_end)
    git(repository, "update-ref", "refs/heads/elsewhere", before.final)
    git(repository, "branch", "--delete", "--force", f"spectask/{before.id}/feature")
    async with world(tmp_path, repository, story_of(TASKS, SESSIONS)) as story:
        assert essence(await rebuilt_in(story, repository, before.id)) == essence(before)


async def test_a_pause_holds_through_a_change_of_words(tmp_path, repository):
    async def paused(story):
        await story.implement()
        await story.until(lambda spectask: spectask.tasks["1"].state == "merged")
        await story.give(c.PauseSpecTask(spectask=story.id))
        document = story.spectask.documents["design"]
        edit = c.EditDocument(spectask=story.id, document="design", content=b"# Other\n", expects=document.content, kind="human")
        await story.give(edit)

    before = await lost(tmp_path, repository, paused)
    async with world(tmp_path, repository, story_of(TASKS, SESSIONS)) as story:
        after = await rebuilt_in(story, repository, before.id)
        assert (after.state, after.before, after.paused) == ("revising", "implementing", True)


async def test_it_is_known_by_the_main_checkout_wherever_it_was_asked_for(tmp_path, repository):
    async def reviewed(story):
        await story.until(lambda spectask: spectask.state == "spec_review")

    before = await lost(tmp_path, repository, reviewed)
    git(repository, "worktree", "add", "--quiet", "--detach", tmp_path / "linked")
    async with world(tmp_path, repository, story_of(TASKS, SESSIONS)) as story:
        after = await rebuilt_in(story, tmp_path / "linked", before.id)
        assert after.repository == str(repository)
        assert await story.engine.in_git.rebuild(repository, ADA) == (Rebuilt(spectask=before.id, outcome="known"),)
