from __future__ import annotations

import os

import pytest

from support.fake_documents import DESIGN, REQUIREMENTS, TASKS
from support.fake_engine import ID
from support.git_fixture import commit_files, make_repository, write_files

SPEC = {"requirements.md": REQUIREMENTS, "design.md": DESIGN, "tasks.md": TASKS}
CODE = {"src/encode.py": "# Req 1.1\n", "tests/test_encode.py": "# add-json: Req 1.1\n"}


@pytest.fixture
def work(environ, monkeypatch):
    monkeypatch.setenv("GIT_CEILING_DIRECTORIES", str(environ))
    return environ / "work"


@pytest.fixture
def spec(work):
    make_repository(work, {f".specs/{ID}/{name}": content for name, content in SPEC.items()} | CODE)
    return f".specs/{ID}"


def test_a_spec_folder_is_traced_without_a_daemon(spec, work, environ, cli):
    commit_files(work, {"src/encode.py": "# Req 1.1 \n"}, f"Merge task 1\n\nSpec-Task: {ID}/1\nSpec-Requirement: 1.1")
    said = cli("trace", spec, "--json")
    assert said.code == 0
    (whole,) = said.json["requirements"]
    (row,) = whole["criteria"]
    assert (said.json["spec"], said.json["gaps"]) == (spec, 0)
    assert [task["id"] for task in row["tasks"]] == ["1", "2", "3"]
    assert [commit["subject"] for commit in row["commits"]] == ["Merge task 1"]
    assert [(each["path"], each["line"], each["sure"]) for each in row["code"] + row["tests"]] == [
        ("src/encode.py", 1, True),
        ("tests/test_encode.py", 1, True),
    ]
    page = cli("trace", spec).out
    assert "1 JSON output" in page
    assert all(words in page for words in ("1.1", "1 todo", "src/encode.py:1", "tests/test_encode.py:1", "No gaps."))
    assert not (environ / "state").exists()


def test_one_requirement_is_told_whole_however_it_is_written(spec, cli):
    for written in ("1.1", "R1.1", "req-1.1"):
        said = cli("trace", spec, written)
        assert said.code == 0
        assert "tests/test_encode.py:1  # add-json: Req 1.1" in said.out
    assert [row["id"] for row in cli("trace", spec, "1", "--json").json["requirements"]] == ["1"]


def test_a_requirement_that_is_not_there_is_refused_with_the_nearest(spec, cli):
    said = cli("trace", spec, "1.11")
    assert (said.code, said.out) == (1, "")
    assert said.err == f"{spec} has no requirement 1.11.\nDid you mean 1.1?\n"


def test_gaps_are_marked_and_only_strict_makes_them_a_problem(spec, work, cli):
    commit_files(work, {"tests/test_encode.py": "nothing\n", f"{spec}/tasks.md": "- [ ] 1. Nothing\n"}, "Less")
    said = cli("trace", spec)
    assert said.code == 0
    assert "✖ no task" in said.out
    assert "✖ no test" in said.out
    assert "2 gaps: 1 without a task, 1 without a test." in said.out
    strict = cli("trace", spec, "--strict", "--json")
    assert (strict.code, strict.json["requirements"][0]["criteria"][0]["gaps"]) == (1, ["no-task", "no-test"])


def test_a_folder_of_any_dialect_that_git_does_not_know_is_traced(work, cli):
    write_files(
        work,
        {
            "specs/001-json/spec.md": "### User Story 1 - JSON (Priority: P1)\n\n1. **Given** a, **When** b, **Then** c\n\n- **FR-001**: MUST\n",
            "specs/001-json/tasks.md": "- [ ] T001 [US1] Write src/a.py\n",
            "src/a.test.js": "it('[US1] works', () => {}) // FR-1\n",
        },
    )
    said = cli("trace", "specs/001-json", "--json")
    story, functional = said.json["requirements"]
    assert (story["id"], story["criteria"][0]["tests"][0]["path"], story["criteria"][0]["gaps"]) == ("US1", "src/a.test.js", [])
    assert (functional["id"], functional["tests"][0]["line"], functional["gaps"]) == ("FR-001", 1, [])
    assert cli("trace", ".", "--json").json == said.json


def test_a_folder_with_a_name_of_its_own_and_one_not_yet_added_to_git_are_traced_too(work, cli):
    write_files(work, {f"docs/json/{name}": content for name, content in SPEC.items()})
    assert cli("trace", "docs/json", "--json").json["spec"] == "json"
    make_repository(work, CODE)
    said = cli("trace", "docs/json/tasks.md", "--json")
    assert said.json["spec"] == "docs/json"
    assert said.json["requirements"][0]["code"][0]["path"] == "src/encode.py"


def test_what_cannot_be_traced_says_why(spec, work, cli):
    assert (cli("trace", "./nowhere").code, cli("trace", "./nowhere").err) == (3, "nowhere is not there.\nCorrect the path.\n")
    assert (cli("trace", "./src").code, cli("trace", "./src").err.splitlines()[0]) == (1, "There is no spec at src.")
    commit_files(work, {".kiro/specs/other/tasks.md": "- [ ] 1. Other\n"}, "Other")
    said = cli("trace", ".")
    assert (said.code, said.err) == (1, f"There are 2 specs at .: .kiro/specs/other, .specs/{ID}.\nName one of them.\n")
    assert cli("trace", ".kiro/specs/other").out == ".kiro/specs/other has no requirements yet.\n"
    assert cli("trace").code == 2


def test_own_markers_and_paths_of_a_repository_count_its_markers_only_once_allowed(spec, work, cli):
    toml = '[trace]\nmarkers = [\'@covers\\((?P<id>[0-9.]+)\\)\']\nexclude = ["src/"]\ntests = ["checks/"]\n'
    commit_files(work, {"specthread.toml": toml, "checks/a.py": "@covers(1.1)\n"}, "Own")
    said = cli("trace", spec, "--json")
    assert "do not count until you allow them" in said.err
    (row,) = said.json["requirements"][0]["criteria"]
    assert ([each["path"] for each in row["code"]], row["tests"]) == (["tests/test_encode.py"], [])
    assert cli("allow", "--yes").code == 0
    assert [each["path"] for each in cli("trace", spec, "--json").json["requirements"][0]["tests"]] == ["checks/a.py"]
    commit_files(work, {"specthread.toml": "[trace]\nmarkers = ['(']\n"}, "Wrong")
    said = cli("trace", spec)
    assert (said.code, said.err.count("`trace.markers` was left out: “(” is not a regular expression")) == (0, 1)


def test_a_spectask_is_traced_by_its_daemon(daemon, cli):
    daemon.do(daemon.engine.create())
    daemon.do(daemon.engine.plan())
    said = cli("trace", ID[:8], "1.1", "--json")
    assert said.code == 0
    (row,) = said.json["requirements"]
    assert (said.json["spec"], row["id"], [task["state"] for task in row["tasks"]]) == (ID, "1.1", ["todo", "todo", "todo"])
    assert [each["path"] for each in row["code"] + row["tests"]] == ["src/encode.py", "tests/test_encode.py"]
    assert cli("trace", ID, "9").code == 1
    assert cli("trace", "nobody").code == 1
    assert os.listdir() == []  # noqa: PTH208
