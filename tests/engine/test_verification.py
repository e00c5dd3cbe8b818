import asyncio
import os
import re
import venv

import pytest

from specthread.agents.sandbox import probe
from specthread.agents.scripted import use
from specthread.domain import commands as c
from specthread.engine.settings import RepositorySettings
from support.engine_world import plan, story_of, task, world
from support.git_fixture import commit_files, git, isolate_git, make_repository

pytestmark = pytest.mark.skipif(not probe().available, reason=probe().reason)

START = {"calc.py": "def add(a, b):\n    return a + b\n"}
SUB = 'python3 -c "import calc; assert calc.sub(3, 1) == 2"'
GOOD = "def add(a, b):\n    return a + b\n\n\ndef sub(a, b):\n    return a - b\n"
WRITE = (use("read", path="calc.py"),), (use("write", path="calc.py", text=GOOD),), (use("finish", summary="Added sub."),)


@pytest.fixture
def repository(tmp_path, monkeypatch):
    isolate_git(monkeypatch, tmp_path / "home")
    return make_repository(tmp_path / "checkout", START)


def merged(spectask):
    return spectask.state == "implementation_review"


def ended(spectask):
    return bool(spectask.sessions) and all(session.ended for session in spectask.sessions.values())


async def test_a_check_red_before_and_green_after_is_verified_and_merged(tmp_path, repository):
    async with world(tmp_path, repository, story_of(plan(task(1, "Add sub", SUB)), {1: WRITE})) as story:
        await story.create()
        await story.implement()
        await story.until(merged)
        verification = story.session().verification
        assert (verification.outcome, verification.before_exit, verification.after_exit) == ("verified", 1, 0)
        assert "def sub" in git(repository, "show", f"spectask/{story.id}/feature:calc.py")


async def test_a_check_that_is_green_before_the_work_is_only_weak(tmp_path, repository):
    check = 'python3 -c "import calc; assert calc.add(1, 1) == 2"'
    async with world(tmp_path, repository, story_of(plan(task(1, "Add sub", check)), {1: WRITE})) as story:
        await story.create()
        await story.implement()
        await story.until(merged)
        assert story.session().verification.outcome == "weak"
        assert story.spectask.tasks["1"].weak


async def test_a_session_that_finishes_without_work_is_sent_back_three_times_and_then_fails(tmp_path, repository):
    idle = ((use("finish", summary="All done, trust me."),),)
    async with world(tmp_path, repository, story_of(plan(task(1, "Add sub", SUB)), {1: idle})) as story:
        await story.create()
        await story.implement()
        await story.until(ended)
        session = story.session()
        assert (session.state, session.send_backs, session.verification.outcome) == ("failed", 3, "no-work")
        assert story.spectask.tasks["1"].state == "blocked"
        assert "- [ ] 1. Add sub" in git(repository, "show", f"spectask/{story.id}/specs:.specs/{story.id}/tasks.md")


async def test_work_whose_check_stays_red_goes_back_with_the_output_and_is_corrected(tmp_path, repository):
    wrong = GOOD.replace("a - b", "b - a")
    steps = (
        (use("read", path="calc.py"),),
        (use("write", path="calc.py", text=wrong),),
        (use("finish", summary="Added sub."),),
        (use("read", path="calc.py"),),
        (use("write", path="calc.py", text=GOOD),),
        (use("finish", summary="Corrected sub."),),
    )
    async with world(tmp_path, repository, story_of(plan(task(1, "Add sub", SUB)), {1: steps})) as story:
        await story.create()
        await story.implement()
        await story.until(merged)
        events = [item.event for item in await story.engine.read_events(story.id, 0, story.session().id)]
        back = next(event for event in events if type(event).__name__ == "SessionSentBack")
        assert "AssertionError" in back.text
        assert story.session().send_backs == 1


