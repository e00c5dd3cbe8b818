"""The closed list of events: everything that ever happened to a SpecTask.

This file is the table of contents of the product; each subject has a file of its own, `events_*.py`, and `event.py` says what all have in common.
Rules: names are past tense; old events stay readable for ever, so a new field has a default and no field changes its meaning; bytes are
base64 in the log. A class marked `record` must also reach git (`RecordCommitted` follows); nothing that rests on it starts before.
"""

from __future__ import annotations

from specthread.domain.event import SCHEMA, Envelope, Event
from specthread.domain.events_coordination import (
    CoordinationSent,
    FactChanged,
    FeatureBroughtIn,
    LockGranted,
    LockRefused,
    LockReleased,
    LockRequested,
    SessionsAwaited,
    SessionSpawned,
)
from specthread.domain.events_document import (
    ChangesRequested,
    CommentAdded,
    CommentAnswered,
    CommentResolved,
    DocumentEdited,
    SpecApproved,
    TaskSkipped,
    TasksPlanned,
    VersionPublished,
)
from specthread.domain.events_note import DecisionNoted, ProgressReported, PutQuestionAnswered, QuestionPut
from specthread.domain.events_review import ReviewFinished, ReviewStarted
from specthread.domain.events_run import (
    CallFinished,
    CallLost,
    CallStarted,
    CheckFinished,
    CleanupFailed,
    ClockJumped,
    ConflictForeseen,
    ConflictPassed,
    MessageSent,
    PermissionUsed,
    PlaceAwaited,
    PlanningFinished,
    PlanningSentBack,
    PlanningStarted,
    QuestionAnswered,
    QuestionAsked,
    RunBriefed,
    RunCancelled,
    RunFailed,
    RunInterrupted,
    RunPaused,
    RunReady,
    RunResumed,
    SessionClaimed,
    SessionMerged,
    SessionSentBack,
    SessionStarted,
    ToolFinished,
    TranscriptCommitted,
)
from specthread.domain.events_spectask import (
    ArchiveFinished,
    BudgetRaised,
    BudgetWarned,
    EffectFailed,
    EffectRecovered,
    FinalPublished,
    ImplementationStarted,
    PullRequestChanged,
    PullRequestOpened,
    RebuiltVersion,
    RecordCommitted,
    SpecAdopted,
    SpecTaskAccepted,
    SpecTaskArchived,
    SpecTaskCancelled,
    SpecTaskCreated,
    SpecTaskFailed,
    SpecTaskOvertaken,
    SpecTaskPaused,
    SpecTaskRebuilt,
    SpecTaskResumed,
    SyncFinished,
    SyncStarted,
    TaskAllowed,
    TaskPassedOver,
)

__all__ = [  # noqa: RUF022  in the order in which it is read
    # event.py: what all have in common
    "SCHEMA", "Event", "Envelope", "EVENTS",
    # events_spectask.py: the SpecTask, and its pull request
    "SpecTaskCreated", "RebuiltVersion", "SpecTaskRebuilt", "SpecAdopted", "ImplementationStarted", "TaskAllowed", "TaskPassedOver",
    "SpecTaskOvertaken", "SpecTaskPaused", "SpecTaskResumed", "SpecTaskCancelled", "SpecTaskFailed", "FinalPublished", "SpecTaskAccepted",
    "SpecTaskArchived", "ArchiveFinished", "SyncStarted", "SyncFinished", "BudgetWarned", "BudgetRaised", "EffectFailed", "EffectRecovered",
    "RecordCommitted", "PullRequestOpened", "PullRequestChanged",
    # events_document.py: documents, comments, approvals
    "DocumentEdited", "CommentAdded", "CommentAnswered", "CommentResolved", "ChangesRequested", "SpecApproved", "VersionPublished",
    "TasksPlanned", "TaskSkipped",
    # events_run.py: runs of the planner and of sessions, verification and merge
    "PlanningStarted", "PlanningSentBack", "PlanningFinished", "SessionStarted", "RunReady", "RunInterrupted", "ClockJumped", "RunPaused", "RunResumed", "PlaceAwaited",
    "RunFailed", "RunCancelled", "CleanupFailed", "RunBriefed", "CallStarted", "CallFinished", "CallLost", "ToolFinished", "MessageSent",
    "QuestionAsked", "QuestionAnswered", "PermissionUsed", "TranscriptCommitted", "SessionClaimed", "CheckFinished", "SessionSentBack", "SessionMerged",
    "ConflictForeseen", "ConflictPassed",
    # events_review.py: what a reviewer says of the work
    "ReviewStarted", "ReviewFinished",
    # events_coordination.py: between sessions
    "SessionSpawned", "CoordinationSent", "FactChanged", "SessionsAwaited", "FeatureBroughtIn", "LockRequested", "LockGranted",
    "LockReleased", "LockRefused",
    # events_note.py: what is noted about it
    "ProgressReported", "DecisionNoted", "QuestionPut", "PutQuestionAnswered",
]  # fmt: skip

EVENTS: dict[str, type[Event]] = {kind.__name__: kind for kind in Event.__subclasses__()}
"""Event classes by the name under which the log keeps them."""
