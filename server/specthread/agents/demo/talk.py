"""A conversation as the demo's script sees it: what was called with which result, cut where the daemon sent the session back.

A script is a list of beats: something said, and the calls made with it. Which one comes next follows from the conversation alone, so the
script holds no state and survives a crash at any point: a call that was interrupted is made again, and a file that the tools want to be
read first is read first.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass

from specthread.agents.backend import ModelRequest, Reply, Text, ToolResult, ToolUse
from specthread.agents.scripted import opening, say, spoken

TURNS = {
    "fails on your committed work": "check",
    "Your work conflicts with": "conflict",
    "merged with the feature branch": "merged-check",
}
"""Words by which the daemon sends a session back, with what they mean."""
_CHANGES = frozenset({"edit", "write"})
_NUMBER = re.compile(r"^ *\d+\t", re.MULTILINE)


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """A call that was made, with its result."""

    call: ToolUse
    result: ToolResult

    @property
    def text(self) -> str:
        """The content of the file that was read, without line numbers."""
        return f"{_NUMBER.sub('', self.result.content)}\n"


@dataclass(frozen=True, slots=True, kw_only=True)
class Talk:
    """The conversation so far: `reason` is why the present part of the work began, `steps` what was done in it, `earlier` what before."""

    opening: str
    reason: str
    steps: tuple[Step, ...]
    earlier: tuple[Step, ...]

    def read(self, path: str) -> str:
        """Returns a file as it was last read in this part of the work; empty where it was not."""
        texts = [
            step.text for step in self.steps if step.call.name == "read" and step.call.input["path"] == path and not step.result.is_error
        ]
        return texts[-1] if texts else ""

    @property
    def answer(self) -> str:
        """What the human answered to the question asked in this conversation."""
        answers = [step.result.content for step in (*self.earlier, *self.steps) if step.call.name == "ask" and not step.result.is_error]
        return answers[-1] if answers else ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Beat:
    """Something said, and the calls made with it; their ids are made when they are spoken."""

    words: str
    calls: tuple[ToolUse, ...]


def beat(words: str, *calls: ToolUse) -> Beat:
    """Returns a beat of a script."""
    return Beat(words=words, calls=calls)


def talk_from(request: ModelRequest) -> Talk:
    """Returns the conversation of a request."""
    calls: dict[str, ToolUse] = {}
    reason, steps, earlier = "start", list[Step](), list[Step]()
    for message in request.messages[1:]:
        for block in message.content:
            if isinstance(block, ToolUse):
                calls[block.id] = block
            elif isinstance(block, ToolResult):
                steps.append(Step(call=calls[block.tool_use_id], result=block))
            elif message.role == "user" and isinstance(block, Text) and (turn := _turn(block.text)):
                reason, steps, earlier = turn, [], [*earlier, *steps]
    return Talk(opening=opening(request), reason=reason, steps=tuple(steps), earlier=tuple(earlier))


def next_reply(request: ModelRequest, beats: Sequence[Beat], steps: Sequence[Step]) -> Reply:
    """Returns the first beat that is not done, as far as it is not done; the last one again where all are."""
    moves = [(number, call) for number, each in enumerate(beats) for call in each.calls]
    done = 0
    for step in steps:
        if done < len(moves) and _is_done(moves[done][1], step):
            done += 1
    done = min(done, len(moves) - 1)
    number, call = moves[done]
    if call.name in _CHANGES and _must_look_again(call, steps):
        return spoken(
            request, say("I look at the file again before I change it."), ToolUse(id="", name="read", input={"path": call.input["path"]})
        )
    rest = [each for of, each in moves[done:] if of == number]
    return spoken(request, say(beats[number].words), *rest)


def _turn(text: str) -> str:
    return next((turn for words, turn in TURNS.items() if words in text), "")


def _must_look_again(wanted: ToolUse, steps: Sequence[Step]) -> bool:
    """Tells whether a change was tried in vain, or interrupted, and its file not read since."""
    for step in reversed(steps):
        if step.call.name == "read" and step.call.input["path"] == wanted.input["path"]:
            return False
        if (step.call.name, step.call.input) == (wanted.name, wanted.input):
            return step.result.is_error
    return False


def _is_done(wanted: ToolUse, step: Step) -> bool:
    if step.result.is_error:
        return False
    if (step.call.name, step.call.input) == (wanted.name, wanted.input):
        return True
    # An interrupted edit may have taken effect all the same; reading the file again shows it.
    return (
        wanted.name == "edit"
        and step.call.name == "read"
        and step.call.input["path"] == wanted.input["path"]
        and wanted.input["new"] in step.text
    )
