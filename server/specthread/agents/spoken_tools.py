"""Tools for models that have none: their calls are read out of what they say, and what came of them is told in words.

The loop, its journal and the tools themselves know nothing of it: a reply is given the calls that its words mean before anybody sees it. A block of code with a name is a
`write` (or, for a planner, a `write_document`), a block `tool NAME` with JSON in it is any other call, and a reply without either, after work, is a `finish`. What the words
mean depends on the request and the words alone. Everything here is pure.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any, Final

from specthread.agents.backend import Block, Message, ModelRequest, Reply, Text, ToolResult, ToolSpec, ToolUse
from specthread.agents.reply_files import ReplyFile, blocks_in, files_in
from specthread.agents.toolspecs import FINISH, WRITE, WRITE_DOCUMENT
from specthread.domain.text import is_deep

_CALL: Final = re.compile(r"^tool[\s:]+(?P<name>[\w-]+)$")
_EXPECTED: Final = re.compile(r"^# Files it may change\n\n(?P<files>(?:- .+\n?)+)", re.MULTILINE)
TOO_DEEP: Final = "(nested too deep)"
"""Stands in the place of an input that nobody could look through."""
_SAID: Final = "said_"
_ENDS: Final = frozenset({"end_turn", "stop_sequence"})
HOW: Final = """

# How you act

You cannot call tools by yourself; what you write is read for you. To write a file, give its whole new text in a code block whose first line names it:

```filepath:src/example.py
print("hello")
```

Several files may be written in one reply. To use another tool, write a block with the tool's name and its input as JSON:

```tool read
{"path": "src/example.py"}
```

Then end your reply: what came of it is told to you in the next message. A file that exists must be read before it is written. When all is done, reply with a summary of a
few sentences and no code block.

The tools:
"""


def spoken_system(request: ModelRequest) -> str:
    """Returns the system prompt of a request with what its tools are and how they are used in words."""
    if not request.tools:
        return request.system
    return request.system + HOW + "".join(f"- `{tool.name}` {_inputs(tool)}: {tool.description}\n" for tool in request.tools)


def spoken_messages(messages: Sequence[Message]) -> tuple[Message, ...]:
    """Returns a conversation as such a model is shown it: its own calls are in its words already, results become words."""
    calls = {block.id: block for message in messages for block in message.content if isinstance(block, ToolUse)}
    told = []
    for message in messages:
        content = tuple(block for each in message.content for block in _in_words(each, calls))
        told.append(Message(role=message.role, content=content or (Text(text="(nothing was said)"),)))
    return tuple(told)


def with_spoken_calls(reply: Reply, request: ModelRequest) -> Reply:
    """Returns a reply with the calls that its words mean; one that was cut or refused means nothing."""
    if reply.stop_reason not in _ENDS or not request.tools:
        return reply
    said = "\n".join(block.text for block in reply.content if isinstance(block, Text))
    meant = list(_meant(said, request))
    calls = tuple(ToolUse(id=f"{_SAID}{request.turn}_{number}", name=name, input=given) for number, (name, given) in enumerate(meant, 1))
    return replace(reply, content=(*reply.content, *calls), stop_reason="tool_use") if calls else reply


def _meant(said: str, request: ModelRequest) -> Iterator[tuple[str, dict[str, Any]]]:
    names = {tool.name for tool in request.tools}
    for block in blocks_in(said):
        call = _CALL.match(block.info)
        if call and block.is_whole:
            # A name that is no tool, or an input that is no JSON, is answered by the loop as any wrong call is.
            yield call["name"], _input("\n".join(block.lines))
    for file in files_in(_without_calls(said), _expected(request)):
        if (writing := _writing(file, names)) is not None:
            yield writing
    began = any(isinstance(block, ToolUse) for message in request.messages for block in message.content)
    if began and FINISH.name in names and said.strip() and not list(blocks_in(said)):
        yield FINISH.name, {"summary": said.strip()}


def _writing(file: ReplyFile, names: set[str]) -> tuple[str, dict[str, Any]] | None:
    if WRITE.name in names:
        return WRITE.name, {"path": file.path, "text": file.text}
    if WRITE_DOCUMENT.name in names and file.path.endswith(".md"):
        return WRITE_DOCUMENT.name, {"document": file.path.rpartition("/")[2].removesuffix(".md"), "text": file.text}
    return None


def _without_calls(said: str) -> str:
    """Returns the words without their blocks of calls, whose JSON is no file."""
    return re.sub(r"^(`{3,}|~{3,})tool[\s:]+[\w-]+[ \t]*\n.*?^\1[ \t]*$", "", said, flags=re.MULTILINE | re.DOTALL)


def _input(text: str) -> dict[str, Any]:
    try:
        given = json.loads(text or "{}")
    except (ValueError, RecursionError):
        return {"(not JSON)": text[:200]}
    if is_deep(given):
        return {TOO_DEEP: text[:200]}
    return given if isinstance(given, dict) else {"(not an object)": text[:200]}


def _expected(request: ModelRequest) -> Sequence[str]:
    """Returns the files that the task names, from what the agent was told first."""
    opening = "\n".join(block.text for block in request.messages[0].content if isinstance(block, Text))
    found = _EXPECTED.search(opening)
    return [line.removeprefix("- ").strip() for line in found["files"].splitlines()] if found else ()


def _in_words(block: Block, calls: Mapping[str, ToolUse]) -> tuple[Block, ...]:
    if isinstance(block, ToolUse):
        # One that was made by a model with tools, before this one took over, is nowhere in words.
        return (
            () if block.id.startswith(_SAID) else (Text(text=f"```tool {block.name}\n{json.dumps(block.input, ensure_ascii=False)}\n```"),)
        )
    if isinstance(block, ToolResult):
        call = calls.get(block.tool_use_id)
        what = f"`{call.name}` {call.input.get('path', '')}".rstrip() if call else "the call"
        return (Text(text=f"{'What went wrong with' if block.is_error else 'What came of'} {what}:\n{block.content or '(nothing)'}"),)
    return (block,)


def _inputs(tool: ToolSpec) -> str:
    if any(each.get("type") in {"array", "object"} for each in tool.schema.get("properties", {}).values()):
        return json.dumps(tool.schema["properties"], ensure_ascii=False)  # names alone do not tell what is in them
    needed = tool.schema.get("required", ())
    return ", ".join(f"{name}{'' if name in needed else ' (optional)'}" for name in tool.schema.get("properties", {})) or "(nothing)"
