"""One sentence per event, as feeds and histories show it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from specthread.domain import events as e
from specthread.domain.pull_request import told
from specthread.spec.digest import short
from specthread.spec.duration import told_seconds

_LENGTH = 160


def sentence(event: e.Event) -> str:
    """Returns what happened, in one line."""
    text = " ".join(SENTENCES[type(event)](event).split())
    return text if len(text) <= _LENGTH else text[: _LENGTH - 1] + "…"


def _short(run: str | None) -> str:
    return (run or "").rpartition("/")[2]


def _named(documents: tuple[tuple[str, str], ...]) -> str:
    return ", ".join(f"{name}@{short(digest)}" for name, digest in documents)


def _money(amount: object) -> str:
    return "cost unknown" if amount is None else f"${amount:.4f}"


def _approved(event: e.SpecApproved) -> str:
    advance = " in advance" if event.in_advance else ""
    version = f"; this completes version {event.version}" if event.version else ""
    return f"{event.person} approved {_named(event.documents)}{advance}{version}."


def _edited(event: e.DocumentEdited) -> str:
    verbs = {"planner": "The planner wrote", "human": f"{event.author} edited", "tick": "Progress was ticked in", "adopted": "Taken over:"}
    return f"{verbs[event.kind]} {event.document}@{short(event.digest)}."


def _checked(event: e.CheckFinished) -> str:
    words = {
        "verified": "was red before and is green now",
        "weak": "is green, but was green before",
        "red": "is red",
        "cannot-run": "cannot run",
        "no-work": "was not run: nothing was changed",
        "unexplained": "is green, but files outside its task were changed and nobody said why",
    }
    return f"{_short(event.session)}: the check {words[event.verification.outcome]}."


def _counted_verdicts(event: e.ReviewFinished) -> str:
    found = [verdict.judgement for verdict in event.verdicts]
    return ", ".join(f"{found.count(each)} {each}" for each in ("met", "unmet", "unclear") if each in found)


def _sent_back(event: e.SessionSentBack) -> str:
    causes = {
        "check": "its work did not pass",
        "merged-check": "the check of the merged tree failed",
        "conflict": "it conflicts with merged work",
        "review": "a reviewer found that it does not do what it should",
    }
    return f"{_short(event.session)} was sent back: {causes[event.cause]}."


def _session(event: e.SessionStarted) -> str:
    if event.waits:
        return f"{_short(event.session)} ({event.role}) tries again, attempt {event.attempt}, as soon as a place is free."
    attempt = f", attempt {event.attempt}" if event.attempt > 1 else ""
    return f"{_short(event.session)} ({event.role}) began task {event.task}{attempt}."


def _synced(event: e.SyncFinished) -> str:
    return "The target is merged into the feature branch." if event.feature else f"The target was not merged: {event.reason}"


def _pushed(event: e.PullRequestOpened) -> str:
    return ", ".join(f"{ref.split('/', 2)[-1]}@{oid[:7]}" for ref, oid in event.pushed[:3])


def _raised(event: e.BudgetRaised) -> str:
    scopes = {"run": "the limit for one session", "task": "the limit for one task", "spectask": "the limit", "day": "the limit for the day"}
    what = f"the budget of {_short(event.run)}" if event.run else scopes[event.scope]
    return f"{event.person} lifted {what}." if event.lifted else f"{event.person} raised {what} to ${event.stop_usd}."


def _coordinated(event: e.CoordinationSent) -> str:
    who, whom = _short(event.sender) or event.sender, ", ".join(_short(name) or name for name in event.receivers) or "nobody"
    words = {
        "handoff": f"hands to {whom}",
        "question": f"asks {whom}",
        "answer": f"answers {whom}",
        "broadcast": f"tells {whom}",
        "blocked": f"tells {whom} that it is blocked",
        "unblocked": f"tells {whom} that it is no longer blocked",
        "finished": f"has ended, and {whom} is told",
    }
    return f"{who} {words[event.kind]}: {event.text}"


def _awaited(event: e.SessionsAwaited) -> list[str]:
    return [*map(_short, event.sessions), *(f"the answer to question {number}" for number in event.questions)]


def _by(event: e.ProgressReported | e.DecisionNoted) -> str:
    return _short(event.run) or event.by


def _stopped(event: e.RunFailed) -> str:
    return f"{_short(event.run)} {'got stuck' if event.stuck else 'failed'}: {event.reason}"


def _started(event: e.ImplementationStarted) -> str:
    what = f"task{'' if len(event.tasks) == 1 else 's'} {', '.join(event.tasks)}" if event.tasks else "the implementation"
    options = event.options
    if options is None:
        return f"{event.person} started {what}."
    priority = "" if options.priority == "normal" else f"{options.priority} priority"
    roles = f"only {', '.join(options.roles)}" if options.roles else ""
    one_by_one = "one at a time" if options.mode == "sequential" else ""
    how = [one_by_one, priority, roles, "a yes for each task" if options.interactive else "", "fail-fast" if options.fail_fast else ""]
    said = "; ".join(filter(None, how))
    return f"{event.person} started {what}{f' ({said})' if said else ''}."


SENTENCES: dict[type[e.Event], Callable[[Any], str]] = {
    e.SpecTaskRebuilt: lambda event: f"Read back from git: {event.asked.prompt}",
    e.SpecTaskCreated: lambda event: f"Asked for: {event.prompt}",
    e.SpecAdopted: lambda event: f"The spec in {event.folder} was taken over as it stands.",
    e.ImplementationStarted: _started,
    e.TaskAllowed: lambda event: f"{event.person} said yes to task {event.task}.",
    e.TaskPassedOver: lambda event: f"Task {event.task} is passed over: it was only for the case “{event.condition}”.",
    e.SpecTaskOvertaken: lambda _: "Held: git holds newer work on it than this log, which was restored.",
    e.SpecTaskPaused: lambda _: "Paused.",
    e.SpecTaskResumed: lambda _: "Resumed.",
    e.SpecTaskCancelled: lambda event: f"{event.person} cancelled it; branches and worktrees stay.",
    e.SpecTaskFailed: lambda event: f"Failed: {event.reason}",
    e.FinalPublished: lambda event: f"All tasks are done; the final documents are on the feature branch at {event.feature[:7]}.",
    e.SpecTaskAccepted: lambda event: f"{event.person} accepted {event.feature[:7]}.",
    e.SpecTaskArchived: lambda _: "Archived.",
    e.ArchiveFinished: lambda _: "Put away: its branches stand under archive refs, and nothing of it is left on disk.",
    e.SyncStarted: lambda _: "Merging the moved target into the feature branch.",
    e.SyncFinished: _synced,
    e.BudgetWarned: lambda event: f"{_money(event.spent_usd)} is spent: the warning limit is passed.",
    e.BudgetRaised: _raised,
    e.EffectFailed: lambda event: f"{event.effect} failed: {event.reason}",
    e.EffectRecovered: lambda event: f"{event.effect} works again.",
    e.RecordCommitted: lambda event: f"Recorded in git as {event.oid[:7]}.",
    e.DocumentEdited: _edited,
    e.CommentAdded: lambda event: f"{event.author} on {event.document}:{event.line}: {event.text}",
    e.CommentAnswered: lambda event: f"The planner answered a comment: {event.text}",
    e.CommentResolved: lambda event: "A comment was resolved." if event.how == "manual" else "A comment is settled: its text is gone.",
    e.ChangesRequested: lambda event: f"{event.person} asked for changes{': ' + event.message if event.message else '.'}",
    e.SpecApproved: _approved,
    e.VersionPublished: lambda event: f"Version {event.number} is published and tagged {event.tag}.",
    e.TasksPlanned: lambda event: f"{len(event.tasks)} task{'' if len(event.tasks) == 1 else 's'} planned.",
    e.TaskSkipped: lambda event: f"{event.person} skipped task {event.task}.",
    e.PullRequestOpened: lambda event: f"{event.person} pushed {_pushed(event)} to {event.address}; the pull request is {event.url}.",
    e.PullRequestChanged: lambda event: f"The pull request: {told(event)}.",
    e.PlanningStarted: lambda event: "The planner revises the documents." if event.purpose == "revise" else "The planner began.",
    e.PlanningFinished: lambda event: (
        f"The documents are ready{f', but not clean ({event.unclean})' if event.unclean else ''}: {event.summary}"
    ),
    e.PlanningSentBack: lambda event: f"The planner has to mend its documents: {event.text}",
    e.ReviewStarted: lambda event: f"{_short(event.run)} began: the work of {_short(event.owner)} is judged by its criteria.",
    e.ReviewFinished: lambda event: f"{_short(event.run)}: {_counted_verdicts(event)}. {event.summary}",
    e.SessionStarted: _session,
    e.RunReady: lambda event: f"{_short(event.run)} works.",
    e.RunInterrupted: lambda event: f"{_short(event.run)} was interrupted; it resumes by itself.",
    e.ClockJumped: lambda event: f"The machine slept or its clock was set: {told_seconds(abs(event.seconds))} are nobody's work.",
    e.RunPaused: lambda event: f"{_short(event.run)} was paused.",
    e.PlaceAwaited: lambda event: f"{_short(event.run)} goes on as soon as a place is free.",
    e.RunResumed: lambda event: f"{_short(event.run)} goes on.",
    e.RunFailed: _stopped,
    e.RunCancelled: lambda event: f"{_short(event.run)} was cancelled{f': {event.reason}' if event.reason else ''}.",
    e.CleanupFailed: lambda event: f"{_short(event.run)} is over, but not all of it is gone: {event.reason}",
    e.RunBriefed: lambda event: f"{_short(event.run)} was told its task.",
    e.CallStarted: lambda event: f"{_short(event.run)}: model call {event.call}.",
    e.CallFinished: lambda event: (
        f"{_short(event.run)}: call {event.call} {'was answered from memory' if event.cached else 'returned'} ({_money(event.cost_usd)})."
    ),
    e.CallLost: lambda event: f"{_short(event.run)}: call {event.call} was lost: {event.reason}",
    e.ToolFinished: lambda event: f"{_short(event.run)}: a tool {'failed' if event.is_error else 'finished'}.",
    e.MessageSent: lambda event: f"{event.source} to {_short(event.run)}: {event.text}",
    e.QuestionAsked: lambda event: f"{_short(event.run)} asks: {event.text}",
    e.QuestionAnswered: lambda event: f"{event.person} answered {_short(event.run)}: {event.answer}",
    e.PermissionUsed: lambda event: f"{_short(event.run)} goes by what was said of its request.",
    e.TranscriptCommitted: lambda event: f"{_short(event.run)}: transcript recorded up to turn {event.turn}.",
    e.SessionClaimed: lambda event: f"{_short(event.session)} says it is done: {event.summary}",
    e.CheckFinished: _checked,
    e.SessionSentBack: _sent_back,
    e.SessionMerged: lambda event: f"{_short(event.session)} is merged as {event.feature[:7]}.",
    e.ConflictForeseen: lambda event: f"{_short(event.session)} and {_short(event.other)} would conflict in {', '.join(event.paths)}.",
    e.SessionSpawned: lambda event: f"{_short(event.by) or event.by} spawned {_short(event.session)}: {event.work}",
    e.CoordinationSent: _coordinated,
    e.FactChanged: lambda event: f"{_short(event.by)} set {event.key} to version {event.version}: {event.value}",
    e.SessionsAwaited: lambda event: f"{_short(event.run)} waits for {', '.join(_awaited(event))}.",
    e.FeatureBroughtIn: lambda event: f"The feature branch at {event.feature[:7]} is in the files of {_short(event.session)}.",
    e.LockRequested: lambda event: f"{_short(event.run)} asks for {event.resource}{' to share it' if event.mode == 'shared' else ''}.",
    e.LockGranted: lambda event: f"{_short(event.run)} holds {event.resource}{' with others' if event.mode == 'shared' else ''}.",
    e.LockReleased: lambda event: (
        f"{event.resource} was taken from {_short(event.run)}: {event.reason}"
        if event.reason
        else f"{_short(event.run)} no longer needs {event.resource}."
    ),
    e.LockRefused: lambda event: (
        f"{_short(event.run)} waited too long for {event.resource}."
        if event.cause == "timeout"
        else f"{_short(event.run)} gave way in a circle of waits for {event.resource}{'; it lost ' + ', '.join(event.lost) if event.lost else ''}."
    ),
    e.ProgressReported: lambda event: f"{_by(event)}: {event.text}",
    e.DecisionNoted: lambda event: f"{_by(event)} decided: {event.text}",
    e.QuestionPut: lambda event: f"{event.by} asks: {event.text}",
    e.PutQuestionAnswered: lambda event: f"{event.person} answered “{event.text}”: {event.answer}",
    e.ConflictPassed: lambda event: f"{_short(event.session)} and {_short(event.other)} would no longer conflict.",
}
"""How each event is told."""
