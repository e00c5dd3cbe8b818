"""Commands of every kind, mostly about things that exist and sometimes about things that do not."""

from __future__ import annotations

from dataclasses import fields
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any, Literal, get_args, get_origin, get_type_hints

from hypothesis import strategies as st

from specthread.domain import commands as c
from specthread.domain import reports
from specthread.domain.decide import DECIDE, HUMAN_COMMANDS
from specthread.domain.ids import CommentId, Digest, Oid, RunId, SpecTaskId, TaskNumber
from specthread.domain.model import DAEMON, Actor, Limits
from specthread.domain.reports import ReviewOrder
from specthread.domain.rules_lock import LOCK_RULES
from specthread.domain.run import Verdict, Verification
from specthread.domain.run_options import RunOptions
from specthread.domain.runs import all_runs
from specthread.domain.usage import Usage
from support.situation import kiro_folder
from support.story import ADA, AGENT, DESIGN, DOCUMENTS, FASTER, ID, START, TASKS, Story, check, limits, oid, plan, remark, ws

KINDS = sorted([*DECIDE, *LOCK_RULES, c.CreateSpecTask], key=lambda kind: kind.__name__)
NAMES = ["requirements", "design", "tasks", "bugfix", "poem"]
CONTENTS = [
    *DOCUMENTS.values(),
    FASTER,
    b"",
    b"\xff\xfe not text",
    DESIGN + b"More.\n",
    TASKS.replace(b"[ ]", b"[x]"),
    TASKS.replace(b"2. Answer", b"7. Answer"),
    TASKS.replace(b"Depends: none", b"Depends: 4"),
    b"# Plan\n\n- [ ] 9. Do the rest\n  - _Requirements: 1, 2_\n  - _Check: pytest_\n",
]
LIMITS: list[dict[str, Any]] = [
    {"max_parallel": 1},
    {"max_parallel": 0},
    {"stop_usd": Decimal(90), "user_set": True},
    {"stop_usd": Decimal(5)},
]
HINTS = {kind: {field.name: get_type_hints(kind)[field.name] for field in fields(kind)} for kind in KINDS}
CHOICES: dict[Any, list[Any]] = {
    TaskNumber: [TaskNumber(number) for number in ("1", "2", "3", "3.1", "3.2", "4", "9")],
    CommentId: [CommentId("c1"), CommentId("c2")],
    Oid: [oid(5), oid(6)],
    Oid | None: [None, oid(5), oid(6)],
    Limits: [Limits(), *(limits(**changes) for changes in LIMITS)],
    RunOptions | None: [
        None,
        RunOptions(),
        RunOptions(mode="sequential", fail_fast=True),
        RunOptions(roles=("poet",)),
        RunOptions(interactive=True),
    ],
    Verification: [check(outcome) for outcome in ("verified", "weak", "red", "cannot-run", "no-work", "unexplained")],
    str: ["", " ", "Yes", "100", "1e9", "sNaN", "Two\nlines", "\udcff"],
    str | None: [None, "main"],
    int: [0, 1, 2, 3],
    int | None: [None, 0, 1, 2],
    float: [-5_000.0, 0.0, 2.5, 5_000.0],
    date | None: [None, START.date(), START.date() + timedelta(days=1)],
    datetime | None: [None, START, START + timedelta(hours=1)],
    float | None: [None, 0.0, 2.5, 600.0],
    bool: [False, True],
    bool | None: [None, False, True],
    bytes: CONTENTS,
    bytes | None: [None, *CONTENTS],
    Decimal | None: [None, Decimal(0), Decimal("0.5"), Decimal(30), Decimal(60)],
    tuple[str, ...]: [(), ("a", "b")],
    frozenset[str]: [frozenset(), frozenset({"1.1"})],
    tuple[TaskNumber, ...]: [(), (TaskNumber("1"),), (TaskNumber("3.2"), TaskNumber("4"))],
    "spectask": [ID] * 20 + [SpecTaskId("nobody-2222")],
    "document": NAMES,
    "documents": [(), (("design", Digest("0" * 64)),), (("poem", Digest("")), ("tasks", Digest("")))],
    "remarks": [(), (remark(),), (remark("c2", quote="gone"), remark("c3"))],
    "remark": [remark(), remark("c2", text=""), remark("c4", quote="\udcff")],
    "adopted": [(), kiro_folder(), kiro_folder()[:1]],
    "effect": ["WriteSpecs", "MergeSessions"],
    "resource": ["database:test", "api:x", "printer"],
    "pushed": [(), (("refs/heads/spectask/add-json-7k3f/feature", oid(5)),)],
    "checks": [(), (("unit", "failing"), ("lint", "passing")), (("unit", "pending"),)],
    "reviews": [(), (("ada", "approved"), ("bob", "changes_requested"))],
    "found": [(), ((ws(1), ws(2), ("a.py",)),), ((ws(1), ws(2), ()), (ws(2), ws(9), ("\udcff", "b")))],
    ReviewOrder | None: [
        None,
        ReviewOrder(agent="demo", gate=True, budget_usd=Decimal(5)),
        ReviewOrder(agent="demo", gate=False, budget_usd=Decimal(0)),
    ],
    "verdicts": [
        (),
        (Verdict(criterion="1.1", judgement="met", place="a.py:1"),),
        (Verdict(criterion="1.1", judgement="unmet", reason="It is not."),),
    ],
    "reply": [{"text": "Done", "n": 1.5}],
    "usage": [None, Usage(input=3, output=2, cache_read=5)],
}
"""Values by the name of the field or else by its type."""


@st.composite
def submissions(draw: Any, story: Story) -> tuple[c.Command, Actor]:
    """Draws a command for the story as it stands, and who gives it: nearly always one who may."""
    kind = draw(st.sampled_from(KINDS))
    values = {name: draw(st.sampled_from(choices(story, name, hint))) for name, hint in HINTS[kind].items()}
    likely = draw(st.integers(0, 9))
    if kind is c.EditDocument and likely:
        known = story.spectask.documents.get(values["document"])
        values["expects"] = known.content if known else None
    if kind is c.ApproveDocuments and likely:
        values["documents"] = tuple((name, document.digest) for name, document in story.spectask.documents.items())
    if kind is reports.AnswerComment and likely and story.spectask.plans:
        values["plan"] = story.plan.id
        return kind(**values), Actor(kind="session", name=story.plan.id)
    if likely:
        return kind(**values), ADA if kind in HUMAN_COMMANDS else DAEMON
    return kind(**values), draw(st.sampled_from([AGENT, Actor(kind="session", name=plan()), DAEMON, ADA]))


def choices(story: Story, name: str, hint: Any) -> list[Any]:
    """Returns what a command's field may be drawn from, as the story stands: values of its type, sensible or not."""
    spectask = story.spectask
    runs = all_runs(spectask)
    if hint in {RunId, RunId | None}:
        return [*(run.id for run in runs), *((ws(9), plan(9)) if hint is RunId else (None,))]
    living = {
        ("question", str): ["q1", "q2", "check-1", "budget-1"],
        ("of", int): [*spectask.uncommitted, 1, 999],
        ("call", int): [0, *(run.open_call for run in runs)],
        ("claim", int): [0, *(session.claims for session in spectask.sessions.values())],
    }
    found = living.get((name, hint)) or CHOICES.get(name) or CHOICES.get(hint)
    if found is None:
        assert get_origin(hint) is Literal, f"no values are known for a field {name} of {hint}"
    return found or list(get_args(hint))
