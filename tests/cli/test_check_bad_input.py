"""Whatever lies in the place of a document, `check` says so in a line, checks the rest, and ends with the right code."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from specthread.cli.check import many
from specthread.cli.check.discovery import specs_below
from specthread.cli.check.many import all_checked
from specthread.cli.check.reading import LARGEST
from specthread.spec.levels import DEFAULTS
from support.spec_tree import BAD, GOOD, plant

REST = ".specs/rest/requirements.md"
AT = ".specs/a/requirements.md"
SECONDS = 60.0
"""Far above what is needed here, far below what anything worse than linear would need."""


@pytest.fixture
def work(environ):
    return plant(environ / "work", {REST: BAD})


def rest_is_checked(said):
    return f"{REST}:7:" in said.out


def test_a_file_that_cannot_be_read_is_told_and_the_rest_is_checked(work, program):
    plant(work, {".specs/a/design.md": ""})
    (work / AT).symlink_to("/proc/self/mem")
    said = program("check")
    assert (said.code, said.err) == (3, f"{AT} cannot be read: Input/output error. Correct the path, or who may read it.\n")
    assert rest_is_checked(said)


def test_a_folder_in_the_place_of_a_file_is_told(work, program):
    (work / AT).mkdir(parents=True)
    said = program("check")
    assert (said.code, f"{AT} cannot be read: Is a directory." in said.err, rest_is_checked(said)) == (3, True, True)


def test_a_pipe_in_the_place_of_a_file_is_told_and_not_waited_for(work):
    (work / AT).parent.mkdir(parents=True)
    os.mkfifo(work / AT)
    ended = subprocess.run(
        [sys.executable, "-m", "specthread", "check"], cwd=work, capture_output=True, text=True, timeout=SECONDS, check=False
    )
    assert (ended.returncode, ended.stderr) == (3, f"{AT} cannot be read: it is no plain file. Correct the path.\n")
    assert f"{REST}:7:" in ended.stdout


def test_a_link_to_nothing_is_told(work, program):
    plant(work, {".specs/a/design.md": ""})
    (work / AT).symlink_to("nowhere.md")
    said = program("check")
    assert (said.code, f"{AT} cannot be read: No such file or directory." in said.err, rest_is_checked(said)) == (3, True, True)


def test_a_file_of_50_mb_is_told_and_not_read(work, program):
    plant(work, {AT: ""})
    os.truncate(work / AT, 50 * 1024 * 1024)
    said = program("check")
    assert (said.code, said.err) == (
        1,
        f"{AT} holds more than {LARGEST // 1_000_000} MB and was not read. No spec does; correct the path.\n",
    )
    assert rest_is_checked(said)


def test_a_binary_file_is_told_with_its_line(work, program):
    plant(work, {AT: b"\x89PNG\r\n\x1a\n\x00\x00" + bytes(range(256)) * 40})
    said = program("check")
    assert said.code == 1
    assert f"{AT}:1:1: document/not-utf8" in said.out
    assert f"{AT}:1:1: requirement/none" in said.out
    assert max(map(len, said.out.splitlines())) < 400
    assert rest_is_checked(said)


def test_bytes_that_are_not_utf8_are_told_with_their_line_in_every_form(work, program):
    plant(work, {AT: BAD.encode().replace(b"say so", b"caf\xe9")})
    for form in ("text", "json", "sarif", "github"):
        said = program("check", "--format", form)
        assert (said.code, "document/not-utf8" in said.out, "Traceback" in said.err) == (0, True, False)
    assert f"{AT}:7:1: document/not-utf8" in program("check").out


def test_a_path_that_is_not_there_is_told_and_the_others_are_checked(work, program):
    said = program("check", "nothing", ".specs")
    assert (said.code, said.err, rest_is_checked(said)) == (3, "nothing is not there. Correct the path.\n", True)


def test_a_path_with_bytes_that_are_not_utf8_is_told(work, program):
    folder = os.fsencode(work / ".specs") + b"/caf\xe9"
    Path(os.fsdecode(folder)).mkdir()
    Path(os.fsdecode(folder), "requirements.md").write_text(BAD)
    for form in ("text", "json", "sarif", "github"):
        said = program("check", "--format", form)
        assert (said.code, said.err) == (0, "")


def requirements(lines):
    """A document in which every criterion is about other things."""
    blocks = []
    for number in range(1, lines // 20 + 1):
        things = [f"a{number}x{criterion} b{number}x{criterion} c{number}x{criterion}" for criterion in range(1, 8)]
        criteria = [f"{index}. WHEN the user opens {thing}, THE app SHALL show {thing[::-1]}.\n" for index, thing in enumerate(things, 1)]
        prose = f"What page {number} is about.\n" * 10
        blocks.append(f"### Requirement {number}: Page {number}\n\n{prose}{''.join(criteria)}\n")
    return "# Requirements\n\n" + "".join(blocks)


@pytest.mark.slow
def test_a_document_of_100_000_lines_is_checked_in_seconds(work, program):
    plant(work, {AT: requirements(100_000), ".specs/a/design.md": "text\n" * 100_000})
    start = time.perf_counter()
    said = program("check", "--json")
    assert time.perf_counter() - start < SECONDS
    assert {"document/too-long"} <= {each["code"] for each in said.json["problems"] if each["path"].startswith(".specs/a")}


def test_many_specs_are_checked_by_several_processes_with_the_same_result(environ):
    files = {f".specs/s{number:03}/requirements.md": (BAD, GOOD, "# None\n")[number % 3] for number in range(many.FEW + 10)}
    plant(environ / "work", files)
    (environ / "work" / ".specs" / "s000" / "design.md").mkdir()
    work = [(folder, DEFAULTS) for folder in specs_below(["."], archived=False).folders]
    assert list(all_checked(work)) == [checked for each in work for checked in all_checked([each])]
    assert [len(each.findings) for each in all_checked(work)][:3] == [1, 0, 1]


def test_a_reader_that_closes_the_pipe_is_no_mistake(work):
    plant(work, {f".specs/s{number}/requirements.md": "# None\n" for number in range(40)})
    command = f"{sys.executable} -m specthread check --format github | head -n 1"
    done = subprocess.run(["sh", "-c", command], cwd=work, capture_output=True, text=True, check=False)
    assert done.stderr == ""
    assert done.stdout.count("\n") == 1


LOADED = "import sys; sys.argv = ['specthread', 'check']\nfrom specthread.__main__ import main\ntry: main()\nfinally: print(*sys.modules)"
HEAVY = {
    "typer",
    "click",
    "rich",
    "pydantic",
    "pygls",
    "lsprotocol",
    "anthropic",
    "sqlalchemy",
    "git",
    "specgit",
    "asyncio",
    "multiprocessing",
    "msgspec",
}


def test_check_loads_nothing_that_it_does_not_need(work):
    done = subprocess.run([sys.executable, "-c", LOADED], cwd=work, capture_output=True, text=True, check=True)
    assert HEAVY & set(done.stdout.split()) == set()
    assert "specthread.spec.lint" in done.stdout.split()
