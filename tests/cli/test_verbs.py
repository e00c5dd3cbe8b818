from __future__ import annotations

import json
import threading

import pytest

from specthread.domain import commands as c
from specthread.domain import reports
from specthread.domain.ids import RunId
from specthread.protocol.wire_params import HISTORY_PAGE
from support.fake_engine import ADA, ID

WS1 = RunId(f"{ID}/ws-1")


@pytest.fixture
def planned(daemon):
    daemon.do(daemon.engine.create())
    daemon.do(daemon.engine.plan())
    return daemon


@pytest.fixture
def approved(planned):
    planned.do(planned.engine.approve())
    return planned


@pytest.fixture
def implementing(approved):
    approved.do(approved.engine.implement())
    return approved


def digest(daemon, name):
    return daemon.engine.visible.spectasks[ID].documents[name].digest


def test_list_says_how_to_begin_when_there_is_nothing(daemon, cli):
    assert "specthread new" in cli("list").out


def test_list_shows_the_state_and_the_reason(planned, cli):
    said = cli("list")
    assert ID in said.out
    assert "spec review" in said.out
    assert "Waits for your approval of requirements, design, tasks" in said.out


def test_list_puts_what_needs_a_human_first(planned, cli):
    planned.do(planned.engine.create("other-aaaa"))
    assert [each["id"] for each in cli("list", "--json").json["spectasks"]] == [ID, "other-aaaa"]


def test_show_has_the_bookkeeping_of_every_session(implementing, cli):
    view = cli("show", ID, "--json").json
    assert [session["id"] for session in view["sessions"]] == [f"{ID}/ws-1", f"{ID}/ws-2"]
    for session in view["sessions"] + view["planning"]:
        assert {"started", "completed", "duration", "agent", "status"} <= session.keys()
    assert view["planning"][0]["completed"]
    assert [(document["name"], document["approval"]) for document in view["documents"]] == [
        ("requirements", "valid"),
        ("design", "valid"),
        ("tasks", "valid"),
    ]
    assert view["branches"]["feature"] == f"spectask/{ID}/feature"
    assert view["versions"][0]["tag"] == f"spectask/{ID}/v1"


def test_show_is_a_page_with_states_as_words(implementing, cli):
    said = cli("show", ID)
    for words in ("implementing", "Write the encoder", "Waits for tasks 1, 2", "requirements@", "ws-2", "desk"):
        assert words in said.out


def test_a_changed_word_shows_as_void(approved, cli):
    approved.do(approved.engine.write("design", b"# Design\n\nQuite another.\n"))
    documents = cli("show", ID, "--json").json["documents"]
    assert [document["approval"] for document in documents] == ["valid", "void", "valid"]


@pytest.mark.parametrize("verb", ["show", "review", "sessions", "history", "cost", "report"])
def test_every_reading_verb_takes_a_unique_beginning_and_has_json(implementing, cli, verb):
    assert cli(verb, "add").code == 0
    assert cli(verb, "add", "--json").json


def test_a_beginning_of_two_ids_is_refused_with_both_names(planned, cli):
    planned.do(planned.engine.create("add-more-22aa"))
    said = cli("show", "add")
    assert said.code == 1
    assert ID in said.err
    assert "add-more-22aa" in said.err


def test_review_prints_what_to_type_to_approve(planned, cli):
    said = cli("review", ID)
    named = [f"{name}@{digest(planned, name)[:7]}" for name in ("requirements", "design", "tasks")]
    assert f"specthread approve {ID} {' '.join(named)}" in said.out


def test_approve_with_the_printed_versions_approves_them(planned, cli):
    named = [f"{name}@{digest(planned, name)[:7]}" for name in ("requirements", "design", "tasks")]
    said = cli("approve", ID, *named)
    assert (said.code, said.err) == (0, "")
    assert "Ada approved requirements@" in said.out


def test_approve_without_a_version_and_without_a_terminal_is_refused(planned, cli):
    said = cli("approve", ID, "--json")
    assert said.code == 1
    assert said.json["error"]["code"] == "name-the-version"


def test_approving_a_document_that_changed_since_it_was_read_is_refused(planned, cli):
    old = digest(planned, "design")[:7]
    planned.do(planned.engine.write("design", b"# Design\n\nQuite another.\n"))
    said = cli("approve", ID, f"design@{old}")
    assert said.code == 1
    assert "not the version you read" in said.err


