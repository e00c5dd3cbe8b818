from hypothesis import given
from hypothesis import strategies as st

from specthread.spec.document import DocumentName
from specthread.spec.spec import read_spec
from specthread.spec.symbols import Symbol, occurrence_at, occurrences, occurrences_of
from support.spec_text import DIALECTS, documents

SPEC = {
    "requirements": b"### Requirement 1: JSON\n\n#### Acceptance Criteria\n\n1. THE cli SHALL a.\n2. THE cli SHALL b.\n3. THE cli SHALL c.\n",
    "design": b"# Design\n\n### Property 1: round trip\n\nFor any x.\n\n**Validates: Requirements 1.2**\n",
    "tasks": b"- [ ] 1. a\n  - _Requirements: 1.1-1.3_\n- [ ] 2. b\n  - **Property 1: round trip**\n  - _Requirements: R1_\n  - _Depends: 1_\n",
}


def spec():
    return read_spec({DocumentName(name): content for name, content in SPEC.items()})


def shown(found):
    return [(each.document, *each.span, each.is_exact, each.owner and each.owner.id) for each in found]


def test_a_criterion_is_found_where_it_is_written_in_the_middle_of_a_range_and_where_a_property_validates_it():
    assert shown(occurrences_of(spec(), Symbol("criterion", "1.2"))) == [
        ("requirements", 6, 0, 1, True, "1"),
        ("design", 7, 26, 29, True, "1"),
        ("tasks", 2, 19, 26, False, "1"),
    ]


def test_a_requirement_is_meant_with_or_without_its_letter_and_a_task_by_what_depends_on_it():
    assert shown(occurrences_of(spec(), Symbol("requirement", "1"))) == [
        ("requirements", 1, 16, 17, True, None),
        ("tasks", 5, 20, 21, True, "2"),
    ]
    assert shown(occurrences_of(spec(), Symbol("task", "1"))) == [("tasks", 1, 6, 7, True, None), ("tasks", 6, 14, 15, True, "2")]
    assert shown(occurrences_of(spec(), Symbol("property", "1"))) == [("design", 3, 13, 14, True, None), ("tasks", 4, 15, 16, True, "2")]


def test_a_place_means_the_id_it_touches_else_what_its_line_defines():
    found = occurrence_at(spec(), DocumentName("tasks"), 2, 25)
    assert found
    assert found.symbol == Symbol("criterion", "1.3")
    found = occurrence_at(spec(), DocumentName("requirements"), 5, 12)
    assert found
    assert found.symbol == Symbol("criterion", "1.1")
    assert occurrence_at(spec(), DocumentName("requirements"), 2, 0) is None


@given(documents(), documents(), documents(), st.sampled_from(DIALECTS))
def test_every_exact_place_holds_the_id_it_stands_for(one, two, three, dialect):
    read = read_spec({DocumentName("requirements"): one, DocumentName("design"): two, DocumentName("tasks"): three}, dialect)
    for each in occurrences(read):
        text = read.sources[each.document].lines[each.span.line - 1].text[each.span.start : each.span.end]
        if each.is_exact and not each.is_definition:
            assert each.symbol.id.casefold().endswith(text.casefold().lstrip("r"))
