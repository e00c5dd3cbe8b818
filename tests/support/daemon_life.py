"""Finds and kills a daemon with everything it started."""

import os
import signal
from pathlib import Path

import psutil


def daemon_of(state: Path) -> psutil.Process | None:
    """Returns the daemon that serves a state folder, found by the environment it was given."""
    for process in psutil.process_iter():
        try:
            words = process.cmdline()
            if "daemon" in words and "run" in words and process.environ().get("SPECTHREAD_STATE") == str(state):
                return process
        except (psutil.NoSuchProcess, psutil.AccessDenied):
            continue
    return None


def kill_tree(process: psutil.Process) -> None:
    """Kills a process and all it started with SIGKILL, and returns when they are gone."""
    try:
        family = [process, *process.children(recursive=True)]
    except psutil.NoSuchProcess:
        return
    for member in family:
        try:
            os.kill(member.pid, signal.SIGKILL)
        except ProcessLookupError:
            continue
    psutil.wait_procs(family)
