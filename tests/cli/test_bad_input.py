"""Every bad input is answered by a sentence and an exit code; never by a traceback."""

from __future__ import annotations

import fcntl
import json
import os
import signal
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from specthread import shim
from support.git_fixture import git

HOST = {"PATH": os.environ["PATH"]}


LOCAL = '[messages]\nbase_url = "http://127.0.0.1:1"\n'


@pytest.fixture
def local_model(environ):
    """A Messages API that is named, so that no key is needed, and that never answers."""
    folder = environ / "config" / "specthread"
    folder.mkdir()
    (folder / "config.toml").write_text(LOCAL)


@pytest.mark.parametrize("prompt", ["", "   \n\t"])
def test_an_empty_prompt_is_wrong_use_and_starts_nothing(environ, told, prompt):
    told(2, "must not be empty", "new", prompt)
    assert not (environ / "state").exists()


def test_a_prompt_of_200_kb_is_wrong_use(told):
    told(2, "at most 100 kB", "new", "-", stdin=b"x" * 200_000)


def test_a_prompt_on_the_command_line_that_is_too_long_is_wrong_use(told):
    told(2, "at most 100 kB", "new", "x" * 120_000)


def test_unknown_verbs_and_options_are_wrong_use(told):
    told(2, "There is no verb `lst`.\nDid you mean `list`?", "lst")
    told(2, "No such option", "list", "--colour")
    told(2, "--yes", "new", "Add it.", "--yes")
    told(2, "`specthread show --help` says what it takes.", "show")


def test_wrong_use_is_told_in_the_document_too(program):
    said = program("list", "--json", "--colour")
    assert (said.code, said.json["error"]["code"]) == (2, "usage")


def test_no_git_repository_is_the_outside_worlds(told, local_model):
    told(3, "git repository", "new", "Add it.")


def test_no_repository_is_named_before_the_missing_key(told):
    told(3, "git repository", "new", "Add it.")


def test_a_repository_without_a_commit_is_refused(environ, told, local_model):
    git(environ / "work", "init")
    said = told(1, "no commit", "new", "Add it.", "--json")
    assert said.json["error"]["code"] == "no-commit-yet"


def test_a_branch_named_spectask_is_refused_by_its_name(repository, told, local_model):
    git(repository, "branch", "spectask")
    told(1, "spectask", "new", "Add it.")


def test_a_dirty_checkout_is_a_warning_that_names_what_is_left_out(repository, program, local_model):
    (repository / "README.md").write_text("Changed.\n")
    (repository / "new.txt").write_text("New.\n")
    said = program("new", "Add it.", "--json")
    assert said.code == 0, said.err
    warnings = " ".join(said.json["warnings"])
    assert "README.md" in warnings
    assert "new.txt" in warnings


def test_a_detached_head_is_a_warning(repository, program, local_model):
    git(repository, "checkout", "--detach")
    said = program("new", "Add it.", "--json")
    assert said.code == 0, said.err
    assert "detached" in " ".join(said.json["warnings"])
    assert said.json["target"] == ""


def test_a_prompt_in_japanese_makes_a_spectask(repository, program, local_model):
    said = program("new", "JSON で出力する", "--json")
    assert said.code == 0, said.err
    assert said.json["prompt"] == "JSON で出力する"
    assert said.json["id"].isascii()
    assert program("new", "日本語", "--json").json["id"].startswith("task-")


def test_bytes_that_are_no_text_do_not_break_the_prompt(repository, program, local_model):
    said = program("new", "-", "--json", stdin=b"Add \xff\xfe it")
    assert said.code == 0, said.err


def test_no_key_and_no_agent_names_the_ways_out(repository, told):
    said = told(3, "no key", "new", "Add it.")
    for way in ("ANTHROPIC_API_KEY", "base_url", "specthread demo"):
        assert way in said.err


def test_an_agent_nobody_knows_is_refused(repository, told, local_model):
    told(1, "There is no agent acp:nobody", "new", "Add it.", "--agent", "acp:nobody")


def test_a_missing_git_is_the_outside_worlds(environ, repository, told, local_model):
    (environ / "bin").mkdir()
    told(3, "git", "new", "Add it.", PATH=str(environ / "bin"))


def test_a_git_that_is_too_old_is_named_with_the_version_needed(environ, repository, told, local_model):
    folder = environ / "bin"
    folder.mkdir()
    (folder / "git").write_text("#!/bin/sh\necho git version 2.30.2\n")
    (folder / "git").chmod(0o755)
    told(3, "2.38", "new", "Add it.", PATH=f"{folder}:{HOST['PATH']}")


def test_without_bubblewrap_it_is_said_loudly_that_commands_have_no_sandbox_and_ask(environ, repository, program, local_model):
    folder = environ / "bin"
    folder.mkdir()
    for name in ("git", "sh", "env"):
        real = subprocess.run(["which", name], capture_output=True, text=True, check=True).stdout.strip()
        (folder / name).symlink_to(real)
    said = program("new", "Add it.", "--json", PATH=str(folder))
    assert said.code == 0, said.err
    (warning,) = [line for line in said.json["warnings"] if line.startswith("UNSANDBOXED")]
    assert "bubblewrap is not installed" in warning
    assert warning in program("show", said.json["id"], PATH=str(folder)).out.replace("\n", " ").replace("  ", " ")


