from __future__ import annotations

import os
from datetime import UTC, datetime
from types import SimpleNamespace

import pytest

from specthread.agents.backend import ToolUse
from specthread.agents.sandbox import probe
from specthread.agents.scripted import use
from specthread.domain import commands as c
from specthread.domain import events as e
from specthread.domain import reports
from specthread.domain.ids import RunId, SpecTaskId
from specthread.domain.model import DAEMON
from specthread.domain.run import WorkSession
from specthread.engine import records
from specthread.engine.loop import Loop
from specthread.engine.ports import StoreUnavailable
from specthread.engine.transcripts import unlogged_turns
from support.engine_world import plan, story_of, task, world
from support.git_fixture import git, isolate_git, make_repository

CHECK = 'python3 -c "import one"'
TASKS = plan(task(1, "Add one", CHECK, files="one.py"))
sandboxed = pytest.mark.skipif(not probe().available, reason=probe().reason)


@pytest.fixture
def repository(tmp_path, monkeypatch):
    isolate_git(monkeypatch, tmp_path / "home")
    return make_repository(tmp_path / "checkout", {"README.md": "Names.\n"})


def planned(spectask):
    return spectask.state == "spec_review" and not spectask.uncommitted and all(run.logged_turn == run.turn for run in spectask.plans)


@sandboxed
async def test_file_names_that_are_not_utf_8_do_not_stop_a_spectask(tmp_path, repository):
    for folder in (repository, repository / "src"):
        folder.mkdir(exist_ok=True)
        (folder / os.fsdecode(b"caf\xe9.txt")).write_text("x\n")
    git(repository, "add", "src")
    git(repository, "commit", "--quiet", "--message", "Odd name")
    steps = (
        (use("read", path="src"),),
        (use("search", files="*.txt"),),
        (use("write", path="one.py", text="ONE = 1\n"),),
        (use("finish", summary="Added one."),),
    )
    async with world(tmp_path, repository, story_of(TASKS, {1: steps})) as story:
        await story.create()
        assert any("caf\ufffd.txt" in warning for warning in story.spectask.warnings)
        await story.implement()
        await story.until(lambda spectask: spectask.state == "implementation_review" and not spectask.uncommitted)
        await story.until(lambda spectask: all(run.logged_turn == run.turn for run in spectask.sessions.values()))
        assert not story.spectask.trouble
        turn = f"spectask/{story.id}/specs:.specs/{story.id}/sessions/ws-1/00/0001.md"
        assert "caf\ufffd.txt" in git(repository, "show", turn)


@sandboxed
async def test_a_tool_id_that_comes_again_is_a_new_question(tmp_path, repository):
    steps = (
        (ToolUse(id="call_0", name="ask", input={"question": "First?"}),),
        (ToolUse(id="call_0", name="ask", input={"question": "Second?"}),),
        (use("write", path="one.py", text="ONE = 1\n"),),
        (use("finish", summary="Added one."),),
    )
    async with world(tmp_path, repository, story_of(TASKS, {1: steps})) as story:
        await story.create()
        await story.implement()
        for text in ("First?", "Second?"):
            await story.until(
                lambda spectask, text=text: (
                    spectask.sessions
                    and story.session().state == "waiting"
                    and story.session().question.text == text
                    and not story.session().question.answer_seq
                )
            )
            await story.give(c.AnswerQuestion(spectask=story.id, run=story.session().id, answer=f"To {text}"))
        await story.until(lambda spectask: spectask.state == "implementation_review")
        results = [item.event.content for item in await story.engine.read_events(story.id) if isinstance(item.event, e.ToolFinished)]
        assert [text for text in results if text.startswith("To ")] == ["To First?", "To Second?"]


