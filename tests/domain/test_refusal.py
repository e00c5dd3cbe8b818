from __future__ import annotations

from decimal import Decimal

import pytest

from specthread.domain import commands as c
from specthread.domain import reports
from specthread.domain.commands_note import TakeNote
from specthread.domain.decide import DAEMON_COMMANDS, DECIDE, HUMAN_COMMANDS, decide
from specthread.domain.ids import CommentId, Digest, RunId, SpecTaskId, TaskNumber
from specthread.domain.model import DAEMON, Actor, Refusal, State
from support.situation import GIVEN, approved, implementing, in_final_review, merging, reviewing, verifying, waiting, working
from support.story import ADA, AGENT, DESIGN, ID, Story, check, creation, finish, limits, oid, plan, remark, ws

NOBODY = RunId(f"{ID}/ws-9")
STRANGE = Digest("0" * 64)


def edit(name: str, content: bytes = b"# New\n", expects: bytes | None = None, kind: str = "human") -> c.EditDocument:
    return c.EditDocument(spectask=ID, document=name, content=content, expects=expects, kind=kind)


def budget(limit: str = "1") -> Story:
    story = working()
    story.do(reports.StartCall(spectask=ID, run=ws(1), turn=2, reserve_usd=Decimal(51)), DAEMON)
    return story


