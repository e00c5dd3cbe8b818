"""A model without tools behind a server like Ollama, through the loop, the real client and the real tools of a workspace."""

import json
from dataclasses import replace
from pathlib import Path

import pytest

from specthread.agents.messages_api import MessagesApiModel
from specthread.agents.process import CommandResult
from specthread.agents.provider import Provider
from specthread.agents.tools import ASK, FINISH, WorkspaceTools
from specthread.agents.turns import MessagesBackend
from support.fake_messages_api import FakeMessagesApi, Line, say
from support.journal_port import Journal
from support.nesting import nested
from support.turns_story import ASSIGNMENT

OPENING = "# Task 1: do it\n\n# Files it may change\n\n- src/a.py\n- db/one.sql\n\n# Its check\n\n    true\n"


async def played(folder: Path, *replies: str, **options):
    """Plays replies in order against a server that refuses tools; returns the end, what was asked, and the journal."""

    class Wordy(FakeMessagesApi):
        def _line_for(self, request):
            said = sum(message["role"] == "assistant" for message in request.body["messages"])
            asked.append(said)
            cut = asked.count(said) == 1 and replies[said].startswith("(cut)")
            return Line(when="", content=(say(replies[said]),), stop_reason="max_tokens" if cut else None)

    async def shell(command, _timeout):
        return CommandResult(outcome="exited", exit_code=0, output=f"ran {command}", duration=0.0)

    asked: list[int] = []
    box = WorkspaceTools.for_work(root=folder, shown_root="/project", shell=shell, protected=(".specs",))
    journal = Journal()
    async with Wordy([], refuses=("tools", "cache_control"), **options) as fake:
        model = MessagesApiModel(api_key="k", base_url=fake.url, probes=True)
        assignment = replace(ASSIGNMENT, opening=OPENING, tools=(*box.specs, ASK, FINISH))
        end = await MessagesBackend(model=model, provider=Provider()).run(assignment, journal, box)
        await model.close()
    return end, fake.requests, journal


def told(request):
    return "\n".join(block["text"] for block in request.body["messages"][-1]["content"])


async def test_files_in_its_words_are_written_by_the_tool_and_a_summary_ends_the_run(tmp_path):
    end, requests, journal = await played(
        tmp_path, "Here you are.\n\n```filepath:src/a.py\na = 1\n```\n\n```sql\nSELECT 1;\n```\n", "I wrote `a` and a query."
    )
    assert (end.kind, end.summary) == ("finished", "I wrote `a` and a query.")
    assert {path.relative_to(tmp_path).as_posix(): path.read_text() for path in tmp_path.rglob("*") if path.is_file()} == {
        "src/a.py": "a = 1\n",
        "db/one.sql": "SELECT 1;\n",
    }
    assert journal.kinds() == ["started", "finished", "tool", "tool", "started", "finished", "done"]
    assert "tools" not in requests[0].body
    assert "```filepath:" in requests[0].body["system"]
    assert (
        told(requests[1])
        == "What came of `write` src/a.py:\nWrote `src/a.py`, 1 lines.\nWhat came of `write` db/one.sql:\nWrote `db/one.sql`, 1 lines."
    )
    assert [block["type"] for block in requests[1].body["messages"][1]["content"]] == ["text"]


@pytest.mark.parametrize(
    "path", ["../outside.py", "/etc/outside.py", "src/../../outside.py", ".git/hooks/pre-commit", ".specs/x-1/tasks.md"]
)
async def test_no_words_lead_outside_the_worktree_or_into_what_is_not_the_agents(tmp_path, path):
    work = tmp_path / "work"
    work.mkdir()
    end, requests, _ = await played(work, f"```filepath:{path}\nevil\n```\n", "Done.")
    assert end.kind == "finished"
    assert told(requests[1]).startswith(f"What went wrong with `write` {path}:\n")
    assert [each for each in tmp_path.rglob("*") if each.is_file()] == []


async def test_a_link_out_of_the_worktree_is_not_followed(tmp_path):
    work = tmp_path / "work"
    work.mkdir()
    (tmp_path / "away").mkdir()
    (work / "src").symlink_to(tmp_path / "away")
    _, requests, _ = await played(work, "```filepath:src/a.py\nevil\n```\n", "Done.")
    assert "lies outside the project" in told(requests[1])
    assert list((tmp_path / "away").iterdir()) == []


async def test_a_file_that_exists_is_read_before_it_is_written(tmp_path):
    (tmp_path / "a.py").write_text("precious = 1\n")
    overwrite = "```filepath:a.py\nprecious = 2\n```\n"
    end, requests, _ = await played(tmp_path, overwrite, '```tool read\n{"path": "a.py"}\n```', overwrite, "Done.")
    assert end.kind == "finished"
    assert told(requests[1]) == "What went wrong with `write` a.py:\nRead `a.py` before you change it."
    assert "precious = 1" in told(requests[2])
    assert (tmp_path / "a.py").read_text() == "precious = 2\n"


async def test_every_tool_can_be_used_in_words_and_what_is_wrong_is_told(tmp_path):
    wrong = "```tool shell\nmake test\n```\n"
    end, requests, _ = await played(
        tmp_path, '```tool shell\n{"command": "make test"}\n```', wrong, "```tool fly\n```", '```tool finish\n{"summary": "Done."}\n```'
    )
    assert (end.kind, end.summary) == ("finished", "Done.")
    assert told(requests[1]) == "What came of `shell`:\nran make test\n[exit code 0]"
    assert "needs `command`" in told(requests[2])
    assert "There is no tool `fly` here" in told(requests[3])


async def test_words_alone_finish_nothing_that_was_not_begun(tmp_path):
    end, requests, _ = await played(tmp_path, "I would do it so.", "Really.")
    assert end.kind == "stuck"
    assert "Your turn ended without a tool call" in told(requests[1])


async def test_of_a_reply_that_was_cut_nothing_is_written_before_it_is_whole(tmp_path):
    end, requests, journal = await played(tmp_path, "(cut)\n```filepath:a.py\none\n```\n", "Done.")
    assert end.kind == "finished"
    assert [request.body["max_tokens"] for request in requests] == [16_000, 32_000, 16_000]
    assert journal.kinds() == ["started", "finished", "started", "finished", "tool", "started", "finished", "done"]


@pytest.mark.parametrize("depth", [100, 520])
async def test_an_input_that_nests_without_end_is_told_as_one_that_is_none(tmp_path, depth):
    deep = json.dumps({"command": nested(depth)})
    end, _, journal = await played(tmp_path, f"```tool shell\n{deep}\n```\n", '```tool finish\n{"summary": "Done."}\n```')
    used = next(block for block in journal.of("finished")[0][1].content if block.kind == "tool_use")
    assert (end.kind, list(used.input)) == ("finished", ["(nested too deep)"])
