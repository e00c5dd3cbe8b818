"""Every message between a client and the daemon, as types; nothing else is serialised.

`METHODS` is the table of requests. Params and results forbid fields they do not know. A changing request may carry an idempotency `key`:
repeated, it is answered as it was the first time.
"""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from specthread.protocol.wire_base import Wire
from specthread.protocol.wire_locks import CacheParams, CacheResult, LocksResult, ReleaseParams
from specthread.protocol.wire_note import AskParams, AskResult, NoteParams
from specthread.protocol.wire_notice import Reconnected, Resync, Stopping, Tick
from specthread.protocol.wire_params import (
    AcceptParams,
    AllowParams,
    AnswerParams,
    ApproveParams,
    CommentParams,
    CostParams,
    DiffParams,
    HistoryParams,
    ListParams,
    LogsParams,
    NewParams,
    NoParams,
    PrParams,
    RebuildParams,
    RequestChangesParams,
    ResolveParams,
    RetryParams,
    RunParams,
    SayParams,
    SkipParams,
    SpawnParams,
    SpecTaskChange,
    SpecTaskParams,
    SubscribeParams,
    TargetChange,
    TraceParams,
    TranscriptParams,
    VersionsParams,
    WatchParams,
)
from specthread.protocol.wire_result import (
    AllowResult,
    CostResult,
    DiffResult,
    Done,
    HistoryResult,
    LandResult,
    ListResult,
    LogsResult,
    NewResult,
    PrResult,
    RebuildResult,
    ReportResult,
    ReviewResult,
    RunResult,
    SessionsResult,
    StatusResult,
    StopResult,
    Subscribed,
    TraceResult,
    TranscriptResult,
    VersionsResult,
)
from specthread.protocol.wire_view import EventView, SpecTaskView

LINE_LIMIT = 4 * 1024 * 1024
"""Longest line a client may send, in bytes."""

PARSE_ERROR = -32700
INVALID_REQUEST = -32600
UNKNOWN_METHOD = -32601
BAD_PARAMS = -32602
INTERNAL_ERROR = -32603
REFUSED = 1001
"""The daemon's rules forbid it; `data` is a `RefusalView`."""
OUTSIDE_FAILED = 1003
"""Git, the disk, the network or another program failed; `data` is a `RefusalView`."""


# --- first lines --------------------------------------------------------------------------------------------------------


class Hello(Wire):
    """First line of a client; `specthread` is the version of this protocol."""

    specthread: int
    role: Literal["rpc", "lsp", "mcp"]
    version: str
    cwd: str
    client: str
    pid: int
    token: str = ""
    is_back: bool = False
    """Whether the client's daemon went away under it: what it was asked then is asked again."""
    environment: dict[str, str] = Field(default_factory=dict)
    """What of the client's own environment counts for it: its author's name and address."""


class Welcome(Wire):
    """First line of the daemon; `instance` names its event log, `seq` the last event."""

    specthread: int
    version: str
    pid: int
    instance: str
    seq: int


# --- params -------------------------------------------------------------------------------------------------------------


METHODS: dict[str, tuple[type[Wire], type[Wire]]] = {
    "specthread/new": (NewParams, NewResult),
    "specthread/list": (ListParams, ListResult),
    "specthread/show": (SpecTaskParams, SpecTaskView),
    "specthread/watch": (WatchParams, Subscribed),
    "specthread/report": (SpecTaskParams, ReportResult),
    "specthread/trace": (TraceParams, TraceResult),
    "specthread/cost": (CostParams, CostResult),
    "specthread/history": (HistoryParams, HistoryResult),
    "specthread/transcript": (TranscriptParams, TranscriptResult),
    "specthread/review": (SpecTaskParams, ReviewResult),
    "specthread/comment": (CommentParams, Done),
    "specthread/resolve": (ResolveParams, Done),
    "specthread/approve": (ApproveParams, Done),
    "specthread/request-changes": (RequestChangesParams, Done),
    "specthread/run": (RunParams, RunResult),
    "specthread/sessions": (SpecTaskParams, SessionsResult),
    "specthread/say": (SayParams, Done),
    "specthread/answer": (AnswerParams, Done),
    "specthread/note": (NoteParams, Done),
    "specthread/ask": (AskParams, AskResult),
    "specthread/pause": (TargetChange, Done),
    "specthread/resume": (TargetChange, Done),
    "specthread/cancel": (TargetChange, Done),
    "specthread/retry": (RetryParams, Done),
    "specthread/spawn": (SpawnParams, Done),
    "specthread/locks": (NoParams, LocksResult),
    "specthread/release": (ReleaseParams, Done),
    "specthread/accept": (AcceptParams, Done),
    "specthread/skip": (SkipParams, Done),
    "specthread/sync": (SpecTaskChange, Done),
    "specthread/land": (SpecTaskChange, LandResult),
    "specthread/archive": (SpecTaskChange, Done),
    "specthread/versions": (VersionsParams, VersionsResult),
    "specthread/diff": (DiffParams, DiffResult),
    "specthread/rebuild": (RebuildParams, RebuildResult),
    "specthread/pr": (PrParams, PrResult),
    "specthread/subscribe": (SubscribeParams, Subscribed),
    "specthread/status": (NoParams, StatusResult),
    "specthread/logs": (LogsParams, LogsResult),
    "specthread/cache": (CacheParams, CacheResult),
    "specthread/stop": (NoParams, StopResult),
    "specthread/allow": (AllowParams, AllowResult),
}
"""Requests by name: their params and their result."""

NOTIFICATIONS: dict[str, type[Wire]] = {
    "specthread/event": EventView,
    "specthread/tick": Tick,
    "specthread/resync": Resync,
    "specthread/stopping": Stopping,
    "specthread/reconnected": Reconnected,
}
"""What the daemon, or the relay that an editor started, says unasked."""
