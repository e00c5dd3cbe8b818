import pytest

from specthread.agents.sandbox import probe
from specthread.agents.scripted import use
from specthread.domain import commands as c
from specthread.domain.approval import is_approved
from support.engine_world import plan, story_of, task, world
from support.git_fixture import commit_files, fingerprint, git, isolate_git, make_repository

pytestmark = pytest.mark.skipif(not probe().available, reason=probe().reason)

ONE = 'python3 -c "import one"'
TWO = 'python3 -c "import two"'
SHARED_ONE = "python3 -c \"import names; assert 'one' in names.ALL\""
SHARED_TWO = "python3 -c \"import names; assert 'two' in names.ALL\""


def writes(path, text, summary):
    return (use("write", path=path, text=text),), (use("finish", summary=summary),)


@pytest.fixture
def repository(tmp_path, monkeypatch):
    isolate_git(monkeypatch, tmp_path / "home")
    return make_repository(tmp_path / "checkout", {"names.py": "ALL = [\n]\n", "README.md": "Names.\n"})


def reviewed(spectask):
    return spectask.state == "implementation_review" and not spectask.uncommitted


async def test_the_story_is_in_git_and_the_users_checkout_is_untouched(tmp_path, repository):
    commit_files(repository, {"README.md": "More names.\n"}, "Second")
    (repository / "README.md").write_text("Not committed yet.\n")
    (repository / "scratch.txt").write_text("mine\n")
    before = fingerprint(repository)
    base = git(repository, "rev-parse", "HEAD")
    tasks = plan(task(1, "Add one", ONE, files="one.py"), task(2, "Add two", TWO, files="two.py", depends="1"))
    sessions = {1: writes("one.py", "ONE = 1\n", "Added one."), 2: writes("two.py", "import one\n", "Added two.")}
    async with world(tmp_path, repository, story_of(tasks, sessions)) as story:
        await story.create()
        assert any("README.md" in warning for warning in story.spectask.warnings)
        await story.implement()
        await story.until(reviewed)
        await story.give(c.AcceptSpecTask(spectask=story.id, feature=story.spectask.final))
        await story.until(lambda spectask: spectask.state == "done" and not spectask.uncommitted)
        name = f"spectask/{story.id}"
        subjects = git(repository, "log", "--reverse", "--first-parent", "--format=%s", f"{base}..{name}/feature").splitlines()
        assert [subject.split(":")[0] for subject in subjects] == ["Publish v1", "Merge task 1", "Merge task 2", "Publish final"]
        roots = git(repository, "rev-list", "--max-parents=0", f"{name}/specs").splitlines()
        assert len(roots) == 1
        assert roots[0] not in git(repository, "rev-list", "main")
        assert git(repository, "cat-file", "-t", f"refs/tags/{name}/v1") == "tag"
        trailers = git(repository, "log", "-1", "--format=%(trailers:only,unfold)", "--grep=Merge task 2", f"{name}/feature")
        assert {line.split(":")[0] for line in trailers.splitlines() if line} == {
            "Spec-Task",
            "Spec-Requirement",
            "Spec-Session",
            "Specthread-Event",
        }
        root = f".specs/{story.id}"
        paths = set(git(repository, "ls-tree", "-r", "--name-only", f"{name}/specs").splitlines())
        assert {
            f"{root}/{file}" for file in ("requirements.md", "design.md", "tasks.md", "report.md", "cost.json", "spec-metadata.json")
        } <= paths
        assert f"{root}/sessions/ws-2/00/0001.md" in paths
        assert "**Says it is done:** Added two." in git(repository, "show", f"{name}/specs:{root}/sessions/ws-2/00/0002.md")
        assert git(repository, "show", f"{name}/feature:{root}/tasks.md").count("- [x]") == 2
        assert git(repository, "show", f"{name}/specs:{root}/tasks.md") == git(repository, "show", f"{name}/feature:{root}/tasks.md")
    assert fingerprint(repository) == before


