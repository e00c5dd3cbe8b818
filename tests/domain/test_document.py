from __future__ import annotations

from specthread.domain import commands as c
from specthread.domain import events as e
from specthread.domain import reports
from specthread.domain.ids import CommentId
from specthread.domain.model import DAEMON, Actor
from specthread.spec import anchor
from specthread.spec.digest import content_digest
from support.situation import in_final_review, planning, reviewing, working
from support.story import AGENT, DESIGN, ID, TASKS, plan, remark

C1 = CommentId("c1")


def commented():
    story = reviewing()
    story.do(c.AddComment(spectask=ID, document="design", remark=remark()))
    return story


def test_a_document_keeps_its_words_its_digest_and_its_author():
    story = reviewing()
    (edited,) = story.edit("design", b"# Design\n\nTwo functions.\n")
    assert (edited.path, edited.author, edited.author_email) == (f".specs/{ID}/design.md", "Ada", "ada@example.org")
    assert edited.digest == content_digest(b"# Design\n\nTwo functions.\n")
    assert story.spectask.documents["design"].author == "Ada"


def test_the_daemon_writes_under_its_own_name():
    story = reviewing()
    story.do(c.EditDocument(spectask=ID, document="design", content=b"# D\n", expects=DESIGN, kind="adopted"), DAEMON)
    assert story.spectask.documents["design"].author == "Specthread"


def test_the_same_content_is_no_edit():
    story = reviewing()
    assert story.edit("design", DESIGN) == ()


def test_an_agent_may_comment():
    story = working()
    story.do(c.AddComment(spectask=ID, document="design", remark=remark()), AGENT)
    assert story.spectask.comments[C1].author == AGENT.name


def test_a_comment_with_a_known_id_is_not_added_twice():
    story = commented()
    assert story.do(c.AddComment(spectask=ID, document="design", remark=remark(text="Other"))) == ()
    again = c.EditDocument(spectask=ID, document="design", content=DESIGN, expects=DESIGN, kind="human", remarks=(remark(),))
    assert story.do(again) == ()


def test_a_comment_typed_into_the_text_comes_with_the_edit():
    story = reviewing()
    command = c.EditDocument(spectask=ID, document="design", content=DESIGN + b"More.\n", expects=DESIGN, kind="human", remarks=(remark(),))
    assert [type(event) for event in story.do(command)] == [e.DocumentEdited, e.CommentAdded]


def test_a_comment_is_settled_when_its_text_is_gone_and_not_when_it_moved():
    story = commented()
    story.edit("design", DESIGN.replace(b"## Overview", b"## Overview\n\nFirst of all:"))
    assert not story.spectask.comments[C1].resolved
    story.edit("design", b"# Design\n\nTwo functions.\n")
    assert story.spectask.comments[C1].resolved == "text-gone"


def test_a_comment_is_settled_by_hand_once():
    story = commented()
    story.do(c.ResolveComment(spectask=ID, comment=C1))
    assert story.spectask.comments[C1].resolved == "manual"
    assert story.do(c.ResolveComment(spectask=ID, comment=C1)) == ()


def test_the_planner_says_what_it_did_about_a_comment():
    story = commented()
    story.request_changes("")
    story.do(reports.AnswerComment(spectask=ID, plan=plan(2), comment=C1, text="Two functions now."), Actor(kind="session", name=plan(2)))
    assert story.spectask.comments[C1].answer == "Two functions now."


def test_an_open_comment_is_reason_enough_for_a_revision():
    story = commented()
    story.request_changes("")
    assert (story.spectask.state, story.plan.purpose, story.plan.id) == ("revising", "revise", plan(2))


def test_a_settled_comment_is_not():
    story = commented()
    story.do(c.ResolveComment(spectask=ID, comment=C1))
    assert story.refused(c.RequestChanges(spectask=ID, message="")) == "nothing-to-change"


def test_a_planner_that_waits_is_not_done():
    story = planning()
    story.do(reports.AskQuestion(spectask=ID, run=plan(), question="q", kind="question", text="Which?"), DAEMON)
    assert story.refused(reports.FinishPlanning(spectask=ID, plan=plan(), summary=""), DAEMON) == "wrong-state"


def test_a_planner_whose_spectask_was_cancelled_is_not_done():
    story = planning()
    story.do(c.CancelSpecTask(spectask=ID))
    assert story.refused(reports.FinishPlanning(spectask=ID, plan=plan(), summary=""), DAEMON) == "wrong-state"
    assert story.spectask.state == "cancelled"


def test_changes_may_be_asked_for_after_the_implementation():
    story = in_final_review()
    story.request_changes("Add a flag")
    assert (story.spectask.state, story.spectask.before, story.plan.message) == ("revising", "implementing", "Add a flag")


def test_an_edit_is_read_once_for_all_its_comments(monkeypatch):
    story = reviewing()
    for number in range(5):
        story.do(c.AddComment(spectask=ID, document="design", remark=remark(f"c{number}")))
    scanned, real = [], anchor.scan
    monkeypatch.setattr(anchor, "scan", lambda content: scanned.append(content) or real(content))
    changed = DESIGN + b"More.\n"
    story.edit("design", changed)
    assert scanned.count(changed) == 1
    assert not any(comment.resolved for comment in story.spectask.comments.values())


def test_a_planner_that_writes_the_tasks_anew_unticks_nothing_that_is_merged():
    story = in_final_review()
    story.request_changes()
    story.write("tasks", TASKS.replace(b"Polish", b"Polish it"))
    assert b"- [x] 1. " in story.spectask.documents["tasks"].content
    assert b"- [x] 3. " in story.spectask.documents["tasks"].content
    assert b"[ ]* 4. Polish it" in story.spectask.documents["tasks"].content
