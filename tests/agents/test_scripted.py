import pytest

from specthread.agents.backend import Assignment, Message, ModelError, ModelRequest, Reply, Text, ToolResult, ToolUse
from specthread.agents.prices import NO_COST
from specthread.agents.scripted import Line, ScriptedModel, ScriptMissing, say, table, use
from specthread.agents.tools import FINISH, SHELL
from specthread.agents.turns import MessagesBackend
from support.journal_port import Journal, RecordingToolbox

STORY = table(
    [
        Line(role="implementer", key="Task 1:", turn=0, content=(say("I run the tests of the project now."), use("shell", command="make"))),
        Line(role="implementer", key="Task 1:", turn=1, when=r"exit code [1-9]", content=(use("shell", command="fix"),)),
        Line(role="implementer", key="Task 1:", turn=None, content=(use("finish", summary="Green."),)),
        Line(role="implementer", key="Task 2:", turn=0, fault="overloaded", content=(use("finish", summary="Done."),)),
    ]
)


def request(*said: Message, opening: str = "Task 1: x", attempt: int = 1, role: str = "implementer", run: str = "x-1/ws-1") -> ModelRequest:
    return ModelRequest(
        run=run,
        role=role,
        turn=1 + len(said) // 2,
        attempt=attempt,
        model="demo",
        system="",
        messages=(Message(role="user", content=(Text(text=opening),)), *said),
        tools=(),
        max_tokens=100,
    )


def after(result: str) -> tuple[Message, Message]:
    call = ToolUse(id="t", name="shell", input={})
    answer = ToolResult(tool_use_id="t", content=result)
    return Message(role="assistant", content=(call,)), Message(role="user", content=(answer,))


async def reply_to(request: ModelRequest) -> Reply:
    return await ScriptedModel(story=STORY).reply(request, lambda _text: None)


async def test_a_line_is_chosen_by_role_opening_turn_and_what_was_last_said():
    calls = [(await reply_to(request(*said))).content[-1].input for said in ((), after("[exit code 2]"), after("[exit code 0]"))]
    assert calls == [{"command": "make"}, {"command": "fix"}, {"summary": "Green."}]


async def test_the_same_request_gets_the_same_reply_and_another_call_other_ids():
    first, again, other = await reply_to(request()), await reply_to(request()), await reply_to(request(run="x-1/ws-2"))
    assert first == again
    assert first.request_id != other.request_id
    assert first.content[1].id != other.content[1].id
    assert first.usage.input > 0
    assert first.usage.output > 0


async def test_text_arrives_in_pieces_with_pauses_between():
    pieces: list[str] = []
    waits: list[float] = []

    async def sleep(seconds: float) -> None:
        waits.append(seconds)

    await ScriptedModel(story=STORY, pause=0.01, sleep=sleep).reply(request(), pieces.append)
    assert "".join(pieces) == "I run the tests of the project now."
    assert waits == [0.01] * len(pieces)
    assert len(pieces) > 1


async def test_a_fault_is_met_on_the_first_attempt_only():
    with pytest.raises(ModelError, match="on purpose"):
        await reply_to(request(opening="Task 2: y"))
    assert (await reply_to(request(opening="Task 2: y", attempt=2))).stop_reason == "tool_use"


async def test_a_request_without_a_line_is_reported_whole():
    with pytest.raises(ScriptMissing, match=r"x-1/ws-1, role planner, after 0 replies[^$]*Task 9: z") as caught:
        await reply_to(request(opening="Task 9: z", role="planner"))
    assert caught.value.request.role == "planner"


async def test_a_story_plays_through_the_real_loop():
    journal = Journal()
    box = RecordingToolbox((SHELL,), do=lambda call: "[exit code 1]" if call.input["command"] == "make" else "[exit code 0]")
    work = Assignment(run="x-1/ws-1", role="implementer", system="", opening="# Task 1: x", model="demo", tools=(SHELL, FINISH))
    end = await MessagesBackend(model=ScriptedModel(story=STORY), prices=NO_COST).run(work, journal, box)
    assert (end.kind, end.summary) == ("finished", "Green.")
    assert [call.input["command"] for call in box.used] == ["make", "fix"]
    assert all(cost == 0 for _, _, cost in journal.of("finished"))
