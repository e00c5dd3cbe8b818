"""A session that grows beyond what its model is shown: it sums up, and a daemon that comes after shows the model the same."""

import pytest

from specthread.agents.backend import Assignment
from specthread.agents.compaction import SUM_UP
from specthread.agents.sandbox import probe
from specthread.agents.scripted import last_said, opening, say, spoken, use
from specthread.agents.spill import SPILLED
from specthread.domain import commands as c
from specthread.domain import events as e
from support.engine_world import plan, story_of, task, world
from support.git_fixture import git, isolate_git, make_repository

pytestmark = pytest.mark.skipif(not probe().available, reason=probe().reason)

CHECK = 'python3 -c "import one"'
SUMMARY = "one.py is written; the logs hold nothing of use."
LONG = [(say("I look into it. " * 250), use("shell", command=f"seq 1 3000; echo {number}")) for number in range(6)]
STEPS = [
    (use("write", path="one.py", text=""),),
    *LONG,
    (use("ask", question="Which of the two?"),),
    (use("read", path="one.py"),),
    (use("finish", summary="Added one."),),
]


@pytest.fixture
def repository(tmp_path, monkeypatch):
    isolate_git(monkeypatch, tmp_path / "home")
    return make_repository(tmp_path / "checkout", {"README.md": "One.\n"})


async def test_a_summary_is_what_the_model_goes_on_from_also_after_a_restart_and_stands_in_the_transcript(
    tmp_path, repository, monkeypatch
):
    monkeypatch.setitem(Assignment.__init__.__kwdefaults__, "context_tokens", 9_000)
    steps, requests = list(STEPS), []
    planned = story_of(plan(task(1, "Add one", CHECK, files="one.py")), {})

    def talk(request):
        if request.role == "planner":
            return planned(request)
        requests.append(request)
        return spoken(request, *((say(SUMMARY),) if SUM_UP in last_said(request) else steps.pop(0)))

    async with world(tmp_path, repository, talk) as story:
        await story.create()
        await story.implement()
        await story.until(lambda spectask: bool(spectask.sessions) and story.session().state == "waiting" and not spectask.uncommitted)
        identifier = story.id
    summaries = [request for request in requests if SUM_UP in last_said(request)]
    assert len(summaries) == 1
    before = requests[-1]
    async with world(tmp_path, repository, talk) as story:
        story.id = identifier
        await story.give(c.AnswerQuestion(spectask=story.id, run=story.session().id, answer="The left one."))
        await story.until(lambda spectask: spectask.state == "implementation_review" and not spectask.uncommitted)
        session = story.session()
    after = requests[requests.index(before) + 1]
    assert after.messages[0] == before.messages[0]
    assert SUMMARY in opening(after)
    assert opening(after).startswith(opening(requests[0]))
    assert "The left one." in last_said(after)
    assert session.state == "completed"
    turn = next(request.turn for request in summaries)
    page = git(repository, "show", f"spectask/{identifier}/specs:.specs/{identifier}/sessions/ws-1/00/{turn:04}.md")
    assert "The conversation has grown long" in page
    assert SUMMARY in page


async def test_long_output_is_there_whole_for_tools_and_commands_cannot_be_changed_and_is_in_no_commit(tmp_path, repository):
    steps = (
        (use("write", path="one.py", text=""),),
        (use("shell", command="seq 1 20000"),),
        (use("shell", command="wc -l /run/output/*.txt; echo x >> /run/output/*.txt"),),
        (use("finish", summary="Added one."),),
    )
    async with world(tmp_path, repository, story_of(plan(task(1, "Add one", CHECK, files="one.py")), {1: steps})) as story:
        await story.create()
        await story.implement()
        await story.until(lambda spectask: spectask.state == "implementation_review" and not spectask.uncommitted)
        events = [item.event for item in await story.engine.read_events(story.id, 0, story.session().id)]
    results = [event.content for event in events if isinstance(event, e.ToolFinished)]
    file = SPILLED.search(results[1])[0]
    assert results[2].startswith(f"20000 {file}\n")
    assert "Read-only file system" in results[2]
    changed = git(repository, "diff", "--name-only", "main", f"spectask/{story.id}/ws-1").splitlines()
    assert [path for path in changed if not path.startswith(".specs/")] == ["one.py"]
