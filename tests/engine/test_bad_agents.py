"""Agents that do not do their work: each ends in the state that says so, with one sentence why, and with its files where a person can look at them."""

import pytest

from specthread.agents.sandbox import probe
from specthread.agents.scripted import use
from support.engine_world import plan, story_of, task, world
from support.git_fixture import isolate_git, make_repository

pytestmark = pytest.mark.skipif(not probe().available, reason=probe().reason)

CHECK = 'python3 -c "import one; assert one.ONE == 1"'
BEGUN = (use("write", path="one.py", text="ONE = 2\n"),)
DONE = (use("finish", summary="All done, trust me."),)
READ, MAKE = (use("read", path="README.md"),), (use("shell", command="cat one.py"),)
MISSING = (use("read", path="src/a"),)
LOOKING = [(use("shell", command=f"true {number}"),) if number % 3 == 0 else (use("search", files=f"*{number}"),) for number in range(15)]
OUTSIDE = (use("write", path="one.py", text="ONE = 1\n"), use("write", path="docs/other.md", text="Other.\n"))

AFTER = "the work did not pass verification after 3 corrections:"
AGENTS = {
    "repeats one call": ((BEGUN, READ), "stuck", "The agent made the same call 5 times in a row with the same result."),
    "goes back and forth": ((BEGUN, *[READ, MAKE] * 4), "stuck", "The agent went back and forth between the same two steps 6 times."),
    "gets one error again and again": ((BEGUN, MISSING), "stuck", "The agent got the same error 3 times in a row."),
    "looks and changes nothing": ((BEGUN, *LOOKING), "stuck", "The agent changed no file for 15 turns."),
    "claims without work": ((DONE,), "failed", f"{AFTER} the agent finished without changing any file"),
    "works outside its files without a word": (
        (OUTSIDE, DONE),
        "failed",
        f"{AFTER} the agent changed files that are not the task's: docs/other.md",
    ),
    "never gets its check green": ((BEGUN, DONE), "failed", f"{AFTER} the check `{CHECK}` fails on its committed work (exit 1)"),
}


@pytest.fixture
def repository(tmp_path, monkeypatch):
    isolate_git(monkeypatch, tmp_path / "home")
    return make_repository(tmp_path / "checkout", {"README.md": "One.\n"})


@pytest.mark.parametrize("agent", AGENTS)
async def test_an_agent_that_does_not_do_its_work_ends_with_one_sentence_and_its_worktree(tmp_path, repository, agent):
    steps, state, reason = AGENTS[agent]
    async with world(tmp_path, repository, story_of(plan(task(1, "Add one", CHECK, files="one.py")), {1: steps})) as story:
        await story.create()
        await story.implement()
        await story.until(lambda spectask: bool(spectask.sessions) and story.session().ended is not None)
        session = story.session()
        assert (session.state, session.reason) == (state, reason)
        assert session.send_backs == (3 if state == "failed" else 0)
        assert story.spectask.tasks["1"].state == "blocked"
        (worktree,) = (tmp_path / "state" / "worktrees").glob("*/*/ws-1")
        written = [block for step in steps for block in step if block.name == "write"]
        assert all((worktree / block.input["path"]).read_text() == block.input["text"] for block in written)