def test_starting_before_approval_is_refused(planned, cli):
    said = cli("run", ID)
    assert said.code == 1
    assert "Nothing runs before approval" in said.err


def test_a_comment_is_anchored_to_the_words_of_its_line(planned, cli):
    assert cli("comment", ID, "requirements.md:3", "-m", "Which form?").code == 0
    comment = cli("review", ID, "--json").json["comments"][0]
    assert comment["quote"] == "### Requirement 1: JSON output"
    assert comment["text"] == "Which form?"


def test_a_comment_is_settled_by_hand_and_stays_in_the_history(planned, cli):
    cli("comment", ID, "requirements.md:3", "-m", "Which form?")
    (comment,) = cli("review", ID, "--json").json["comments"]
    assert comment["id"] in cli("review", ID).out
    assert "A comment was resolved." in cli("resolve", ID, comment["id"][:4]).out
    assert cli("review", ID, "--json").json["comments"] == []
    assert "Which form?" in cli("history", ID).out


def test_a_comment_that_is_not_there_is_named(planned, cli):
    said = cli("resolve", ID, "c-none")
    assert said.code == 1
    assert "There is no comment c-none." in said.err


@pytest.mark.parametrize("place", ["requirements.md", "requirements.md:x", ":3"])
def test_a_place_that_is_none_is_wrong_use(planned, cli, place):
    said = cli("comment", ID, place, "-m", "Why?")
    assert said.code == 2
    assert "FILE:LINE" in said.err


def test_a_line_beyond_the_end_is_refused(planned, cli):
    said = cli("comment", ID, "design:999", "-m", "Why?")
    assert said.code == 1
    assert "design has no line 999" in said.err


def test_request_changes_sends_the_documents_back(planned, cli):
    assert "asked for changes: Shorter." in cli("request-changes", ID, "-m", "Shorter.").out
    assert planned.engine.visible.spectasks[ID].state == "revising"


def test_a_dry_run_starts_nothing_and_shows_the_waves(approved, cli):
    result = cli("run", ID, "--dry-run", "--mode", "sequential", "--json").json
    assert result["waves"] == [["1", "2"], ["3"]]
    assert (result["started"], result["max_parallel"]) == (False, 1)
    assert approved.engine.visible.spectasks[ID].state == "approved"


def test_a_dry_run_tells_order_time_and_cost_and_ends_with_0_where_it_could_run(approved, cli):
    before = len(approved.engine.envelopes)
    said = cli("run", ID, "--dry-run", "--max-parallel", "2")
    assert said.code == 0
    assert "Nothing was started." in " ".join(said.out.split())
    for word in ("at once", "longest chain", "duration", "cost", "guess"):
        assert word in said.out
    forecast = cli("run", ID, "--dry-run", "--json").json["forecast"]
    assert forecast["could_run"]
    assert [each["number"] for each in forecast["tasks"]] == ["1", "2", "3"]
    assert len(approved.engine.envelopes) == before


def test_a_dry_run_of_what_nobody_approved_says_what_would_stop_it_and_ends_with_1(planned, cli):
    said = cli("run", ID, "--dry-run")
    assert said.code == 1
    assert "It would not start: Nothing runs before approval" in said.out
    assert [ask["code"] for ask in cli("run", ID, "--dry-run", "--json").json["forecast"]["asks"]] == ["not-approved"]


def test_a_dry_run_of_a_task_that_does_not_exist_ends_with_1(approved, cli):
    said = cli("run", ID, "--dry-run", "--task", "99")
    assert said.code == 1
    assert "no task 99" in said.out


def test_a_budget_replaces_the_stop_limit(approved, cli):
    assert cli("run", ID, "--budget", "$3.50", "--task-budget", "2", "--session-budget", "$1.5").code == 0
    limits = approved.engine.visible.spectasks[ID].limits
    assert (str(limits.stop_usd), str(limits.warn_usd), limits.user_set) == ("3.50", "3.50", True)
    assert (str(limits.task_usd), str(limits.run_usd)) == ("2", "1.5")


@pytest.mark.parametrize("amount", ["lots", "-1", "NaN", "Infinity"])
def test_a_budget_that_is_no_amount_is_wrong_use(approved, cli, amount):
    assert cli("run", ID, "--budget", amount).code == 2


