"""Answers that are values: a request may carry a schema, and what came is looked at before anybody trusts it.

Where a server can hold its model to a schema, the answer is the text of the reply; elsewhere the model is given a tool whose input is the answer, and where there are no
tools either, it is told the schema. Whoever asked reads all three with `answer_of`. Everything here is pure.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any, Final

from specthread.agents.backend import Reply, Text, ToolSpec, ToolUse
from specthread.agents.schema_check import mismatches

ANSWER: Final = "answer"
"""The tool by which a model answers where its server knows no schemas."""
CUT_SHORT: Final = {
    "max_tokens": "the answer was cut off, because it was longer than the reply may be",
    "model_context_window_exceeded": "the answer was cut off, because the conversation no longer fits into the model",
    "refusal": "the model refused to answer",
}
_FENCED: Final = re.compile(r"```(?:json)?[ \t]*\n(.*?)\n?```", re.DOTALL)


class AnswerUnfit(Exception):  # noqa: N818  about the model's words, not about our code
    """Says in one sentence, for people and for the model, why a reply is not the value that was asked for."""


def answer_of(reply: Reply, schema: Mapping[str, Any]) -> Any:  # noqa: ANN401  any JSON value that fits the schema
    """Returns the value that a reply to a request with this schema holds; raises `AnswerUnfit`."""
    # A cut text may be JSON by chance, and a refusal may be polite JSON: why the reply ended comes first.
    if why := CUT_SHORT.get(reply.stop_reason):
        detail = f" ({reply.refusal})" if reply.refusal else ""
        raise AnswerUnfit(f"There is no answer: {why}{detail}.")
    used = [block.input for block in reply.content if isinstance(block, ToolUse) and block.name == ANSWER]
    value = used[-1] if used else _read("".join(block.text for block in reply.content if isinstance(block, Text)))
    if problem := mismatch(schema, value):
        raise AnswerUnfit(f"The answer does not have the form that was asked for: {problem}.")
    return value


def answer_tool(schema: Mapping[str, Any]) -> ToolSpec:
    """Returns the tool by which a value of this schema is given."""
    description = "Gives your answer as a value. Call it once, when you know the whole answer, instead of writing it as text."
    return ToolSpec(name=ANSWER, description=description, schema=dict(schema), strict=True)


def answer_advice(schema: Mapping[str, Any]) -> str:
    """Returns what a model without tools is told, after its system prompt."""
    return f"\n\nAnswer with one JSON value and nothing else. It must fit this JSON schema:\n{json.dumps(schema, ensure_ascii=False)}\n"


def mismatch(schema: Mapping[str, Any], value: object) -> str:
    """Says how a value does not fit a JSON schema in the first place where it does not, in words for the model, or nothing."""
    return next((f"`{place}` must be {problem}" for place, problem in mismatches(schema, value, ANSWER)), "")


def _read(text: str) -> Any:  # noqa: ANN401  any JSON value
    """Returns the JSON value that a text is, or that its one code block holds."""
    if not text.strip():
        raise AnswerUnfit("There is no answer: the reply holds no text.")
    blocks = _FENCED.findall(text)
    try:
        return json.loads(blocks[0] if len(blocks) == 1 else text)
    except (ValueError, RecursionError) as error:
        at = f" at line {error.lineno}" if isinstance(error, json.JSONDecodeError) else ""
        raise AnswerUnfit(f"The answer is not JSON: it breaks off or is malformed{at}.") from None
