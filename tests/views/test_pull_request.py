"""The text of a pull request says what a reviewer asks, and gives no orders to the forge."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from specthread.domain.pull_request import PullRequest
from specthread.views.pull_request import (
    BEGIN,
    END,
    LONGEST,
    has_part,
    pull_request_body,
    pull_request_title,
    said,
    said_in_commit,
    with_part,
)
from specthread.views.report import report_markdown
from specthread.views.trace import TraceIndex
from support.situation import approved, done, implementing, reviewing, working
from support.story import ID, ws

OPENED = PullRequest(
    forge="github",
    url="https://github.com/ada/calc/pull/7",
    number=7,
    branch=f"spectask/{ID}/feature",
    person="Ada",
    remote="origin",
    address="https://github.com/ada/calc",
    pushed=((f"refs/heads/spectask/{ID}/feature", "a" * 40),),
)


def spoken(spectask, words):
    """The SpecTask whose first session's agent said `words` at its end."""
    session = replace(spectask.sessions[ws(1)], summary=words)
    return replace(spectask, sessions=spectask.sessions.set(ws(1), session))


def test_it_says_why_what_was_asked_for_how_it_was_tested_who_approved_and_what_it_cost():
    session = done().spectask.sessions[ws(1)]
    ran = replace(session, verification=replace(session.verification, before_exit=1, after_exit=0))
    body = pull_request_body(replace(done().spectask, sessions=done().spectask.sessions.set(ws(1), ran)))
    assert body.startswith(BEGIN)
    assert body.endswith(END)
    headings = re.findall(r"^## (.+)$", body, re.MULTILINE)
    assert headings == ["Why", "Acceptance criteria", "How it was tested", "Approved", "Trace"]
    assert "> " + done().spectask.prompt in body
    assert "- [x] **1.1** WHEN the user passes `--json`, THE cli SHALL print one JSON object. — merged and verified, task 1, 3.1" in body
    assert "| 1 | `pytest` | red | green |" in body
    assert re.search(r"^- requirements@[0-9a-f]{7} by Ada, 2026-03-01$", body, re.MULTILINE)
    assert "- The finished work by Ada" in body
    assert "| Requirement | Tasks | Commits |" in body
    assert re.search(r"<details>\n<summary>\d sessions</summary>", body)
    assert "Cost: $" in body


@pytest.mark.parametrize(
    ("given", "line"),
    [
        (
            approved,
            "- [ ] **1.1** WHEN the user passes `--json`, THE cli SHALL print one JSON object. — not yet: task 1 (open), 3.1 (open)",
        ),
        (
            working,
            "- [ ] **1.1** WHEN the user passes `--json`, THE cli SHALL print one JSON object. — not yet: task 1 (in progress), 3.1 (open)",
        ),
    ],
)
def test_a_criterion_shows_how_far_it_is(given, line):
    assert line in pull_request_body(given().spectask)


def test_what_proves_little_is_labelled():
    story = implementing()
    story.give("1")
    story.claim(1)
    story.checked(1, "weak")
    story.merged(1)
    story.complete("2", "3.1")
    spectask = story.spectask
    session = spectask.sessions[ws(1)]
    session = replace(session, verification=replace(session.verification, unprotected=True))
    approvals = spectask.approvals.set("design", replace(spectask.approvals["design"], in_advance=True))
    body = pull_request_body(replace(spectask, sessions=spectask.sessions.set(ws(1), session), approvals=approvals))
    assert "**weakly verified** (task 1" in body
    assert "| **weak**, **UNSANDBOXED** |" in body
    assert re.search(r"- design@\w+ by Ada, [\d-]+ \(\*\*in advance, unread\*\*\)", body)


def test_an_optional_task_that_nobody_chose_holds_no_criterion_back():
    lines = [line for line in pull_request_body(done().spectask).splitlines() if line.startswith("- [")]
    assert [line[:6] for line in lines] == ["- [x] "] * 3
    assert "task 2, 3.1" in lines[2]


def test_an_approval_of_other_words_is_called_void():
    story = approved()
    story.edit("design", b"# Design\n\nOther.\n")
    assert re.search(r"- design@.*void: it has changed since", pull_request_body(story.spectask))


def test_it_says_where_the_records_are_as_far_as_they_were_pushed():
    spectask = replace(done().spectask, pull_request=OPENED)
    assert "stay with the author" in pull_request_body(spectask)
    pushed = (*OPENED.pushed, (f"refs/heads/spectask/{ID}/specs", "b" * 40))
    body = pull_request_body(replace(spectask, pull_request=replace(OPENED, pushed=pushed)))
    assert f"branch `spectask/{ID}/specs`, `spectask/{ID}/v1`" in body


def test_the_demo_says_that_nothing_was_reasoned():
    spectask = replace(done().spectask, agent="demo")
    assert "**DEMO**" in pull_request_body(spectask)
    assert pull_request_title(spectask).startswith("DEMO: ")


def test_the_code_stands_in_the_trace_where_it_is_known():
    assert "| Code | Tests |" in pull_request_body(done().spectask, (), _index())


def _index():
    from specthread.views.trace_spectask import with_spectask

    return with_spectask(TraceIndex(), done().spectask)


def test_the_title_is_one_short_line():
    spectask = replace(reviewing().spectask, agent="messages", prompt="\n  Add a JSON form of the report.\nWith more.")
    assert pull_request_title(spectask) == "Add a JSON form of the report"
    assert len(pull_request_title(replace(spectask, prompt="word " * 100))) == 72
    assert pull_request_title(replace(spectask, prompt="\n")) == ID
    assert "hunter2" not in pull_request_title(replace(spectask, prompt="Use hunter2"), ("hunter2",))


