import json
from pathlib import Path

import pytest

from specthread.spec.digest import content_digest
from specthread.spec.document import DESIGN, REQUIREMENTS, TASKS, DocumentName
from specthread.spec.lint import RULES, lint, lint_spec
from specthread.spec.spec import Around, read_spec
from support.marked import drawn, mark_of, read_case

CASES = sorted((Path(__file__).parent / "data").glob("*.txt"))


@pytest.mark.parametrize("path", CASES, ids=lambda path: path.stem)
def test_the_linter_finds_what_is_marked_and_nothing_else(path):
    case = read_case(path)
    found = {mark_of(problem): problem for problem in lint_spec(read_spec(case.documents, case.dialect))}
    unexpected = [drawn(problem) for mark, problem in found.items() if mark not in case.marks]
    assert not unexpected, "not marked:\n" + "\n".join(unexpected)
    assert not [mark for mark in case.marks if mark not in found], "marked but not found"
    for mark, words in case.marks.items():
        assert words in found[mark].message


@pytest.mark.parametrize("path", CASES, ids=lambda path: path.stem)
def test_every_case_says_why_it_exists(path):
    assert read_case(path).why.endswith(".")


def test_every_code_is_covered_by_a_case_or_by_a_test_below():
    marked = {mark.code for path in CASES for mark in read_case(path).marks}
    of_plans = {code for code in RULES if code.startswith("plan/")}
    assert RULES.keys() - marked - of_plans == {"document/not-utf8", "document/too-long", "approval/void", "approval/skipped"}


def test_bytes_that_are_not_utf8_are_reported_once():
    problems = lint({DESIGN: b"# Design\n\xff\xfe\n\xff\n"})
    assert [(problem.code, problem.line) for problem in problems] == [("document/not-utf8", 2)]


def test_a_document_nobody_can_review_is_reported():
    assert "document/too-long" in {problem.code for problem in lint({DESIGN: b"text\n" * 2_001})}
    assert not lint({DESIGN: b"text\n" * 2_000})


def test_problems_are_sorted_by_document_then_line():
    problems = lint({TASKS: b"- [ ] 1. a\n- [ ] 1. b\n", REQUIREMENTS: b"# Requirements\n", DESIGN: b"\xff"})
    places = [(problem.document, problem.line) for problem in problems]
    order = [REQUIREMENTS, DESIGN, TASKS]
    assert places == sorted(places, key=lambda place: (order.index(place[0]), place[1]))
    assert {document for document, _ in places} == set(order)


def test_empty_documents_are_reported_on_line_one():
    problems = lint({REQUIREMENTS: b"", TASKS: b"", DESIGN: b""})
    assert [(problem.document, problem.code, problem.line) for problem in problems] == [
        ("requirements", "requirement/none", 1),
        ("tasks", "task/none", 1),
    ]


def test_a_document_alone_is_not_blamed_for_what_only_the_other_could_answer():
    tasks = b"- [ ] 1. a\n  - _Requirements: 9.9_\n  - _Check: pytest_\n"
    assert not lint({TASKS: tasks})


def test_a_document_of_another_name_is_only_read_as_text():
    assert not lint({DocumentName("notes"): b"- [ ] 1. a\n"})


def test_rules_carry_the_severity_and_the_sentence_of_the_table():
    for code, (severity, doc) in RULES.items():
        assert severity in {"error", "warning", "info"}
        assert doc.endswith("."), code


def codes_with(records):
    documents = {
        REQUIREMENTS: b"### Requirement 1: a\n\n#### Acceptance Criteria\n\n1. THE cli SHALL stop.\n",
        TASKS: b"- [x] 1. b\n  - _Requirements: 1_\n",
    }
    spec = read_spec(documents, "kiro", around=Around({name: json.dumps(value).encode() for name, value in records.items()}))
    return [(problem.document, problem.code) for problem in lint_spec(spec)]


def test_words_that_are_not_the_approved_ones_are_told_and_a_tick_is_none():
    tasks = content_digest(b"- [ ] 1. b\n  - _Requirements: 1_\n")
    versions = [{"number": 1, "digests": {}}, {"number": 2, "digests": {"requirements": "0" * 64, "tasks": tasks, "design": "1"}}]
    assert codes_with({"spec-metadata.json": {"versions": versions}}) == [("requirements", "approval/void")]


def test_tasks_approved_before_what_they_rest_on_are_told():
    approvals = {"requirements": {"approved": False}, "design": {"approved": True}, "tasks": {"approved": True}}
    assert codes_with({"spec.json": {"approvals": approvals}}) == [("tasks", "approval/skipped")]
    assert codes_with({"spec.json": {"approvals": {**approvals, "requirements": {"approved": True}}}}) == []


@pytest.mark.parametrize(
    "odd", [[], "x", {"versions": 3}, {"versions": [3]}, {"versions": [{"digests": 4}]}, {"approvals": {"tasks": 1}}, {"approvals": []}]
)
def test_a_record_that_makes_no_sense_says_nothing(odd):
    assert codes_with({"spec-metadata.json": odd, "spec.json": odd}) == []


@pytest.mark.parametrize(("dialect", "marks"), [("openspec", "a space, “x” or “-”"), ("specthread", "a space, “x”, “-” or “~”")])
def test_the_message_about_an_unknown_mark_names_those_of_the_dialect(dialect, marks):
    mark = "~" if dialect == "openspec" else "?"
    problem = next(each for each in lint({TASKS: f"- [{mark}] 1.1 x\n".encode()}, dialect) if each.code == "task/unknown-mark")
    assert problem.message == f"The mark “{mark}” has no meaning here, so the task counts as not started. Use {marks}."


@pytest.mark.parametrize(
    ("written", "mended"),
    [
        ("IF it fails, THE app SHALL retry", "IF it fails, THEN THE app SHALL retry"),
        ("IF it is a, b or c THE app SHALL retry", None),
        ("IF it fails, THE app, once idle, SHALL retry", None),
    ],
)
def test_then_is_put_only_where_the_response_begins_behind_the_comma(written, mended):
    source = f"### Requirement 1: x\n\n1. {written}.\n"
    spec = read_spec({REQUIREMENTS: source.encode()})
    problem = next(each for each in lint_spec(spec) if each.code == "ears/if-without-then")
    fixed = spec.sources[REQUIREMENTS].changed(problem.fix.changes).decode() if problem.fix else None
    assert fixed == (mended and source.replace(written, mended))
