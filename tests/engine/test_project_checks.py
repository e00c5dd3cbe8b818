"""The project's own checks beside a task's check: only what the work has made red goes back."""

import asyncio
import dataclasses
import math
from collections import Counter

import pytest

from specthread.agents.sandbox import probe
from specthread.agents.scripted import use
from specthread.engine.environment import Environment
from specthread.engine.once import Once
from specthread.engine.settings import ProjectCheckSettings, RepositorySettings
from support.engine_world import plan, story_of, task, world
from support.git_fixture import git, isolate_git, make_repository

pytestmark = pytest.mark.skipif(not probe().available, reason=probe().reason)

SUB = 'python3 -c "import calc; assert calc.sub(3, 1) == 2"'
OLD = "def add(a, b):\n    return a + b\n"
GOOD = f"{OLD}\n\ndef sub(a, b):\n    return a - b\n"
LINT = "! grep -rn TODO --include=*.py ."
MAKEFILE = f"lint:\n\t{LINT}\n"


@pytest.fixture
def start(tmp_path, monkeypatch):
    isolate_git(monkeypatch, tmp_path / "home")
    return lambda **files: make_repository(tmp_path / "checkout", {"calc.py": OLD, "Makefile": MAKEFILE, **files})


def writing(*texts):
    steps = [
        (
            (use("read", path="calc.py"),),
            (use("write", path="calc.py", text=text),),
            (use("finish", summary="Added sub."),),
        )
        for text in texts
    ]
    return tuple(step for each in steps for step in each)


async def told(story, run=None):
    events = [item.event for item in await story.engine.read_events(story.id, 0, run or story.session().id)]
    return [event.text for event in events if type(event).__name__ == "SessionSentBack"]


def reviewed(spectask):
    return spectask.state == "implementation_review"


def ended(spectask):
    return bool(spectask.sessions) and all(session.ended for session in spectask.sessions.values())


async def test_a_linter_that_the_work_has_made_red_sends_it_back_with_its_output(tmp_path, start):
    steps = writing(f"{GOOD}# TODO: more\n", GOOD)
    async with world(tmp_path, start(), story_of(plan(task(1, "Add sub", SUB)), {1: steps})) as story:
        await story.create()
        await story.implement()
        await story.until(reviewed)
        (back,) = await told(story)
        assert "make lint" in back
        assert "calc.py:7:# TODO: more" in back
        (check,) = story.session().verification.checks
        assert (check.kind, check.before, check.after) == ("lint", "green", "green")


async def test_a_linter_that_was_red_before_stays_silent_and_is_told_to_the_person(tmp_path, start):
    repository = start(**{"old.py": "# TODO: long ago\n"})
    async with world(tmp_path, repository, story_of(plan(task(1, "Add sub", SUB)), {1: writing(f"{GOOD}# TODO: more\n")})) as story:
        await story.create()
        await story.implement()
        await story.until(reviewed)
        verification = story.session().verification
        assert await told(story) == []
        assert [(check.before, check.after) for check in verification.checks] == [("red", "not-run")]
        assert "the project's lint check was red before the work, so it does not count: make lint" in verification.evidence


async def test_a_check_that_stays_red_ends_the_session_with_the_reason_and_its_worktree(tmp_path, start):
    async with world(tmp_path, start(), story_of(plan(task(1, "Add sub", SUB)), {1: writing(f"{GOOD}# TODO: more\n")})) as story:
        await story.create()
        await story.implement()
        await story.until(ended)
        session = story.session()
        assert (session.state, session.send_backs) == ("failed", 3)
        assert session.reason.startswith("the work did not pass verification after 3 corrections: the project's lint check `make lint`")
        assert (tmp_path / "state").glob(f"worktrees/*/{story.id}/ws-1/calc.py").__next__().read_text().endswith("# TODO: more\n")


async def test_settings_name_and_switch_off_checks_and_a_missing_tool_is_told_and_not_red(tmp_path, start):
    named = ProjectCheckSettings(commands={"lint": "", "types": "no-such-checker"})
    given = RepositorySettings(checks=named)
    steps = writing(f"{GOOD}# TODO: more\n")
    async with world(tmp_path, start(), story_of(plan(task(1, "Add sub", SUB)), {1: steps}), repository_settings=given) as story:
        await story.create()
        await story.implement()
        await story.until(reviewed)
        verification = story.session().verification
        assert [(check.kind, check.before) for check in verification.checks] == [("types", "cannot-run")]
        assert "the project's types check cannot run here: no-such-checker" in verification.evidence


async def test_the_formatter_runs_on_changed_files_before_the_commit_and_its_diff_is_evidence(tmp_path, start):
    squeeze = "sed -i 's/  *$//'"
    named = ProjectCheckSettings(detect=False, commands={"format": "! grep -rn ' $' --include=*.py ."}, formatter=squeeze)
    given = RepositorySettings(checks=named)
    steps = writing(GOOD.replace("a - b", "a - b   "))
    async with world(tmp_path, start(), story_of(plan(task(1, "Add sub", SUB)), {1: steps}), repository_settings=given) as story:
        await story.create()
        await story.implement()
        await story.until(reviewed)
        assert await told(story) == []
        assert git(tmp_path / "checkout", "show", f"spectask/{story.id}/feature:calc.py") == GOOD.rstrip("\n")
        assert "-    return a - b   \n+    return a - b" in story.session().verification.formatted


