"""What a repository declares around its sessions: a setup step with network and without secrets, dependencies of one's own, ports, room on the disk."""

import asyncio
import socket
from pathlib import Path

import pytest

from specthread.agents.sandbox import probe
from specthread.agents.scripted import use
from specthread.domain import commands as c
from specthread.engine import quota
from specthread.engine.port_blocks import BLOCK, PortBlocks
from specthread.engine.settings import RepositorySettings
from support.engine_world import DEADLINE, plan, story_of, task, world
from support.git_fixture import isolate_git, make_repository, write_files

pytestmark = pytest.mark.skipif(not probe().available, reason=probe().reason)

SECRET = "TOKEN=hunter2-and-more"
CHECK = "test -f one.py"
WORK = ((use("write", path="one.py", text=""),), (use("finish", summary="Added one.py."),))
NETWORK = "readlink /proc/self/ns/net"
MACHINES = str(Path("/proc/self/ns/net").readlink())


@pytest.fixture
def repository(tmp_path, monkeypatch):
    isolate_git(monkeypatch, tmp_path / "home")
    files = {".gitignore": ".env\nnode_modules/\n*.txt\n", "package-lock.json": "{}\n", "README.md": "One.\n"}
    checkout = make_repository(tmp_path / "checkout", files)
    write_files(checkout, {".env": f"{SECRET}\n", "node_modules/tool": "1\n"})
    return checkout


def script(*steps, check=CHECK):
    return story_of(plan(task(1, "Add one", check, files="one.py")), {1: (*steps, *WORK)})


def worktree(tmp_path, number=1):
    return next((tmp_path / "state" / "worktrees").glob(f"*/*/ws-{number}"))


def ended(spectask):
    return bool(spectask.sessions) and all(session.ended for session in spectask.sessions.values())


def done(spectask):
    return spectask.state == "implementation_review"


async def first_result(story):
    envelopes = await story.engine.read_events(story.id, 0, story.session().id)
    return next(item.event.content for item in envelopes if type(item.event).__name__ == "ToolFinished")


async def until_there(path):
    async with asyncio.timeout(DEADLINE):
        while not path.exists():  # noqa: ASYNC110  another task's file
            await asyncio.sleep(0.02)


async def test_setup_has_network_and_no_secret_and_comes_before_the_agent_and_cleanup_after_the_merge(tmp_path, repository):
    declared = RepositorySettings(include=(".env",), setup=f"{NETWORK} > net.txt; cat .env > env.txt", cleanup=f"{NETWORK} > gone.txt")
    steps = script((use("shell", command=f"{NETWORK}; cat net.txt env.txt .env"),))
    async with world(tmp_path, repository, steps, repository_settings=declared) as story:
        await story.create()
        await story.implement()
        await story.until(done)
        await until_there(worktree(tmp_path) / "gone.txt")
        agents, setups, *rest = (await first_result(story)).splitlines()
        assert setups == MACHINES != agents
        assert rest == [SECRET, "[exit code 0]"]  # the agent's own, from .env; what the setup saw of it was nothing


async def test_a_setup_that_fails_ends_the_session_with_its_words_before_a_model_is_asked(tmp_path, repository):
    declared = RepositorySettings(setup="echo no such package; exit 3")
    async with world(tmp_path, repository, script(), repository_settings=declared) as story:
        await story.create()
        await story.implement()
        await story.until(ended)
        assert (story.session().state, story.session().spend.calls) == ("failed", 0)
        assert story.session().reason == "The setup step `echo no such package; exit 3` failed (exit 3): no such package"


async def test_on_files_that_agents_changed_the_setup_is_asked_about(tmp_path, repository):
    tasks = plan(task(1, "Add one", CHECK, files="one.py"), task(2, "Add two", "test -f two.py", files="two.py", depends="1"))
    second = ((use("write", path="two.py", text=""),), (use("finish", summary="Added two."),))
    declared = RepositorySettings(setup="date > net.txt")
    async with world(tmp_path, repository, story_of(tasks, {1: WORK, 2: second}), repository_settings=declared) as story:
        await story.create()
        await story.implement()
        await story.until(lambda spectask: len(spectask.sessions) > 1 and bool(story.session(2).question))
        assert story.session(2).question.text.endswith("may the setup step run: date > net.txt")
        assert not (worktree(tmp_path, 2) / "net.txt").exists()
        await story.give(c.AnswerQuestion(spectask=story.id, run=story.session(2).id, answer="once"))
        await story.until(done)
        assert (worktree(tmp_path, 2) / "net.txt").exists()


