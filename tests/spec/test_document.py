import pytest
from hypothesis import given

from specthread.spec.design import parse_design
from specthread.spec.document import headings, is_generated, scan_lines
from specthread.spec.lint import lint
from specthread.spec.report_json import inspect_value
from specthread.spec.requirements import parse_requirements
from specthread.spec.tasks import parse_tasks
from support.spec_text import documents


@given(documents())
def test_lines_tile_the_document_byte_by_byte(content):
    lines = scan_lines(content)
    start = 3 if content.startswith(b"\xef\xbb\xbf") else 0
    for number, line in enumerate(lines, 1):
        assert (line.number, line.range.start) == (number, start)
        assert content[line.range.start : line.range.end].decode("utf-8", "surrogateescape") == line.text
        assert content[line.range.end : line.end] in {b"", b"\n", b"\r\n", b"\r"}
        start = line.end
    assert start == len(content)


@given(documents())
def test_no_document_makes_any_reader_fail_and_all_ranges_lie_inside(content):
    for name in ("requirements", "design", "tasks", "bugfix"):
        for problem in lint({name: content}):
            assert 0 <= problem.range.start <= problem.range.end <= max(1, len(content))
            assert 1 <= problem.line <= max(1, len(scan_lines(content)))
    for section in parse_design(content).sections:
        assert 0 <= section.range.start < section.range.end <= len(content)
    inspect_value({"requirements": content, "tasks": content})


@given(documents())
def test_requirements_and_criteria_lie_inside_each_other_in_order(content):
    before = 0
    for requirement in parse_requirements(content).requirements:
        assert before <= requirement.range.start < requirement.range.end <= len(content)
        before = requirement.range.end
        inner = requirement.range.start
        for criterion in requirement.criteria:
            assert inner <= criterion.range.start < criterion.range.end <= requirement.range.end
            assert criterion.id == f"{requirement.id}.{criterion.number}"
            inner = criterion.range.end


@given(documents())
def test_task_ranges_do_not_overlap_and_hold_their_box_and_their_facts(content):
    before = 0
    for task in parse_tasks(content).tasks:
        assert before <= task.range.start < task.range.end <= len(content)
        assert content[task.box.start - 1 : task.box.start] == b"["
        assert content[task.box.start : task.box.end].decode("utf-8", "surrogateescape") == task.state_raw
        assert content[task.box.end : task.box.end + 1] == b"]"
        for item in (*task.meta, *task.references):
            assert task.range.start <= item.range.start <= item.range.end <= task.range.end
        for reference in task.references:
            assert content[reference.range.start : reference.range.end].decode("utf-8", "surrogateescape") == reference.written
        before = task.range.end


@given(documents())
def test_a_parent_always_comes_before_its_children(content):
    seen = set()
    for task in parse_tasks(content).tasks:
        assert task.parent is None or task.parent in seen
        seen.add(task.id)


def hidden(text):
    return "".join("f" if line.in_fence else "c" if line.in_comment else "." for line in scan_lines(text.encode()))


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


def test_columns_are_counted_in_characters_and_ranges_in_bytes():
    line = scan_lines("\ufeffa\n一🎉\udcffx\n".encode("utf-8", "surrogateescape"))[1]
    assert line.text == "一🎉\udcffx"
    assert line.span(1, 3) == type(line.range)(5 + 3, 5 + 3 + 4 + 1)


@pytest.mark.parametrize(
    ("text", "expected"),
    [("## a ##", (2, "a")), ("# C#", (1, "C#")), ("#a", None), ("####### a", None), ("#", (1, "")), ("  ###\ta b", (3, "a b"))],
)
def test_headings_are_read_as_markdown_has_them(text, expected):
    assert [(heading.level, heading.title) for heading in headings(scan_lines(text.encode()))] == ([expected] if expected else [])


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
    assert is_generated(scan_lines(text.encode())[0]) is expected


def test_a_section_reaches_to_the_next_heading_of_its_level():
    content = b"# A\n## B\ntext\n### C\n## D\n"
    sections = parse_design(content).sections
    assert [(section.title, section.level, section.line) for section in sections] == [("A", 1, 1), ("B", 2, 2), ("C", 3, 4), ("D", 2, 5)]
    assert content[sections[1].range.start : sections[1].range.end] == b"## B\ntext\n### C\n"
