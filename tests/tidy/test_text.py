from __future__ import annotations

import re
import subprocess
from pathlib import Path

import pytest

from support.source_tree import ROOT, tracked_files

TOP_LEVEL = {
    "ARCHITECTURE.md",
    "CHANGELOG.md",
    "CONTRIBUTING.md",
    "LICENSE",
    "Makefile",
    "README.md",
    "editors",
    "git_integration",
    "pyproject.toml",
    "server",
    "tests",
}
TARGETS = {"demo", "test", "check", "bench", "fuzz", "soak", "live", "e2e", "golden", "protocol", "editors"}

FORBIDDEN = {
    "the path of this checkout": re.escape(str(ROOT)) + r"\b",
    "the home folder of whoever runs this": rf"(?<![\w.]){re.escape(str(Path.home()))}/",
    "a package registry": r"\bpypi\.(?:org|io)|pythonhosted\.|npmjs\.|\bcrates\.io|proxy\.golang",
    "a secret": r"sk-ant-[\w-]{24}|gh[pousr]_\w{20}|-----BEGIN [A-Z ]*PRIVATE KEY",
}


def texts() -> list[tuple[str, str]]:
    found = []
    for path in tracked_files():
        content = (ROOT / path).read_bytes()
        if b"\0" not in content[:8000]:
            found.append((path, content.decode(errors="replace")))
    return found


@pytest.mark.parametrize("what", FORBIDDEN)
def test_no_file_names(what: str):
    own = "tests/tidy/test_text.py"
    assert [path for path, text in texts() if path != own and re.search(FORBIDDEN[what], text)] == []


def test_every_text_file_ends_with_one_newline_and_no_line_ends_with_a_space():
    ours = [(path, text) for path, text in texts() if text and path.endswith((".py", ".toml", ".yml", "Makefile"))]
    ragged = re.compile(r"[ \t]$|\n\n\Z|[^\n]\Z", re.MULTILINE)
    assert [path for path, text in ours if ragged.search(text)] == []


def test_the_top_level_holds_nothing_else():
    top = {path.split("/")[0] for path in tracked_files()}
    assert {name for name in top if not name.startswith(".")} <= TOP_LEVEL


def test_the_readme_names_the_two_commands_to_begin_with():
    readme = (ROOT / "README.md").read_text()
    assert "make demo" in readme
    assert "make test" in readme


def test_the_makefile_is_the_contributors_whole_vocabulary():
    makefile = (ROOT / "Makefile").read_text()
    assert set(re.findall(r"^([a-z0-9]+):", makefile, re.MULTILINE)) == TARGETS | {"help"}
    contributing = (ROOT / "CONTRIBUTING.md").read_text()
    assert {target for target in TARGETS if f"make {target}" not in contributing} == set()


@pytest.mark.parametrize("document", ["README.md", "CONTRIBUTING.md", "ARCHITECTURE.md"])
def test_every_make_command_in_the_documents_exists(document: str):
    named = re.findall(r"`make ([a-z0-9]+)", (ROOT / document).read_text())
    assert set(named) <= TARGETS


def test_make_alone_lists_every_target():
    listed = subprocess.run(["make", "--no-print-directory"], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    assert set(re.findall(r"^  make (\w+) +\S", listed, re.MULTILINE)) == TARGETS | {"help"}