async def test_a_yes_to_one_setup_step_is_none_to_the_one_that_was_declared_meanwhile(tmp_path, repository):
    tasks = plan(task(1, "Add one", CHECK, files="one.py"), task(2, "Add two", "test -f two.py", files="two.py", depends="1"))
    second = ((use("write", path="two.py", text=""),), (use("finish", summary="Added two."),))
    steps = story_of(tasks, {1: WORK, 2: second})
    async with world(tmp_path, repository, steps, repository_settings=RepositorySettings(setup="date > a.txt")) as story:
        await story.create()
        await story.implement()
        await story.until(lambda spectask: len(spectask.sessions) > 1 and bool(story.session(2).question))
        spectask, shown = story.id, story.session(2).question
    async with world(tmp_path, repository, steps, repository_settings=RepositorySettings(setup="date > b.txt")) as story:
        story.id = spectask
        await story.give(c.AnswerQuestion(spectask=story.id, run=story.session(2).id, question=shown.id, answer="once"))
        await story.until(lambda found: done(found) or (bool(story.session(2).question) and story.session(2).question.text != shown.text))
        assert story.session(2).question.text.endswith("date > b.txt")
        assert not (worktree(tmp_path, 2) / "b.txt").exists()


@pytest.mark.parametrize("differs", [False, True])
async def test_dependencies_are_the_sessions_own_where_the_lock_file_differs(tmp_path, repository, differs):
    if differs:
        (repository / "package-lock.json").write_text('{"other": 1}\n')
    steps = script((use("shell", command="echo 3 >> node_modules/tool"),), check=f"{CHECK} && cat node_modules/tool")
    declared = RepositorySettings(setup="echo 2 >> node_modules/tool || true")
    async with world(tmp_path, repository, steps, repository_settings=declared) as story:
        await story.create()
        await story.implement()
        await story.until(done)
        # Only the setup step changes them: by them the agent's work is checked.
        assert "Read-only" in await first_result(story)
        assert story.session().verification.output == ("1\n2\n" if differs else "1\n")
    assert (repository / "node_modules/tool").read_text() == "1\n"


async def test_a_session_whose_files_take_too_much_room_rests_until_a_person_says_something(tmp_path, repository, monkeypatch):
    monkeypatch.setattr(quota, "LOOK_SECONDS", 0.05)
    monkeypatch.setattr(quota, "_SHARE", 1)
    steps = script((use("shell", command="head -c 8000000 /dev/zero > big.txt; sleep 30"),))
    async with world(tmp_path, repository, steps, changes={"quota_mb": 4}) as story:
        await story.create()
        await story.implement()
        await story.until(lambda spectask: bool(spectask.sessions) and bool(story.session().question))
        assert story.session().state == "waiting"
        assert "more than the 4 of sandbox.quota_mb" in story.session().question.text
        (worktree(tmp_path) / "big.txt").unlink()
        await story.give(c.AnswerQuestion(spectask=story.id, run=story.session().id, answer="I deleted it."))
        await story.until(done)


async def test_a_session_is_told_ports_of_its_own(tmp_path, repository):
    async with world(tmp_path, repository, script((use("shell", command="echo port $SPECTHREAD_PORT"),))) as story:
        await story.create()
        await story.implement()
        await story.until(done)
        assert int((await first_result(story)).split()[1]) >= 42_000


def test_blocks_of_ports_never_meet_nor_hold_what_somebody_listens_on():
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen()
        taken = listener.getsockname()[1]
        blocks = PortBlocks(first=taken - 3)
        with blocks.block() as one, blocks.block() as two:
            assert taken not in {*range(one, one + BLOCK), *range(two, two + BLOCK)}
            assert abs(one - two) >= BLOCK
        with blocks.block() as again:
            assert again == one
