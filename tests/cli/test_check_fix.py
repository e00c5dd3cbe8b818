"""`check --fix` mends what it can, touches nothing else, and never writes where it should not."""

from __future__ import annotations

import os
import stat
import subprocess

import pytest

from specthread.cli.check import fixing
from specthread.cli.check.discovery import spec_at
from specthread.cli.check.fixing import Mended, written
from specthread.cli.check.reading import Finding
from specthread.spec.document import Change, Fix, Problem, Span
from specthread.spec.levels import DEFAULTS
from support.spec_tree import BAD, GOOD, plant

PATH = ".specs/a/requirements.md"
TWO = BAD + BAD.splitlines()[-1].replace("1. IF the disk is full", "2. IF the net is down") + "\n"


@pytest.fixture
def work(environ):
    return plant(environ / "work", {PATH: BAD})


def test_a_fix_is_made_told_and_not_found_again(work, cli):
    said = cli("check", "--fix")
    assert (said.out, said.code) == (f"{PATH}: fixed ears/if-without-then\nNo problems.\n", 0)
    assert (work / PATH).read_text() == GOOD


def test_several_fixes_of_one_document_are_told_with_their_number(work, cli):
    (work / PATH).write_text(TWO)
    assert "fixed ears/if-without-then (2 times)\n" in cli("check", "--fix").out
    assert (work / PATH).read_text() == TWO.replace(", THE app", ", THEN THE app")


@pytest.mark.parametrize("ending", ["\n", "\r\n", "\r"])
@pytest.mark.parametrize("mark", [b"", b"\xef\xbb\xbf"])
def test_everything_else_stays_byte_for_byte(work, cli, ending, mark):
    odd = b"<!-- \xff\xe9 -->\t  " + ending.encode() * 2
    before = mark + BAD.replace("\n", ending).encode() + odd
    (work / PATH).write_bytes(before)
    cli("check", "--fix")
    assert (work / PATH).read_bytes() == before.replace(b", THE app", b", THEN THE app")


def test_what_is_off_or_silenced_is_not_mended(work, cli):
    plant(work, {"specthread.toml": '[check.levels]\nears = "off"\n'})
    assert cli("check", "--fix").out == "No problems.\n"
    (work / "specthread.toml").unlink()
    silenced = BAD.replace("1. IF", "<!-- specthread-ignore ears/if-without-then -->\n1. IF")
    (work / PATH).write_text(silenced)
    assert cli("check", "--fix").out == "No problems.\n"
    assert (work / PATH).read_text() == silenced


def test_a_file_keeps_its_mode_and_nothing_is_left_beside_it(work, cli):
    (work / PATH).chmod(0o640)
    cli("check", "--fix")
    assert stat.S_IMODE((work / PATH).stat().st_mode) == 0o640
    assert list((work / ".specs" / "a").iterdir()) == [work / PATH]


@pytest.mark.parametrize("options", [["--diff"], ["--fix", "--dry-run"], ["--fix", "--diff"]])
def test_a_diff_says_what_would_be_done_and_does_nothing(work, cli, options):
    said = cli("check", *options)
    assert said.code == 0
    assert said.err == "1 problem in 1 file would be fixed.\n"
    assert (work / PATH).read_text() == BAD
    assert said.out.startswith(f"--- {PATH}\n+++ {PATH}\n@@ ")
    subprocess.run(["git", "apply", "-p0", "-"], cwd=work, input=said.out.encode(), check=True)
    assert (work / PATH).read_text() == GOOD


@pytest.mark.parametrize("before", [b"a\r\nb\r\n", b"a\rb", b"a\nb", b"\xff\n"])
def test_a_diff_can_be_applied_whatever_ends_the_lines(environ, before):
    plant(environ / "work", {"x.md": before})
    after = before.replace(b"a", b"c").replace(b"\xff", b"\xfe")
    diff = fixing.difference(Mended("x.md", before, after, {}))
    subprocess.run(["git", "apply", "-p0", "-"], cwd=environ / "work", input=diff, check=True)
    assert (environ / "work" / "x.md").read_bytes() == after


def test_a_link_out_of_the_named_path_is_not_written_through(environ, cli):
    plant(environ, {"outside/requirements.md": BAD})
    (environ / "work" / ".specs" / "a").mkdir(parents=True)
    (environ / "work" / PATH).symlink_to(environ / "outside" / "requirements.md")
    said = cli("check", "--fix")
    assert said.code == 3
    assert f"{PATH} leads to {environ / 'outside' / 'requirements.md'}, outside of what you named" in said.err
    assert "ears/if-without-then" in said.out
    assert (environ / "outside" / "requirements.md").read_text() == BAD


def test_a_link_within_the_named_path_stays_a_link(work, cli):
    plant(work, {"texts/real.md": BAD})
    (work / PATH).unlink()
    (work / PATH).symlink_to("../../texts/real.md")
    assert cli("check", "--fix").code == 0
    assert (work / PATH).is_symlink()
    assert (work / "texts" / "real.md").read_text() == GOOD


def test_a_file_that_changed_meanwhile_is_left_alone(work):
    trouble = written(Mended(PATH, b"what was read", b"new", {}), ".")
    assert "changed while it was read" in trouble.message
    assert (work / PATH).read_text() == BAD


def test_a_file_that_cannot_be_put_in_place_is_told_and_leaves_nothing_behind(work, monkeypatch):
    def refuse(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "replace", refuse)
    trouble = written(Mended(PATH, BAD.encode(), GOOD.encode(), {}), ".")
    assert (trouble.status, trouble.message) == (3, f"{PATH} cannot be written: No space left on device.")
    assert list((work / ".specs" / "a").iterdir()) == [work / PATH]


def rewriting(monkeypatch, *steps):
    """Replaces the linter by one that proposes each replacement of the text that is there."""

    def findings_in(folder, spec, _levels):
        text = spec.sources["tasks"].content.decode()
        return [
            Finding(
                folder.path,
                Problem("x/y", "error", "x", Span(1, at, at), "tasks", Fix("x", (Change((1, at), (1, at + len(old)), new),))),
                text,
            )
            for old, new in steps
            if (at := text.find(old)) >= 0
        ]

    monkeypatch.setattr(fixing, "findings_in", findings_in)


def mended(environ, text):
    plant(environ / "work", {"tasks.md": text})
    result = fixing.fixed(spec_at("tasks.md"), DEFAULTS)
    return result.mended[0].after.decode(), dict(result.mended[0].made)


def test_of_two_fixes_that_touch_only_the_first_is_made_in_a_round(environ, monkeypatch):
    rewriting(monkeypatch, ("ab", "x"), ("bc", "y"))
    assert mended(environ, "abc") == ("xc", {"x/y": 1})


def test_what_a_fix_brings_up_is_mended_in_the_next_round(environ, monkeypatch):
    rewriting(monkeypatch, ("a", "b"), ("b", "c"))
    assert mended(environ, "a") == ("c", {"x/y": 2})


def test_fixes_that_never_end_are_stopped(environ, monkeypatch):
    rewriting(monkeypatch, ("a", "aa"))
    assert mended(environ, "a") == ("a" * (fixing.MOST_ROUNDS + 1), {"x/y": fixing.MOST_ROUNDS})
