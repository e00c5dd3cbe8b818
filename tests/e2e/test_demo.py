from __future__ import annotations

import asyncio
import json
import os
import random
import re
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import psutil
import pytest

from specthread.agents.demo.material import toy_files
from specthread.cli.demo_toy import make_toy_repository
from specthread.cli.demo_verdict import verdict_on
from specthread.protocol.wire_view import SpecTaskView
from support.demo_run import DemoEnd, play
from support.git_fixture import fingerprint, git, isolate_git, make_repository

ID = "add-json-view-totals-view-demo"
FEATURE, SPECS = f"spectask/{ID}/feature", f"spectask/{ID}/specs"
RECORDS = f".specs/{ID}"
WHOLE = ("state", "tasks", "sessions", "approvals", "documents", "feature_tree")
"""What a story must come to, however often it was interrupted."""


@dataclass(frozen=True)
class Told:
    end: DemoEnd
    repository: Path
    before: dict[str, str]
    after: dict[str, str]


@pytest.fixture(scope="module")
def told(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Told]:
    folder = tmp_path_factory.mktemp("demo")
    with pytest.MonkeyPatch.context() as monkeypatch:
        isolate_git(monkeypatch, folder / "home")
        monkeypatch.setenv("PATH", os.environ["PATH"])
        repository = folder / "hours"
        make_toy_repository(repository)
        before = fingerprint(repository)
        end = asyncio.run(play(folder))
        yield Told(end=end, repository=repository, before=before, after=fingerprint(repository))


def subjects(told: Told, *arguments: str) -> list[str]:
    return git(told.repository, "log", "--format=%s", *arguments).splitlines()


# --- the story, in git --------------------------------------------------------------------------------------------------


def test_every_task_is_merged_and_accepted(told: Told):
    assert told.end.state == "done"
    assert told.end.tasks == dict.fromkeys("1234", "merged")
    assert set(told.end.sessions.values()) == {f"completed task {number}" for number in "1234"}
    assert told.end.events >= 80


def test_no_call_number_is_sent_twice(told: Told):
    assert all(list(numbers) == list(range(1, len(numbers) + 1)) for numbers in told.end.calls.values())


def test_the_checkout_and_everything_of_the_user_is_byte_for_byte_as_before(told: Told):
    assert told.after == told.before


def test_the_specs_branch_has_no_parent_in_the_code(told: Told):
    roots = git(told.repository, "rev-list", "--max-parents=0", SPECS).splitlines()
    assert len(roots) == 1
    assert roots != git(told.repository, "rev-list", "--max-parents=0", "main").splitlines()


def test_the_first_parent_line_of_the_feature_branch_is_publish_merges_publish(told: Told):
    first, *merges, last = reversed(subjects(told, "--first-parent", f"main..{FEATURE}"))
    assert first.startswith("Publish v1")
    assert last.startswith("Publish final")
    assert sorted(merge.partition(":")[0] for merge in merges) == [f"Merge task {number}" for number in "1234"]


def test_every_merge_names_its_task_requirements_and_session(told: Told):
    bodies = git(told.repository, "log", "--first-parent", "--merges", "--format=%(trailers:only)%x00", f"main..{FEATURE}").split("\0")
    for body in filter(str.strip, bodies):
        for trailer in ("Spec-Task", "Spec-Requirement", "Spec-Session", "Specthread-Event"):
            assert re.search(rf"^{trailer}: \S", body, re.MULTILINE), body


def test_one_session_was_sent_back_and_one_conflict_was_merged_by_running_again(told: Told):
    own = {number: subjects(told, "--first-parent", f"main..spectask/{ID}/ws-{number}") for number in (1, 2, 3, 4)}
    work = {number: [subject for subject in found if not subject.startswith("Publish")] for number, found in own.items()}
    assert len(work[1]) + len(work[2]) == 4, "two claims and one more for each way back"
    two_parents = git(told.repository, "rev-list", "--merges", f"spectask/{ID}/ws-1", f"spectask/{ID}/ws-2", "--not", "main").splitlines()
    assert two_parents


def test_every_tick_belongs_to_a_merged_task_and_voids_no_approval(told: Told):
    for branch in (SPECS, FEATURE):
        tasks = git(told.repository, "show", f"{branch}:{RECORDS}/tasks.md")
        assert re.findall(r"^- \[(.)\] (\d)\.", tasks, re.MULTILINE) == [("x", number) for number in "1234"]
    approved = json.loads(git(told.repository, "show", f"{SPECS}:{RECORDS}/review/approvals.json"))
    assert told.end.approvals["tasks"] in json.dumps(approved)


def test_the_humans_edit_survives_the_planners_revision(told: Told):
    requirements = git(told.repository, "show", f"{SPECS}:{RECORDS}/requirements.md")
    assert "its time as h:mm" in requirements
    assert "exit with code 2" in requirements
    authors = git(told.repository, "log", "--format=%an", "--grep=Specthread-Edit: human", SPECS)
    assert authors == "DEMO human"