async def test_a_formatter_that_was_found_does_not_run_beside_a_format_check_that_settings_name(tmp_path, start):
    tool = tmp_path / "checkout" / ".venv" / "bin" / "ruff"
    repository = start(**{"ruff.toml": "", ".gitignore": ".venv/\n"})
    tool.parent.mkdir(parents=True)
    tool.write_text('#!/bin/sh\nfor path; do [ -f "$path" ] && echo \'# ruff\' >> "$path"; done; true\n')
    tool.chmod(0o755)
    given = RepositorySettings(checks=ProjectCheckSettings(commands={"format": "true", "lint": "", "types": "", "tests": ""}))
    steps = writing(GOOD)
    async with world(tmp_path, repository, story_of(plan(task(1, "Add sub", SUB)), {1: steps}), repository_settings=given) as story:
        await story.create()
        await story.implement()
        await story.until(reviewed)
        assert story.session().verification.formatted == ""
        assert git(tmp_path / "checkout", "show", f"spectask/{story.id}/feature:calc.py") == GOOD.rstrip("\n")


async def test_what_is_asked_by_many_at_once_is_worked_out_once_and_anew_after_the_time_for_which_it_holds():
    done, go, clock = [], asyncio.Event(), [0.0]
    once = Once(now=lambda: clock[0])

    async def work():
        done.append("x")
        await go.wait()
        return len(done)

    asking = [asyncio.create_task(once.get("key", work, lambda _: math.inf)) for _ in range(6)]
    await asyncio.sleep(0)
    go.set()
    assert await asyncio.gather(*asking) == [1] * 6
    assert await once.get("other", work, lambda _: 60) == 2
    clock[0] = 59.0
    assert await once.get("other", work, lambda _: 60) == 2
    clock[0] = 60.0
    assert await once.get("other", work, lambda _: 60) == 3
    assert await once.get("key", work, lambda _: 60) == 1


async def test_each_check_runs_once_on_a_starting_tree_also_where_another_is_missing_or_does_not_end(tmp_path, start, monkeypatch):
    commands = {"format": "true", "lint": LINT, "types": "no-such-checker", "tests": "sleep 60"}
    given = RepositorySettings(checks=ProjectCheckSettings(detect=False, commands=commands, formatter="true"), check_timeout=5.0)
    ran, run = Counter(), Environment.run

    async def counted(environment, command, *args):
        ran[command, environment.folder.name.partition("-ws")[0]] += 1
        return await run(environment, command, *args)

    monkeypatch.setattr(Environment, "run", counted)
    steps = writing(f"{GOOD}# TODO: more\n", GOOD)
    async with world(tmp_path, start(), story_of(plan(task(1, "Add sub", SUB)), {1: steps}), repository_settings=given) as story:
        await story.create()
        await story.implement()
        await story.until(reviewed)
        assert len(await told(story)) == 1
        checks = {check.kind: (check.before, check.after) for check in story.session().verification.checks}
    assert checks == {
        "format": ("green",) * 2,
        "lint": ("green",) * 2,
        "types": ("cannot-run", "not-run"),
        "tests": ("cannot-run", "not-run"),
    }
    assert {command: ran[command, "project-start"] for command in commands.values()} == dict.fromkeys(commands.values(), 1)


async def test_a_check_that_fails_by_chance_is_run_once_more_and_does_not_send_work_back(tmp_path, start, monkeypatch):
    given = RepositorySettings(checks=ProjectCheckSettings(detect=False, commands={"lint": "true"}))
    failed, run = [], Environment.run

    async def unlucky(environment, command, *args):
        result = await run(environment, command, *args)
        if command != "true" or not environment.folder.name.startswith("project-ws") or failed:
            return result
        failed.append(command)
        return dataclasses.replace(result, exit_code=1, output="by chance")

    monkeypatch.setattr(Environment, "run", unlucky)
    async with world(tmp_path, start(), story_of(plan(task(1, "Add sub", SUB)), {1: writing(GOOD)}), repository_settings=given) as story:
        await story.create()
        await story.implement()
        await story.until(reviewed)
        assert (failed, await told(story)) == (["true"], [])
        assert [(check.before, check.after) for check in story.session().verification.checks] == [("green", "green")]


@pytest.mark.parametrize("files", ["calc.py, Makefile", "calc.py"])
async def test_a_check_that_is_the_tasks_to_replace_is_told_to_the_person_and_else_sends_the_work_back(tmp_path, start, files):
    steps = (
        (use("shell", command="printf 'all:\\n' > Makefile; echo written"),),
        (use("read", path="calc.py"),),
        (use("write", path="calc.py", text=GOOD),),
        (use("finish", summary="Added sub and took the linter out of the Makefile."),),
    )
    async with world(tmp_path, start(), story_of(plan(task(1, "Add sub", SUB, files=files)), {1: steps})) as story:
        await story.create()
        await story.implement()
        if "Makefile" in files:
            await story.until(reviewed)
            assert await told(story) == []
            assert (
                "the project's lint check is the task's to replace, and its work takes it away: make lint"
                in story.session().verification.evidence
            )
        else:
            await story.until(ended)
            assert "make lint" in (await told(story))[0]