async def test_a_tick_keeps_the_approval_and_a_changed_word_voids_it(tmp_path, repository):
    tasks = plan(task(1, "Add one", ONE, files="one.py"), task(2, "Add two", TWO, files="two.py", depends="1"))
    ask = ((use("ask", question="Which number?"),), *writes("two.py", "", "Added two."))
    async with world(tmp_path, repository, story_of(tasks, {1: writes("one.py", "", "Added one."), 2: ask})) as story:
        await story.create()
        await story.implement()
        await story.until(lambda spectask: len(spectask.sessions) > 1 and story.session(2).state == "waiting" and not spectask.uncommitted)
        assert story.spectask.tasks["1"].state == "merged"
        assert is_approved(story.spectask)
        live = story.spectask.documents["tasks"]
        changed = live.content.replace(b"Add two", b"Add 2")
        await story.give(c.EditDocument(spectask=story.id, document="tasks", content=changed, expects=live.content, kind="human"))
        assert not is_approved(story.spectask)
        await story.give(c.AnswerQuestion(spectask=story.id, run=story.session(2).id, answer="2"))
        await story.until(lambda spectask: spectask.tasks["2"].state == "verified")
        assert story.session(2).state == "merging"
        documents = tuple((name, document.digest) for name, document in story.spectask.documents.items())
        await story.until(lambda spectask: not spectask.uncommitted)
        await story.give(c.ApproveDocuments(spectask=story.id, documents=documents))
        await story.until(reviewed)
        assert [version.number for version in story.spectask.versions] == [1, 2]
        assert git(repository, "cat-file", "-t", f"refs/tags/spectask/{story.id}/v2") == "tag"


async def test_a_conflict_stops_only_its_session_which_runs_again_and_merges(tmp_path, repository):
    tasks = plan(task(1, "Name one", SHARED_ONE, files="names.py"), task(2, "Name two", SHARED_TWO, files="names.py"))
    first = (
        (use("read", path="names.py"),),
        (use("edit", path="names.py", old="[\n]", new='["one"]'),),
        (use("finish", summary="Named one."),),
    )
    second = (
        (use("read", path="names.py"),),
        (use("edit", path="names.py", old="[\n]", new='["two"]'),),
        (use("finish", summary="Named two."),),
        (use("read", path="names.py"),),
        (use("write", path="names.py", text='ALL = ["one", "two"]\n'),),
        (use("finish", summary="Named both."),),
    )

    def resolves(own, steps):
        return (*first[:1], *steps[1:3], *second[3:]) if own else steps

    sessions = {1: resolves(True, first), 2: second}
    async with world(tmp_path, repository, story_of(tasks, sessions)) as story:
        await story.create()
        await story.implement()
        await story.until(reviewed)
        conflicts = [session.conflicts for session in story.spectask.sessions.values()]
        assert sorted(conflicts) == [0, 1]
        assert git(repository, "show", f"spectask/{story.id}/feature:names.py") == 'ALL = ["one", "two"]'
        loser = next(session for session in story.spectask.sessions.values() if session.conflicts)
        assert len(git(repository, "rev-list", "-1", "--parents", f"spectask/{story.id}/ws-{loser.number}").split()) == 3


async def test_work_that_is_green_alone_but_red_when_merged_goes_back(tmp_path, repository):
    commit_files(repository, {"limit.py": "LIMIT = 2\n"}, "Limit")
    one = "python3 -c \"import limit, os; assert os.path.exists('a.txt') and len([n for n in os.listdir('.') if n.endswith('.txt')]) < limit.LIMIT\""
    two = one.replace("a.txt", "b.txt")
    fixes = (
        (use("read", path="limit.py"),),
        (use("write", path="limit.py", text="LIMIT = 3\n"),),
        (use("finish", summary="Raised the limit in limit.py: two files are no longer too many."),),
    )
    tasks = plan(task(1, "Add a", one, files="a.txt"), task(2, "Add b", two, files="b.txt"))
    sessions = {1: (*writes("a.txt", "", "Added a."), *fixes), 2: (*writes("b.txt", "", "Added b."), *fixes)}
    async with world(tmp_path, repository, story_of(tasks, sessions)) as story:
        await story.create()
        await story.implement()
        await story.until(reviewed)
        causes = [
            item.event.cause
            for session in story.spectask.sessions
            for item in await story.engine.read_events(story.id, 0, session)
            if type(item.event).__name__ == "SessionSentBack"
        ]
        assert causes == ["merged-check"]


