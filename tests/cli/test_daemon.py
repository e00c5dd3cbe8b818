from __future__ import annotations

import errno
import os
import sqlite3
import subprocess
import sys

import pytest

from specgit.address import address_of
from specgit.errors import BlockingBranch, DiskFull, NoCommitYet, NotARepository, RepositoryBusy
from specgit.forge import forge_of
from specthread import config
from specthread.daemon import parts_from, repository_settings
from specthread.daemon_ports import fault_of
from specthread.engine.settings import RepositorySettings
from specthread.engine.store import StoreError
from specthread.protocol.wire import OUTSIDE_FAILED, REFUSED


@pytest.mark.parametrize(
    ("error", "code", "name"),
    [
        (NoCommitYet("None yet."), REFUSED, "no-commit-yet"),
        (BlockingBranch("spectask"), REFUSED, "blocking-branch"),
        (RepositoryBusy("process 1"), REFUSED, "repository-busy"),
        (NotARepository("None here."), OUTSIDE_FAILED, "not-a-repository"),
        (DiskFull("No room."), OUTSIDE_FAILED, "disk-full"),
        (StoreError("No room.", hint="Free some."), OUTSIDE_FAILED, "store-unavailable"),
        (OSError(errno.ENOSPC, "No space left on device", "/x"), OUTSIDE_FAILED, "system"),
    ],
)
def test_what_the_world_does_wrong_is_told_by_code(error, code, name):
    fault = fault_of(error)
    assert (fault.code, fault.refusal.code) == (code, name)
    assert fault.refusal.message


def test_a_bug_is_not_explained_away():
    assert fault_of(ZeroDivisionError()) is None


def test_what_a_repository_wants_reaches_the_engine_only_once_it_is_allowed(environ):
    folder = environ / "work"
    (folder / "specthread.toml").write_text('[check]\nproject = "make"\n[environment]\nshare = [".venv"]\n')
    before = repository_settings(folder, os.environ)
    assert (before.project_check, before.share) == ("", None)
    config.allow(config.load(folder, os.environ).powers, os.environ)
    after = repository_settings(folder, os.environ)
    assert (after.project_check, after.share) == ("make", (".venv",))


def test_a_persons_settings_reach_the_engine(environ):
    file = config.user_file(os.environ)
    file.parent.mkdir(parents=True)
    file.write_text(
        '[messages]\nbase_url = "http://localhost:1"\n[messages.tester]\nmodel = "small"\n[limits]\nstop_usd = 5\ntask_usd = 2\n'
        "run_usd = 1.5\nday_usd = 20\nmax_depth = 1\n[context]\ndepth = 3\n[prices.'qwen2.5-coder:7b']\ninput = 0\noutput = 0\n"
    )
    parts = parts_from(environ / "state", {**os.environ, "ANTHROPIC_API_KEY": "sk-secret"})
    assert parts.settings.role("tester", RepositorySettings()).model == "small"
    assert parts.settings.role("planner", RepositorySettings()).effort == "high"
    prices = parts.backends["messages"].prices
    assert (prices.reserve("qwen2.5-coder:7b", 9, 9), prices.reserve("qwen2.5-coder", 9, 9)) == (0, None)
    limits = parts.settings.limits
    assert (str(limits.stop_usd), limits.user_set, limits.max_depth) == ("5", True, 1)
    assert (str(limits.task_usd), str(limits.run_usd), str(parts.settings.day_usd)) == ("2", "1.5", "20")
    assert (parts.settings.context_depth, parts.settings.context_characters) == (3, 500)
    assert parts.secrets == ("sk-secret",)
    assert parts.lacks("messages") == ""
    assert "sk-secret" not in repr(parts.backends)


def test_what_is_remembered_is_that_of_the_server_that_is_asked(environ):
    file = config.user_file(os.environ)
    file.parent.mkdir(parents=True)
    servers = []
    for where in ('base_url = "http://localhost:1"', 'base_url = "http://localhost:2"', 'provider = "bedrock"', ""):
        file.write_text(f"[messages]\nremember = true\n{where}\n")
        servers.append(parts_from(environ / "state", {**os.environ, "ANTHROPIC_API_KEY": "sk"}).model.server)
    assert len(set(servers)) == 4


def test_models_of_bedrock_have_its_prices(environ):
    file = config.user_file(os.environ)
    file.parent.mkdir(parents=True)
    file.write_text('messages.provider = "bedrock"\n')
    prices = parts_from(environ / "state", os.environ).backends["messages"].prices
    assert prices.reserve("us.anthropic.claude-sonnet-4-5-20250929-v1:0", 9, 9) > 0


async def test_a_persons_forges_and_tokens_reach_the_engine_and_no_public_one_is_replaced(environ):
    file = config.user_file(os.environ)
    file.parent.mkdir(parents=True)
    file.write_text('[forge]\ngithub = ["git.example.org"]\ngitlab = ["lab.example.org", "github.com"]\n')
    parts = parts_from(environ / "state", {**os.environ, "GH_TOKEN": "gho-secret", "GITLAB_TOKEN": "glpat-secret"})
    apis = {host: (forge.kind, forge.api) for host, forge in parts.forges.hosts.items()}
    assert apis["git.example.org"] == ("github", "https://git.example.org/api/v3")
    assert apis["lab.example.org"] == ("gitlab", "https://lab.example.org/api/v4")
    assert apis["github.com"] == ("github", "https://api.github.com")
    where = forge_of(address_of("git@github.com:ada/calc"), parts.forges.hosts)
    assert await parts.forges.token(where) == "gho-secret"
    assert {"gho-secret", "glpat-secret"} <= set(parts.secrets)
    assert "secret" not in repr(parts.forges)


def test_starting_the_daemon_loads_no_client_of_a_forge():
    program = "import sys, specthread.daemon, specthread.protocol.pull_request; sys.exit('httpx2' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", program], check=False).returncode == 0


def test_no_folder_is_shared_where_a_person_says_so_and_a_check_takes_as_long_as_the_repository_says(environ):
    file = config.user_file(os.environ)
    file.parent.mkdir(parents=True)
    file.write_text("[environment]\nshare = []\n")
    (environ / "work" / "specthread.toml").write_text("[check]\ntimeout = 30\n")
    settings = repository_settings(environ / "work", os.environ)
    assert (settings.share, settings.check_timeout) == ((), 30.0)


def test_a_log_of_a_newer_specthread_is_refused_in_words(program, environ):
    program("list")
    program("daemon", "stop")
    with sqlite3.connect(environ / "state" / "events.db") as log:
        columns = [row[1] for row in log.execute("pragma table_info(events)")]
        newer = {"seq": 1, "schema": 99, "kind": "MoonLanded", "payload": b"{}", "actor": b'{"kind":"daemon"}'}
        newer |= {"time": "2026-01-02T09:00:00+00:00", "spectask": "moon-2222"}
        row = [newer.get(column, "here") for column in columns]
        log.execute(f"insert into events values ({','.join('?' * len(row))})", row)
    said = program("daemon", "run")
    assert (said.code, "Traceback" in said.err) == (3, False)
    assert "MoonLanded" in said.err
    assert "Please install a Specthread that reads event schema 99" in said.err
