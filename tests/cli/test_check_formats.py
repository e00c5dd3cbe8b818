"""The four forms in which `check` tells what it found."""

from __future__ import annotations

import json
import re

import pytest
from jsonschema import Draft7Validator

from specthread.cli.check import formats
from specthread.cli.check.discovery import Trouble
from specthread.cli.check.reading import Finding
from specthread.cli.check.text import sum_of, text_of
from specthread.spec.document import Change, Fix, Problem, Span
from support.spec_tree import BAD, CAPABILITY, plant

LINE = "1. IF the disk is full, THE app SHALL say so."
PATH = ".specs/a/requirements.md"
FIX = Fix("Put THEN in front", (Change((7, 23), (7, 23), " THEN"),))


def finding(line=LINE, span=Span(7, 3, 23), severity="warning", fix=FIX, message="IF wants THEN.", path=PATH):  # noqa: B008  immutable
    return Finding(path, Problem("ears/if-without-then", severity, message, span, "requirements", fix), line)


def test_text_shows_the_line_with_what_is_meant_underlined():
    assert text_of(finding(), colours=False) == (
        ".specs/a/requirements.md:7:4: ears/if-without-then IF wants THEN.\n"
        "7 | 1. IF the disk is full, THE app SHALL say so.\n"
        "  |    ^^^^^^^^^^^^^^^^^^^^ warning, fix available: Put THEN in front\n"
    )


def carets(line, span):
    shown, under = text_of(finding(line, span, fix=None), colours=False).splitlines()[1:3]
    return shown[4:], under[4:].removesuffix(" warning")


@pytest.mark.parametrize(
    ("line", "span", "under"),
    [
        ("ab", Span(7, 1, 1), " ^"),
        ("ab", Span(7, 2, 2), "  ^"),
        ("日本 x", Span(7, 0, 2), "^^^^"),
        ("日本 x", Span(7, 3, 4), "     ^"),
        ("e\u0301x", Span(7, 2, 3), " ^"),
        ("a\tb", Span(7, 2, 3), "  ^"),
        ("ab", Span(7, 0, 99), "^^"),
    ],
)
def test_the_carets_stand_under_what_is_meant_whatever_its_width(line, span, under):
    assert carets(line, span)[1] == under


def test_a_long_line_is_cut_around_what_is_meant():
    shown, under = carets("x" * 5_000 + "meant" + "y" * 5_000, Span(7, 5_000, 5_005))
    assert len(shown) < 150
    assert shown[under.index("^") :].startswith("meant")


def test_a_line_that_would_steer_the_terminal_is_shown_harmless():
    told = text_of(finding("\x1b[2Jbad\u202e\udcff", Span(7, 0, 3), message="a\x1bb", path="x\x07.md"), colours=False)
    assert not re.search(r"[\x00-\x09\x0b-\x1f\u202e\udc80-\udcff]", told)


def test_colours_are_marks_around_the_same_text():
    coloured = text_of(finding(), colours=True)
    assert "\x1b[33m" in coloured
    assert re.sub(r"\x1b\[[\d;]*m", "", coloured) == text_of(finding(), colours=False)


def test_the_sum_counts_each_level_and_what_can_be_mended():
    found = [finding(severity="error"), finding(severity="error", fix=None), finding(), finding(severity="info", fix=None)]
    assert sum_of(found) == "2 errors, 1 warning, 1 note, 2 fixable with --fix."
    assert sum_of([]) == "No problems."


def test_json_tells_columns_and_whether_there_is_a_fix(environ, cli):
    plant(environ / "work", {PATH: BAD})
    (problem,) = cli("check", "--json").json["problems"]
    message = problem.pop("message")
    assert "THEN" in message
    assert problem == {
        "path": PATH,
        "document": "requirements",
        "line": 7,
        "column": problem["column"],
        "end_column": problem["end_column"],
        "code": "ears/if-without-then",
        "severity": "warning",
        "fix": True,
    }
    assert 1 <= problem["column"] < problem["end_column"] <= len(LINE) + 1


