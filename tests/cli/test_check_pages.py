"""Every code has a page whose examples are true: the bad one draws the code, the good one does not."""

from __future__ import annotations

import re
import tomllib

import pytest

from specthread.cli.check.codes import all_rules, page_of, reason_of, sentence_of
from specthread.plan.dag import build_dag
from specthread.plan.judgement import judge
from specthread.spec.dialects import detect
from specthread.spec.document import DocumentName
from specthread.spec.lint import RULES
from specthread.spec.spec import Around, read_spec
from support.source_tree import ROOT, tracked_files

SHOWN_IN_WORDS = {
    "document/too-long": "a page of a thousand lines would help nobody",
    "plan/too-large": "a page of so many tasks would help nobody",
}
"""Codes whose pages hold no example that could be run, each with the reason."""
_PAGES = "server/specthread/rules/"
_FENCE = re.compile(r"^(?P<run>`{3,})(?:markdown|json) (?P<name>[\w.-]+)\n(?P<text>.*?)^(?P=run)$", re.MULTILINE | re.DOTALL)


def pages() -> set[str]:
    """The codes that have a page."""
    return {path.removeprefix(_PAGES).removesuffix(".md") for path in tracked_files() if path.startswith(_PAGES)}


def drawn_by(code: str, part: str) -> set[str]:
    """The codes that the documents below a heading of a page draw together."""
    bad, _, good = page_of(code).partition("\n## Bad\n")[2].partition("\n## Good\n")
    section = {"Bad": bad, "Good": good}[part]
    files = {found["name"]: found["text"].encode() for found in _FENCE.finditer(section)}
    texts = {DocumentName(name.removesuffix(".md")): text for name, text in files.items() if name.endswith(".md")}
    if code == "document/not-utf8":
        texts = {name: text.replace(rb"caf\xE9", b"caf\xe9") for name, text in texts.items()}
    assert texts, f"{code} has no example"
    dialect = detect("", texts["spec"]) if "spec" in texts else "specthread"
    records = {name: text for name, text in files.items() if name.endswith(".json")}
    spec = read_spec(texts, dialect, around=Around(records))
    return {problem.code for problem in (*judge(spec), *build_dag(spec.tasks).problems)}


def test_every_code_has_a_page_and_every_page_a_code():
    assert set(all_rules()) == pages()


@pytest.mark.parametrize("code", sorted(RULES.keys() - SHOWN_IN_WORDS.keys()))
def test_the_bad_example_draws_the_code_and_the_good_one_does_not(code):
    assert code in drawn_by(code, "Bad")
    assert code not in drawn_by(code, "Good")


@pytest.mark.parametrize("code", sorted(all_rules()))
def test_a_page_says_what_and_why(code):
    page = page_of(code)
    assert page.startswith(f"# {code}\n\n")
    assert sentence_of(page).endswith(".")
    assert reason_of(page)


def test_the_pages_come_with_the_package():
    assert pages()
    wheel = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["hatch"]["build"]["targets"]["wheel"]
    assert wheel == {"packages": ["server/specthread", "git_integration/specgit"]}


def test_explain_prints_the_page_of_a_code(cli):
    said = cli("check", "--explain", "ears/form")
    assert (said.code, said.out) == (0, page_of("ears/form"))


def test_explain_lists_all_codes_in_groups_or_those_of_one_group(cli):
    lines = cli("check", "--explain").out.splitlines()
    assert [line for line in lines if line and not line.startswith(" ")] == sorted({code.partition("/")[0] for code in all_rules()})
    assert [line.split()[0] for line in lines if line.startswith("  ")] == list(all_rules())
    group = cli("check", "--explain", "plan").out.splitlines()
    assert group[0] == "plan"
    assert re.fullmatch(r"  plan/bad-estimate +warning +A task is said to take .*\.", group[1])


def test_explain_speaks_json(cli):
    codes = cli("check", "--explain", "ears/form", "--json").json["codes"]
    assert [(each["code"], each["severity"], each["page"]) for each in codes] == [("ears/form", "error", page_of("ears/form"))]
    assert len(cli("check", "--explain", "--json").json["codes"]) == len(all_rules())