async def test_files_outside_the_task_come_back_until_the_agent_says_why_they_changed(tmp_path, repository):
    steps = (
        (use("read", path="calc.py"),),
        (use("write", path="calc.py", text=GOOD), use("write", path="docs/sub.md", text="sub subtracts.\n")),
        (use("finish", summary="Added sub."),),
        (use("finish", summary="Added sub, and docs/sub.md because readers look there."),),
    )
    async with world(tmp_path, repository, story_of(plan(task(1, "Add sub", SUB)), {1: steps})) as story:
        await story.create()
        await story.implement()
        await story.until(merged)
        events = [item.event for item in await story.engine.read_events(story.id, 0, story.session().id)]
        outcomes = [event.verification.outcome for event in events if type(event).__name__ == "CheckFinished"]
        back = next(event for event in events if type(event).__name__ == "SessionSentBack")
        assert outcomes == ["unexplained", "verified"]
        assert "docs/sub.md" in back.text
        assert "outside the task's files: docs/sub.md" in story.session().verification.evidence


async def test_of_hundreds_of_files_outside_the_task_a_few_are_named_and_the_rest_counted(tmp_path, repository):
    steps = (
        (use("shell", command="mkdir test && for i in $(seq 400); do echo x > test/some-longer-name-$i.txt; done; echo made"),),
        *WRITE,
        (use("finish", summary="Added sub."),),
    )
    async with world(tmp_path, repository, story_of(plan(task(1, "Add sub", SUB)), {1: steps})) as story:
        await story.create()
        await story.implement()
        await story.until(ended)
        events = [item.event for item in await story.engine.read_events(story.id, 0, story.session().id)]
        back = next(event for event in events if type(event).__name__ == "SessionSentBack")
        verification = story.session().verification
    assert "test/some-longer-name-1.txt" in back.text
    assert re.search(r" and 3\d\d more\.", back.text)
    assert len(back.text) < 3_000
    assert (len(verification.evidence), verification.evidence[-1]) == (21, "outside the task's files: 380 more")


async def test_git_folders_and_the_spec_folder_are_left_out_of_the_work_and_reported(tmp_path, repository):
    def steps(identifier):
        return (
            (
                use(
                    "shell",
                    command="mkdir -p sub/.git/hooks && echo evil > sub/.git/hooks/post-commit; echo x > .gitmodules; rm -f .git; echo gone",
                ),
            ),
            (use("shell", command=f"mkdir -p .specs/{identifier} && sed -i 's/ ]/x]/' .specs/{identifier}/tasks.md; echo ticked"),),
            *WRITE,
        )

    sessions = {}
    async with world(tmp_path, repository, story_of(plan(task(1, "Add sub", SUB)), sessions)) as story:
        await story.create()
        sessions[1] = steps(story.id)
        await story.implement()
        await story.until(merged)
        dropped = "\n".join(story.session().verification.dropped)
        assert ".gitmodules" in dropped
        assert "sub/.git" in dropped or "sub" in dropped
        assert f".specs/{story.id}/tasks.md" in dropped
        paths = git(repository, "ls-tree", "-r", "--name-only", f"spectask/{story.id}/ws-1").splitlines()
        assert not [path for path in paths if ".git" in path]
        assert "- [ ] 1." in git(repository, "show", f"spectask/{story.id}/ws-1:.specs/{story.id}/tasks.md")


async def test_with_an_editable_install_in_the_checkout_it_is_the_agents_code_that_is_checked(tmp_path, repository):
    (repository / ".gitignore").write_text(".venv/\n")
    git(repository, "add", ".")
    git(repository, "commit", "--quiet", "-m", "Ignore the venv")
    await asyncio.to_thread(venv.create, repository / ".venv")
    site = next((repository / ".venv" / "lib").glob("python3*/site-packages"))
    (site / "calc_editable.pth").write_text(f"{repository}\n")  # what an editable install leaves behind
    check = "cd / && python3 -c 'import calc; assert calc.add(1, 1) == 2'"
    broken = (
        (use("read", path="calc.py"),),
        (use("write", path="calc.py", text="def add(a, b):\n    return 0\n"),),
        (use("finish", summary="Done."),),
    )
    async with world(tmp_path, repository, story_of(plan(task(1, "Keep add", check)), {1: broken})) as story:
        await story.create()
        await story.implement()
        await story.until(ended)
        verification = story.session().verification
        assert (verification.outcome, verification.before_exit) == ("red", 0)
        assert "AssertionError" in verification.output


