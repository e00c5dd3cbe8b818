"""The rules: `decide(state, command, actor) -> events | Refusal`, pure.

One rule per command, gathered in `DECIDE`. A rule checks that the command is allowed now and writes down what follows; it does nothing. Rules live beside their
subject: `rules_spectask` (the SpecTask and its life), `rules_start` (what a human lets run), `rules_adoption` (one whose documents are there already),
`rules_document` (documents and comments), `rules_planning` (when a plan is ready), `rules_approval` (approvals and versions), `rules_run` (conversations and their
calls), `rules_budget` (more money), `rules_session` (claims, checks, merges), `rules_review` (what a reviewer says), `rules_lock` (resources),
`rules_archive` (what has ended), `rules_pull_request` (with its two commands), `rules_foresight` (conflicts seen ahead), `rules_place` (who comes back),
`rules_note` (what is noted), `rules_spawn` and `rules_coordination` (sessions that spawn others, and what they say to each other).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from specthread.domain import commands as c
from specthread.domain import (
    overtaken,
    reports,
    rules_adoption,
    rules_approval,
    rules_archive,
    rules_coordination,
    rules_document,
    rules_foresight,
    rules_note,
    rules_permission,
    rules_place,
    rules_planning,
    rules_pull_request,
    rules_review,
    rules_run,
    rules_session,
    rules_spawn,
    rules_spectask,
    rules_start,
)
from specthread.domain.budget import spent_on
from specthread.domain.commands_note import AnswerPut, PutQuestion, TakeNote
from specthread.domain.events import Event
from specthread.domain.model import Actor, Refusal, SpecTask, State
from specthread.domain.rules_lock import LOCK_RULES

Decision = tuple[Event, ...] | Refusal
Rule = Callable[[SpecTask, Any, Actor], Decision]

HUMAN_COMMANDS: frozenset[type[c.Command]] = frozenset(
    {
        c.CreateSpecTask,
        c.ResolveComment,
        c.RequestChanges,
        c.ApproveDocuments,
        c.StartImplementation,
        c.AnswerQuestion,
        c.SayToRun,
        c.PauseSpecTask,
        c.ResumeSpecTask,
        c.CancelSpecTask,
        c.ArchiveSpecTask,
        c.PauseRun,
        c.ResumeRun,
        c.CancelRun,
        c.RetryRun,
        c.SkipTask,
        c.TakeBackLock,
        c.AcceptSpecTask,
        c.SyncTarget,
        c.RebuildSpecTask,
        c.OpenPullRequest,
        PutQuestion,
        AnswerPut,
    }
)
"""Commands that only a human may give: an agent can neither approve its own work nor answer its own question."""

DAEMON_COMMANDS: frozenset[type[c.Command]] = frozenset(
    {
        reports.RecordCommit,
        reports.RecordTranscript,
        reports.StartSession,
        reports.PassOverTask,
        reports.InterruptRuns,
        reports.NoteClockJump,
        reports.ReportOvertaken,
        reports.StartCall,
        reports.FinishCall,
        reports.LoseCall,
        reports.FinishTool,
        reports.AskQuestion,
        reports.UsePermission,
        reports.FinishPlanning,
        reports.ClaimSession,
        reports.FailRun,
        reports.FinishCheck,
        reports.FinishReview,
        reports.FinishMerge,
        reports.RejectMerge,
        reports.FinishFinal,
        reports.FinishSync,
        reports.FinishArchive,
        reports.ReportTrouble,
        reports.ReportLeftover,
        reports.ReportPullRequest,
        reports.ReportConflicts,
        reports.StartSpawned,
        reports.GivePlace,
        reports.SettleSessions,
        reports.BringIn,
        reports.RequestLock,
        reports.GrantLock,
        reports.ReleaseLock,
        reports.RefuseLock,
    }
)
"""Commands that only the daemon may give: nobody else reports what its own work found, neither an agent nor an editor."""

DECIDE: dict[type[c.Command], Rule] = {
    c.ResumeSpecTask: rules_spectask.resume,
    c.PauseSpecTask: rules_spectask.pause,
    c.CancelSpecTask: rules_spectask.cancel,
    c.ArchiveSpecTask: rules_archive.archive,
    reports.FinishArchive: rules_archive.finish_archive,
    c.StartImplementation: rules_start.start_implementation,
    c.SkipTask: rules_spectask.skip_task,
    c.AcceptSpecTask: rules_spectask.accept,
    c.SyncTarget: rules_spectask.sync,
    reports.FinishSync: rules_spectask.finish_sync,
    reports.FinishFinal: rules_spectask.finish_final,
    reports.ReportTrouble: rules_spectask.report_trouble,
    reports.ReportLeftover: rules_spectask.report_leftover,
    c.EditDocument: rules_document.edit,
    c.AddComment: rules_document.add_comment,
    reports.AnswerComment: rules_document.answer_comment,
    c.ResolveComment: rules_document.resolve_comment,
    c.RequestChanges: rules_document.request_changes,
    c.ApproveDocuments: rules_approval.approve,
    reports.FinishPlanning: rules_planning.finish_planning,
    reports.RecordCommit: rules_approval.record_commit,
    reports.RecordTranscript: rules_run.record_transcript,
    reports.InterruptRuns: rules_run.interrupt,
    reports.NoteClockJump: rules_run.note_clock_jump,
    reports.ReportOvertaken: overtaken.hold,
    c.PauseRun: rules_run.pause,
    c.ResumeRun: rules_run.resume,
    c.CancelRun: rules_run.cancel,
    reports.FailRun: rules_run.fail,
    reports.FinishCall: rules_run.finish_call,
    reports.LoseCall: rules_run.lose_call,
    reports.FinishTool: rules_run.finish_tool,
    reports.AskQuestion: rules_run.ask,
    reports.UsePermission: rules_permission.use,
    c.AnswerQuestion: rules_run.answer,
    c.SayToRun: rules_run.say,
    reports.StartSession: rules_session.start,
    reports.PassOverTask: rules_start.pass_over,
    c.RetryRun: rules_session.retry,
    reports.ClaimSession: rules_session.claim,
    reports.FinishCheck: rules_session.finish_check,
    reports.FinishReview: rules_review.finish,
    reports.FinishMerge: rules_session.finish_merge,
    reports.RejectMerge: rules_session.reject_merge,
    c.OpenPullRequest: rules_pull_request.open_pull_request,
    reports.ReportPullRequest: rules_pull_request.report_pull_request,
    reports.ReportConflicts: rules_foresight.report,
    c.SpawnSession: rules_spawn.spawn,
    reports.StartSpawned: rules_spawn.start_spawned,
    reports.GivePlace: rules_place.give_place,
    reports.CancelChild: rules_spawn.cancel_child,
    reports.SendMessage: rules_coordination.send,
    reports.ChangeFact: rules_coordination.change_fact,
    reports.AwaitSessions: rules_coordination.wait,
    reports.SettleSessions: rules_coordination.settle,
    reports.BringIn: rules_coordination.bring_in,
    TakeNote: rules_note.take_note,
    PutQuestion: rules_note.put_question,
    AnswerPut: rules_note.answer_put,
}
"""One rule per command, but for those that have no SpecTask yet (CreateSpecTask, RebuildSpecTask), and those that look at all of them: of locks, and of money (StartCall)."""


def decide(state: State, command: c.Command, actor: Actor) -> Decision:
    """Returns what follows from the command, or why it is not allowed."""
    if type(command) in HUMAN_COMMANDS and actor.kind != "human":
        return Refusal(
            code="human-only",
            message=f"{actor} may not do this: it needs a human.",
            hint="A person does it in an editor, on the dashboard or on the command line.",
        )
    if type(command) in DAEMON_COMMANDS and actor.kind != "daemon":
        return Refusal(
            code="daemon-only",
            message=f"{actor} may not do this: only the daemon reports what its own work found.",
            hint="`specthread --help` lists what a person can do.",
        )
    spectask = state.spectasks.get(command.spectask)
    if isinstance(command, c.CreateSpecTask):
        return rules_adoption.adopt(state, command, actor) if command.adopted else rules_spectask.create(spectask, command)
    if isinstance(command, c.RebuildSpecTask):
        return rules_spectask.rebuild(spectask, command)
    if spectask is None:
        return Refusal(
            code="unknown-id", message=f"There is no SpecTask {command.spectask}.", hint="`specthread list` shows those that exist."
        )
    if spectask.overtaken:
        return overtaken.held(spectask)
    if isinstance(command, reports.StartCall):
        today = None if command.day is None or command.day_usd is None else spent_on(state.spectasks.values(), command.day, command.day_usd)
        return rules_run.start_call(spectask, command, today)
    if type(command) in LOCK_RULES:
        return LOCK_RULES[type(command)](state.locks, spectask, command, actor)
    return DECIDE[type(command)](spectask, command, actor)
