"""What a request asks, as types; `wire.py` has the table of requests."""

from __future__ import annotations

from decimal import Decimal
from typing import Annotated, Literal

from pydantic import AfterValidator, Field, ValidationInfo, field_validator

from specthread.protocol.wire_base import Wire

HISTORY_PAGE = 300
"""Events in one answer to `history`: more would keep everybody else waiting for ten milliseconds."""
PROMPT_LIMIT = 100_000
"""Longest text a person may send, in UTF-8 bytes."""


def _readable(text: str) -> str:
    if not text.strip():
        raise ValueError("must not be empty")
    return _sound(text)


def _sound(text: str) -> str:
    if len(text.encode()) > PROMPT_LIMIT:
        raise ValueError(
            f"is {len(text.encode()) // 1000} kB long; at most {PROMPT_LIMIT // 1000} kB are taken. Put long material into a file"
        )
    if "\0" in text:
        raise ValueError("must not contain a NUL character")
    return text


Prose = Annotated[str, AfterValidator(_readable)]
"""A text a person wrote: not empty, not over `PROMPT_LIMIT`, without NUL."""
Key = Annotated[str, Field(max_length=200)]
Name = Annotated[str, Field(min_length=1, max_length=300)]


class NoParams(Wire):
    """Params of a request that needs none."""


class SpecTaskParams(Wire):
    """Names a SpecTask by its id or a unique beginning of it."""

    id: Name


class SpecTaskChange(SpecTaskParams):
    """Changes a SpecTask."""

    key: Key = ""


class TargetChange(Wire):
    """Changes a SpecTask or a run; a run may be named `ws-1` where only one SpecTask matches."""

    target: Name
    key: Key = ""


class LimitsParams(Wire):
    """The limits a person chose; what is absent stays as it is."""

    max_parallel: Annotated[int, Field(ge=1, le=64)] | None = None
    budget_usd: Annotated[Decimal, Field(ge=0, allow_inf_nan=False)] | None = None
    task_usd: Annotated[Decimal, Field(ge=0, allow_inf_nan=False)] | None = None
    run_usd: Annotated[Decimal, Field(ge=0, allow_inf_nan=False)] | None = None


class NewParams(Wire):
    """Asks for a SpecTask in the repository around `path`: from a prompt, or from the spec folder `from_spec`, read from `path`; its prompt may be empty."""

    path: Name
    from_spec: Annotated[str, Field(max_length=4096)] = ""
    prompt: Annotated[str, Field(validate_default=True)] = ""
    flow: Literal["feature", "bugfix", "refactor", "quick"] = "feature"
    agent: str | None = None
    execute: bool = False
    advance: bool = False
    limits: LimitsParams | None = None
    priority: Literal["low", "normal", "high"] = "normal"
    key: Key = ""

    @field_validator("prompt")
    @classmethod
    def _says_what(cls, prompt: str, known: ValidationInfo) -> str:
        return _sound(prompt) if known.data.get("from_spec") else _readable(prompt)


class ListParams(Wire):
    """Asks for the SpecTasks; archived ones only on demand, those of one repository where `repository` names a path in it."""

    repository: str = ""
    archived: bool = False


class WatchParams(SpecTaskParams):
    """Asks for a SpecTask's events after `since`; from now on when absent."""

    since: Annotated[int, Field(ge=0)] | None = None


class SubscribeParams(Wire):
    """Asks for all events after `since` of log `instance`; from now on when absent. Another instance starts from the beginning."""

    since: Annotated[int, Field(ge=0)] | None = None
    instance: str = ""


class CostParams(Wire):
    """Asks what was spent: by one SpecTask, or by all; of one also call by call."""

    id: str = ""
    calls: bool = False


class TraceParams(SpecTaskParams):
    """Asks who built and tested the requirements of a SpecTask, or only the one with this id."""

    requirement: Annotated[str, Field(max_length=300)] = ""


class HistoryParams(SpecTaskParams):
    """Asks for the events of a SpecTask, or of one run of it, after `since`: the first `limit`, and those after them with the next request."""

    run: str = ""
    since: Annotated[int, Field(ge=0)] = 0
    limit: Annotated[int, Field(ge=1, le=HISTORY_PAGE)] = HISTORY_PAGE


