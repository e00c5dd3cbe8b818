"""What `specthread.toml` says about checking, and what is said about what cannot be meant."""

from __future__ import annotations

import pytest

from specthread.check_settings import CheckSettings
from support.spec_tree import BAD, GOOD, plant

CODE = "ears/if-without-then"


@pytest.fixture
def work(environ):
    return plant(environ / "work", {".specs/a/requirements.md": BAD})


def severities(cli, *arguments):
    return [each["severity"] for each in cli("check", *arguments, "--json").json["problems"]]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("[check]\nproject = 'make'\n", ["warning"]),
        (f'[check]\nlevels = {{ "{CODE}" = "off" }}\n', []),
        (f'[check.levels]\n"{CODE}" = "error"\n', ["error"]),
        ('[check.levels]\nears = "info"\n', ["info"]),
        ("[check.levels]\nears.if-without-then = 'off'\n", []),
    ],
)
def test_levels_are_changed_by_code_and_by_group(work, cli, text, expected):
    (work / "specthread.toml").write_text(text)
    assert severities(cli) == expected


def test_an_error_that_a_person_made_of_a_warning_counts_for_the_exit_code(work, cli):
    (work / "specthread.toml").write_text(f'[check.levels]\n"{CODE}" = "error"\n')
    assert cli("check").code == 1


def test_the_settings_nearest_above_a_spec_count_wherever_one_stands(work, cli, monkeypatch):
    plant(work, {"part/.specs/b/requirements.md": BAD, "part/specthread.toml": '[check.levels]\nears = "off"\n'})
    (work / "specthread.toml").write_text('[check.levels]\nears = "info"\n')
    assert severities(cli) == ["info"]
    monkeypatch.chdir(work / "part" / ".specs" / "b")
    assert severities(cli) == []


@pytest.mark.parametrize(
    ("glob", "path", "left_out"),
    [
        (".specs/old", ".specs/old/requirements.md", True),
        (".specs/old", ".specs/older/requirements.md", False),
        ("_completed", ".specs/_completed/x/tasks.md", True),
        ("design.md", ".specs/a/design.md", True),
        (".specs/*/design.md", ".specs/a/design.md", True),
        (".specs/*/design.md", ".specs/a/b/design.md", False),
        ("**/b/*.md", ".specs/a/b/design.md", True),
        ("**/b/**", "b/c/design.md", True),
        ("./x?/", "xy/spec.md", True),
        ("a.b", "aXb/spec.md", False),
    ],
)
def test_a_glob_leaves_out_paths_and_what_is_below_them(glob, path, left_out):
    assert CheckSettings(exclude=(glob,)).excludes(path) == left_out


def test_what_is_excluded_is_not_checked_even_where_it_is_named(work, cli):
    plant(work, {".specs/b/requirements.md": BAD, "specthread.toml": '[check]\nexclude = [".specs/b"]\n'})
    assert len(severities(cli)) == 1
    said = cli("check", ".specs/b/requirements.md")
    assert (said.code, said.out) == (0, "No problems.\n")
    assert "exclude all of it" in said.err


@pytest.mark.parametrize(
    ("text", "line", "sentence"),
    [
        ('[check.levels]\n"ears/frm" = "off"', 2, "There is no code or group `ears/frm`. Did you mean `ears/form`?"),
        ('[check]\n# first\nlevels = { "ears/form" = "loud" }', 3, "must be one of off, info, warning, error, not 'loud'."),
        ('[check.levels]\n"ears" = "off"\n"ears/*" = "info"', 3, "`ears/*` and `ears` are the same"),
        ('[check.levels]\nears.form = "off"\n"ears/form" = "info"', 3, "are the same"),
        ('[check.levels]\n"ears/form" = "off"\n"ears/form" = "info"', 3, "not valid TOML"),
        ("[check]\nlevels = 3", 2, "`check.levels` must be a table"),
        ("[check]\nexclude = 'x'", 2, "`check.exclude` must be a list of texts"),
        ("[check]\nsystems = [3]", 2, "`check.systems` must be a list of texts"),
        ("[check]\n\nexlude = ['x']", 3, "`check.exlude` is not a setting"),
        ("[check\n", 1, "not valid TOML"),
    ],
)
def test_a_mistake_is_told_with_file_and_line_and_everything_else_is_checked(work, cli, text, line, sentence):
    (work / "specthread.toml").write_text(text)
    said = cli("check", "--json")
    assert said.code == 2
    assert said.err.startswith(f"{work / 'specthread.toml'}:{line}: ")
    assert sentence in said.err
    assert len(said.err.splitlines()) == 1
    assert said.json["problems"] or '"ears" = "off"' in text


def test_settings_for_other_verbs_are_no_concern_of_check(work, cli):
    plant(work, {".specs/a/requirements.md": GOOD, "specthread.toml": "[environment]\nshare = 3\n"})
    assert (cli("check").code, cli("check").err) == (0, "")