def test_the_comment_and_its_answer_are_in_git(told: Told):
    comment = git(told.repository, "show", f"{SPECS}:{RECORDS}/review/c-1.json")
    assert "Which exit code?" in comment
    assert "argparse refuses" in comment


def test_every_run_left_its_transcript(told: Told):
    files = git(told.repository, "ls-tree", "-r", "--name-only", SPECS, f"{RECORDS}/sessions/").splitlines()
    for run in ("plan-1", "plan-2", "ws-1", "ws-2", "ws-3", "ws-4"):
        assert f"{RECORDS}/sessions/{run}/00/0001.md" in files


def test_the_report_and_the_tag_are_there(told: Told):
    assert "4 of 4" in git(told.repository, "show", f"{SPECS}:{RECORDS}/report.md")
    assert "version 1, approved by DEMO human" in git(told.repository, "cat-file", "-p", f"spectask/{ID}/v1")


def test_the_answer_decided_the_code(told: Told):
    assert "most_common" in git(told.repository, "show", f"{FEATURE}:hours/totals_view.py")


def test_the_feature_branchs_own_tests_pass(told: Told, tmp_path: Path):
    git(told.repository, "archive", "--output", str(tmp_path / "feature.tar"), FEATURE)
    subprocess.run(["tar", "-xf", "feature.tar"], cwd=tmp_path, check=True)
    subprocess.run([sys.executable, "-m", "unittest"], cwd=tmp_path, check=True, capture_output=True)


@pytest.mark.parametrize("stop_after", [33, 93, 151])
async def test_a_story_that_a_crash_cut_in_two_ends_the_same(told: Told, stop_after: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    isolate_git(monkeypatch, tmp_path / "home")
    monkeypatch.setenv("PATH", os.environ["PATH"])
    assert (await play(tmp_path, stop_after=stop_after)).stopped
    end = await play(tmp_path)
    assert {name: getattr(end, name) for name in WHOLE} == {name: getattr(told.end, name) for name in WHOLE}


# --- the command --------------------------------------------------------------------------------------------------------


def environment(home: Path, **more: str) -> dict[str, str]:
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("XDG_", "GIT_", "SPECTHREAD_", "ANTHROPIC_"))}
    return {**kept, "HOME": str(home), "TMPDIR": str(home), **more}


def demo(home: Path, *arguments: str, **more: str) -> subprocess.CompletedProcess[str]:
    home.mkdir(exist_ok=True)
    command = [sys.executable, "-m", "specthread", "demo", *arguments]
    return subprocess.run(command, env=environment(home, **more), capture_output=True, text=True, check=False, timeout=120)


def processes_about(folder: Path) -> list[str]:
    about = []
    for process in psutil.process_iter():
        try:
            named = [*process.cmdline(), process.environ().get("SPECTHREAD_STATE", "")]
        except (psutil.NoSuchProcess, psutil.AccessDenied, psutil.ZombieProcess):
            continue
        about += [" ".join(named)] if any(str(folder) in word for word in named) and process.pid != os.getpid() else []
    return about


@pytest.mark.slow
def test_the_demo_plays_without_a_key_and_leaves_only_the_repository(tmp_path: Path):
    done = demo(tmp_path / "home", "--dir", str(tmp_path / "play"), "--json")
    assert done.returncode == 0, done.stderr
    told = json.loads(done.stdout)
    assert told["ok"]
    assert told["problems"] == []
    assert told["cost_usd"] == "0"
    assert told["events"] >= 80
    assert [path.name for path in (tmp_path / "play").iterdir()] == ["hours"]
    assert processes_about(tmp_path / "play") == []
    for command in told["look"]:
        looked = subprocess.run(command, shell=True, cwd=told["repository"], capture_output=True, text=True, check=True)
        assert looked.stdout, command


@pytest.mark.slow
def test_the_demo_shows_its_label_the_typed_commands_and_the_linter(tmp_path: Path):
    done = demo(tmp_path / "home", "--dir", str(tmp_path / "play"))
    assert done.returncode == 0, done.stderr
    assert done.stderr.startswith("DEMO  no model is used, nothing here was reasoned")
    for verb in ("new", "comment", "request-changes", "approve", "run", "answer", "accept"):
        assert re.search(rf"^\$ specthread {verb} ", done.stderr, re.MULTILINE), verb
    assert "warning ears/separator" in done.stderr
    assert "4 tasks, 4 sessions, 4 verified, 4 merged" in done.stdout
    assert "git log --first-parent" in done.stdout


