"""The report tells what was done, what was found of it, what to do next, and how to undo it by commands that can be typed."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

from specthread.domain import reports
from specthread.domain.model import DAEMON
from specthread.domain.run import ProjectCheck, Verdict
from specthread.views.report import report_markdown
from specthread.views.session_page import session_page
from support.situation import failed, in_final_review, verifying
from support.story import ID, check, ws

CHECKS = (
    ProjectCheck(kind="lint", command="make lint", before="green", after="green"),
    ProjectCheck(kind="types", command="mypy", before="red", after="not-run"),
)
ORDER = reports.ReviewOrder(agent="demo", gate=True, budget_usd=Decimal(5))


def judged(judgement="met"):
    story = verifying()
    found = check("verified", checks=CHECKS, formatted="-a  b\n+a b", before_output="1 failed", evidence=("outside the task's files: x",))
    story.do(reports.FinishCheck(spectask=ID, session=ws(1), claim=1, verification=found, text="", review=ORDER), DAEMON)
    verdict = Verdict(criterion="1.1", judgement=judgement, place="a.py:3", reason="It says so")
    story.do(reports.FinishReview(spectask=ID, review=f"{ID}/review-1", verdicts=(verdict,), summary="Read a.py."), DAEMON)
    return story


def test_a_task_is_told_with_its_checks_its_verdicts_and_what_was_noted():
    text = report_markdown(judged().spectask)
    assert "- Project check: lint `make lint`: green\n" in text
    assert "- Project check: types `mypy`: red before the work, so it does not count\n" in text
    assert "- Note: outside the task's files: x\n" in text
    assert "- Review review-1, $0.00: Read a.py.\n  - 1.1 met: It says so (a.py:3)\n" in text
    assert "Formatted before the commit" in text


def test_the_cost_of_a_task_counts_its_reviews():
    story = judged()
    spend = replace(story.spectask.reviews[0].spend, cost_usd=Decimal("0.25"))
    spectask = replace(story.spectask, reviews=(replace(story.spectask.reviews[0], spend=spend),))
    row = next(line for line in report_markdown(spectask).split("\n") if line.startswith("| 1 "))
    assert "| $0.25 | not ended |" in row


def test_how_to_undo_is_told_by_commands_with_what_was_merged_last_in_front():
    spectask = in_final_review().spectask
    text = report_markdown(spectask)
    merged = [line.split()[5] for line in text.split("\n") if line.startswith("  git revert --no-edit -m 1 ")]
    assert sorted(merged) == sorted(session.merged for session in spectask.sessions.values())
    assert merged[0] == max(spectask.sessions.values(), key=lambda session: session.ended).merged
    assert f"`specthread accept {ID}@{spectask.final[:12]}`" in text


def test_what_stopped_is_told_with_the_command_that_goes_on():
    text = report_markdown(failed().spectask)
    assert f"`specthread retry {ws(1)}`" in text


def test_the_page_of_a_session_holds_what_was_printed_on_both_trees():
    story = judged()
    page = session_page(story.spectask, story.session(), ()).decode()
    assert "## What its check printed before the work\n\n```text\n1 failed\n```" in page
    assert "## What the formatter changed\n\n```text\n-a  b\n+a b\n```" in page