async def test_a_feature_branch_that_somebody_else_made_is_not_built_upon(tmp_path, repository):
    async with world(tmp_path, repository, story_of(TASKS, {})) as story:
        await story.create()
        await story.until(planned)
        branch = f"spectask/{story.id}/feature"
        git(repository, "branch", branch, "main")
        documents = tuple((name, document.digest) for name, document in story.spectask.documents.items())
        await story.give(c.ApproveDocuments(spectask=story.id, documents=documents))
        await story.until(lambda spectask: spectask.trouble)
        assert git(repository, "rev-parse", branch) == git(repository, "rev-parse", "main")
        assert story.spectask.state == "spec_review"
        git(repository, "branch", "--delete", "--force", branch)
        await story.until(lambda spectask: spectask.state == "approved")


async def test_a_transcript_that_was_committed_and_not_reported_is_not_committed_again(tmp_path, repository, monkeypatch):
    real = Loop.submit
    lost = []

    async def forgetful(loop, submission):
        if isinstance(submission.command, reports.RecordTranscript) and submission.command.turn == len(WHOLE) and not lost:
            lost.append(submission)
            raise StoreUnavailable("The disk is full.")
        return await real(loop, submission)

    monkeypatch.setattr(Loop, "submit", forgetful)
    async with world(tmp_path, repository, story_of(TASKS, {})) as story:
        await story.create()
        await story.until(planned)
        assert lost
        trees = git(repository, "log", "--format=%T", f"spectask/{story.id}/specs").splitlines()
        assert len(set(trees)) == len(trees), "a commit that changes nothing"


WHOLE = ("requirements", "design", "tasks", "finish")


async def test_turns_that_a_cancelled_spectask_left_open_are_committed_after_a_restart(tmp_path, repository, monkeypatch):
    async def full(*_):
        raise OSError("The disk is full.")

    with monkeypatch.context() as patched:
        patched.setattr(records, "commit_turns", full)
        async with world(tmp_path, repository, story_of(TASKS, {})) as story:
            await story.create()
            await story.until(lambda spectask: spectask.state == "spec_review")
            await story.give(c.CancelSpecTask(spectask=story.id))
            await story.until(lambda spectask: spectask.state == "cancelled" and not spectask.uncommitted)
            identifier = story.id
    async with world(tmp_path, repository, story_of(TASKS, {})) as story:
        story.id = identifier
        await story.until(lambda spectask: all(run.logged_turn == run.turn for run in spectask.plans))


WS = RunId("x-1/ws-1")
NOW = datetime(2026, 1, 1, tzinfo=UTC)


def events_of(turns):
    for turn in range(1, turns + 1):
        yield e.CallStarted(run=WS, call=turn, turn=turn, reserved_usd=None)
        yield e.CallFinished(run=WS, call=turn, turn=turn, reply={"content": []}, input_tokens=1, output_tokens=1, cost_usd=None)
        yield e.ToolFinished(run=WS, turn=turn, tool_use_id=f"t{turn}", content=f"result {turn}", is_error=False)


async def test_a_transcript_is_read_from_the_last_turn_that_git_holds():
    log = [
        e.Envelope(seq=seq, instance="i", schema=1, host="h", actor=DAEMON, time=NOW, spectask=SpecTaskId("x-1"), event=event)
        for seq, event in enumerate(events_of(50), 1)
    ]
    read = []

    async def read_events(_spectask, since, _run):
        found = tuple(envelope for envelope in log if envelope.seq > since)
        read.append(len(found))
        return found

    ports = SimpleNamespace(read_events=read_events, logged={}, secrets=())
    spectask = SimpleNamespace(id="x-1")

    def run(turn, logged):
        given = {"agent": "a", "role": "implementer", "started": NOW, "task": "1", "start": "0" * 40}
        return WorkSession(id=WS, number=1, state="running", turn=turn, logged_turn=logged, **given)

    first = await unlogged_turns(ports, spectask, run(49, 40))
    ports.logged[WS] = first.before
    second = await unlogged_turns(ports, spectask, run(50, 49))
    assert read == [150, 6]
    assert [path.rpartition("/")[2] for path in second.files] == ["0049.md", "0050.md"]
    assert second.files.items() >= {path: content for path, content in first.files.items() if path.endswith("0049.md")}.items()