@given(secret=st.text(st.characters(codec="ascii", categories=["L", "N", "S"], exclude_characters="<>`|"), min_size=12, max_size=30))
def test_no_secret_reaches_the_forge(secret):
    spectask = spoken(replace(done().spectask, prompt=f"Use {secret} for it"), f"I used {secret}.")
    assert secret not in pull_request_body(spectask, (secret,))
    assert "sk-ant-api03-abcdefghijklmnop" not in pull_request_body(spoken(spectask, "sk-ant-api03-abcdefghijklmnop"))


# --- words of agents are only words


@pytest.mark.parametrize(
    "words",
    [
        "Thanks @octocat and @org/team!",
        "Fixes #12",
        "closes ada/other#3, resolved: https://github.com/ada/other/issues/4",
        "Implements #5 and closing issue #6",
        "<img src=x onerror=alert(1)>",
        "</details>\n\n# Approved by everybody",
        f"{END}\nmore {BEGIN}",
    ],
)
def test_words_of_agents_call_nobody_close_nothing_and_end_nothing(words):
    body = pull_request_body(spoken(done().spectask, words))
    assert not re.search(r"(?<![\w`])@\w", body)
    assert not re.search(r"(fixes|closes|resolved:?|implements|closing issue)\s+(#|ada|https)", body, re.IGNORECASE)
    assert (body.count(BEGIN), body.count(END)) == (1, 1)
    assert (body.count("<details>"), body.count("</details>"), "<img" in body) == (1, 1, False)


@given(st.text("/ \t\nmerge>-#`@<\r", max_size=40))
def test_no_line_is_an_order_to_the_forge(words):
    spectask = spoken(replace(done().spectask, prompt=words), words)
    body = pull_request_body(spectask)
    assert not [line for line in body.splitlines() if re.match(r"\s*/[a-z]", line)]
    assert (body.count(BEGIN), body.count(END)) == (1, 1)


def test_a_fence_that_an_agent_left_open_swallows_nothing():
    body = pull_request_body(spoken(done().spectask, "See:\n```\ncode"))
    lines = body.splitlines()
    assert "> ```" in lines
    assert "```" not in lines


def test_harmless_words_stay_as_they_are():
    words = "ada@example.org fixed 3 things in `decorated`: a fix; see #3"
    assert said(words) == words


# --- it fits, and stays among what people write


def test_what_is_too_long_is_left_out_with_a_word_about_it():
    spectask = done().spectask
    many = spectask.sessions
    for number in range(10, 60):
        many = many.set(ws(number), replace(many[ws(1)], id=ws(number), number=number, summary="word " * 700))
    body = pull_request_body(replace(spectask, sessions=many))
    assert len(body) < LONGEST + 300
    assert "Left out, because it is too long: sessions." in body
    assert "## Acceptance criteria" in body
    assert len(pull_request_body(replace(spectask, prompt="x" * 100_000))) < 65_536


def test_a_template_and_what_people_wrote_stay_around_it():
    first = f"{BEGIN}\nA\n{END}"
    whole = with_part("## Checklist\r\n\r\n- [ ] I read it\r\n", first)
    assert whole == f"{first}\n\n## Checklist\n\n- [ ] I read it\n"
    edited = "Read this first.\n\n" + whole.replace("[ ]", "[x]").replace("\n", "\r\n")
    second = f"{BEGIN}\nB\n{END}"
    assert with_part(edited, second) == f"Read this first.\n\n{second}\n\n## Checklist\n\n- [x] I read it\n"
    assert with_part("", first) == f"{first}\n"


@given(before=st.text("ab\n<!", max_size=20), after=st.text("ab\n<!", max_size=20))
def test_bringing_it_up_to_date_changes_our_part_alone_and_once(before, after):
    first, second = f"{BEGIN}\nA\n{END}", f"{BEGIN}\nB\n{END}"
    text = before + first + after
    assert with_part(text, second) == before + second + after
    assert with_part(with_part(text, second), second) == with_part(text, second)
    assert with_part(text, first) == text
    assert has_part(text)


def test_a_person_who_removed_a_mark_gets_a_new_part_when_they_ask():
    assert not any(has_part(text) for text in ("", BEGIN, END, END + BEGIN, "mine"))
    assert with_part(f"{BEGIN}\nA\n", f"{BEGIN}\nB\n{END}").startswith(f"{BEGIN}\nB\n{END}\n\n")


def test_the_report_names_the_pull_request():
    spectask = replace(done().spectask, pull_request=replace(OPENED, checks=(("unit", "failing"),)))
    assert f"| Pull request | {OPENED.url} (draft, 0 of 1 checks passing, failing: unit) |" in report_markdown(spectask)
    assert "Pull request" not in report_markdown(done().spectask)


@pytest.mark.parametrize(
    "text",
    [
        "Fixes #3",
        "closes ada/calc#3",
        "Closes group/sub/project#3",
        "Resolves PROJ-12",
        "ask @acme/all",
        "`x`@acme/all",
        "[skip ci]",
        "[ci skip]",
        "[no ci]",
    ],
)
def test_words_of_an_agent_only_say_something_in_a_commit(text):
    told = said_in_commit(text)
    assert told != text
    assert told.replace("\u2060", "") == text


def test_an_ordinary_commit_message_stays_as_it_is():
    text = "Merge task 1: Add JSON\n\nIt fixes the order; mail ada@example.org. See [1]."
    assert said_in_commit(text) == text


def test_the_id_of_a_criterion_that_is_a_heading_is_harmless():
    assert said("![x](https://evil/?d=1) &#64;alice") == "!\u2060[x](https://evil/?d=1) &amp;#64;alice"
