"""The whole story on a repository of one's own, by the command line alone, with the built-in agent against a Messages API on loopback."""

import json

import pytest

from specthread.agents.sandbox import probe
from support.command_line import CommandLine
from support.engine_world import DESIGN, REQUIREMENTS, plan, task
from support.fake_messages_api import Break, FakeMessagesApi, Line, Status, use
from support.git_fixture import fingerprint, git, isolate_git, make_repository

pytestmark = [pytest.mark.slow, pytest.mark.skipif(not probe().available, reason=probe().reason)]

CHECK = "python3 -m unittest -q test_calc"
TEST = "import unittest\n\nimport calc\n\n\nclass CalcTest(unittest.TestCase):\n    def test_sub(self):\n        self.assertEqual(calc.sub(3, 1), 2)\n"
TASKS = plan(task(1, "Add sub", CHECK, files="calc.py, test_calc.py"))
VERDICT = {"criterion": "1.1", "judgement": "met", "place": "calc.py:5", "reason": "sub returns a - b."}
SCRIPT = [
    Line(when="# Criteria to judge", content=(use("verdict", verdicts=[VERDICT], summary="Read calc.py."),)),
    Line(when="# Request", fault=Status(status=429, headers={"retry-after": "0"}), times=1),
    Line(when="# Request", content=(use("write_document", document="requirements", text=REQUIREMENTS),)),
    Line(when="requirements is written", fault=Status(status=529), times=1),
    Line(when="requirements is written", content=(use("write_document", document="design", text=DESIGN),)),
    Line(when="design is written", content=(use("write_document", document="tasks", text=TASKS),)),
    Line(when="tasks is written", content=(use("finish", summary="Planned."),)),
    Line(when="# Task 1:", content=(use("read", path="calc.py"),), fault=Break(how="cut", at=3), times=1),
    Line(when="# Task 1:", content=(use("read", path="calc.py"), use("write", path="test_calc.py", text=TEST))),
    Line(when="Wrote `test_calc.py`", content=(use("ask", question="May sub return a negative number?", choices=["yes", "no"]),)),
    Line(when="yes", content=(use("read", path="calc.py"), use("edit", path="calc.py", old="    return a + b\n", new="    return a + b\n\n\ndef sub(a, b):\n    return a - b\n"))),
    Line(when="Edited `calc.py`", content=(use("shell", command=CHECK),)),
    Line(when="[exit code 0]", content=(use("finish", summary="Added sub with its test."),)),
]  # fmt: skip


@pytest.fixture
def repository(tmp_path, monkeypatch):
    isolate_git(monkeypatch, tmp_path / "home")
    return make_repository(tmp_path / "checkout", {"calc.py": "def add(a, b):\n    return a + b\n"})


async def test_one_sentence_becomes_merged_and_verified_code_over_the_wire(tmp_path, repository):
    before = fingerprint(repository)
    async with FakeMessagesApi(SCRIPT) as api:
        specthread = CommandLine(repository, tmp_path, api.url)
        try:
            made = await specthread("new", "Add subtraction", "--json")
            name = made["id"]
            await specthread("watch", name, "--until", "human", "--json")
            refused = await specthread("run", name, ends=1)
            assert "Nothing runs before approval" in refused
            review = await specthread("review", name, "--json")
            versions = [f"{document['name']}@{document['digest'][:7]}" for document in review["documents"]]
            assert "name-the-version" in json.dumps(await specthread("approve", name, "--json", ends=1))
            await specthread("approve", name, *versions)
            await specthread("run", name)
            waiting = await specthread("watch", name, "--until", "human", "--json")
            assert "negative" in json.dumps(waiting["needs"])
            await specthread("answer", "ws-1", "yes")
            finished = await specthread("watch", name, "--until", "human", "--json")
            assert finished["state"] == "implementation_review", finished["why"]
            await specthread("accept", name)
            await specthread("watch", name)
            # The target is checked out here, so it is not moved, and the person is told how.
            landing = await specthread("land", name, "--json")
            assert (landing["how"], landing["command"]) == ("by-hand", f"git -C {repository} merge --ff-only {landing['commit'][:12]}")
            report = await specthread("report", name)
            assert "verified" in report
        finally:
            await specthread("daemon", "stop")
    assert not api.unused()
    assert fingerprint(repository) == before
    assert "def sub" in git(repository, "show", f"spectask/{name}/feature:calc.py")
    transcript = git(repository, "show", f"spectask/{name}/specs:.specs/{name}/sessions/ws-1/00/0001.md")
    assert "was lost" in transcript
    assert "test-key-not-a-secret" not in git(repository, "log", "-p", f"spectask/{name}/specs")