async def test_the_result_of_a_dependency_reaches_the_next_session(tmp_path, repository):
    seen = []
    tasks = plan(task(1, "Add one", ONE, files="one.py"), task(2, "Add two", TWO, files="two.py", depends="1"))
    tell = story_of(tasks, {1: writes("one.py", "", "The trick is in the kettle."), 2: writes("two.py", "", "Added two.")})

    def noting(request):
        seen.append((request.run, request.messages[0].content[0].text))
        return tell(request)

    async with world(tmp_path, repository, noting) as story:
        await story.create()
        await story.implement()
        await story.until(reviewed)
    openings = {run.rpartition("/")[2]: text for run, text in seen}
    assert "The trick is in the kettle." in openings["ws-2"]
    assert "The trick is in the kettle." not in openings["ws-1"]


@pytest.mark.parametrize("conflicting", [False, True])
async def test_a_moved_target_is_merged_in_and_verified_again(tmp_path, repository, conflicting):
    tasks = plan(task(1, "Add one", ONE, files="one.py"))
    async with world(tmp_path, repository, story_of(tasks, {1: writes("one.py", "", "Added one.")})) as story:
        await story.create()
        await story.implement()
        await story.until(reviewed)
        final = story.spectask.final
        moved = commit_files(repository, {"one.py": "import missing\n"} if conflicting else {"other.py": "OTHER = 1\n"}, "Meanwhile")
        await story.give(c.SyncTarget(spectask=story.id))
        await story.until(lambda spectask: not spectask.syncing and reviewed(spectask))
        if conflicting:
            remark = c.Remark(comment="c-1", quote="", section="", line=1, text="Later.")
            await story.give(c.AddComment(spectask=story.id, document="design", remark=remark))
            await story.until(lambda spectask: spectask.comments and not spectask.uncommitted)
            assert "import one" in story.spectask.trouble
            assert story.spectask.final == final
        else:
            assert git(repository, "merge-base", moved, f"spectask/{story.id}/feature") == moved
            assert story.spectask.final != final
        assert git(repository, "rev-parse", "main") == moved


@pytest.mark.parametrize("stop", ["word", "pause"])
async def test_a_word_changed_or_a_pause_while_the_merge_is_checked_stops_the_merge(tmp_path, repository, monkeypatch, stop):
    from specthread.engine import merging

    real = merging.run_check
    once = []

    async def interrupted(*given, **named):
        run = await real(*given, **named)
        if not once:
            once.append(True)
            if stop == "pause":
                await story.give(c.PauseRun(spectask=story.id, run=named["use"].replace("merge-", f"{story.id}/")))
            else:
                live = story.spectask.documents["tasks"]
                content = live.content.replace(b"Add one", b"Add 1").replace(b"Add two", b"Add 2")
                await story.give(c.EditDocument(spectask=story.id, document="tasks", content=content, expects=live.content, kind="human"))
        return run

    monkeypatch.setattr(merging, "run_check", interrupted)
    tasks = plan(task(1, "Add one", ONE, files="one.py"), task(2, "Add two", TWO, files="two.py"))
    async with world(
        tmp_path, repository, story_of(tasks, {1: writes("one.py", "", "Added one."), 2: writes("two.py", "", "Added two.")})
    ) as story:
        await story.create()
        await story.implement()
        await story.until(
            lambda spectask: (
                once and (spectask.sessions and all(s.state in {"merging", "paused", "completed"} for s in spectask.sessions.values()))
            )
        )
        if stop == "pause":
            await story.until(lambda spectask: sorted(s.state for s in spectask.sessions.values()) == ["completed", "paused"])
            paused = next(s for s in story.spectask.sessions.values() if s.state == "paused")
            await story.give(c.ResumeRun(spectask=story.id, run=paused.id))
        else:
            assert sorted(s.state for s in story.spectask.sessions.values()) == ["completed", "merging"]
            await story.until(lambda spectask: not spectask.uncommitted)
            documents = tuple((name, document.digest) for name, document in story.spectask.documents.items())
            await story.give(c.ApproveDocuments(spectask=story.id, documents=documents))
        await story.until(reviewed)