TEXT = {"type": "object", "required": ["text"], "properties": {"text": {"type": "string", "minLength": 1}}}
NUMBER = {"type": "integer", "minimum": 1}
REGION = {
    "type": "object",
    "required": ["startLine"],
    "properties": dict.fromkeys(("startLine", "startColumn", "endLine", "endColumn"), NUMBER),
}
ARTIFACT = {"type": "object", "required": ["uri"], "properties": {"uri": {"type": "string", "pattern": r"^[^\s\\]+$"}}}
LOCATION = {
    "required": ["physicalLocation"],
    "properties": {"physicalLocation": {"required": ["artifactLocation"], "properties": {"artifactLocation": ARTIFACT, "region": REGION}}},
}
LEVEL = {"enum": ["none", "note", "warning", "error"]}
REPLACEMENT = {"required": ["deletedRegion"], "properties": {"deletedRegion": REGION, "insertedContent": {"required": ["text"]}}}
CHANGE = {
    "required": ["artifactLocation", "replacements"],
    "properties": {"artifactLocation": ARTIFACT, "replacements": {"type": "array", "minItems": 1, "items": REPLACEMENT}},
}
RESULT = {
    "required": ["message", "ruleId", "ruleIndex", "level", "locations"],
    "properties": {
        "message": TEXT,
        "level": LEVEL,
        "ruleIndex": {"type": "integer", "minimum": 0},
        "locations": {"type": "array", "items": LOCATION},
        "fixes": {"items": {"required": ["artifactChanges"], "properties": {"artifactChanges": {"minItems": 1, "items": CHANGE}}}},
    },
}
RULE = {
    "required": ["id", "shortDescription", "fullDescription", "help", "defaultConfiguration"],
    "properties": {
        **dict.fromkeys(("shortDescription", "fullDescription", "help"), TEXT),
        "defaultConfiguration": {"properties": {"level": LEVEL}, "required": ["level"]},
    },
}
DRIVER = {"required": ["name"], "properties": {"rules": {"type": "array", "uniqueItems": True, "items": RULE}}}
RUN = {
    "required": ["tool", "results", "columnKind"],
    "properties": {
        "tool": {"required": ["driver"], "properties": {"driver": DRIVER}},
        "columnKind": {"enum": ["utf16CodeUnits", "unicodeCodePoints"]},
        "results": {"type": "array", "items": RESULT},
        "invocations": {"items": {"required": ["executionSuccessful"]}},
    },
}
SARIF = {
    "type": "object",
    "required": ["version", "runs"],
    "properties": {"version": {"const": "2.1.0"}, "runs": {"type": "array", "minItems": 1, "items": RUN}},
}
"""What SARIF 2.1.0 requires of the parts that are written; its whole schema is not at hand offline."""


def test_sarif_has_what_its_standard_requires(environ, cli):
    plant(environ / "work", {PATH: BAD, "openspec/specs/a b/spec.md": CAPABILITY, ".specs/ü/design.md": b"\xff\n```\n"})
    said = cli("check", "--format", "sarif")
    log = said.json
    Draft7Validator(SARIF).validate(log)
    (run,) = log["runs"]
    rules = run["tool"]["driver"]["rules"]
    assert all(rules[result["ruleIndex"]]["id"] == result["ruleId"] for result in run["results"])
    assert {result["ruleId"] for result in run["results"]} >= {"ears/if-without-then", "openspec/no-scenario", "document/not-utf8"}
    uris = {result["locations"][0]["physicalLocation"]["artifactLocation"]["uri"] for result in run["results"]}
    assert uris == {".specs/%C3%BC/design.md", PATH, "openspec/specs/a%20b/spec.md"}
    assert "## Bad" in rules[0]["help"]["markdown"]


def test_sarif_places_and_fixes_are_the_ones_of_the_document():
    (result,) = formats.sarif_of([finding()], [])["runs"][0]["results"]
    place = result["locations"][0]["physicalLocation"]
    assert place["region"] == {"startLine": 7, "startColumn": 4, "endLine": 7, "endColumn": 24, "snippet": {"text": LINE[3:23]}}
    (change,) = result["fixes"][0]["artifactChanges"]
    (replacement,) = change["replacements"]
    assert replacement["deletedRegion"] == {"startLine": 7, "startColumn": 24, "endLine": 7, "endColumn": 24}
    assert (result["level"], replacement["insertedContent"]) == ("warning", {"text": " THEN"})


def test_sarif_tells_what_could_not_be_read():
    run = formats.sarif_of([], [Trouble("a.md", None, "a.md cannot be read.", 3)])["runs"][0]
    assert run["invocations"][0]["executionSuccessful"] is False
    assert json.dumps(run["invocations"]).count("a.md cannot be read.") == 1


def test_github_gets_one_escaped_command_per_finding():
    told = formats.github_of([finding(message="50 %: a,\nb", path="a,b:c.md", severity="info")], [Trouble("x.md", 3, "No: way", 2)])
    assert told.splitlines() == [
        "::notice file=a%2Cb%3Ac.md,line=7,col=4,endColumn=24,title=ears/if-without-then::50 %25: a,%0Ab",
        "::error file=x.md,line=3,title=specthread::No: way",
    ]


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["--format", "yaml"], "'yaml'"),
        (["--format", "sarif", "--json"], "exclude each other"),
        (["--dry-run"], "belongs to `--fix`"),
        (["--diff", "--json"], "A diff cannot be printed as json."),
        (["--colour"], "--colour"),
        (["--explain", "ears/frm"], "Did you mean `ears/form`?"),
    ],
)
def test_wrong_use_is_told_with_exit_code_2(cli, arguments, sentence):
    said = cli("check", *arguments)
    assert said.code == 2
    assert sentence in said.err


def test_the_verbs_about_files_are_listed_with_the_others_and_explain_themselves(program):
    listed = program("--help").out
    for verb in ("check", "inspect", "plan"):
        assert re.search(rf"^  {verb} ", listed, re.MULTILINE)
        assert f"usage: specthread {verb}" in program(verb, "--help").out
