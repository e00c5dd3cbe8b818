"""What the tests of the agent loop share: an assignment, a script of replies, and what came of it."""

from dataclasses import replace
from typing import Any

from specthread.agents.backend import Assignment, ModelError, ModelRequest, Reply, ToolResult
from specthread.agents.prices import NO_COST
from specthread.agents.provider import Provider
from specthread.agents.scripted import ScriptedModel, spoken, use
from specthread.agents.tools import ASK, FINISH, READ, SEARCH, SHELL
from specthread.agents.turns import MessagesBackend
from support.journal_port import Journal, RecordingToolbox
from support.virtual_time import VirtualTime

TOOLS = (READ, SEARCH, SHELL, ASK, FINISH)
ASSIGNMENT = Assignment(
    run="x-1/ws-1", role="implementer", system="Be brief.", opening="Task 1: do it", model="claude-sonnet-5-5", tools=TOOLS
)
DONE = use("finish", summary="All done.")


class Sleeps(list):
    async def __call__(self, seconds: float) -> None:
        self.append(seconds)


def toolbox(**options: Any) -> RecordingToolbox:
    return RecordingToolbox((READ, SEARCH, SHELL), **options)


async def play(*replies: Any, journal: Journal | None = None, box: RecordingToolbox | None = None, **changes: Any):
    """Runs an assignment against replies given in order: content, (content, stop reason), or an error."""
    script = list(replies)
    requests: list[ModelRequest] = []

    def story(request: ModelRequest) -> Reply | ModelError:
        requests.append(request)
        reply = script.pop(0)
        if isinstance(reply, ModelError):
            return reply
        content, stop_reason = reply if isinstance(reply, tuple) and isinstance(reply[-1], str) else (reply, None)
        content = content if isinstance(content, tuple) else (content,)
        return spoken(request, *content, stop_reason=stop_reason)

    journal, box, sleeps = journal or Journal(), box or toolbox(), Sleeps()
    time = VirtualTime()
    provider = Provider(clock=time, sleep=time.sleep)
    backend = MessagesBackend(model=ScriptedModel(story=story), prices=NO_COST, provider=provider, sleep=sleeps, jitter=lambda: 1.0)
    async with time.passing():
        end = await backend.run(replace(ASSIGNMENT, **changes), journal, box)
    assert not script, "the run ended before the script"
    return end, journal, box, requests, sleeps


def heard(request: ModelRequest) -> list[str]:
    return [block.content if isinstance(block, ToolResult) else block.text for block in request.messages[-1].content]
