from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from specthread.agents import demo
from specthread.spec.changes import Cannot
from specthread.spec.format import format_changes
from specthread.spec.lint import lint
from specthread.spec.questions import open_questions
from specthread.spec.render import (
    BugText,
    RequirementText,
    SectionText,
    TaskText,
    render_bugfix,
    render_design,
    render_requirements,
    render_tasks,
)
from specthread.spec.requirements import parse_requirements
from specthread.spec.source import scan
from specthread.spec.tasks import parse_tasks

DEMO = Path(demo.__file__).parent / "toy" / "work"
WORDS = st.lists(st.sampled_from(("the", "cli", "JSON", "一", "👍🏽", "writes", "`a_b`", "3", "(why)", "10%")), min_size=1, max_size=5).map(
    " ".join
)
TEXT = st.one_of(WORDS, st.text(max_size=12))
CRITERION = WORDS.map(lambda words: f"WHEN {words} comes, THE cli SHALL write {words}.")


def tasks(text, depth=1):
    below = st.just(()) if depth == 0 else st.lists(tasks(text, depth - 1), max_size=2).map(tuple)
    return st.builds(
        TaskText,
        title=text,
        detail=st.one_of(st.just(""), text, WORDS.map(lambda words: f"- {words}\n  - {words}\n- more")),
        requires=st.sampled_from(((), ("1.1",), ("1", "2.3"))),
        depends=st.sampled_from((None, (), ("1",), ("1", "2.1"))),
        when=st.sampled_from(("", "task 2 failed")),
        role=st.sampled_from(("", "backend")),
        files=st.sampled_from(((), ("a.py",), ("src/a_b.py", "tests/_"))),
        check=st.sampled_from(("", "make test", "pytest -k a_")),
        optional=st.booleans(),
        subtasks=below,
    )


def flat(found, family=""):
    for place, task in enumerate(found, 1):
        number = f"{family}.{place}" if family else str(place)
        yield number, task
        yield from flat(task.subtasks, number)


@given(st.lists(tasks(TEXT), max_size=4))
def test_rendered_tasks_are_read_as_what_they_were(found):
    content = render_tasks("Plan", found)
    if isinstance(content, Cannot):
        assert "would be read otherwise" in content.reason
        return
    for read, (number, task) in zip(parse_tasks(content).tasks, flat(found), strict=True):
        assert (read.id, read.title, read.requires, read.files) == (number, " ".join(task.title.split()), task.requires, task.files)
        assert (read.role or "", read.check or "", read.when or "", read.optional) == (task.role, task.check, task.when, task.optional)


@given(
    st.lists(
        st.builds(RequirementText, title=TEXT, story=TEXT, criteria=st.lists(st.one_of(CRITERION, TEXT), max_size=3).map(tuple)), max_size=4
    )
)
def test_rendered_requirements_are_read_as_what_they_were(found):
    content = render_requirements("Requirements", "Why.", found)
    if not isinstance(content, Cannot):
        read = parse_requirements(content)
        assert [(each.id, [one.text for one in each.criteria]) for each in read.requirements] == [
            (str(number), [" ".join(text.split()) for text in each.criteria]) for number, each in enumerate(found, 1)
        ]
        assert read.problems == ()


@given(st.lists(tasks(WORDS), max_size=4))
def test_plain_words_can_always_be_written_down(found):
    content = render_tasks("Plan", found)
    assert isinstance(content, bytes)
    assert format_changes(scan(content)) == ()


@given(st.lists(st.lists(CRITERION, min_size=1, max_size=2, unique=True), min_size=1, max_size=3))
def test_what_is_whole_is_rendered_without_a_finding(criteria):
    found = [RequirementText(title="One", story="As a user, I want it", criteria=tuple(each)) for each in criteria]
    named = tuple(f"{number}.{place}" for number, each in enumerate(criteria, 1) for place in range(1, len(each) + 1))
    documents = {
        "requirements": render_requirements("Requirements", "Why.", found),
        "design": render_design("Design", [SectionText(title="Overview", text="It is.")]),
        "tasks": render_tasks("Plan", [TaskText(title="Do", requires=named, depends=(), check="make test")]),
    }
    assert not [each for each in documents.values() if isinstance(each, Cannot) or format_changes(scan(each))]
    assert [
        problem for problem in lint(documents) if problem.code != "criterion/near-duplicate" and not problem.code.startswith("wording/")
    ] == []


@pytest.mark.parametrize(
    ("task", "name"),
    [
        (TaskText(title="a", detail="- [ ] 7. b"), "a"),
        (TaskText(title="a", requires=("one two",)), "a"),
        (TaskText(title="a", subtasks=(TaskText(title="b", detail="# c"),)), "b"),
    ],
)
def test_what_cannot_be_written_down_is_named(task, name):
    refused = render_tasks("Plan", [TaskText(title="first"), task])
    assert isinstance(refused, Cannot)
    assert f"“{name}”" in refused.reason


def test_a_heading_is_no_text_of_a_section():
    assert isinstance(render_design("Design", [SectionText(title="A", text="# B")]), Cannot)
    assert (
        render_design("Design", [SectionText(title="A", text="b"), SectionText(title="C", level=3)]) == b"# Design\n\n## A\n\nb\n\n### C\n"
    )


def test_the_documents_of_the_demo_are_what_the_renderer_writes():
    written = (DEMO / "tasks.md").read_bytes()
    values = [
        TaskText(
            title=task.title,
            detail=task.detail,
            requires=task.requires,
            depends=task.block.depends,
            role=task.role or "",
            files=task.files,
            check=task.check or "",
        )
        for task in parse_tasks(written).tasks
    ]
    assert render_tasks("Implementation Plan", values) == written
    written = (DEMO / "requirements.md").read_bytes()
    requirements = [
        RequirementText(title=each.title, story=each.story, criteria=tuple(one.text for one in each.criteria))
        for each in parse_requirements(written).requirements
    ]
    introduction = written.decode().partition("## Introduction")[2].partition("## Requirements")[0]
    assert render_requirements("Requirements Document", introduction, requirements) == written


@given(st.lists(CRITERION, min_size=1, max_size=2), st.lists(CRITERION, min_size=1, max_size=2), st.lists(WORDS, max_size=2))
def test_a_bug_report_is_rendered_without_a_finding_and_its_questions_are_read(expected, unchanged, questions):
    bug = BugText(current=("WHEN it rains, THEN the roof leaks.",), expected=tuple(expected), unchanged=tuple(unchanged))
    content = render_bugfix("Bug", "Why.", bug, questions)
    assert isinstance(content, bytes)
    assert [question.text for question in open_questions(scan(content))] == questions
    found = {problem.code for problem in lint({"bugfix": content}) if not problem.code.startswith("wording/")}
    assert found <= {"criterion/near-duplicate", "spec/open-question"}


@given(st.lists(TEXT, max_size=3))
def test_questions_are_rendered_as_what_they_are_or_not_at_all(questions):
    for content in (
        render_requirements("R", "Why.", [RequirementText(title="One", criteria=("THE cli SHALL end.",))], questions),
        render_design("D", [SectionText(title="Overview", text="It is.")], questions),
    ):
        assert isinstance(content, Cannot) or [each.text for each in open_questions(scan(content))] == [
            " ".join(q.split()) for q in questions
        ]