def test_how_it_is_run_is_kept_and_changed_one_by_one(approved, cli):
    assert cli("run", ID, "--mode", "sequential", "--priority", "high", "--fail-fast").code == 0
    approved.do(approved.engine.record())
    assert cli("run", ID, "--no-fail-fast", "--agents", "implementer").code == 0
    options = cli("show", ID, "--json").json["options"]
    assert options == {"mode": "sequential", "priority": "high", "agents": ["implementer"], "interactive": False, "fail_fast": False}


@pytest.mark.parametrize(
    ("option", "code"),
    [
        (("--mode", "sideways"), 2),
        (("--priority", "urgent"), 2),
        (("--max-parallel", "0"), 2),
        (("--agents", "backend,,tester"), 2),
        (("--agents", "poet"), 1),
    ],
)
def test_a_way_to_run_that_makes_no_sense_is_refused_in_words(approved, cli, option, code):
    said = cli("run", ID, *option)
    assert (said.code, bool(said.err.strip())) == (code, True)
    assert approved.engine.visible.spectasks[ID].state == "approved"


def test_an_open_question_is_shown_and_answered(implementing, cli):
    ask = reports.AskQuestion(spectask=ID, run=WS1, question="q1", kind="question", text="Tabs or spaces?", choices=("tabs", "spaces"))
    implementing.do(implementing.engine.do(ask))
    assert "Tabs or spaces?" in cli("show", ID).out
    assert "spaces" in cli("answer", ID, "spaces").out
    assert implementing.engine.visible.spectasks[ID].sessions[WS1].question.answer == "spaces"


@pytest.mark.parametrize("session", ["ws-1", "add/ws-1", f"{ID}/ws-1"])
def test_a_session_has_three_names(implementing, cli, session):
    assert "use tabs" in cli("say", session, "use tabs").out


def test_a_session_is_spawned_under_another_and_stands_below_it(implementing, cli):
    assert "Ada" in cli("spawn", "ws-1", "Write the manual", "--role", "writer", "--budget", "2").out
    assert cli("spawn", ID, "Write the tests", "--parent", "ws-1").code == 0
    assert cli("spawn", ID, " ").code == 2
    sessions = json.loads(cli("sessions", ID, "--json").out)["sessions"]
    manual, tests = sessions[-2:]
    assert (manual["parent"], manual["work"], manual["budget_usd"], manual["role"]) == (WS1, "Write the manual", "2", "writer")
    assert (tests["parent"], tests["work"]) == (WS1, "Write the tests")
    kept = {"started", "completed", "duration", "agent", "status", "attempt", "parent"}
    assert all(kept <= each.keys() for each in sessions)
    table = cli("sessions", ID).out
    below, beside = table.index(f"  {manual['id'].rpartition('/')[2]} "), table.index("ws-2 ")
    assert table.index("ws-1 ") < below < beside


def test_a_session_is_paused_resumed_cancelled_and_tried_again(implementing, cli):
    for verb, state in (("pause", "paused"), ("resume", "pending"), ("cancel", "cancelled")):
        said = cli(verb, "ws-1")
        assert said.code == 0, said.err
        assert implementing.engine.visible.spectasks[ID].sessions[WS1].state in {state, "running"}
    assert [need["kind"] for need in cli("show", ID, "--json").json["needs"]] == ["retry"]
    assert cli("retry", ID).code == 0
    assert implementing.engine.visible.spectasks[ID].sessions[WS1].attempt == 2


def test_a_spectask_is_paused_and_resumed(implementing, cli):
    assert cli("pause", ID).code == 0
    assert cli("pause", ID).code == 1
    assert cli("resume", ID).code == 0


def test_accept_is_refused_before_the_end(implementing, cli):
    assert "not ready to be accepted" in cli("accept", f"{ID}@abcdef1").err
    assert cli("accept", f"{ID}@what").code == 2
    assert "only accepted work lands" in cli("land", ID).err


def test_a_task_is_skipped(approved, cli):
    assert "skipped task 3" in cli("skip", ID, "3").out


def test_history_tells_one_sentence_per_event(planned, cli):
    lines = cli("history", ID).out.splitlines()
    assert len(lines) == len(planned.engine.envelopes)
    assert lines[0].endswith("Asked for: Add JSON output.")