async def test_a_check_that_cannot_run_asks_a_human_and_goes_on_with_the_answer(tmp_path, repository):
    async with world(tmp_path, repository, story_of(plan(task(1, "Add sub", "no-such-program --check")), {1: WRITE})) as story:
        await story.create()
        await story.implement()
        await story.until(lambda spectask: bool(spectask.sessions) and story.session().state == "waiting")
        assert "no-such-program" in story.session().question.text
        await story.give(c.AnswerQuestion(spectask=story.id, run=story.session().id, answer="The program is not needed."))
        await story.until(lambda spectask: story.session().claims > 1)


async def test_a_run_without_a_single_test_is_not_green(tmp_path, repository):
    commit_files(repository, {"tests/__init__.py": ""}, "Make room for tests")
    steps = (*WRITE[:2], (use("write", path="run_tests.py", text="print('Ran 0 tests in 0.000s')\n"),), (use("finish", summary="Tested."),))
    async with world(tmp_path, repository, story_of(plan(task(1, "Add sub", "python3 run_tests.py")), {1: steps})) as story:
        await story.create()
        await story.implement()
        await story.until(ended)
        assert story.session().state == "failed"
        assert "No test ran" in story.session().verification.output


async def test_what_a_check_writes_is_thrown_away(tmp_path, repository):
    check = f"touch left-behind && {SUB}"
    async with world(tmp_path, repository, story_of(plan(task(1, "Add sub", check)), {1: WRITE})) as story:
        await story.create()
        await story.implement()
        await story.until(merged)
        assert "left-behind" not in git(repository, "ls-tree", "-r", "--name-only", f"spectask/{story.id}/feature")
        assert not list((tmp_path / "state" / "scratch").rglob("left-behind"))


async def test_with_a_folder_of_the_checkout_on_path_it_is_the_agents_code_that_is_checked(tmp_path, repository, monkeypatch):
    commit_files(repository, {"bin/tool": "", "lib/x": ""}, "Programs")
    monkeypatch.setenv("PATH", f"{repository}/bin:{os.environ['PATH']}")
    check = "python3 -c 'import calc; assert calc.add(1, 1) == 2'"
    broken = (
        (use("read", path="calc.py"),),
        (use("write", path="calc.py", text="def add(a, b):\n    return 0\n"),),
        (use("finish", summary="Done."),),
    )
    async with world(tmp_path, repository, story_of(plan(task(1, "Keep add", check)), {1: broken})) as story:
        await story.create()
        await story.implement()
        await story.until(ended)
        assert story.session().verification.outcome == "red"


TIDY = (
    (use("read", path="calc.py"),),
    (use("edit", path="calc.py", old="    return a + b", new="    total = a + b\n    return total"),),
    (use("finish", summary="Tidied."),),
)


async def test_a_regression_task_is_verified_by_the_projects_check(tmp_path, repository):
    project = RepositorySettings(project_check="python3 -c 'import calc; assert calc.add(1, 1) == 2'")
    tasks = plan(task(1, "Tidy", "regression"))
    async with world(tmp_path, repository, story_of(tasks, {1: TIDY}), repository_settings=project) as story:
        await story.create()
        await story.implement()
        await story.until(merged)
        found = story.session().verification
        assert (found.outcome, found.check, found.before_exit, found.after_exit) == ("verified", project.project_check, 0, 0)
        assert not story.spectask.tasks["1"].weak