MOVES = {
    # --- creation
    "an id that is taken": ("planning", creation(), "id-taken"),
    "an empty prompt": ("planning", creation(spectask=SpecTaskId("other-2222"), prompt=" \n"), "empty-prompt"),
    "no place for a single session": ("planning", creation(spectask=SpecTaskId("other-2222"), limits=limits(max_parallel=0)), "bad-limit"),
    "an unknown SpecTask": ("planning", c.PauseSpecTask(spectask=SpecTaskId("nobody-2222")), "unknown-id"),
    # --- documents and comments
    "editing a document the flow has not": ("reviewing", edit("bugfix"), "unknown-document"),
    "editing what changed meanwhile": ("reviewing", edit("design", expects=b"# Older\n"), "stale-document"),
    "writing a document anew that exists": ("reviewing", edit("design"), "stale-document"),
    "editing after the end": ("done", edit("design", expects=DESIGN), "ended"),
    "commenting on a document nobody wrote": (
        "planning",
        c.AddComment(spectask=ID, document="design", remark=remark()),
        "unknown-document",
    ),
    "an empty comment": ("reviewing", c.AddComment(spectask=ID, document="design", remark=remark(text=" ")), "empty-comment"),
    "commenting after the end": ("cancelled", c.AddComment(spectask=ID, document="design", remark=remark()), "ended"),
    "settling an unknown comment": ("reviewing", c.ResolveComment(spectask=ID, comment=CommentId("c9")), "unknown-id"),
    "settling a comment after the end": ("done", c.ResolveComment(spectask=ID, comment=CommentId("c9")), "ended"),
    "changes while the planner writes": ("planning", c.RequestChanges(spectask=ID, message="More"), "still-planning"),
    "changes without a word": ("reviewing", c.RequestChanges(spectask=ID, message=" "), "nothing-to-change"),
    "changes after the end": ("done", c.RequestChanges(spectask=ID, message="More"), "ended"),
    # --- approval
    "approving while the planner writes": ("planning", c.ApproveDocuments(spectask=ID, documents=()), "still-planning"),
    "approving nothing": ("reviewing", c.ApproveDocuments(spectask=ID, documents=()), "name-the-version"),
    "approving an unknown document": ("reviewing", c.ApproveDocuments(spectask=ID, documents=(("bugfix", STRANGE),)), "unknown-document"),
    "approving other words": ("reviewing", c.ApproveDocuments(spectask=ID, documents=(("design", STRANGE),)), "stale-version"),
    "approving by a digest too short": ("reviewing", c.ApproveDocuments(spectask=ID, documents=(("design", Digest("")),)), "stale-version"),
    "approving after the end": ("cancelled", c.ApproveDocuments(spectask=ID, documents=()), "ended"),
    # --- start, pause, end
    "starting while the planner writes": ("planning", c.StartImplementation(spectask=ID, limits=limits()), "still-planning"),
    "starting before approval": ("reviewing", c.StartImplementation(spectask=ID, limits=limits()), "not-approved"),
    "starting twice": ("working", c.StartImplementation(spectask=ID, limits=limits()), "already-running"),
    "starting with no place": ("approved", c.StartImplementation(spectask=ID, limits=limits(max_parallel=0)), "bad-limit"),
    "starting with a limit that nobody means": (
        "approved",
        c.StartImplementation(spectask=ID, limits=limits(stop_usd=Decimal("1e999999"))),
        "bad-limit",
    ),
    "a SpecTask with a limit that nobody means": (
        "planning",
        creation(spectask=SpecTaskId("other-2222"), limits=limits(stop_usd=Decimal("1e10"))),
        "bad-limit",
    ),
    "starting with a negative limit": ("approved", c.StartImplementation(spectask=ID, limits=limits(stop_usd=Decimal(-1))), "bad-limit"),
    "starting what is finished": ("in final review", c.StartImplementation(spectask=ID, limits=limits()), "wrong-state"),
    "starting after the end": ("cancelled", c.StartImplementation(spectask=ID, limits=limits()), "ended"),
    "pausing after the end": ("done", c.PauseSpecTask(spectask=ID), "ended"),
    "resuming what goes on": ("working", c.ResumeSpecTask(spectask=ID), "not-paused"),
    "resuming what is done": ("done", c.ResumeSpecTask(spectask=ID), "ended"),
    "cancelling twice": ("cancelled", c.CancelSpecTask(spectask=ID), "ended"),
    "archiving what goes on": ("working", c.ArchiveSpecTask(spectask=ID), "not-ended"),
    "skipping an unknown task": ("implementing", c.SkipTask(spectask=ID, task=TaskNumber("9")), "unknown-id"),
    "skipping a task at work": ("working", c.SkipTask(spectask=ID, task=TaskNumber("1")), "wrong-state"),
    "skipping after the end": ("cancelled", c.SkipTask(spectask=ID, task=TaskNumber("2")), "ended"),
    "accepting what is not ready": ("working", c.AcceptSpecTask(spectask=ID, feature=None), "not-ready"),
    "accepting another commit": ("in final review", c.AcceptSpecTask(spectask=ID, feature=oid(0xF00)), "stale-version"),
    "accepting twice": ("done", c.AcceptSpecTask(spectask=ID, feature=None), "ended"),
    "syncing before there is a feature branch": ("reviewing", c.SyncTarget(spectask=ID), "wrong-state"),
    "syncing after the end": ("done", c.SyncTarget(spectask=ID), "ended"),
    # --- runs
    "pausing an unknown run": ("working", c.PauseRun(spectask=ID, run=NOBODY), "unknown-id"),
    "pausing a run that is over": ("failed", c.PauseRun(spectask=ID, run=ws(1)), "wrong-state"),
    "pausing a run after the end": ("cancelled", c.PauseRun(spectask=ID, run=ws(1)), "ended"),
    "resuming an unknown run": ("working", c.ResumeRun(spectask=ID, run=NOBODY), "unknown-id"),
    "resuming a run at work": ("working", c.ResumeRun(spectask=ID, run=ws(1)), "wrong-state"),
    "cancelling an unknown run": ("working", c.CancelRun(spectask=ID, run=NOBODY), "unknown-id"),
    "cancelling a run that is over": ("failed", c.CancelRun(spectask=ID, run=ws(1)), "wrong-state"),
    "cancelling a run after the end": ("cancelled", c.CancelRun(spectask=ID, run=ws(1)), "ended"),
    "answering an unknown run": ("working", c.AnswerQuestion(spectask=ID, run=NOBODY, answer="Yes"), "unknown-id"),
    "answering who asks nothing": ("working", c.AnswerQuestion(spectask=ID, run=ws(1), answer="Yes"), "no-question"),
    "answering nothing": ("waiting", c.AnswerQuestion(spectask=ID, run=ws(1), answer=" "), "empty-answer"),
    "saying something to nobody": ("working", c.SayToRun(spectask=ID, run=NOBODY, text="Hello"), "unknown-id"),
    "saying nothing": ("working", c.SayToRun(spectask=ID, run=ws(1), text=""), "empty-message"),
    "saying something too late": ("merging", c.SayToRun(spectask=ID, run=ws(1), text="Hello"), "wrong-state"),
    "saying something after the end": ("cancelled", c.SayToRun(spectask=ID, run=ws(1), text="Hello"), "ended"),
    "retrying an unknown session": ("working", c.RetryRun(spectask=ID, run=NOBODY), "unknown-id"),
    "retrying a session at work": ("working", c.RetryRun(spectask=ID, run=ws(1)), "wrong-state"),
    "retrying a merged session": ("in final review", c.RetryRun(spectask=ID, run=ws(1)), "wrong-state"),
    "retrying after the end": ("cancelled", c.RetryRun(spectask=ID, run=ws(1)), "ended"),
}
"""What a person may not do: the situation, the command, the code of the Refusal."""

