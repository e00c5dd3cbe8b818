"""The tools an agent can be given, as the model is told of them, and the check of what it passes to them."""

from collections.abc import Sequence
from typing import Any

from specthread.agents.backend import ToolSpec, ToolUse
from specthread.agents.schema_check import listed, mismatches

MOST_TOLD = 10
"""Places of one call's input that are said to be wrong at once."""


def _spec(name: str, description: str, required: dict[str, Any], optional: dict[str, Any] | None = None) -> ToolSpec:
    schema = {"type": "object", "properties": {**required, **(optional or {})}, "required": list(required), "additionalProperties": False}
    return ToolSpec(name=name, description=description, schema=schema)


def _text(description: str) -> dict[str, Any]:
    return {"type": "string", "description": description}


def _number(description: str) -> dict[str, Any]:
    return {"type": "integer", "minimum": 1, "description": description}


_PATH = _text("Path of a file, absolute or relative to the project's root.")

READ = _spec(
    "read",
    "Reads a text file, with line numbers. Long files come in parts: pass `first_line` to go on. A folder gives its entries.",
    {"path": _PATH},
    {"first_line": _number("Line to start at, counted from 1."), "lines": _number("How many lines to return.")},
)
SEARCH = _spec(
    "search",
    "Searches the project's text files line by line. Without a pattern it lists the files whose path matches `files`.",
    {},
    {"pattern": _text("Python regular expression."), "files": _text("Limits the search to paths that match this, such as `src/**/*.py`.")},
)
EDIT = _spec(
    "edit",
    "Replaces one piece of a file that you have read. `old` must be in the file exactly once, character by character.",
    {"path": _PATH, "old": _text("The exact text to replace."), "new": _text("The text to put in its place.")},
    {"replace_all": {"type": "boolean", "description": "True replaces every place where `old` is in the file."}},
)
WRITE = _spec(
    "write",
    "Writes a whole file, making folders as needed. An existing file must have been read before it is replaced.",
    {"path": _PATH, "text": _text("The complete new content.")},
)
SHELL = _spec(
    "shell",
    "Runs a command with bash in the project's root, without network or input. Long output is shortened in the middle, and kept whole in a file to `read`.",
    {"command": _text("The command line.")},
    {"timeout": _number("Seconds to wait before the command is stopped; 120 if not given, at most 600.")},
)
ASK = _spec(
    "ask",
    "Asks the human and waits for the answer. Ask only what you cannot find out and what changes the result.",
    {"question": _text("The question, understandable without having seen your work.")},
    {"choices": {"type": "array", "items": {"type": "string"}, "description": "Answers to choose from, if there are a few clear ones."}},
)
_RESOURCE = _text("The resource as `kind:name`, such as `database:test`; the kinds are agent, api, custom, database and file.")
LOCK = _spec(
    "lock",
    "Takes a resource that others must not use at the same time, and waits until it is free. Your files are your own and need none.",
    {"resource": _RESOURCE},
    {
        "shared": {"type": "boolean", "description": "True where others may use it too, as long as nobody has it alone."},
        "wait": _number("Seconds to wait at most; 600 if not given, at most 3600."),
    },
)
UNLOCK = _spec("unlock", "Gives back a resource that you took with `lock`.", {"resource": _RESOURCE})
FINISH = _spec(
    "finish",
    "Says that the work is done. Specthread then checks it; if the check fails you are told and go on.",
    {"summary": _text("What was done and what the next worker should know, in a few sentences.")},
)
COORDINATE = _spec(
    "coordinate",
    "Works with the other sessions of this SpecTask. By `action`: "
    "`look` lists them, the shared facts and the questions that wait for you. "
    "`spawn` gives the work in `text` (first line: a title) to a session of your own; it begins on what is merged so far, without your unmerged files, in a worktree of its own, "
    "and is checked and merged like you. It ends when you fail or are cancelled. "
    "`wait` rests until those you spawned have ended and your questions are answered; what they merged is then in your files. Else their results reach you while you work. "
    "`cancel` ends one that you spawned. "
    "`handoff` leaves `text` for others, `ask` asks one of them, `answer` answers `question`, `broadcast` tells all, `blocked` and `unblocked` say what is in your way. "
    "`get` reads a shared fact, `set` changes it if it is still at `version` (0: it is new). Names in `to`: ws-2, parent, children, all, or task 3.",
    {
        "action": {
            "type": "string",
            "enum": [
                "look", "spawn", "wait", "cancel", "handoff", "ask", "answer", "broadcast", "blocked", "unblocked", "get", "set",
            ],
            "description": "What to do.",
        },
    },
    {
        "to": {"type": "array", "items": {"type": "string"}, "description": "For whom."},
        "text": _text("The message, the answer, or the work."),
        "question": _number("Number of the question that is answered."),
        "role": _text("Role of a spawned session, such as backend or tester."),
        "budget_usd": {"type": "number", "minimum": 0, "description": "What a spawned session may spend of your budget; unused money comes back."},
        "wait": {"type": "boolean", "description": "After `spawn` or `ask`, wait at once."},
        "key": _text("Name of a shared fact."),
        "value": _text("Its new value."),
        "version": {"type": "integer", "minimum": 0, "description": "The version of the fact that you know."},
    },
)  # fmt: skip
WRITE_DOCUMENT = _spec(
    "write_document",
    "Writes one of the spec documents as a whole and returns what is wrong with it, if anything.",
    {
        "document": _text("One of the documents of the flow, by its name, such as requirements."),
        "text": _text("The complete document, in Markdown."),
    },
)
ANSWER_COMMENT = _spec(
    "answer_comment",
    "Answers a review comment: says what was changed because of it, or why nothing was.",
    {"comment": _text("Id of the comment."), "text": _text("The answer.")},
)


def problem_with(tools: Sequence[ToolSpec], call: ToolUse) -> str | None:
    """Says, in words for the model, what is wrong with a call: an unknown tool, an input missing, unknown or of the wrong type."""
    spec = next((spec for spec in tools if spec.name == call.name), None)
    if spec is None:
        return f"There is no tool `{call.name}` here. The tools are: {', '.join(tool.name for tool in tools)}."
    properties: dict[str, Any] = spec.schema["properties"]
    if missing := [name for name in spec.schema["required"] if name not in call.input]:
        return f"`{spec.name}` needs {listed(missing)}."
    if unknown := [name for name in call.input if name not in properties]:
        return f"`{spec.name}` knows no {listed(unknown)}; it takes {listed(list(properties))}."
    wrong = [found for name, value in call.input.items() for found in mismatches(properties[name], value, name)]
    told = [f"`{place}` of `{spec.name}` must be {problem}." for place, problem in wrong[:MOST_TOLD]]
    return "\n".join(told) if told else None
