import pytest
from hypothesis import given
from hypothesis import strategies as st

from specthread.spec.document import Span
from specthread.spec.markers import LARGEST, form_of, id_key, markers_in, why_passed_over
from specthread.spec.source import scan
from support.spec_text import documents

WRITTEN = [
    ("# Req 1.2", "1.2"),
    ("// Requirements: 1.1, 1.3-1.5 and 2", "1.1 1.3 1.4 1.5 2"),
    ("Validates: Requirements 1.2, 2.1", "1.2 2.1"),
    ("/* Requirement 4 */", "4"),
    ("Requirement 1, 2 of them", "1"),
    ("-- implements requirement 1.2", "1.2"),
    ("see R1.2", "R1.2"),
    ("REQ-12, FR-003, US-3.1, SC-001", "REQ-12 FR-003 US-3.1 SC-001"),
    ("it('[US1] starts')", "US1"),
    ("Task 2.1 is done, so is Task T012", "2.1 T012"),
    ("def test_req_1_2_prints_json():", "1.2"),
    ("func TestReq1_2PrintsJson(t *testing.T)", "1.2"),
    ("def test_fr_003_prints_json():", "FR-003"),
    ("// 根据需求1.2、1.3", "1.2 1.3"),
]
NOT_WRITTEN = [
    "needs Python requirement 3.11",
    "Requirements 100% met",
    "request 1.2 of req 3",
    "R10 holds the address",
    "UTF-8, SHA-256, ISO-8601, ABC-123",
    "Task 1 waits for Task 2",
    "see owner/repository#12 and color#1.5em",
    "test_request_1_2",
    "FR-003-4711",
    "Req 1.2.3.4.5.6.7.8",
]


def ids(text, **given):
    return " ".join(marker.id for marker in markers_in(text.encode(), **given))


@pytest.mark.parametrize(("text", "expected"), WRITTEN)
def test_a_marker_is_found_however_it_is_written(text, expected):
    assert ids(text) == expected


@pytest.mark.parametrize("text", NOT_WRITTEN)
def test_what_only_looks_like_a_marker_is_left_alone(text):
    assert ids(text) == ""


def test_a_spec_is_named_in_front_of_an_id_or_at_the_top_of_a_file():
    def named(text):
        return [(marker.kind[0], marker.id, marker.spec, marker.is_bound) for marker in markers_in(text.encode())]

    assert named("add-json-output: Req 1.2") == [("r", "1.2", "add-json-output", False)]
    assert named("add-json-output#1.2 and other#FR-003") == [("r", "1.2", "add-json-output", True), ("r", "FR-003", "other", True)]
    assert named("[spec:add-json-output] Req 1.2, Task 3") == [("r", "1.2", "add-json-output", True), ("t", "3", "add-json-output", True)]
    assert named("add-json-output: Task 3") == [("t", "3", "add-json-output", False)]
    assert named("Validates: Requirements 1.2") == [("r", "1.2", "", False)]
    assert named("# [spec:one]\n# Req 1.1\n# [spec:two] Req 1.2\n# Req 1.3") == [
        ("r", "1.1", "one", True),
        ("r", "1.2", "two", True),
        ("r", "1.3", "one", True),
    ]


def test_places_are_lines_and_characters_whatever_stands_in_front():
    text = "\ufeffone\r\n一覧🎉 Req 1.2\ré Requirements: 1.3-1.4\n"
    assert [(marker.id, marker.span) for marker in markers_in(text.encode())] == [
        ("1.2", Span(2, 8, 11)),
        ("1.3", Span(3, 16, 23)),
        ("1.4", Span(3, 16, 23)),
    ]


def test_a_person_adds_a_form_and_hears_what_is_wrong_with_one():
    own = form_of(r"@covers\((?P<spec>[\w-]+), (?P<id>[^)]+)\)")
    (marker,) = markers_in(b"@covers(user-auth, A.7)", [own])
    assert (marker.kind, marker.id, marker.spec, marker.is_bound) == ("requirement", "A.7", "user-auth", True)
    assert [marker.kind for marker in markers_in(b"todo 7", [form_of("todo (?P<task>[0-9])")])] == ["task"]
    with pytest.raises(ValueError, match="is not a regular expression: missing"):
        form_of("(?P<id>[0-9]+")
    with pytest.raises(ValueError, match="does not say which part is the id"):
        form_of("[0-9]+")


def test_binary_and_huge_files_are_passed_over():
    assert why_passed_over(b"Req 1.2\0") == "binary"
    assert why_passed_over(b" " * (LARGEST + 1)) == "large"
    assert why_passed_over(b"Req 1.2") is None


def test_ways_to_write_one_id_are_the_same():
    assert {id_key(name) for name in ("1.2", "R1.2", "REQ-1.2", "Req 1.2", "requirement 1.2")} == {"1.2"}
    assert id_key("FR-003") == id_key("fr3") == id_key("FR_003")
    assert id_key("US-2.1") == id_key("US2.1")
    assert id_key("1.10") != id_key("1.1")


@given(st.lists(st.one_of(documents(5), st.sampled_from([text.encode() for text, _ in WRITTEN])), max_size=5).map(b"\n".join))
def test_every_place_holds_characters_of_its_line(content):
    lines = scan(content).lines
    for marker in markers_in(content):
        assert lines[marker.span.line - 1].text.startswith(marker.text)
        assert 0 <= marker.span.start < marker.span.end <= len(marker.text)


@given(st.lists(st.sampled_from([b"Req 1.2", b"a line", b"FR-003 x", b"# [spec:one]", b"", b"\xff R1.2", b"x" * 70_000]), max_size=9))
def test_lines_passed_over_fast_change_nothing(lines):
    never = form_of("(?!)(?P<id>x)")
    for end in (b"\n", b"\r\n"):
        content = end.join(lines)
        assert markers_in(content) == markers_in(content, [never])


def test_a_marker_is_found_wherever_it_lies_in_a_long_file():
    for before in range((1 << 16) - 80, (1 << 16) + 8):
        (marker,) = markers_in(b" " * 60 + b"\n" * before + b"# Req 1.2")
        assert (marker.id, marker.span.line) == ("1.2", before + 1)