REPORTS = {
    "finishing a plan without its documents": (
        "planning",
        reports.FinishPlanning(spectask=ID, plan=plan(), summary=""),
        "documents-missing",
    ),
    "answering an unknown comment": (
        "planning",
        reports.AnswerComment(spectask=ID, plan=plan(), comment=CommentId("c9"), text="Done"),
        "unknown-id",
    ),
    "giving a task before the start": ("approved", reports.StartSession(spectask=ID, task=TaskNumber("1")), "not-running"),
    "giving an unknown task": ("implementing", reports.StartSession(spectask=ID, task=TaskNumber("9")), "not-ready"),
    "giving a task whose dependencies are open": ("implementing", reports.StartSession(spectask=ID, task=TaskNumber("3.1")), "not-ready"),
    "giving a task twice": ("working", reports.StartSession(spectask=ID, task=TaskNumber("1")), "not-ready"),
    "a call of an unknown run": ("working", reports.StartCall(spectask=ID, run=NOBODY, turn=1, reserve_usd=None), "unknown-id"),
    "a call of a run that waits": ("waiting", reports.StartCall(spectask=ID, run=ws(1), turn=2, reserve_usd=None), "wrong-state"),
    "a call after the end": ("cancelled", reports.StartCall(spectask=ID, run=ws(1), turn=2, reserve_usd=None), "wrong-state"),
    "a reply to an unknown run": ("working", finish(NOBODY, 1, 1), "unknown-id"),
    "a reply to a call that is closed": ("working", finish(ws(1), 1, 1), "stale-call"),
    "the loss of a call that is closed": ("working", reports.LoseCall(spectask=ID, run=ws(1), call=1, turn=1, reason="cut"), "stale-call"),
    "the loss of an unknown run's call": ("working", reports.LoseCall(spectask=ID, run=NOBODY, call=1, turn=1, reason="cut"), "unknown-id"),
    "a tool of an unknown run": ("working", reports.FinishTool(spectask=ID, run=NOBODY, turn=1, tool_use_id="t", content=""), "unknown-id"),
    "a question of an unknown run": (
        "working",
        reports.AskQuestion(spectask=ID, run=NOBODY, question="q", kind="question", text="?"),
        "unknown-id",
    ),
    "a question of a run that is over": (
        "failed",
        reports.AskQuestion(spectask=ID, run=ws(1), question="q", kind="question", text="?"),
        "wrong-state",
    ),
    "a transcript of an unknown run": ("working", reports.RecordTranscript(spectask=ID, run=NOBODY, turn=1, oid=oid(1)), "unknown-id"),
    "the failure of an unknown run": ("working", reports.FailRun(spectask=ID, run=NOBODY, reason="gone"), "unknown-id"),
    "a claim of an unknown session": ("working", reports.ClaimSession(spectask=ID, session=NOBODY, summary=""), "unknown-id"),
    "a claim of a session that waits": ("waiting", reports.ClaimSession(spectask=ID, session=ws(1), summary=""), "wrong-state"),
    "a check of an unknown session": (
        "working",
        reports.FinishCheck(spectask=ID, session=NOBODY, claim=1, verification=check(), text=""),
        "unknown-id",
    ),
    "a merge of an unknown session": ("working", reports.FinishMerge(spectask=ID, session=NOBODY, feature=oid(1)), "unknown-id"),
    "a conflict of an unknown session": (
        "working",
        reports.RejectMerge(spectask=ID, session=NOBODY, cause="conflict", text="", conflict_with=oid(1)),
        "unknown-id",
    ),
}
"""What the daemon's own effects may not report."""