@pytest.mark.slow
def test_without_bubblewrap_the_demo_says_that_it_runs_unsandboxed(tmp_path: Path):
    programs = tmp_path / "bin"
    programs.mkdir()
    for name in ("git", "bash"):
        found = subprocess.run(["which", name], capture_output=True, text=True, check=True).stdout.strip()
        (programs / name).symlink_to(Path(found).resolve())
    done = demo(tmp_path / "home", "--dir", str(tmp_path / "play"), "--json", PATH=str(programs))
    assert done.returncode == 0, done.stderr
    assert "UNSANDBOXED" in done.stderr
    told = json.loads(done.stdout)
    assert not told["sandboxed"]
    assert all(session["verification"]["unprotected"] for session in told["sessions"])


@pytest.mark.slow
@pytest.mark.parametrize("seed", [1, 2])
def test_the_demo_ends_as_it_must_when_its_daemon_is_killed_with_all_its_children(seed: int, tmp_path: Path):
    state = tmp_path / "play" / "state"
    (tmp_path / "home").mkdir()
    command = [sys.executable, "-m", "specthread", "demo", "--dir", str(tmp_path / "play"), "--json"]
    with subprocess.Popen(
        command, env=environment(tmp_path / "home"), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as playing:
        for moment in sorted(random.Random(seed).uniform(0.3, 2.0) for _ in range(3)):
            wait_planning(state, playing)
            time.sleep(moment)
            kill_daemon(state)
        out, said = playing.communicate(timeout=120)
    assert playing.returncode == 0, said
    assert json.loads(out)["ok"]


def wait_planning(state: Path, playing: subprocess.Popen[str]) -> None:
    while playing.poll() is None and not (state / "desk").exists():
        time.sleep(0.05)


def kill_daemon(state: Path) -> None:
    owner = re.match(r"process (\d+),", (state / "daemon.lock").read_text()) if (state / "daemon.lock").exists() else None
    if owner is None or not psutil.pid_exists(int(owner[1])):
        return
    daemon = psutil.Process(int(owner[1]))
    for process in [daemon, *daemon.children(recursive=True)]:
        try:
            process.kill()
        except psutil.NoSuchProcess:
            continue


@pytest.mark.slow
def test_a_demo_that_is_terminated_takes_its_daemon_with_it(tmp_path: Path):
    (tmp_path / "home").mkdir()
    command = [sys.executable, "-m", "specthread", "demo", "--dir", str(tmp_path / "play")]
    with subprocess.Popen(command, env=environment(tmp_path / "home"), stdout=subprocess.PIPE, stderr=subprocess.PIPE) as playing:
        wait_planning(tmp_path / "play" / "state", playing)
        playing.terminate()
        playing.communicate(timeout=60)
    assert playing.returncode == 143
    assert processes_about(tmp_path / "play") == []


@pytest.mark.slow
def test_an_opened_demo_keeps_its_daemon_and_its_verdict_comes_from_git(tmp_path: Path):
    done = demo(tmp_path / "home", "--dir", str(tmp_path / "play"), "--open", "--json")
    assert done.returncode == 0, done.stderr
    told = json.loads(done.stdout)
    environ = environment(tmp_path / "home", SPECTHREAD_STATE=told["state_folder"])
    owner = psutil.Process(int(re.findall(r"\d+", (tmp_path / "play" / "state" / "daemon.lock").read_text())[0]))
    verb = [sys.executable, "-m", "specthread"]
    try:
        listed = subprocess.run([*verb, "list"], env=environ, capture_output=True, text=True, check=True).stdout
        shown = subprocess.run([*verb, "show", told["spectask"], "--json"], env=environ, capture_output=True, check=True).stdout
    finally:
        subprocess.run([*verb, "daemon", "stop"], env=environ, capture_output=True, check=True)
    owner.wait(timeout=10)
    assert "DEMO" in listed
    view = SpecTaskView.model_validate_json(shown)
    repository = Path(told["repository"])
    assert verdict_on(view, repository, told["events"]).good
    git(repository, "update-ref", f"refs/heads/{view.branches.feature}", view.base)
    (untold, miscounted) = verdict_on(view, repository, told["events"]).problems
    assert untold == "A merged task has no commit on the feature branch."
    assert miscounted.startswith("The ticks in tasks.md")
    assert processes_about(tmp_path / "play") == []


def test_a_folder_that_holds_something_is_refused_and_left_alone(tmp_path: Path):
    make_repository(tmp_path / "mine", {"work.txt": "mine\n"})
    before = fingerprint(tmp_path / "mine")
    done = demo(tmp_path / "home", "--dir", str(tmp_path / "mine"))
    assert done.returncode == 2
    assert "is not an empty folder" in done.stderr
    assert fingerprint(tmp_path / "mine") == before


def test_the_toy_repository_is_green_before_the_story(tmp_path: Path):
    for path, text in toy_files().items():
        (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / path).write_text(text)
    assert ".gitignore" in toy_files()
    subprocess.run([sys.executable, "-m", "unittest"], cwd=tmp_path, check=True, capture_output=True)
