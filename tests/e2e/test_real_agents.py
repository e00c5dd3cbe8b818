"""Real agents work offline on a task through us, against a model that is a script; `tests/agents/install` fetches them."""

import json
from pathlib import Path

import pytest

from specthread.agents.acp_catalog import external_agent
from specthread.agents.sandbox import probe
from specthread.daemon_agents import backends_of
from specthread.domain import commands as c
from specthread.engine.settings import ReviewSettings, RoleSettings
from support.engine_world import plan, story_of, task, world
from support.fake_claude_api import FakeClaudeApi
from support.git_fixture import git, isolate_git, make_repository

PROGRAMS = Path(__file__).parents[2] / "build/agents/node_modules/.bin"
pytestmark = [pytest.mark.slow, pytest.mark.skipif(not probe().available, reason=probe().reason)]


def installed(name, program):
    there = (PROGRAMS / program).exists()
    return pytest.param(name, program, marks=pytest.mark.skipif(not there, reason=f"{program} is not there; run tests/agents/install"))


@pytest.fixture
def repository(tmp_path, monkeypatch):
    isolate_git(monkeypatch, tmp_path / "home")
    return make_repository(tmp_path / "checkout", {"README.md": "One.\n"})


def transcript(story, repository):
    specs = f"spectask/{story.id}/specs"
    pages = [path for path in git(repository, "ls-tree", "-r", "--name-only", specs).splitlines() if "sessions/ws-1/" in path]
    return "\n".join(git(repository, "show", f"{specs}:{path}") for path in pages)


def agent_of(name, program, url):
    """Returns a known agent with the program of the test, told of the fake model in its own way."""
    known = external_agent(name, None, None, None)
    models = {"anthropic": {"options": {"baseURL": f"{url}/v1", "apiKey": "k-of-this-test"}}}
    own = {
        "OPENCODE_CONFIG_CONTENT": json.dumps({"provider": models, "model": "anthropic/claude-sonnet-4-5", "permission": {"edit": "ask"}})
    }
    fixed = {**known.fixed, **(own if name == "opencode" else {})}
    return external_agent(
        name, (str(PROGRAMS / program), *known.command[1:]), None, (*known.credentials, *(f"{key}={value}" for key, value in fixed.items()))
    )


@pytest.mark.parametrize(("name", "program"), [installed("claude", "claude-agent-acp"), installed("opencode", "opencode")])
async def test_a_real_agent_writes_a_file_and_its_work_is_verified_and_told_in_git(tmp_path, repository, name, program):
    with FakeClaudeApi(str(repository / "one.py"), "one = 1\n") as api:
        agent = agent_of(name, program, api.url)
        environ = {"ANTHROPIC_API_KEY": "k-of-this-test", "ANTHROPIC_BASE_URL": api.url}
        roles = {"planner": RoleSettings(model="scripted"), "implementer": RoleSettings(model="scripted", agent=name)}
        tasks = plan(task(1, "Add one", 'python3 -c "import one"', files="one.py"))
        changes = {"roles": roles, "review": ReviewSettings(mode="off")}
        async with world(
            tmp_path, repository, story_of(tasks, {}), changes=changes, agents=backends_of({agent.backend: agent}, environ)
        ) as story:
            await story.create()
            await story.implement()
            while True:
                await story.until(
                    lambda spectask: bool(spectask.sessions) and (story.session().ended or story.session().state == "waiting")
                )
                if story.session().ended:
                    break
                assert story.session().question.kind == "permission"
                await story.give(c.AnswerQuestion(spectask=story.id, run=story.session().id, answer="once"))
            await story.until(lambda spectask: spectask.state == "implementation_review" and not spectask.uncommitted)
            assert story.session().state == "completed", story.session().reason
            assert git(repository, "show", f"spectask/{story.id}/feature:one.py") == "one = 1"
            told = transcript(story, repository)
            assert "one.py" in told
            assert "The file is written." in told
            assert "k-of-this-test" not in told