def test_unknown_ids_are_refused(told):
    for arguments in (("show", "x"), ("watch", "x"), ("run", "x"), ("cost", "x"), ("say", "x/ws-1", "hi"), ("pause", "ws-9")):
        told(1, "There is no ", *arguments)


def test_a_second_daemon_is_refused_and_told_who_is_there(environ, program, told):
    assert program("daemon", "start").code == 0
    said = told(1, "Another daemon (process", "daemon", "run")
    assert "daemon stop" in said.err


def test_a_second_state_folder_on_one_repository_is_refused(environ, repository, program, told, local_model):
    assert program("new", "Add it.").code == 0
    other = str(environ / "other")
    try:
        said = told(1, "another Specthread daemon", "new", "Add it too.", SPECTHREAD_STATE=other)
        assert "process" in said.err
    finally:
        program("daemon", "stop", SPECTHREAD_STATE=other)


def test_a_stale_socket_is_replaced(environ, program):
    (environ / "state").mkdir(mode=0o700)
    path = shim.socket_path(shim.state_folder(os.environ))
    with socket.socket(socket.AF_UNIX) as stale:
        stale.bind(path)
    assert program("list").code == 0


def test_a_daemon_that_was_killed_is_started_again(program):
    pid = json.loads(program("daemon", "status", "--json").out or program("daemon", "start", "--json").out).get("pid")
    pid = pid or program("daemon", "start", "--json").json["pid"]
    os.kill(pid, signal.SIGKILL)
    assert program("daemon", "start", "--json").json["pid"] != pid


def test_a_state_folder_that_cannot_be_made_is_the_outside_worlds(environ, told):
    (environ / "file").write_text("")
    told(3, "cannot be", "list", SPECTHREAD_STATE=str(environ / "file" / "state"))


@pytest.mark.parametrize("name", ["daemon.start.log", "daemon.log"])
def test_a_file_of_the_state_folder_that_cannot_be_written_is_named(environ, told, name):
    (environ / "state" / name).mkdir(parents=True)
    said = told(3, "", "list")
    assert name in said.err


def test_a_daemon_that_cannot_start_says_why(environ, told):
    (environ / "state").mkdir(mode=0o700)
    (environ / "state" / "events.db").write_text("this is no database, and was never one\n" * 100)
    said = told(3, "", "list")
    assert "events.db" in said.err


OTHER_VERSION = """
import fcntl, os, sys
with open(sys.argv[1], "w") as lock:
    fcntl.flock(lock, fcntl.LOCK_EX)
    print(f"process {os.getpid()}, version 9.9.9", file=lock, flush=True)
    print("ready", flush=True)
    input()
"""


def test_a_daemon_of_another_version_is_named_with_the_way_to_stop_it(environ, told):
    state = environ / "state"
    state.mkdir(mode=0o700)
    with subprocess.Popen(
        [sys.executable, "-c", OTHER_VERSION, str(state / "daemon.lock")], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as other:
        other.stdout.readline()
        said = told(3, "version 9.9.9", "list")
        assert f"kill {other.pid}" in said.err
        told(0, "", "daemon", "stop")
        assert other.wait(10) == -signal.SIGTERM


def test_stopping_returns_when_the_state_folder_is_free(environ, program):
    program("daemon", "start")
    assert "stopped" in program("daemon", "stop").out
    with (environ / "state" / "daemon.lock").open() as lock:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)


def test_what_a_cloned_repository_wants_to_run_has_no_effect_until_it_is_allowed(repository, program, told):
    (repository / "specthread.toml").write_text('[check]\nproject = "touch /tmp/owned"\n')
    said = told(1, "Nothing was allowed", "allow")
    assert "touch /tmp/owned" in said.out
    assert program("allow", "--yes", "--json").json["allowed"] is True
    assert "allowed already" in program("allow").out
    (repository / "specthread.toml").write_text('[check]\nproject = "touch /tmp/owned-again"\n')
    told(1, "Nothing was allowed", "allow")


def test_what_a_cloned_repository_would_tell_agents_is_shown_behind_a_bar_and_counts_once_it_is_allowed(repository, program, told):
    file = repository / ".specthread" / "roles" / "tester.md"
    file.parent.mkdir(parents=True)
    file.write_text("Look twice.\n  check.project = make\n")
    said = told(1, "Nothing was allowed", "allow")
    assert "    | Look twice.\n    |   check.project = make\n" in said.out
    assert program("allow", "--yes", "--json").json["allowed"] is True


def test_a_settings_file_with_a_mistake_is_named_with_its_line(repository, told):
    (repository / "specthread.toml").write_text('[check]\nprojekt = "make"\n')
    said = told(1, "specthread.toml:2", "allow")
    assert "`check.projekt` is not a setting" in said.err


def test_init_never_overwrites(repository, program, told):
    assert program("init").code == 0
    before = (repository / "specthread.toml").read_bytes()
    told(1, "is there already", "init")
    assert (repository / "specthread.toml").read_bytes() == before


