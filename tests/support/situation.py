"""Situations a SpecTask can be in, each told from its beginning by the real rules: what a story is given."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from specthread.domain import commands as c
from specthread.domain import reports
from specthread.domain.ids import RunId
from specthread.domain.model import DAEMON
from specthread.domain.names import document_names
from support.story import DESIGN, DOCUMENTS, ID, REQUIREMENTS, Story, check, plan, ws

KIRO = ".kiro/specs/report"
KIRO_TASKS = b"""# Implementation Plan

- [x] 1. Set up the project
  - _Requirements: 1.1_
- [ ] 2. Write the report
  - [x] 2.1 Write the header
    - _Requirements: 1.2_
  - [ ] 2.2 Write the rows
    - _Requirements: 1.1, 1.2_
- [ ]* 3. Measure it
  - _Requirements: 2.1_
"""


def planning(**changes: Any) -> Story:
    """Given a SpecTask whose planner has just begun."""
    story = Story()
    story.create(**changes)
    return story


def reviewing(**changes: Any) -> Story:
    """Given documents that wait for review."""
    story = planning(**changes)
    for name in document_names(story.spectask.flow):
        story.write(name, DOCUMENTS[name])
    story.finish_planning()
    return story


def adopted(**changes: Any) -> Story:
    """Given a spec folder of Kiro's, with Windows line endings, that was taken over where it stands."""
    story = Story()
    story.create(**{"prompt": "Carry it out", "dialect": "kiro", "adopted": kiro_folder(), **changes})
    return story


def kiro_folder(tasks: bytes = KIRO_TASKS) -> tuple[c.AdoptedDocument, ...]:
    """Returns the documents of `.kiro/specs/report`."""
    contents = {"requirements": REQUIREMENTS.replace(b"\n", b"\r\n"), "design": DESIGN, "tasks": tasks}
    return tuple(c.AdoptedDocument(name=name, path=f"{KIRO}/{name}.md", content=content) for name, content in contents.items())


def approved(**changes: Any) -> Story:
    """Given documents that are approved and published."""
    story = reviewing(**changes)
    story.approve()
    return story


def implementing(**changes: Any) -> Story:
    """Given an implementation that was started; nothing is given to a session yet."""
    story = approved()
    story.start(**changes)
    return story


def working(**changes: Any) -> Story:
    """Given task 1 in session ws-1, whose agent works."""
    story = implementing(**changes)
    story.give("1")
    return story


def waiting(question: str = "q1") -> Story:
    """Given a session that asked a human."""
    story = working()
    story.do(reports.AskQuestion(spectask=ID, run=ws(1), question=question, kind="question", text="Tabs or spaces?"), DAEMON)
    return story


def verifying() -> Story:
    """Given a session whose claim is being checked."""
    story = working()
    story.claim()
    return story


def merging() -> Story:
    """Given a session that is verified and waits for its merge."""
    story = verifying()
    story.checked()
    return story


def under_review(**more: Any) -> Story:
    """Given a session whose work passed its checks and is judged by a reviewer that has begun."""
    story = verifying()
    order = reports.ReviewOrder(agent="demo", gate=True, budget_usd=Decimal(5), **more)
    story.do(reports.FinishCheck(spectask=ID, session=ws(1), claim=1, verification=check(), text="", review=order), DAEMON)
    story.call(RunId(f"{ID}/review-1"))
    return story


def failed() -> Story:
    """Given a session that failed."""
    story = working()
    story.do(reports.FailRun(spectask=ID, run=ws(1), reason="no more ideas"), DAEMON)
    return story


def in_final_review() -> Story:
    """Given everything merged and published for the last time."""
    story = implementing()
    story.complete("1", "2", "3.1", "3.2")
    story.publish()
    return story


def done() -> Story:
    """Given an accepted SpecTask."""
    story = in_final_review()
    story.do(c.AcceptSpecTask(spectask=ID, feature=None))
    return story


def cancelled() -> Story:
    """Given a SpecTask that was cancelled while a session worked."""
    story = working()
    story.do(c.CancelSpecTask(spectask=ID))
    return story


def planning_failed() -> Story:
    """Given a SpecTask whose planner failed."""
    story = planning()
    story.do(reports.FailRun(spectask=ID, run=plan(), reason="the model refused the key"), DAEMON)
    return story


GIVEN = {
    "planning": planning,
    "reviewing": reviewing,
    "adopted": adopted,
    "approved": approved,
    "implementing": implementing,
    "working": working,
    "waiting": waiting,
    "verifying": verifying,
    "merging": merging,
    "under review": under_review,
    "failed": failed,
    "in final review": in_final_review,
    "done": done,
    "cancelled": cancelled,
    "planning failed": planning_failed,
}
"""Situations by name, for tables."""