@pytest.mark.parametrize("move", MOVES)
def test_a_person_is_told_why_not(move):
    given, command, code = MOVES[move]
    assert GIVEN[given]().refused(command) == code


@pytest.mark.parametrize("report", REPORTS)
def test_a_report_that_cannot_be_true_is_refused(report):
    given, command, code = REPORTS[report]
    assert GIVEN[given]().refused(command, DAEMON) == code


@pytest.mark.parametrize("move", MOVES | REPORTS)
def test_a_refused_command_changes_nothing(move):
    given, command, _ = (MOVES | REPORTS)[move]
    story = GIVEN[given]()
    before, logged = story.state, len(story.log)
    story.when(command, ADA if move in MOVES else DAEMON)
    assert (story.state, len(story.log)) == (before, logged)


@pytest.mark.parametrize("kind", sorted(HUMAN_COMMANDS, key=lambda kind: kind.__name__))
@pytest.mark.parametrize("actor", [AGENT, DAEMON], ids=str)
def test_what_needs_a_human_is_done_by_no_agent_and_not_by_the_daemon(kind, actor):
    command = object.__new__(kind)  # the actor is looked at before anything else
    answer = decide(State(), command, actor)
    assert isinstance(answer, Refusal)
    assert (answer.code, bool(answer.hint)) == ("human-only", True)


@pytest.mark.parametrize("kind", sorted(DAEMON_COMMANDS, key=lambda kind: kind.__name__))
@pytest.mark.parametrize("actor", [AGENT, ADA], ids=str)
def test_what_the_daemon_reports_is_reported_by_nobody_else(kind, actor):
    answer = decide(State(), object.__new__(kind), actor)
    assert isinstance(answer, Refusal)
    assert (answer.code, bool(answer.hint)) == ("daemon-only", True)


def test_only_documents_comments_and_what_sessions_do_together_are_open_to_more_than_one_kind_of_actor():
    everything = {*DECIDE, c.CreateSpecTask}
    together = {c.SpawnSession, reports.SendMessage, reports.ChangeFact, reports.AwaitSessions, reports.CancelChild, TakeNote}
    assert everything - HUMAN_COMMANDS - DAEMON_COMMANDS == {c.EditDocument, c.AddComment, reports.AnswerComment, *together}
    assert not HUMAN_COMMANDS & DAEMON_COMMANDS


@pytest.mark.parametrize(
    ("actor", "claimed"),
    [(AGENT, plan(2)), (Actor(kind="session", name=plan(1)), plan(1)), (Actor(kind="session", name=plan(2)), plan(1)), (DAEMON, plan(2))],
)
def test_only_the_planner_that_works_now_answers_a_comment(actor, claimed):
    story = reviewing()
    story.do(c.AddComment(spectask=ID, document="design", remark=remark()))
    story.request_changes("")
    answer = reports.AnswerComment(spectask=ID, plan=claimed, comment=CommentId("c1"), text="Done")
    assert story.refused(answer, actor) == "not-planning"


def test_an_agent_cannot_approve_its_own_work():
    story = reviewing()
    assert story.refused(c.ApproveDocuments(spectask=ID, documents=story.digests()), AGENT) == "human-only"
    assert story.spectask.approvals.get("tasks") is None


def test_an_implementer_writes_no_document():
    assert working().refused(edit("tasks", expects=b""), AGENT) == "not-planning"


def test_a_planner_writes_no_document_once_it_is_done():
    story = reviewing()
    planner = AGENT.__class__(kind="session", name=plan())
    assert story.refused(edit("design", expects=DESIGN, kind="planner"), planner) == "not-planning"


def test_a_session_is_not_retried_once_its_task_is_planned_no_more():
    story = working()
    story.do(c.CancelRun(spectask=ID, run=ws(1)))
    story.edit("tasks", story.text("tasks").replace("1. Write", "5. Write").replace("Depends: 1, 2", "Depends: 5, 2").encode())
    story.approve()
    assert story.refused(c.RetryRun(spectask=ID, run=ws(1))) == "wrong-state"


