"""Our words for conversations in the form of the Messages API, and back; no call is made here, and the client is not needed."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from specthread.agents.backend import Block, Message, ModelError, ModelRequest, Reply, Text, Thinking, ToolResult, ToolSpec, ToolUse, Usage
from specthread.agents.capabilities import EVERYTHING, Capabilities
from specthread.agents.spoken_tools import TOO_DEEP, spoken_messages, spoken_system
from specthread.agents.structured import answer_advice, answer_tool
from specthread.domain.text import is_deep, sound, sound_text

if TYPE_CHECKING:
    from anthropic.types import Message as WireMessage


def wire_from_request(request: ModelRequest, can: Capabilities = EVERYTHING) -> dict[str, Any]:
    """Returns the arguments of the client's `messages.stream` for a request, without what its server does not take."""
    schema, system, messages = request.schema, request.system, request.messages
    if not can.tools:
        system, messages = spoken_system(request), spoken_messages(messages)
    if schema and not can.schemas and not can.tools:
        system += answer_advice(schema)
    wire: dict[str, Any] = {
        "model": request.model,
        "max_tokens": min(request.max_tokens, can.longest_reply or request.max_tokens),
        "system": sound_text(system),
        "messages": [_wire_from_message(message, can) for message in messages],
    }
    if can.cache_control:
        wire["cache_control"] = {"type": "ephemeral"}
    answering = (answer_tool(schema),) if schema and not can.schemas else ()
    if can.tools and (tools := (*request.tools, *answering)):
        wire["tools"] = [_wire_from_tool(tool, can) for tool in tools]
    config: dict[str, Any] = {}
    if request.effort and can.effort:
        config["effort"] = request.effort
    if schema and can.schemas:
        config["format"] = {"type": "json_schema", "schema": schema}
    return wire | ({"output_config": config} if config else {})


def _wire_from_tool(tool: ToolSpec, can: Capabilities) -> dict[str, Any]:
    strict = {"strict": True} if tool.strict and can.strict else {}
    return {"name": tool.name, "description": tool.description, "input_schema": tool.schema} | strict


def _wire_from_message(message: Message, can: Capabilities) -> dict[str, Any]:
    # Thinking without a signature is another server's; the vendor's refuses it.
    content = [block for block in message.content if not isinstance(block, Thinking) or (can.thinking and block.signature)]
    return {"role": message.role, "content": [sound(wire_from_block(block)) for block in content or (Text(text="(thinking)"),)]}


def wire_from_block(block: Block) -> dict[str, Any]:
    """Returns a content block as the API wants it."""
    match block:
        case Text(text=text):
            return {"type": "text", "text": text}
        case Thinking(signature=data, redacted=True):
            return {"type": "redacted_thinking", "data": data}
        case Thinking(text=text, signature=signature):
            return {"type": "thinking", "thinking": text, "signature": signature}
        case ToolUse(id=id_, name=name, input=input_):
            return {"type": "tool_use", "id": id_, "name": name, "input": input_}
        case ToolResult(tool_use_id=id_, content=content, is_error=is_error):
            return {"type": "tool_result", "tool_use_id": id_, "content": content or "(empty)", "is_error": is_error}


def block_from_wire(block: Any) -> Block:  # noqa: ANN401  a union of the client's classes
    """Returns a content block of a reply; raises `ModelError` for kinds nobody asked for."""
    match block.type:
        case "text":
            return Text(text=sound_text(block.text))
        case "thinking":
            return Thinking(text=sound_text(block.thinking), signature=sound_text(block.signature))
        case "redacted_thinking":
            return Thinking(text="", signature=block.data, redacted=True)
        case "tool_use":
            return ToolUse(id=sound_text(block.id), name=sound_text(block.name), input=_input(block.input))
        case other:
            raise ModelError("server", f"The model server sent a kind of content that was not asked for: {other}.", retryable=False)


def _input(given: object) -> dict[str, Any]:
    if is_deep(given):
        return {TOO_DEEP: ""}
    return sound(dict(given)) if isinstance(given, Mapping) else {"(not an object)": json.dumps(sound(given))[:200]}


def reply_from_wire(message: WireMessage, request_id: str) -> Reply:
    """Returns a whole reply; its stop reason is empty where the server gave none. Raises `ModelError` for content nobody asked for."""
    refused = message.stop_details if message.stop_reason == "refusal" else None
    words = (refused.category, refused.explanation) if refused else ()
    usage = usage_from_wire(message.usage)
    try:
        content = tuple(block_from_wire(block) for block in message.content)
    except ModelError as error:
        error.usage, error.request_id = usage, request_id  # it is paid, whatever it is
        raise
    return Reply(
        content=content,
        stop_reason=message.stop_reason or "",
        usage=usage,
        request_id=request_id,
        model=message.model,
        refusal=sound_text(": ".join(str(word) for word in words if word)).rstrip("."),
    )


def usage_from_wire(usage: Any) -> Usage:  # noqa: ANN401  compatible servers leave fields out, whatever the class says
    """Returns what a call used, nothing where the server said nothing."""
    if usage is None:
        return Usage()
    hours = (usage.cache_creation.ephemeral_1h_input_tokens or 0) if usage.cache_creation else 0
    return Usage(
        input=usage.input_tokens or 0,
        output=usage.output_tokens or 0,
        cache_read=usage.cache_read_input_tokens or 0,
        cache_write=max(0, (usage.cache_creation_input_tokens or 0) - hours),
        cache_write_1h=hours,
    )