class TranscriptParams(Wire):
    """Asks what was said in a run after event `since`; a run may be named `ws-1` where only one SpecTask matches."""

    run: Name
    since: Annotated[int, Field(ge=0)] = 0
    limit: Annotated[int, Field(ge=1, le=HISTORY_PAGE)] = HISTORY_PAGE


class CommentParams(SpecTaskChange):
    """Adds a comment at a line of a document, which is named by name or path; `words` is how that line reads for the person, who may have unsaved text above it."""

    file: Name
    line: Annotated[int, Field(ge=1)]
    text: Prose
    words: str = ""


class ResolveParams(SpecTaskChange):
    """Settles a comment, named by its id or a unique beginning of it."""

    comment: Name


class DigestParams(Wire):
    """A document with the digest, or its first 7 or more digits, of the words that were read."""

    document: Name
    digest: Annotated[str, Field(pattern=r"^[0-9a-f]{7,64}$")]


class ApproveParams(SpecTaskChange):
    """Approves exactly these documents."""

    documents: list[DigestParams]


class RequestChangesParams(SpecTaskChange):
    """Sends the documents back with a message and the open comments; without open comments a message is needed."""

    message: Annotated[str, Field(max_length=PROMPT_LIMIT)] = ""


class RunParams(SpecTaskChange):
    """Starts the approved tasks, or only `tasks` and what they wait for; with `dry_run` only says what would start.

    What is absent stays as it is. `agents` are roles: only their tasks begin, with an empty list all do. With `interactive` each task waits for a yes, and to name it
    in `tasks` is that yes; with `fail_fast` no new task begins after one has failed.
    """

    tasks: list[Name] = Field(default_factory=list)
    limits: LimitsParams = LimitsParams()
    mode: Literal["parallel", "sequential"] | None = None
    agents: Annotated[list[Name], Field(max_length=100)] | None = None
    priority: Literal["low", "normal", "high"] | None = None
    interactive: bool | None = None
    fail_fast: bool | None = None
    dry_run: bool = False


class SayParams(TargetChange):
    """Says something to a running agent."""

    text: Prose


class AnswerParams(TargetChange):
    """Answers the open question of a run, or of a SpecTask that has exactly one; `question` names the one that was read, so that no other is answered."""

    text: Prose
    question: str = ""


class SpawnParams(TargetChange):
    """Gives `text` (its first line is a title) to a session of its own: under the run that is the target or the `parent`, else beside the plan of the SpecTask."""

    text: Prose
    role: Annotated[str, Field(max_length=30)] = ""
    parent: Annotated[str, Field(max_length=300)] = ""
    budget_usd: Annotated[Decimal, Field(gt=0, allow_inf_nan=False)] | None = None


class RetryParams(TargetChange):
    """Starts a new attempt; `fresh` in a new worktree."""

    fresh: bool = False


class AcceptParams(SpecTaskChange):
    """Accepts the feature branch; `feature` binds the commit that was looked at."""

    feature: Annotated[str, Field(pattern=r"^([0-9a-f]{7,64})?$")] = ""


class SkipParams(SpecTaskChange):
    """Leaves a task undone on purpose."""

    task: Name


class PrParams(SpecTaskChange):
    """Asks for a pull request of the feature branch at a remote; `with_records` pushes the spec's branch and tags too, with all that was said in the sessions.

    Without `confirm` the answer says what would be pushed where, and nothing is; with what that answer named, exactly that is done.
    """

    remote: Annotated[str, Field(min_length=1, max_length=200)] = "origin"
    with_records: bool = False
    confirm: Annotated[str, Field(pattern=r"^([0-9a-f]{16})?$")] = ""


class LogsParams(Wire):
    """Asks for the last lines of the daemon's log."""

    lines: Annotated[int, Field(ge=1, le=10_000)] = 100


class AllowParams(Wire):
    """Asks what the repository around `path` wants to run or permit; with its `fingerprint`, allows exactly that."""

    path: Name
    fingerprint: str = ""


class VersionsParams(SpecTaskParams):
    """Asks for the texts that a document had."""

    document: Name


class DiffParams(SpecTaskParams):
    """Asks how a document, or all of them, differ between two texts: `live`, `approved`, `v1` and so on, or the beginning of a digest or commit."""

    document: str = ""
    since: Name = "approved"
    until: Name = "live"


class RebuildParams(Wire):
    """Asks to take up what only the branches of the repository around `path` know, or with `id` that SpecTask; asked again, all of it is known."""

    path: Name
    id: str = ""
