import pytest

from specthread.spec.document import BUGFIX
from specthread.spec.requirements import parse_requirements
from specthread.spec.spec import read_spec


def parse(text):
    return parse_requirements(text.encode()).requirements


def test_a_requirement_carries_title_story_and_criteria():
    content = """# Requirements

### Requirement 1: JSON output

**User Story:** As a developer,
I want JSON, so that I can parse it.

#### Acceptance Criteria

1. WHEN asked, THE cli SHALL
   print JSON.
   - a nested list
2. THE cli SHALL stop

   1. nested

## Notes
1. not a criterion
"""
    [requirement] = parse(content)
    assert (requirement.id, requirement.title, requirement.line) == ("1", "JSON output", 3)
    assert requirement.story == "As a developer, I want JSON, so that I can parse it."
    assert [(item.id, item.number, item.pattern, item.text, item.line) for item in requirement.criteria] == [
        ("1.1", "1", "event", "WHEN asked, THE cli SHALL print JSON.", 10),
        ("1.2", "2", "ubiquitous", "THE cli SHALL stop", 13),
    ]
    assert requirement.last == 15


@pytest.mark.parametrize(
    ("heading", "expected"),
    [
        ("### Requirement 1: a", ("1", "a")),
        ("### Requirement 1", ("1", "")),
        ("## Requirement 12 - a", ("12", "a")),
        ("### Requirement 1\uff1aa", ("1", "a")),
        ("### Requirement 16A: a: b", ("16A", "a: b")),
        ("#### requirement 2 — a", ("2", "a")),
        ("### Requirements", None),
        ("### Requirement 1.2: a", ("1.2", "a")),
        ("# Requirement 1: a", None),
        ("Requirement 1: a", None),
    ],
)
def test_requirement_headings(heading, expected):
    assert [(item.id, item.title) for item in parse(heading)] == ([expected] if expected else [])


@pytest.mark.parametrize(
    ("block", "numbers"),
    [
        ("#### Acceptance Criteria\n1. a\n2. b", ["1", "2"]),
        ("1. context\n\n**Acceptance Criteria:**\n\n1. a\n3. b", ["1", "3"]),
        ("1. a\n\n1. a\n", ["1", "1"]),
        ("#### Acceptance Criteria\n1.1 a\n1.2. b", ["1", "2"]),
        ("#### Acceptance Criteria\n2.1 a", ["2.1"]),
        ("#### Acceptance Criteria\n  1) a\n     1. nested\n  2) b", ["1", "2"]),
        ("#### Acceptance Criteria\n- bullets only", []),
        ("#### Acceptance Criteria\n1. a\n#### 1.2 more\n2. b", ["1", "2"]),
    ],
)
def test_criteria_keep_their_written_numbers(block, numbers):
    [requirement] = parse(f"### Requirement 1\n{block}")
    assert [criterion.number for criterion in requirement.criteria] == numbers


@pytest.mark.parametrize(
    ("text", "pattern"),
    [
        ("THE cli SHALL a", "ubiquitous"),
        ("Users SHALL a", "ubiquitous"),
        ("WHEN x THEN the cli SHALL a", "event"),
        ("When x, while y, the cli shall a", "complex"),
        ("WHEN x, if any, THE cli SHALL a", "event"),
        ("WHEN x AND y THEN z", "event"),
        ("**WHEN** x, **THEN** it SHALL a", "event"),
        ("WHILE x, THE cli SHALL a", "state"),
        ("WHERE x, THE cli SHALL a", "optional"),
        ("IF x THEN THE cli SHALL a", "unwanted"),
        ("WHILE x, WHEN y, THE cli SHALL a", "complex"),
        ("WHILE x IF y THEN THE cli SHALL a", "complex"),
        ("THE cli SHALL a WHEN x", "ubiquitous"),
        ("GIVEN x WHEN y THEN it SHALL z", "event"),
        ("The cli prints", "none"),
        ("WHEN 用户 THEN 系统 SHALL x", "event"),
        ("Whenever x, THE cli SHALL a", "ubiquitous"),
        ("", "none"),
    ],
)
def test_the_ears_pattern_comes_from_the_opening_keywords(text, pattern):
    [requirement] = parse(f"### Requirement 1\n1. {text}")
    assert requirement.criteria[0].pattern == pattern


def test_a_story_is_told_with_or_without_bold():
    stories = ["**User Story:** a", "**User Story**: a", "User Story: a", "**Objective:** a", "- **User Story\uff1a** a"]
    assert [parse(f"### Requirement 1\n{story}\n1. b")[0].story for story in stories] == ["a"] * 5
    assert parse("### Requirement 1\n1. b")[0].story == ""


def test_only_a_bug_report_has_requirements_by_their_headings():
    content = b"### Requirement 1: a\n\n1. THE cli SHALL b.\n\n### Expected Behavior\n\n1. A plain list.\n\n2.1 WHEN a, THE cli SHALL c.\n"
    assert [each.id for each in parse_requirements(content).requirements] == ["1"]
    spec = read_spec({BUGFIX: content})
    assert [(each.id, [item.id for item in each.criteria]) for _, each in spec.all_requirements] == [("2", ["2.1"])]


def test_a_story_without_words_has_none_and_not_its_first_scenario():
    read = parse_requirements(b"### User Story 1 - Pay\n\n1. **Given** a cart, **When** paid, **Then** done\n", "spec-kit")
    assert [each.story for each in read.requirements] == [""]
