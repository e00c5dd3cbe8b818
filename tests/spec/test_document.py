import pytest
from hypothesis import given
from hypothesis import strategies as st

from specthread.spec.design import parse_design
from specthread.spec.document import Change, DocumentName, Span
from specthread.spec.lint import lint_spec
from specthread.spec.report_json import inspect_value
from specthread.spec.requirements import parse_requirements
from specthread.spec.source import BYTE_ORDER_MARK, scan
from specthread.spec.spec import read_spec
from specthread.spec.tasks import parse_tasks
from support.spec_text import DIALECTS, documents, edited

NAMES = ("requirements", "design", "tasks", "bugfix")


def inside(span, lines):
    return 1 <= span.line <= max(1, len(lines)) and 0 <= span.start <= span.end <= (len(lines[span.line - 1].text) if lines else 0)


@given(documents())
def test_lines_tile_the_document_byte_by_byte(content):
    mark = BYTE_ORDER_MARK if content.startswith(BYTE_ORDER_MARK) else b""
    source = scan(content)
    assert mark + b"".join((line.text + line.ending).encode("utf-8", "surrogateescape") for line in source.lines) == content
    assert source.offsets[-1] == len(content)
    assert all(line.ending in {"\n", "\r\n", "\r", ""} for line in source.lines)
    assert all(line.ending for line in source.lines[:-1])


@given(documents(), st.sampled_from(DIALECTS))
def test_no_document_makes_any_reader_fail_and_all_places_lie_inside(content, dialect):
    lines = scan(content).lines
    for name in NAMES:
        spec = read_spec({DocumentName(name): content}, dialect)
        assert all(inside(problem.span, lines) for problem in lint_spec(spec))
    for section in parse_design(content).sections:
        assert 0 < section.line <= section.last <= len(lines)
    inspect_value({DocumentName("requirements"): content, DocumentName("tasks"): content}, dialect)


@given(st.data(), st.sampled_from(DIALECTS))
def test_a_document_read_after_an_edit_is_the_document_read_anew(data, dialect):
    texts = {DocumentName(name): data.draw(documents()) for name in NAMES}
    spec = read_spec(texts, dialect)
    lint_spec(spec)
    for _ in range(4):
        name = data.draw(st.sampled_from([*texts]))
        texts = {**texts, name: data.draw(edited(texts[name]))}
        spec = read_spec(texts, dialect, spec)
        fresh = read_spec(texts, dialect)
        assert [(line.text, line.ending, line.mark) for line in spec.sources[name].lines] == [
            (line.text, line.ending, line.mark) for line in fresh.sources[name].lines
        ]
        assert lint_spec(spec) == lint_spec(fresh)
        assert inspect_value(texts, dialect, spec) == inspect_value(texts, dialect, fresh)


@given(documents(), st.sampled_from(DIALECTS))
def test_requirements_and_criteria_lie_inside_each_other_in_order(content, dialect):
    lines = scan(content).lines
    before = 0
    for requirement in parse_requirements(content, dialect).requirements:
        assert before < requirement.line <= requirement.last <= len(lines)
        assert inside(requirement.id_span, lines)
        before = requirement.line
        inner = requirement.line
        for criterion in requirement.criteria:
            assert inner <= criterion.line <= criterion.spoken <= criterion.last <= requirement.last
            assert inside(criterion.number_span, lines)
            inner = criterion.last


@given(documents(), st.sampled_from(DIALECTS))
def test_tasks_do_not_overlap_and_hold_their_box_and_their_facts(content, dialect):
    source = scan(content)

    def text(span):
        return source.lines[span.line - 1].text[span.start : span.end]

    before = 0
    for task in parse_tasks(content, dialect).tasks:
        assert before < task.line <= task.last <= len(source.lines)
        assert source.lines[task.line - 1].text[task.box.start - 1 : task.box.end + 1] == f"[{task.state_raw}]"
        assert text(task.id_span) == task.id
        assert all(task.line <= item.span.line <= task.last for item in (*task.meta, *task.references))
        assert all(text(reference.span) == reference.written for reference in task.references)
        before = task.line


@given(documents())
def test_a_parent_always_comes_before_its_children(content):
    seen = set()
    for task in parse_tasks(content).tasks:
        assert task.parent is None or task.parent in seen
        seen.add(task.id)


def hidden(text):
    signs = {"fence": "f", "text": "."}
    return "".join(signs.get(line.mark, "c") for line in scan(text.encode()).lines)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("```\na\n```\nb", "fff."),
        ("````\n```\n````\nb", "fff."),
        ("~~~ python\n```\n~~~", "fff"),
        ("- ```\n  a\n  ```\nb", "fff."),
        ("```a`b\nc", ".."),
        ("```\na", ".."),
        ("```\na\n~~~", "..."),
        ("<!-- a -->\nb", "c."),
        ("<!-- a\nb\n--> c\nd", "ccc."),
        ("<!-- a\nb", ".."),
        ("a <!-- b\nc -->\nd", ".c."),
        ("a `<!--` b\nc -->", ".."),
        ("<!--\n```\n-->\na", "ccc."),
        ("```\n<!--\n```\na\n-->", "fff.."),
        ("---\nname: a\n---\n# b", "ccc."),
        ("---\n\n---\n# b", "...."),
        ("---\nname: a\n# b", "..."),
    ],
)
def test_code_comments_and_front_matter_are_hidden(text, expected):
    assert hidden(text) == expected


def test_columns_are_counted_in_characters_and_edits_in_bytes():
    source = scan("\ufeffa\n一🎉\udcffx\n".encode("utf-8", "surrogateescape"))
    assert source.lines[1].text == "一🎉\udcffx"
    assert source.range(Span(2, 1, 3)) == (5 + 3, 5 + 3 + 4 + 1)


def test_a_change_takes_the_line_ending_of_its_document():
    source = scan(b"a\r\nb\r\n")
    assert source.changed([Change((2, 0), (2, 1), "c\nd"), Change((3, 0), (3, 0), "e\n")]) == b"a\r\nc\r\nd\r\ne\r\n"


@pytest.mark.parametrize(
    ("text", "expected"),
    [("## a ##", (2, "a")), ("# C#", (1, "C#")), ("#a", None), ("####### a", None), ("#", (1, "")), ("  ###\ta b", (3, "a b"))],
)
def test_headings_are_read_as_markdown_has_them(text, expected):
    [line] = scan(text.encode()).lines
    assert line.heading == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("<!-- specthread:progress 40% -->", True),
        ("  <!--specthread:x-->  ", True),
        ("<!-- specthread:x --> and more", False),
        ("<!-- specthread:x --><!-- y -->", False),
        ("<!-- other:x -->", False),
    ],
)
def test_only_a_line_that_is_nothing_else_counts_as_generated(text, expected):
    assert scan(text.encode()).lines[0].is_generated is expected


def test_a_section_reaches_to_the_next_heading_of_its_level():
    content = b"# A\n## B\ntext\n### C\n## D\n"
    sections = parse_design(content).sections
    assert [(section.title, section.level, section.line) for section in sections] == [("A", 1, 1), ("B", 2, 2), ("C", 3, 4), ("D", 2, 5)]
    assert [section.last for section in sections] == [5, 4, 4, 5]
