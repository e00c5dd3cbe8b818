"""The faults of the chaos run. Each is done to a stage at once, lasts a moment at most, and tells whether there was something to do it to."""

from __future__ import annotations

import asyncio
import contextlib
import os
import random
import shutil
import signal
import time
from collections.abc import Awaitable, Callable
from pathlib import Path

import psutil

from chaos.person import Person
from chaos.stage import Stage
from support.daemon_life import kill_tree
from support.git_fixture import git

Fault = Callable[[Stage, Person, random.Random], Awaitable[bool]]
OLD = 120.0
"""Seconds since when a lock file that was left behind lies there."""
CHILD_SECONDS = 3.0
"""How long is waited for the daemon to have a child."""
LONGEST_FREEZE = 3.0
LONGEST_COMMAND = 0.1
FURTHEST_JUMP = 3 * 24 * 3600


async def kill_daemon(stage: Stage, _: Person, __: random.Random) -> bool:
    """Kills the daemon alone; what it started lives on for as long as it likes."""
    return _signal(stage, signal.SIGKILL)


async def kill_all(stage: Stage, _: Person, __: random.Random) -> bool:
    """Kills the daemon and all that it started."""
    if stage.process is None or stage.process.poll() is not None:
        return False
    with contextlib.suppress(psutil.NoSuchProcess):
        await asyncio.to_thread(kill_tree, psutil.Process(stage.process.pid))
    return True


async def freeze_daemon(stage: Stage, _: Person, draw: random.Random) -> bool:
    """Stops the daemon for a while, as a suspended machine does."""
    if not _signal(stage, signal.SIGSTOP):
        return False
    await asyncio.sleep(draw.uniform(0.2, LONGEST_FREEZE))
    return _signal(stage, signal.SIGCONT)


async def freeze_child(stage: Stage, _: Person, draw: random.Random) -> bool:
    """Stops a git, or a command of an agent, for a while."""
    child = await _child(stage, draw)
    with contextlib.suppress(psutil.NoSuchProcess):
        if child:
            child.suspend()
            await asyncio.sleep(draw.uniform(0.2, LONGEST_FREEZE))
            child.resume()
            return True
    return False


async def kill_child(stage: Stage, _: Person, draw: random.Random) -> bool:
    """Kills a git, or a command of an agent."""
    child = await _child(stage, draw)
    with contextlib.suppress(psutil.NoSuchProcess):
        if child:
            child.kill()
            return True
    return False


async def jump_clock(stage: Stage, _: Person, draw: random.Random) -> bool:
    """Sets the wall clock forward or back, by up to three days."""
    stage.set_clock(draw.randint(-FURTHEST_JUMP, FURTHEST_JUMP))
    return True


async def fill_disk(stage: Stage, _: Person, draw: random.Random) -> bool:
    """Leaves little or nothing of the disk for a while; every second time the daemon is killed meanwhile."""
    assert stage.disk
    stage.disk.leave(draw.choice([0, 0, 4096, 65_536]))
    await asyncio.sleep(draw.uniform(0.5, 2))
    if draw.random() < 0.5:
        _signal(stage, signal.SIGKILL)
        await asyncio.sleep(draw.uniform(0.5, 2))
    stage.disk.free()
    return True


async def leave_ref_lock(stage: Stage, _: Person, draw: random.Random) -> bool:
    """Leaves the lock of one of our branches as a git that was killed some minutes ago does."""
    git_dir = draw.choice(stage.checkouts) / ".git"
    refs = git(git_dir.parent, "for-each-ref", "--format=%(refname)", "refs/heads/spectask").splitlines()
    return bool(refs) and _leave(stage, git_dir / f"{draw.choice(refs)}.lock")


async def leave_index_lock(stage: Stage, _: Person, draw: random.Random) -> bool:
    """Leaves the lock of a worktree's index."""
    folders = sorted((draw.choice(stage.checkouts) / ".git" / "worktrees").glob("*"))
    return bool(folders) and _leave(stage, draw.choice(folders) / "index.lock")


async def delete_worktree(stage: Stage, _: Person, draw: random.Random) -> bool:
    """Deletes a folder in which a session works."""
    folders = sorted((stage.state / "worktrees").glob("*/*/ws-*"))
    if not folders:
        return False
    folder = draw.choice(folders)
    stage.deleted.add(f"{folder.parent.name}/{folder.name}")
    await asyncio.to_thread(shutil.rmtree, folder, ignore_errors=True)
    return True


async def cut_client(_: Stage, person: Person, draw: random.Random) -> bool:
    """Lets the client die between its next request and the answer."""
    person.cut_off = lambda: asyncio.sleep(draw.uniform(0, LONGEST_COMMAND))
    return True


async def kill_in_command(stage: Stage, person: Person, draw: random.Random) -> bool:
    """Kills the daemon between the next request and its answer, or just after it."""

    async def kill() -> None:
        await asyncio.sleep(draw.uniform(0, LONGEST_COMMAND))
        _signal(stage, signal.SIGKILL)

    person.cut_off = kill
    return True


FAULTS: dict[str, Fault] = {
    "kill -9 of the daemon": kill_daemon,
    "kill -9 of the daemon and all it started": kill_all,
    "SIGSTOP of the daemon": freeze_daemon,
    "SIGSTOP of a git or an agent's command": freeze_child,
    "kill -9 of a git or an agent's command": kill_child,
    "clock set forward or back": jump_clock,
    "disk full": fill_disk,
    "lock of a branch left behind": leave_ref_lock,
    "lock of an index left behind": leave_index_lock,
    "worktree deleted": delete_worktree,
    "client cut off in a command": cut_client,
    "kill -9 of the daemon in a command": kill_in_command,
}


def possible(stage: Stage) -> dict[str, Fault]:
    """Returns the faults that can be made here."""
    return {name: fault for name, fault in FAULTS.items() if stage.disk or fault is not fill_disk}


def _signal(stage: Stage, number: int) -> bool:
    if stage.process is None or stage.process.poll() is not None:
        return False
    os.kill(stage.process.pid, number)
    return True


async def _child(stage: Stage, draw: random.Random) -> psutil.Process | None:
    end = time.monotonic() + CHILD_SECONDS
    while not (found := stage.family()):
        if time.monotonic() > end:
            return None
        await asyncio.sleep(0.002)
    return draw.choice(found)


def _leave(stage: Stage, lock: Path) -> bool:
    """Makes a lock file, unless somebody has it."""
    try:
        lock.touch(exist_ok=False)
    except OSError:
        return False
    stage.planted.add(lock)
    os.utime(lock, (time.time() - OLD, time.time() - OLD))
    return True