async def test_without_a_project_check_a_regression_task_is_checked_by_what_is_merged_and_not_by_what_is_open(tmp_path, repository):
    gone = "cd /tmp && test ! -e calc.py"
    tasks = plan(
        task(1, "Add sub", SUB),
        task(2, "Note", f"{gone} && test -e $OLDPWD/note", depends="1", files="note"),
        task(3, "Tidy", "regression", depends="1, 2"),
        task(4, "Later", "test -e later", depends="3", files="later"),
    )

    def creates(name):
        return (use("write", path=name, text="x\n"),), (use("finish", summary="Created."),)

    async with world(tmp_path, repository, story_of(tasks, {1: WRITE, 2: creates("note"), 3: TIDY, 4: creates("later")})) as story:
        await story.create()
        await story.implement()
        await story.until(merged)
        found = next(session for session in story.spectask.sessions.values() if session.task == "3").verification
        assert (found.outcome, found.check) == ("verified", f"({SUB}) && ({gone} && test -e $OLDPWD/note)")


async def test_where_nothing_can_check_a_regression_task_a_human_is_told_how_to_name_a_project_check(tmp_path, repository):
    async with world(tmp_path, repository, story_of(plan(task(1, "Tidy", "regression")), {1: TIDY})) as story:
        await story.create()
        await story.implement()
        await story.until(lambda spectask: bool(spectask.sessions) and story.session().state == "waiting")
        assert story.session().verification.outcome == "cannot-run"
        assert "project = 'make test'" in story.session().question.text


async def test_a_text_about_conflicts_may_hold_markers(tmp_path, repository):
    steps = (
        (use("write", path="guide.md", text="Git writes:\n<<<<<<< ours\n=======\n>>>>>>> theirs\n"),),
        (use("finish", summary="Explained conflicts."),),
    )
    async with world(tmp_path, repository, story_of(plan(task(1, "Guide", "test -e guide.md", files="guide.md")), {1: steps})) as story:
        await story.create()
        await story.implement()
        await story.until(merged)
        assert story.session().verification.outcome == "verified"


async def test_keys_are_kept_out_of_the_commit_and_of_what_is_kept_of_the_checks_output(tmp_path, repository):
    key = f"-----BEGIN {'PRIVATE'} KEY-----\n" + "MIIEabc\n" * 800 + "-----END PRIVATE KEY-----\n"
    commit_files(repository, {"key.pem": key}, "Key")
    steps = (*WRITE[:2], (use("finish", summary=f"Added sub. Found {key}"),))
    async with world(tmp_path, repository, story_of(plan(task(1, "Add sub", f"cat key.pem && {SUB}")), {1: steps})) as story:
        await story.create()
        await story.implement()
        await story.until(merged)
        assert "MIIE" not in story.session().verification.output
        assert "MIIE" not in git(repository, "log", "--format=%B", f"spectask/{story.id}/ws-1")


async def test_names_that_are_no_text_are_told_in_a_way_that_can_be_written_down(tmp_path, repository):
    named = (use("shell", command="touch $'caf\\xe9.txt'; mkfifo $'pipe\\xe9'; echo made"),)
    steps = (named, *WRITE[:-1], (use("finish", summary="Added sub, and caf\N{REPLACEMENT CHARACTER}.txt for its name."),))
    async with world(tmp_path, repository, story_of(plan(task(1, "Add sub", SUB)), {1: steps})) as story:
        await story.create()
        await story.implement()
        await story.until(merged)
        found = story.session().verification
        assert found.outcome == "verified"
        assert "caf\N{REPLACEMENT CHARACTER}.txt" in found.changed
        assert found.dropped == ("pipe\N{REPLACEMENT CHARACTER}: special-file",)


@pytest.mark.skipif(os.geteuid() == 0, reason="root deletes everything")
async def test_a_check_that_leaves_a_read_only_folder_does_not_stop_the_next_one(tmp_path, repository):
    check = f"mkdir -p shut && touch shut/file && chmod 500 shut && {SUB}"
    async with world(tmp_path, repository, story_of(plan(task(1, "Add sub", check)), {1: WRITE})) as story:
        await story.create()
        await story.implement()
        await story.until(merged)
        assert not list((tmp_path / "state" / "scratch").rglob("shut"))
