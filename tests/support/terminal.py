"""A program in a terminal of its own, by tmux: keys in, the screen out."""

from __future__ import annotations

import shlex
import subprocess
from contextlib import contextmanager

from support.patience import until


class Terminal:
    """What a person at a terminal does."""

    def __init__(self, environ, folder) -> None:
        self.environ = {**environ, "TERM": "screen-256color", "LANG": "C.UTF-8"}
        self.tmux = ["tmux", "-S", str(folder / "tmux"), "-u"]

    def start(self, argv, cwd):
        clean = ["env", "-i", *(f"{name}={value}" for name, value in self.environ.items()), *map(str, argv)]
        subprocess.run([*self.tmux, "new-session", "-d", "-x", "140", "-y", "40", "-c", str(cwd), shlex.join(clean)], check=True)

    def press(self, *keys):
        subprocess.run([*self.tmux, "send-keys", *keys], check=True)

    def write(self, text):
        subprocess.run([*self.tmux, "send-keys", "-l", text], check=True)

    def screen(self):
        return subprocess.run([*self.tmux, "capture-pane", "-p"], capture_output=True, text=True, check=False).stdout

    def until(self, condition):
        return until(condition, self.screen)


@contextmanager
def terminal(person, argv, cwd):
    """Starts a program in front of a person and yields them; it is ended afterwards."""
    person.start(argv, cwd)
    try:
        yield person
    finally:
        subprocess.run([*person.tmux, "kill-server"], check=False)
