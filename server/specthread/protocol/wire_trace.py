"""What is said of the trace: who built and tested which requirement."""

from __future__ import annotations

from specthread.protocol.wire_base import Wire


class TraceTaskView(Wire):
    """A task that builds a requirement, at a line of the tasks document."""

    id: str
    title: str
    state: str
    line: int


class TraceSessionView(Wire):
    """A session that worked on such a task."""

    id: str
    task: str
    state: str


class TraceCommitView(Wire):
    """A commit that says by its trailers that it is for a requirement, or for a task of it."""

    oid: str
    subject: str
    session: str


class MentionView(Wire):
    """A line of a file that speaks of a requirement; not `sure` where several specs may be meant."""

    path: str
    line: int
    text: str
    sure: bool


class TraceRowView(Wire):
    """A requirement or criterion with what is known of it; `gaps` are `no-task` and `no-test`, of a criterion or of a requirement that has none."""

    kind: str
    id: str
    title: str
    document: str
    line: int
    tasks: list[TraceTaskView]
    properties: list[str]
    sessions: list[TraceSessionView]
    commits: list[TraceCommitView]
    code: list[MentionView]
    tests: list[MentionView]
    gaps: list[str]
    criteria: list[TraceRowView]
