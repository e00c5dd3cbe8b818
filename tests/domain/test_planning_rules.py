import json

from specthread.domain import commands as c
from specthread.domain import events as e
from specthread.domain import reports
from specthread.domain.ids import CommentId
from specthread.domain.model import DAEMON, Actor
from specthread.domain.rules_planning import MAX_MENDS
from specthread.views.progress import needs
from specthread.views.records import metadata_file
from support.situation import planning, reviewing
from support.story import DESIGN, ID, REQUIREMENTS, TASKS, remark

VAGUE = ("requirements:9 Criterion 1.1 says nothing the system SHALL do.", "tasks: 1 and 2 may run at the same time.")


def written(**options):
    story = planning(**options)
    for name, content in {"requirements": REQUIREMENTS, "design": DESIGN, "tasks": TASKS}.items():
        story.write(name, content)
    return story


def claim(story, findings=()):
    return story.do(reports.FinishPlanning(spectask=ID, plan=story.plan.id, summary="Done.", findings=findings), DAEMON)


def comment(name):
    return c.AddComment(spectask=ID, document="design", remark=remark(comment=CommentId(name)))


def test_a_planner_mends_twice_then_its_documents_are_taken_and_not_called_clean():
    story = written()
    for mend in range(MAX_MENDS):
        story.call(story.plan.id)
        (back,) = claim(story, VAGUE)
        assert isinstance(back, e.PlanningSentBack)
        assert f"- {VAGUE[0]}\n- {VAGUE[1]}" in back.text
        assert ("last time" in back.text) is (mend == MAX_MENDS - 1)
    story.call(story.plan.id)
    (finished,) = claim(story, VAGUE)
    assert (finished.unclean, story.plan.unclean) == (VAGUE[0], VAGUE[0])
    assert story.spectask.state == "spec_review"


def test_a_claim_made_again_after_a_crash_costs_no_second_mend():
    story = written()
    story.call(story.plan.id)
    claim(story, VAGUE)
    again = reports.FinishPlanning(spectask=ID, plan=story.plan.id, summary="Done.", findings=VAGUE)
    assert story.refused(again, DAEMON) == "documents-not-clean"
    assert len(story.plan.mends) == 1


def test_what_is_not_clean_is_not_approved_in_advance():
    story = written(advance=True, execute=True)
    for _ in range(MAX_MENDS):
        story.call(story.plan.id)
        claim(story, VAGUE)
    story.call(story.plan.id)
    assert [type(event).__name__ for event in claim(story, VAGUE)] == ["PlanningFinished"]


def test_a_revision_answers_every_comment_that_was_there_when_it_began():
    story = reviewing()
    story.do(comment("c1"))
    story.request_changes()
    story.do(comment("c2"))
    finish = reports.FinishPlanning(spectask=ID, plan=story.plan.id, summary="Done.")
    assert story.refused(finish, DAEMON) == "comments-unanswered"
    planner = Actor(kind="session", name=story.plan.id)
    story.do(reports.AnswerComment(spectask=ID, plan=story.plan.id, comment=CommentId("c1"), text="Done."), planner)
    story.finish_planning()
    assert story.spectask.comments["c2"].answer == ""


def test_a_person_is_told_what_was_not_mended_and_what_was_left_open_until_it_is_put_right():
    story = planning()
    vague = REQUIREMENTS.replace(b"SHALL", b"should")
    asking = DESIGN + b"\n## Open Questions\n\n- Is a lock needed? None is taken.\n"
    for name, content in {"requirements": vague, "design": asking, "tasks": TASKS}.items():
        story.write(name, content)
    for _ in range(MAX_MENDS + 1):
        story.call(story.plan.id)
        claim(story, VAGUE)
    (review,) = needs(story.spectask)
    assert "Documents not clean: requirements:" in review.text
    assert "An open question: design:" in review.text
    assert "Is a lock needed? None is taken." in review.text
    written_down = json.loads(metadata_file(story.spectask))
    assert written_down["open_questions"] == [{"document": "design", "line": 9, "text": "Is a lock needed? None is taken."}]
    assert written_down["plans"][story.plan.id]["unclean"] == VAGUE[0]
    story.edit("requirements", REQUIREMENTS)
    story.edit("design", DESIGN)
    assert needs(story.spectask)[0].text == "To be approved: requirements, design, tasks."