def test_an_event_log_that_was_emptied_is_not_taken_for_a_new_one(environ, told):
    (environ / "state" / "desk-history" / "hours-1" / "add-json-7k3f").mkdir(parents=True)
    (environ / "state" / "events.db").touch()
    told(3, "is empty, although there were SpecTasks here", "list")


def test_an_event_log_that_was_emptied_is_begun_anew_by_rebuild_alone(environ, repository, program, told):
    (environ / "state" / "desk-history" / "hours-1" / "add-json-7k3f").mkdir(parents=True)
    told(3, "`specthread rebuild`", "list")
    (environ / "nowhere").mkdir()
    assert "not in a git repository" in program("rebuild", cwd=environ / "nowhere").err
    told(3, "`specthread rebuild`", "list")
    said = program("rebuild")
    assert (said.code, "No branch of this repository holds a SpecTask." in said.out) == (0, True)
    assert program("list").code == 0
    assert program("rebuild").code == 0


def test_git_settings_that_are_new_are_told_and_taken_in(repository, program, told, local_model):
    program("new", "Print the table as CSV.")
    identifier = program("list", "--json").json["spectasks"][0]["id"]
    git(repository, "config", "core.pager", "touch /tmp/x")
    assert "core.pager was added (touch /tmp/x)" in "".join(program("show", identifier, "--json").json["warnings"])
    assert "core.pager was added" in {each["name"]: each["text"] for each in program("doctor", "--json").json["findings"]}["git settings"]
    said = told(1, "Nothing was allowed", "allow")
    assert "core.pager was added (touch /tmp/x)" in said.out
    assert program("allow", "--yes", "--json").json["git"] == ["core.pager was added (touch /tmp/x)"]
    assert program("show", identifier, "--json").json["warnings"] == []
    assert "nothing that needs your leave" in program("allow").out


def test_checking_what_is_not_there_is_told(told, environ):
    told(1, "There is no spec at", "check")
    told(3, "cannot be read", "inspect", "nothing.md")
    told(1, "There is no spec in", "plan", ".")
    told(3, "no plain file", "inspect", "/dev/zero")


def test_nobody_reading_the_output_is_no_mistake(program, environ):
    read, write = os.pipe()
    os.close(read)
    done = subprocess.run([sys.executable, "-m", "specthread", "--help"], stdout=write, stderr=subprocess.PIPE, timeout=60, check=False)
    os.close(write)
    assert b"Traceback" not in done.stderr


def test_an_acceptance_of_no_commit_is_wrong_use(told):
    told(2, "names no commit after the @", "accept", "add-json@")


@pytest.mark.parametrize(
    ("settings", "said"),
    [("[messages\n", "not valid TOML"), ("[limits]\nstop_usd = 'much'\n", "amount of US dollars")],
)
def test_settings_that_cannot_be_used_keep_everything_that_costs_money_from_beginning(
    environ, told, repository, local_model, settings, said
):
    (environ / "config" / "specthread" / "config.toml").write_text(settings)
    failed = told(1, "Your settings cannot be used", "new", "Add it.")
    assert said in failed.err


def test_settings_changed_under_a_running_daemon_are_not_ignored(environ, told, program, repository, local_model):
    assert program("daemon", "start").code == 0
    (environ / "config" / "specthread" / "config.toml").write_text(LOCAL + "[limits]\nstop_usd = 1\n")
    told(1, "do not count yet", "new", "Add it.")


def test_a_file_named_like_our_folder_is_in_the_way(environ, told, repository, local_model):
    (repository / ".specs").write_text("mine\n")
    git(repository, "add", ".")
    git(repository, "commit", "-m", "Mine")
    told(1, "A file named .specs is tracked", "new", "Add it.")


def test_a_tag_that_leaves_no_room_is_named_with_the_way_out(told, repository, local_model):
    git(repository, "tag", "spectask")
    told(1, "There is a tag named spectask", "new", "Add it.")


def run_shell(environ, command):
    return subprocess.run(
        ["sh", "-c", command],
        cwd=environ / "work",
        env={**os.environ, "ST": f"{sys.executable} -m specthread"},
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="this system has no /dev/full")
@pytest.mark.parametrize("options", ["", "--json"])
def test_an_output_that_takes_nothing_is_the_outside_worlds(environ, daemon, options):
    done = run_shell(environ, f"$ST list {options} > /dev/full")
    assert (done.returncode, "Traceback" in done.stderr) == (3, False)
    assert "No space left on device" in done.stderr


@pytest.mark.parametrize("command", ["$ST list >&-", "$ST list <&-", "PYTHONIOENCODING=ascii $ST list"])
def test_closed_and_narrow_streams_do_no_harm(environ, daemon, command):
    done = run_shell(environ, command)
    assert (done.returncode, done.stderr) == (0, "")


def test_a_deleted_folder_is_told(environ, told):
    done = run_shell(environ, "mkdir gone && cd gone && rmdir ../gone && $ST list")
    assert (done.returncode, "Traceback" in done.stderr) == (3, False)
    assert "The folder you are in was deleted." in done.stderr