def test_history_is_told_to_its_end_however_many_pages_it_has(implementing, cli):
    for number in range(HISTORY_PAGE):
        implementing.do(implementing.engine.do(c.SayToRun(spectask=ID, run=WS1, text=f"Line {number}"), ADA))
    result = cli("history", ID, "--json").json
    assert [event["seq"] for event in result["events"]] == [envelope.seq for envelope in implementing.engine.envelopes]
    assert not result["more"]


def test_watch_follows_until_a_human_is_needed(daemon, cli):
    daemon.do(daemon.engine.create())
    said = []
    follower = threading.Thread(target=lambda: said.append(cli("watch", ID, "--until", "human")))
    follower.start()
    daemon.do(daemon.engine.wait_subscriber())
    daemon.do(daemon.engine.plan())
    follower.join(20)
    assert said[0].code == 0
    assert "The documents are ready: Three documents." in said[0].out
    assert "Needs you" in said[0].out


def test_watch_as_json_prints_one_document(planned, cli):
    assert cli("watch", ID, "--until", "human", "--json").json["state"] == "spec_review"


def test_new_takes_its_prompt_from_stdin(daemon, program):
    said = program("new", "-", "--json", stdin="日本語で出力する".encode())
    assert (said.code, said.err) == (0, "")
    assert said.json["prompt"] == "日本語で出力する"


def test_new_and_execute_follows_until_a_human_is_needed(daemon, cli):
    said = []
    follower = threading.Thread(target=lambda: said.append(cli("new", "Add it.", "--execute")))
    follower.start()
    daemon.do(daemon.engine.wait_subscriber())
    daemon.do(daemon.engine.plan(next(iter(daemon.engine.visible.spectasks))))
    follower.join(20)
    assert "spec review" in said[0].out


def test_what_agents_write_cannot_steer_the_terminal(implementing, cli):
    implementing.do(implementing.engine.do(c.SayToRun(spectask=ID, run=WS1, text="a\x1b]0;owned\x07b\u202ec [bold]d[/]"), ADA))
    out = cli("history", ID).out
    assert "\x1b" not in out
    assert "\u202e" not in out
    assert "[bold]d[/]" in out


def test_status_tells_how_the_daemon_is(planned, cli):
    result = cli("daemon", "status", "--json").json
    assert result["spectasks"] == {"spec_review": 1}
    assert cli("daemon", "status").out.startswith("daemon")


def test_a_spectask_that_failed_is_a_problem_for_who_follows_it(daemon, cli):
    daemon.do(daemon.engine.create())
    daemon.do(daemon.engine.do(reports.FailRun(spectask=ID, run=RunId(f"{ID}/plan-1"), reason="The key was refused.")))
    said = cli("watch", ID)
    assert said.code == 1
    assert "The key was refused." in said.out


def test_what_git_holds_is_read_back_and_what_is_damaged_is_a_problem(implementing, cli):
    found = cli("rebuild")
    assert found.code == 1
    assert "known already" in found.out
    assert "no JSON" in found.out
    assert "1 known already, 1 not readable." in found.out
    told = json.loads(cli("rebuild", "--json").out)
    assert [each["outcome"] for each in told["spectasks"]] == ["known", "damaged"]


def test_what_has_not_ended_is_not_archived(implementing, cli):
    assert "only ended SpecTasks are archived" in cli("archive", ID).err


def test_texts_of_a_document_are_compared(approved, cli):
    found = cli("diff", ID, "requirements", "--since", "v1")
    assert (found.code, found.out.strip()) == (0, "No difference: requirements")
    oldest = json.loads(cli("diff", ID, "--since", "0000000000000000000000000000000000000001", "--json").out)
    assert [each["document"] for each in oldest["documents"]] == ["requirements", "design", "tasks"]
    assert oldest["documents"][0]["diff"].splitlines()[3:5] == ["-# First", "+# Requirements"]
    assert "-# First" in cli("diff", ID, "design", "--since", "000000000000000000000000000000000000000" + "1").out


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("story",), "has no document story"),
        (("design", "--since", "v7"), "Name one of: live, approved, v1"),
        (("design", "--until", "x"), "no version x"),
    ],
)
def test_an_unknown_text_is_told_with_those_that_are_there(approved, cli, arguments, words):
    found = cli("diff", ID, *arguments)
    assert found.code == 1
    assert words in found.err
