"""The daemon is killed with everything it started, again and again, while the demo runs; the demo ends as if nothing had been."""

import asyncio
import json
import os
import random
import sqlite3
import sys

import pytest

from support.daemon_life import daemon_of, kill_tree
from support.git_fixture import git, isolate_git

pytestmark = pytest.mark.slow

KILLS = 5
LAST = 185
"""The story has about 200 events; a kill later than this might come when it is over."""


def events_so_far(state):
    """Returns the last durable sequence number, 0 while there is no log."""
    try:
        with sqlite3.connect(f"file:{state / 'events.db'}?mode=ro", uri=True) as database:
            return database.execute("select max(seq) from events").fetchone()[0] or 0
    except sqlite3.OperationalError:
        return 0


async def demo(folder, moments):
    """Plays the demo in a process of its own and kills its daemon when the log reaches each of `moments`; returns what it printed."""
    environment = {**os.environ, "XDG_RUNTIME_DIR": str(folder.parent)}
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "specthread",
        "demo",
        "--dir",
        str(folder),
        "--keep",
        "--json",
        env=environment,
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    told = asyncio.create_task(process.communicate())
    killed = 0
    for moment in moments:
        while events_so_far(folder / "state") < moment and not told.done():  # noqa: ASYNC110  another process's log has no event to wait for
            await asyncio.sleep(0.002)
        found = await asyncio.to_thread(daemon_of, folder / "state")
        if found and not told.done():
            await asyncio.to_thread(kill_tree, found)
            killed += 1
    out, err = await asyncio.wait_for(told, 180)
    assert process.returncode == 0, f"killed {killed} times at {moments}\n{err.decode()[-3000:]}"
    return json.loads(out), killed


def trees(folder, identifier):
    """Returns the tree of the feature branch and the blobs of the live documents; paths hold the id, so it is taken out."""
    repository = folder / "hours"
    name = f"spectask/{identifier}"
    code = git(repository, "ls-tree", "-r", f"{name}/feature")
    documents = "\n".join(
        git(repository, "rev-parse", f"{name}/specs:.specs/{identifier}/{file}.md") for file in ("requirements", "design", "tasks")
    )
    return code.replace(identifier, "ID"), documents


@pytest.mark.parametrize("seed", range(4))
async def test_killing_the_daemon_at_random_moments_changes_nothing_in_the_end(tmp_path, monkeypatch, seed):
    isolate_git(monkeypatch, tmp_path / "home")
    moments = sorted(random.Random(seed).sample(range(2, LAST), KILLS))
    quiet, _ = await demo(tmp_path / "quiet", [])
    rough, killed = await demo(tmp_path / "rough", moments)
    assert killed >= 1
    assert rough["state"] == quiet["state"] == "done"
    assert trees(tmp_path / "rough", rough["spectask"]) == trees(tmp_path / "quiet", quiet["spectask"])
    with sqlite3.connect(tmp_path / "rough" / "state" / "events.db") as database:
        calls = database.execute(
            "select run, json_extract(payload, '$.call') from events where kind = 'CallStarted' order by seq"
        ).fetchall()
    assert len(calls) == len(set(calls))
    repository = tmp_path / "rough" / "hours"
    for branch in ("specs", "feature"):
        walk = ("log", "--first-parent", "--format=%(trailers:key=Specthread-Event,valueonly,separator=%x20)")
        events = [line for line in git(repository, *walk, f"spectask/{rough['spectask']}/{branch}").splitlines() if line]
        assert len(events) == len(set(events))
