"""A spec folder in a real Helix, which needs a few lines of configuration: what is wrong is shown and mended, ids are renamed and followed as in code."""

from __future__ import annotations

import os
import re
import shutil
import tomllib
from pathlib import Path

import pytest

from support.demo_editing import demo_place
from support.source_tree import ROOT
from support.spec_editing import FIX, MISSING, RENAMED, write_spec, written
from support.terminal import Terminal, terminal
from support.workbench import PROGRAM

HX = os.environ.get("SPECTHREAD_HX") or shutil.which("hx")
(SNIPPET,) = re.findall(r"```toml\n(.*?)```", (ROOT / "editors/helix/README.md").read_text(), re.DOTALL)


class Helix(Terminal):
    """A person at a Helix."""

    def shows(self, words):
        self.until(lambda: words in self.screen())

    def hides(self, words):
        self.until(lambda: words not in self.screen())

    def find(self, words):
        """Puts the cursor on the last of these words."""
        self.press("g", "g", "/")
        self.write(words)
        self.press("Enter")

    def command(self, words):
        self.press(":")
        self.write(words)
        self.press("Enter")


# Not every Debian has Helix, so nobody is required to.
@pytest.mark.slow
@pytest.mark.skipif(not HX, reason="hx is missing; SPECTHREAD_HX may name it")
def test_a_spec_is_mended_renamed_and_followed_in_helix(tmp_path):
    with demo_place(tmp_path) as (repository, environ):
        folder = write_spec(repository)
        config = Path(environ["XDG_CONFIG_HOME"]) / "helix"
        config.mkdir(parents=True)
        (config / "languages.toml").write_text(
            SNIPPET.replace('"specthread"\nargs = ["lsp"]', f'"{PROGRAM}"\nargs = ["lsp", "--standalone"]')
        )
        assert tomllib.loads((config / "languages.toml").read_text())["language-server"]["specthread"]["command"] == PROGRAM
        with terminal(Helix(environ, tmp_path), [HX, folder / "tasks.md"], repository) as editor:
            editor.shows(MISSING)

            editor.find(r"1\.22")
            editor.press("Space", "a")
            editor.shows(FIX)
            editor.press("Enter")
            editor.shows("_(Requirements: 1.2)_")
            editor.hides(MISSING)
            editor.command("w")

            editor.find(r"\(Requirements: 1\.2")
            editor.press("Space", "k")
            editor.shows("WHEN the disk is full")
            editor.press("Escape")  # together with the next key it would be another one
            editor.hides("WHEN the disk is full")
            editor.press("g", "d")
            editor.until(lambda: "requirements.md" in editor.screen() and editor.screen().rstrip().endswith(" 10:1"))

            editor.command("buffer-close tasks.md")  # a file that is not open is renamed in too
            editor.find("Requirement 1")
            editor.press("Space", "r")
            editor.shows("rename-to:")
            editor.press("C-u")
            editor.write("7")
            editor.press("Enter")
            editor.shows("Requirement 7")
            editor.command("write-all")
            editor.until(lambda: written(folder) == RENAMED)
