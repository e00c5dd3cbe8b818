import copy

import pytest

from specthread.agents.backend import ToolUse
from specthread.agents.document_tools import Rendered, document_tools, rendered
from specthread.agents.toolspecs import problem_with
from specthread.plan.findings import findings

REQUIREMENTS = {
    "introduction": "Scripts read the report.",
    "requirements": [
        {
            "title": "JSON form",
            "story": "As a script, I want the report as JSON, so that I can read it.",
            "criteria": [
                "WHEN the user passes `--json`, THE report command SHALL print one JSON object.",
                "IF there is no entry, THEN THE report command SHALL print `{}`.",
            ],
        }
    ],
    "open_questions": ["Are keys sorted? They are, by name."],
}
DESIGN = {"sections": [{"title": "Overview", "text": "One function.\n\n### Files\n\n- `src/report.py`"}]}
TASKS = {
    "tasks": [
        {"title": "Write the form", "requirements": ["1.1"], "depends": [], "files": ["src/report.py"], "check": "pytest -q tests/test_json.py"},
        {
            "title": "Offer it",
            "requirements": [],
            "depends": [],
            "files": [],
            "check": "",
            "subtasks": [
                {"title": "On the command line", "requirements": ["1.2"], "depends": ["1"], "files": ["src/cli.py"], "check": "pytest -q tests/test_cli.py"},
                {"title": "In the manual", "requirements": ["1"], "depends": ["2.1"], "files": ["README.md"], "check": "python -m doctest README.md"},
            ],
        },
    ]
}  # fmt: skip
BUG = {
    "introduction": "Callers with an empty list.",
    "current": ["WHEN a caller passes an empty list, THEN the parser raises IndexError."],
    "expected": ["WHEN a caller passes an empty list, THEN THE parser SHALL return an empty list."],
    "unchanged": ["WHEN a caller passes one entry, THE parser SHALL CONTINUE TO return that entry."],
}


def made(name, value, documents=None):
    """Gives a value to its tool as the loop does: first its form is looked at."""
    call = ToolUse(id="1", name=f"write_{name}", input=value)
    flow = "bugfix" if name == "bugfix" else "feature"
    return problem_with(document_tools(flow), call) or rendered(call, documents or {})


def changed(value, path, new):
    """Returns the value with another one at a path such as `tasks.0.depends`."""
    value = copy.deepcopy(value)
    *steps, last = [int(step) if step.isdecimal() else step for step in path.split(".")]
    at = value
    for step in steps:
        at = at[step]
    at[last] = new
    return value


def test_values_become_documents_without_a_finding_whose_numbers_are_ours():
    documents = {}
    for name, value in (("requirements", REQUIREMENTS), ("design", DESIGN), ("tasks", TASKS)):
        document = made(name, value, documents)
        assert isinstance(document, Rendered), document
        documents[name] = document.content
    assert findings(documents, "specthread", "feature") == ()
    assert "- [ ] 2. Offer it" in documents["tasks"].decode()
    assert "  - [ ] 2.2 In the manual" in documents["tasks"].decode()
    assert "## Open Questions\n\n- Are keys sorted?" in documents["requirements"].decode()
    assert "### Files\n" in documents["design"].decode()


def test_a_bug_report_becomes_one_whose_three_parts_are_read():
    report = made("bugfix", BUG)
    assert isinstance(report, Rendered), report
    assert "\n3.1 WHEN a caller passes one entry" in report.content.decode()
    unknown = made("tasks", changed(TASKS, "tasks.0.requirements", ["4.1"]), {"bugfix": report.content})
    assert "names 4.1, which is not there. There are: 1, 1.1, 2, 2.1, 3, 3.1." in unknown


BAD = {
    "JSON in a string, cut off": ("requirements", "requirements", '[{"title": "JSON form", "cri', "`requirements` of `write_requirements` must be of type array, and not JSON"),
    "an object for a list": ("requirements", "requirements.0.criteria", {"1": "x"}, "`requirements[0].criteria` of `write_requirements` must be of type array"),
    "a number of its own": ("requirements", "requirements.0.id", "7", "an object without `id`: it takes `title`"),
    "a number for a name": ("tasks", "tasks.1.subtasks.0.depends", [1], "`tasks[1].subtasks[0].depends` of `write_tasks` must be a list whose entries are of type string"),
    "a role nobody has": ("tasks", "tasks.0.role", "wizard", "`tasks[0].role` of `write_tasks` must be one of"),
    "nothing required": ("requirements", "requirements", [], "`requirements` is empty"),
    "no criterion": ("requirements", "requirements.0.criteria", [], "`requirements[0].criteria` is empty"),
    "a blank criterion": ("requirements", "requirements.0.criteria.1", " ", "`requirements[0].criteria[1]` is empty"),
    "a title that is a heading of its own": ("design", "sections.0.text", "# Design", "holds the heading “Design” of level 1 or 2"),
    "a criterion nobody wrote": ("tasks", "tasks.0.requirements", ["1.1", "1.7"], "`tasks[0].requirements` names 1.7, which is not there. There are: 1, 1.1, 1.2."),
    "a task nobody wrote": ("tasks", "tasks.0.depends", ["3"], "`tasks[0].depends` names 3, which is not there. The tasks are: 1, 2, 2.1, 2.2."),
    "a task that waits for itself": ("tasks", "tasks.0.depends", ["1"], "`tasks[0].depends` names the task itself"),
    "a circle": ("tasks", "tasks.0.depends", ["2.2"], "wait for each other in a circle"),
    "a task in the words of another": ("tasks", "tasks.0.detail", "- [ ] 9. More", "The task “Write the form” would be read otherwise"),
}  # fmt: skip


@pytest.mark.parametrize(("name", "path", "value", "told"), BAD.values(), ids=BAD)
def test_what_is_wrong_with_values_is_told_with_its_place_and_nothing_is_written(name, path, value, told):
    given = {"requirements": REQUIREMENTS, "design": DESIGN, "tasks": TASKS}[name]
    known = made("requirements", REQUIREMENTS)
    assert isinstance(known, Rendered)
    answer = made(name, changed(given, path, value), {"requirements": known.content})
    assert isinstance(answer, str), answer
    assert told in answer


def test_each_flow_has_the_tools_of_its_documents():
    assert [tool.name for tool in document_tools("quick")] == ["write_requirements", "write_tasks"]
    assert [tool.name for tool in document_tools("bugfix")] == ["write_bugfix", "write_design", "write_tasks"]
