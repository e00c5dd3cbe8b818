"""What a reviewer reads about a session: its page, its edits as diffs, and results that can be unfolded whole."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

from specthread.domain import events as e
from specthread.domain.model import DAEMON
from specthread.views.entries import REST_KEPT, RESULT_KEPT
from specthread.views.session_page import session_page
from specthread.views.transcript import turn_markdown
from support.situation import merging
from support.story import ADA, ID, ws

WHEN = datetime(2026, 1, 2, tzinfo=UTC)
SECRET = "correct horse"


def envelopes(*events):
    return [
        e.Envelope(seq=seq, instance="i", schema=1, host="h", actor=DAEMON, time=WHEN, spectask=ID, event=event)
        for seq, event in enumerate(events, 1)
    ]


def test_the_page_says_what_was_decided_said_and_sent_back():
    spectask = merging().spectask
    session = replace(spectask.sessions[ws(1)], ended=WHEN, summary=f"Done with {SECRET}.")
    page = session_page(
        spectask,
        session,
        envelopes(
            e.QuestionAsked(run=ws(1), question="q1", kind="question", text="Tabs or\nspaces?"),
            e.QuestionAnswered(run=ws(1), question="q1", answer=f"Spaces, {SECRET}", person=ADA.name),
            e.MessageSent(run=ws(1), after_turn=1, text="Mind the tests.", source=ADA.name),
            e.SessionSentBack(session=ws(1), cause="check", text="2 failed", after_turn=1),
            e.RunFailed(run=ws(1), reason="no network"),
        ),
        (SECRET,),
    ).decode()
    assert page.startswith("# ws-1: ")
    assert "## Decisions\n\n- Tabs or spaces? — Ada: Spaces, [redacted]\n" in page
    assert "## Said to it\n\n- Ada: Mind the tests.\n" in page
    assert "## Sent back\n\n- check: 2 failed\n" in page
    assert "## Earlier tries\n\n- no network\n" in page
    assert "Verification: **verified**" in page
    assert "$0.00" in page
    assert SECRET not in page


def test_a_page_without_any_of_that_has_no_empty_headings():
    spectask = merging().spectask
    page = session_page(spectask, spectask.sessions[ws(1)], ()).decode()
    assert page.count("#") == 1


def turn(block, *events):
    reply = {"content": [block]}
    finished = e.CallFinished(run=ws(1), call=1, turn=1, reply=reply, input_tokens=1, output_tokens=1, cost_usd=None)
    return turn_markdown(1, envelopes(finished, *events))


def test_an_edit_is_shown_as_a_diff():
    given = {"path": "src/a.py", "old": "def a():\n    return 1", "new": "def a():\n    # why\n    return 2"}
    shown = turn({"kind": "tool_use", "id": "t", "name": "edit", "input": given})
    assert "**edit**\n\n`src/a.py`\n\n```diff\n def a():\n-    return 1\n+    # why\n+    return 2\n```" in shown


def test_a_long_result_is_shown_in_part_with_the_rest_folded_below():
    text = "".join(f"{number:07}\n" for number in range((RESULT_KEPT + REST_KEPT) // 8 + 10))
    block = {"kind": "tool_use", "id": "t", "name": "shell", "input": {"command": "seq"}}
    shown = turn(block, e.ToolFinished(run=ws(1), turn=1, tool_use_id="t", content=text))
    assert "<summary>Result of shell</summary>" in shown
    assert "<summary>The rest of it</summary>" in shown
    assert f"… {len(text) - RESULT_KEPT} characters more" in shown
    assert f"{RESULT_KEPT // 8:07}\n" in shown
    assert f"{(RESULT_KEPT + REST_KEPT) // 8 + 9:07}" not in shown
    short = turn(block, e.ToolFinished(run=ws(1), turn=1, tool_use_id="t", content="ok"))
    assert "The rest of it" not in short