def test_a_spectask_without_target_is_not_synced():
    story = approved(target=None)
    assert story.refused(c.SyncTarget(spectask=ID)) == "no-target"


def test_what_is_paused_is_not_paused_again():
    story = working()
    story.do(c.PauseSpecTask(spectask=ID))
    assert story.refused(c.PauseSpecTask(spectask=ID)) == "already-paused"
    assert story.refused(reports.StartSession(spectask=ID, task=TaskNumber("2")), DAEMON) == "not-running"
    story.do(c.PauseRun(spectask=ID, run=ws(1)))
    assert story.refused(c.PauseRun(spectask=ID, run=ws(1))) == "wrong-state"


def test_a_sync_is_not_started_twice():
    story = implementing()
    story.do(c.SyncTarget(spectask=ID))
    assert story.refused(c.SyncTarget(spectask=ID)) == "already-running"


@pytest.mark.parametrize("answer", ["much", "50", "49.99", "-3", "NaN", "sNaN", "Infinity", "1e999999"])
def test_a_budget_is_answered_with_a_higher_limit_in_dollars(answer):
    assert budget().refused(c.AnswerQuestion(spectask=ID, run=ws(1), answer=answer)) == "bad-limit"


def test_a_question_is_answered_once():
    story = waiting()
    story.git = False
    story.do(c.AnswerQuestion(spectask=ID, run=ws(1), answer="Tabs"))
    assert story.refused(c.AnswerQuestion(spectask=ID, run=ws(1), answer="Spaces")) == "no-question"


def test_an_answer_to_a_question_that_is_not_asked_any_more_answers_no_other():
    story = waiting()
    (run,) = [run for run in story.spectask.sessions.values() if run.question]
    assert story.refused(c.AnswerQuestion(spectask=ID, run=run.id, answer="allow", question="an earlier one")) == "other-question"
    story.do(c.AnswerQuestion(spectask=ID, run=run.id, answer="Tabs", question=run.question.id))


@pytest.mark.parametrize(
    "command",
    [
        c.RequestChanges(spectask=ID, message="More"),
        c.SyncTarget(spectask=ID),
        c.CancelSpecTask(spectask=ID),
        c.AcceptSpecTask(spectask=ID, feature=None),
    ],
    ids=lambda command: type(command).__name__,
)
def test_nothing_comes_between_an_acceptance_and_its_record(command):
    story = in_final_review()
    story.git = False
    story.do(c.AcceptSpecTask(spectask=ID, feature=None))
    assert story.refused(command) == "already-accepted"


@pytest.mark.parametrize(
    "command",
    [
        reports.FinishPlanning(spectask=ID, plan=NOBODY, summary=""),
        reports.FinishPlanning(spectask=ID, plan=plan(), summary=""),
        reports.FinishCheck(spectask=ID, session=ws(1), claim=7, verification=check(), text=""),
        reports.FinishMerge(spectask=ID, session=ws(1), feature=oid(1)),
        reports.RejectMerge(spectask=ID, session=ws(1), cause="conflict", text="", conflict_with=oid(1)),
        reports.FinishSync(spectask=ID, feature=oid(1)),
        reports.RecordCommit(spectask=ID, of=1, oid=oid(1)),
        reports.ReportTrouble(spectask=ID, effect="WriteSpecs", reason=""),
        reports.ReportTrouble(spectask=ID, effect="RunSession ws-9", reason="bug", run=NOBODY),
        reports.ReportTrouble(spectask=ID, effect="RunPlanner plan-1", reason="bug", run=plan()),
        reports.ReportLeftover(spectask=ID, run=NOBODY, reason="It stays."),
        reports.ReportLeftover(spectask=ID, run=ws(1), reason="It stays."),
        reports.FailRun(spectask=ID, run=plan(), reason="late"),
    ],
    ids=lambda command: type(command).__name__,
)
def test_a_report_that_comes_too_late_is_passed_over(command):
    assert verifying().do(command, DAEMON) == ()


def test_a_report_on_a_claim_that_is_merging_is_passed_over():
    assert merging().do(reports.FinishCheck(spectask=ID, session=ws(1), claim=1, verification=check("red"), text=""), DAEMON) == ()
