"""Work that a person gave away beside the plan: who is told when it fails, and what a finished SpecTask is then."""

from __future__ import annotations

from specthread.domain import commands as c
from specthread.domain import reports
from specthread.domain.model import DAEMON
from specthread.domain.react import is_finished
from specthread.plan.progress import progress_of
from specthread.plan.waiting import why_waiting
from specthread.views.figures import figures
from specthread.views.progress import needs
from specthread.views.report import report_markdown
from support.family import settle, spawn, spawning
from support.situation import approved, implementing, in_final_review, working
from support.story import ID, Story, ws

DOWN = "The work of ws-1 (Write the release notes) stopped: the provider is down"
UNDONE = f"the work of ws-1 is not done: the provider is down (`specthread retry {ID}/ws-1` tries again)"


def failed_beside_the_plan() -> Story:
    """Given work that a person spawned, and that failed, beside a plan that goes on."""
    story = implementing()
    story.do(spawning(None, work="Write the release notes"))
    story.do(reports.StartSpawned(spectask=ID, session=ws(1)), DAEMON)
    story.call(ws(1))
    story.do(reports.FailRun(spectask=ID, run=ws(1), reason="the provider is down"), DAEMON)
    settle(story)
    return story


def test_a_person_is_told_that_the_work_they_spawned_failed_until_they_accept():
    story = failed_beside_the_plan()
    assert [(need.kind, need.run, need.text) for need in needs(story.spectask)] == [("retry", ws(1), DOWN)]
    story.complete("1", "2", "3.1", "3.2")
    assert is_finished(story.spectask)
    story.publish()
    assert why_waiting(story.state, ID) == f"Merged, but {UNDONE}; waits for you: `specthread accept {ID}`."
    assert [need.kind for need in needs(story.spectask)] == ["retry", "accept"]
    assert figures(story.state, story.spectask, story.now).waits.startswith("All tasks are merged or skipped")
    assert "The work of ws-1 is not done: the provider is down." in report_markdown(story.spectask)


def test_spawned_work_is_tried_again_in_the_final_review_which_comes_again_after_it():
    story = failed_beside_the_plan()
    story.complete("1", "2", "3.1", "3.2")
    story.publish()
    percent = progress_of(story.spectask, story.now)[0]
    story.do(c.RetryRun(spectask=ID, run=ws(1)))
    assert (story.spectask.state, story.spectask.final, needs(story.spectask)) == ("implementing", None, ())
    story.come_back()
    story.call(ws(1))
    assert why_waiting(story.state, ID) == "1 session at work, 4 of 5 tasks merged."
    assert progress_of(story.spectask, story.now)[0] == percent
    assert story.refused(c.AcceptSpecTask(spectask=ID, feature=None)) == "not-ready"
    story.claim()
    story.checked()
    story.merged()
    assert is_finished(story.spectask)
    assert why_waiting(story.state, ID) == "All tasks are merged; publishing the result…"
    story.publish()
    assert why_waiting(story.state, ID) == f"Everything is merged and verified; waits for you: `specthread accept {ID}`."


def test_progress_falls_only_where_the_plan_itself_grows_after_it_was_done():
    story = in_final_review()
    assert progress_of(story.spectask, story.now)[0] == 97
    story.edit(
        "tasks", story.spectask.documents["tasks"].content + b"- [ ] 5. Write the news\n  - _Requirements: 1.1_\n  - _Check: pytest_\n"
    )
    story.approve()
    assert progress_of(story.spectask, story.now)[0] < 90


def test_failed_work_beside_a_plan_that_nobody_started_does_not_count_as_done():
    story = approved()
    story.do(spawning(None, work="Write the release notes"))
    story.do(reports.StartSpawned(spectask=ID, session=ws(1)), DAEMON)
    story.do(reports.FailRun(spectask=ID, run=ws(1), reason="the provider is down"), DAEMON)
    waits = "tasks 1, 2, 3.1, 3.2 wait until you start them."
    assert why_waiting(story.state, ID) == f"What you started has ended, but {UNDONE}; {waits}"
    assert [need.text for need in needs(story.spectask)] == [DOWN, "What you started has ended; not started yet: 1, 2, 3.1, 3.2."]


def test_nobody_is_asked_about_work_that_a_person_cancelled_or_a_parent_hears_of():
    story = working()
    child = spawn(story)
    story.do(reports.FailRun(spectask=ID, run=ws(child), reason="no more ideas"), DAEMON)
    settle(story)
    story.do(spawning(None))
    story.do(c.CancelRun(spectask=ID, run=ws(3)))
    assert needs(story.spectask) == ()
    # Its parent no longer works: now it is the person's who tried it again.
    story.claim()
    story.do(c.RetryRun(spectask=ID, run=ws(child)))
    story.come_back(child)
    story.do(reports.FailRun(spectask=ID, run=ws(child), reason="no more ideas"), DAEMON)
    settle(story)
    assert [need.run for need in needs(story.spectask)] == [ws(child)]
