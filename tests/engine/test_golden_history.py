"""What stands in git after a story, drawn and compared with the reviewed file of its name in `data/history`.

`make golden` draws the quick ones anew, and with `ARGS="-m slow -k golden_history"` the others.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from specgit.commits import Writer
from specgit.repository import Repository
from specthread.agents.sandbox import probe
from specthread.agents.scripted import replies_before, spoken, use
from specthread.domain import commands as c
from specthread.engine.landing import land
from specthread.engine.repositories import Repositories
from specthread.engine.settings import RepositorySettings
from support import commit_loop
from support.engine_world import plan, story_of, task, world
from support.git_fixture import commit_files, fingerprint, git, isolate_git, make_repository
from support.history import drawn, expected

FOLDER = Path(__file__).parent / "data" / "history"
ASK = (use("ask", question="Now?"),)
ONE, TWO = 'python3 -c "import one"', 'python3 -c "import two"'
KIRO = {
    "requirements.md": "# Requirements: Names\n\n### Requirement 1\n\n**User Story:** As a caller, I want names, so that I can greet.\n\n"
    "#### Acceptance Criteria\n\n1. WHEN a caller asks, THE module SHALL return the names.\n",
    "design.md": "# Design\n\nOne module.\n",
    "tasks.md": "# Implementation Plan\n\n- [ ] 1. Return the names\n  - _Requirements: 1.1_\n",
}


def writes(path, summary, text=""):
    return (use("write", path=path, text=text),), (use("finish", summary=summary),)


def edits(old, new, summary):
    return (use("read", path="names.py"),), (use("edit", path="names.py", old=old, new=new),), (use("finish", summary=summary),)


def reviewed(spectask):
    return spectask.state == "implementation_review" and not spectask.uncommitted


@pytest.fixture
def repository(tmp_path, monkeypatch):
    isolate_git(monkeypatch, tmp_path / "home")
    made = make_repository(tmp_path / "checkout", {"names.py": "ALL = [\n]\n"})
    commit_files(made, {"limit.py": "LIMIT = 1\n"}, "Base of the story")
    return made


async def second_goes_on_when_first_is_in(story):
    """Two sessions begin together; the second asks, and is answered once the first is merged, so that no story depends on who is faster."""
    await story.create()
    await story.implement()

    def first_is_in(spectask):
        states = {session.task: session.state for session in spectask.sessions.values()}
        return (states.get("1"), states.get("2")) == ("completed", "waiting") and not spectask.uncommitted

    await story.until(first_is_in)
    waiting = next(session for session in story.spectask.sessions.values() if session.task == "2")
    await story.give(c.AnswerQuestion(spectask=story.id, run=waiting.id, answer="Yes."))


async def plain(world_of, repository):
    """From one sentence to accepted work."""
    tasks = plan(task(1, "Add one", ONE, files="one.py"))
    async with world_of(story_of(tasks, {1: writes("one.py", "Added one.")})) as story:
        await story.create()
        await story.implement()
        await story.until(reviewed)
        await story.give(c.AcceptSpecTask(spectask=story.id, feature=story.spectask.final))
        await story.until(lambda spectask: spectask.state == "done" and not spectask.uncommitted)
        return {"accepted": drawn(repository, story.id)}


async def parallel(world_of, repository):
    tasks = plan(task(1, "Add one", ONE, files="one.py"), task(2, "Add two", TWO, files="two.py"))
    async with world_of(story_of(tasks, {1: writes("one.py", "Added one."), 2: (ASK, *writes("two.py", "Added two."))})) as story:
        await second_goes_on_when_first_is_in(story)
        await story.until(reviewed)
        return {"reviewed": drawn(repository, story.id)}


async def conflict(world_of, repository):
    check = "python3 -c \"import names; assert '{}' in names.ALL\""
    tasks = plan(task(1, "Name one", check.format("one"), files="names.py"), task(2, "Name two", check.format("two"), files="names.py"))
    both = ((use("read", path="names.py"),), *writes("names.py", "Named both.", 'ALL = ["one", "two"]\n'))
    sessions = {1: edits("[\n]", '["one"]', "Named one."), 2: (ASK, *edits("[\n]", '["two"]', "Named two."), *both)}
    async with world_of(story_of(tasks, sessions)) as story:
        await second_goes_on_when_first_is_in(story)
        await story.until(reviewed)
        return {"resolved": drawn(repository, story.id)}


async def sent_back(world_of, repository):
    check = "python3 -c \"import limit, os; assert os.path.exists('{}') and len([n for n in os.listdir('.') if n.endswith('.txt')]) <= limit.LIMIT\""
    tasks = plan(task(1, "Add a", check.format("a.txt"), files="a.txt"), task(2, "Add b", check.format("b.txt"), files="b.txt"))
    mended = (
        (use("read", path="limit.py"),),
        *writes("limit.py", "Raised the limit in limit.py: two files are no longer too many.", "LIMIT = 2\n"),
    )
    async with world_of(story_of(tasks, {1: writes("a.txt", "Added a."), 2: (ASK, *writes("b.txt", "Added b."), *mended)})) as story:
        await second_goes_on_when_first_is_in(story)
        await story.until(reviewed)
        return {"mended": drawn(repository, story.id)}


async def revised(world_of, repository):
    tasks = plan(task(1, "Add one", ONE, files="one.py"), task(2, "Add two", TWO, files="two.py", depends="1"))
    async with world_of(story_of(tasks, {1: writes("one.py", "Added one."), 2: (ASK, *writes("two.py", "Added two."))})) as story:
        await story.create()
        await story.implement()
        await story.until(lambda spectask: len(spectask.sessions) > 1 and story.session(2).state == "waiting" and not spectask.uncommitted)
        live = story.spectask.documents["tasks"]
        content = live.content.replace(b"Add two", b"Add 2")
        await story.give(c.EditDocument(spectask=story.id, document="tasks", content=content, expects=live.content, kind="human"))
        await story.until(lambda spectask: not spectask.uncommitted)
        documents = tuple((name, document.digest) for name, document in story.spectask.documents.items())
        await story.give(c.ApproveDocuments(spectask=story.id, documents=documents))
        await story.until(lambda spectask: not spectask.uncommitted)
        await story.give(c.AnswerQuestion(spectask=story.id, run=story.session(2).id, answer="2"))
        await story.until(reviewed)
        return {"version 2": drawn(repository, story.id)}


async def synced(world_of, repository):
    async with world_of(story_of(plan(task(1, "Add one", ONE, files="one.py")), {1: writes("one.py", "Added one.")})) as story:
        await story.create()
        await story.implement()
        await story.until(reviewed)
        commit_files(repository, {"other.py": "OTHER = 1\n"}, "Meanwhile")
        await story.give(c.SyncTarget(spectask=story.id))
        await story.until(lambda spectask: not spectask.syncing and reviewed(spectask))
        return {"synced": drawn(repository, story.id, base="main~1")}


async def fresh(world_of, repository):
    sessions = {1: (*writes("left.txt", "Tried.", "from the first try\n"), (use("finish", summary="Still."),))}
    async with world_of(story_of(plan(task(1, "Add one", ONE, files="one.py, left.txt")), sessions)) as story:
        await story.create()
        await story.implement()
        await story.until(
            lambda spectask: any(session.state == "failed" for session in spectask.sessions.values()) and not spectask.uncommitted
        )
        sessions[1] = writes("one.py", "Added one.")
        await story.give(c.RetryRun(spectask=story.id, run=story.session().id, fresh=True))
        await story.until(reviewed)
        return {"done by a fresh attempt": drawn(repository, story.id)}


async def landed(world_of, repository):
    git(repository, "branch", "target")
    git(repository, "checkout", "--quiet", "target")
    async with world_of(story_of(plan(task(1, "Add one", ONE, files="one.py")), {1: writes("one.py", "Added one.")})) as story:
        await story.create()
        await story.implement()
        await story.until(reviewed)
        await story.give(c.AcceptSpecTask(spectask=story.id, feature=story.spectask.final))
        await story.until(lambda spectask: spectask.state == "done" and not spectask.uncommitted)
        git(repository, "checkout", "--quiet", "main")
        accepted = story.spectask
    repositories = Repositories(repository.parent / "landing", "test")
    try:
        assert land(repositories.open(repository), accepted, "Ada").how == "moved"
    finally:
        repositories.close()
    reflog = git(repository, "reflog", "show", "--format=%gs", "target").replace(accepted.id, "ID")
    return {"landed": drawn(repository, accepted.id), "what happened to target": reflog}


async def adopted(world_of, repository):
    commit_files(repository, {f".kiro/specs/names/{name}": text for name, text in KIRO.items()}, "Spec")

    def writing(request):
        steps = writes("known.py", "Returned the names.", "NAMES = []\n")
        return spoken(request, *steps[min(replies_before(request), 1)])

    async with world_of(writing, repository_settings=RepositorySettings(project_check="python3 -c 'import known'")) as story:
        await story.create("", adopt=repository / ".kiro/specs/names")
        await story.implement()
        await story.until(reviewed)
        return {"carried out": drawn(repository, story.id)}


async def killed(world_of, repository):
    """A writer that dies when its third commit is made, but not yet on its branch; the next one repeats the events."""
    folder = repository.parent / "bin"
    folder.mkdir()
    script = (
        f'case " $* " in *" update-ref "*) echo >> {folder}/count; [ "$(wc -l < {folder}/count)" = 3 ] && kill -9 $PPID && exit 1;; esac'
    )
    real = Repository.open(repository).runner.program
    (folder / "git").write_text(f'#!/bin/sh\n{script}\nexec {real} "$@"\n')
    (folder / "git").chmod(0o755)
    program = [sys.executable, commit_loop.__file__, str(repository), "writer", "0", "4"]
    died = subprocess.run(  # noqa: ASYNC221  nothing else runs
        program, env={**os.environ, "PATH": f"{folder}{os.pathsep}{os.environ['PATH']}"}, capture_output=True, check=False
    )
    assert died.returncode == -9
    assert died.stdout.count(b"\n") == 2
    seen = {"when it died": re.sub(r"pending/OID[0-9a-f]*-0|pending/[0-9a-f]+-0", "pending/SCRATCH", drawn(repository, "a-7k3f"))}
    Writer(Repository.open(repository)).recover()
    subprocess.run(program, capture_output=True, check=True)  # noqa: ASYNC221  the same
    return seen | {"after the next one": drawn(repository, "a-7k3f")}


STORIES = (plain, conflict, killed, parallel, sent_back, revised, synced, fresh, landed, adopted)
QUICK = (plain, conflict, killed)
"""These are told with every run, the others with `make e2e`: each takes a second or two."""


@pytest.mark.skipif(not probe().available, reason=probe().reason)
@pytest.mark.parametrize(
    "tell", [pytest.param(tell, id=tell.__name__, marks=[] if tell in QUICK else pytest.mark.slow) for tell in STORIES]
)
async def test_the_history_of_a_story_is_the_reviewed_one(tmp_path, repository, tell):
    before = fingerprint(repository)

    def world_of(story, **given):
        return world(tmp_path, repository, story, **given)

    found = await tell(world_of, repository)
    assert found == expected(FOLDER / f"{tell.__name__}.txt", found)
    if tell in QUICK:
        assert fingerprint(repository) == before


def test_every_file_belongs_to_a_story():
    assert {path.stem for path in FOLDER.iterdir()} == {tell.__name__ for tell in STORIES}
