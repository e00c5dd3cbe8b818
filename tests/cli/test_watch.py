"""The page that moves: one SpecTask or all of them, on any screen, and the terminal is left as it was."""

from __future__ import annotations

import signal
from decimal import Decimal

import pytest
from rich.console import Console
from rich.text import Text

from specthread.cli.live import fitted
from specthread.cli.pages import bar
from specthread.domain import reports
from specthread.domain.ids import RunId
from support.fake_engine import ID

KEY = "sk-" + "a1" * 15


@pytest.fixture
def working(daemon):
    """Two sessions at work."""
    daemon.do(daemon.engine.create())
    daemon.do(daemon.engine.plan())
    daemon.do(daemon.engine.approve())
    daemon.do(daemon.engine.implement())
    for number in (1, 2):
        uses(daemon, number, "read", path=f"src/{number}.py")
    return daemon


def uses(daemon, number: int, tool: str, **given: str) -> None:
    """Lets a session finish a turn in which its agent uses a tool."""
    run, engine = RunId(f"{ID}/ws-{number}"), daemon.engine
    turn = engine.visible.spectasks[ID].sessions[run].turn + 1
    daemon.do(engine.do(reports.StartCall(spectask=ID, run=run, turn=turn, reserve_usd=Decimal(0))))
    reply = {"content": [{"kind": "text", "text": "Next."}, {"kind": "tool_use", "id": "1", "name": tool, "input": given}]}
    call = engine.visible.spectasks[ID].sessions[run].open_call
    finished = reports.FinishCall(
        spectask=ID, run=run, call=call, turn=turn, reply=reply, input_tokens=1, output_tokens=1, cost_usd=Decimal("0.12")
    )
    daemon.do(engine.do(finished))


def ask(daemon, number: int, text: str) -> None:
    run = RunId(f"{ID}/ws-{number}")
    daemon.do(
        daemon.engine.do(reports.AskQuestion(spectask=ID, run=run, question="q", kind="question", text=text, choices=("UTF-8", "Latin-1")))
    )


def still(lines):
    """A page without what moves by itself."""
    return [line if "  ◆ " in line or line[:2] != "  " or line[2] not in "⠋⠙⠹⠸⠼⠴⠦⠧⠇⠏" else f"  *{line[3:]}" for line in lines]


def test_the_page_shows_bar_range_phases_and_what_each_session_does(working, terminal):
    uses(working, 1, "shell", command="python -m unittest test_encode")
    uses(working, 2, "edit", path="src/options.py", old="a", new="b")
    person = terminal("watch", ID, columns=100, rows=20)
    person.wait_shown("q leaves")
    page = still(person.lines)
    assert [line for line in page if "59m" not in line] == [
        "add-json-7k3f  ◐ implementing  $0.48",
        "  ━━━━━━━━━━━━━━━━━━────────────  60 %  2 to 34 min left (a guess)",
        "  ✔ Documents 3/3   ◐ Tasks 0/3   ◌ Acceptance",
        "",
        "q leaves; the work goes on.",
    ]
    first, second = (line.split() for line in page if "59m" in line)
    assert first == ["*", "ws-1", "task", "1", "◐", "running", *first[6:8], "shell", "python", "-m", "unittest", "test_encode"]
    assert second[-2:] == ["edit", "src/options.py"]


def test_the_page_follows_what_happens(working, terminal):
    person = terminal("watch", ID)
    person.wait_shown("read src/2.py")
    uses(working, 2, "edit", path="src/options.py", old="a", new="b")
    person.wait_shown("edit src/options.py")
    ask(working, 2, "Which encoding?")
    person.wait_shown("◆ ws-2  Which encoding?  [UTF-8 | Latin-1]")
    person.wait_shown("ws-2 asks: Which encoding?")  # the feed above
    person.wait_until(lambda: not any("left (a guess)" in line for line in person.lines), "no time left while somebody is needed")


def test_the_words_of_a_call_that_broke_are_not_shown_before_those_of_the_next(working, terminal):
    run, engine = RunId(f"{ID}/ws-1"), working.engine
    person = terminal("watch", ID)
    person.wait_shown("read src/1.py")
    working.do(engine.do(reports.StartCall(spectask=ID, run=run, turn=2, reserve_usd=Decimal(0))))
    working.do(streamed(engine, run, "I will look at it."))
    person.wait_shown("I will look at it.")
    call = engine.visible.spectasks[ID].sessions[run].open_call
    working.do(engine.do(reports.LoseCall(spectask=ID, run=run, call=call, turn=2, reason="cut: The connection broke.")))
    working.do(streamed(engine, run, "Here it is."))
    person.wait_shown("Here it is.")
    assert not any("look at it" in line for line in person.lines)


async def streamed(engine, run, text):
    engine.stream(run, text)


def test_a_key_that_an_agent_passes_to_a_tool_is_not_shown(working, terminal):
    uses(working, 1, "shell", command=f"curl -H {KEY} correct horse")
    person = terminal("watch", ID)
    person.wait_shown("shell curl -H [redacted] [redacted]")


def test_without_a_name_all_that_go_on_are_shown_and_what_needs_somebody(working, terminal):
    working.do(working.engine.create("other-aaaa", "Another one."))
    working.do(working.engine.create("third-bbbb", "A third one."))
    working.do(working.engine.plan("third-bbbb"))
    person = terminal("watch", columns=90, rows=24)
    person.wait_shown("To be approved: requirements, design, tasks.")
    person.wait_shown("q leaves")
    assert [line.split()[0] for line in person.lines if line[:1] not in {"", " "}] == ["third-bbbb", "other-aaaa", ID, "q"]
    working.do(working.engine.create("fourth-cccc", "A fourth one."))
    person.wait_shown("fourth-cccc")
    person.type("q")
    assert person.wait_end() == 0
    assert person.is_as_before


@pytest.mark.parametrize("columns", [24, 44, 72])
def test_no_line_is_wider_than_a_narrow_screen(working, terminal, columns):
    uses(working, 1, "shell", command="python -m unittest " + "test_encode " * 20)
    ask(working, 2, "Which encoding should the file have that is written by the command with its option? " * 3)
    person = terminal("watch", ID, columns=columns, rows=16)
    person.wait_shown("q leaves")
    assert person.lines[0].startswith(ID)
    assert len(person.lines) == 7, person.lines


def test_a_low_screen_shows_every_spectask_before_any_detail(working, terminal):
    for number in range(3):
        working.do(working.engine.create(f"more-{number}-aaaa", "More."))
    person = terminal("watch", columns=80, rows=12)
    person.wait_shown("q leaves")
    assert [line.split()[0] for line in person.lines if line[:1] not in {"", " "}] == [
        "more-2-aaaa", "more-1-aaaa", "more-0-aaaa", ID, "q",
    ]  # fmt: skip
    assert len(person.lines) <= 12


def test_the_page_says_the_same_without_colours(working, terminal):
    person = terminal("watch", ID, NO_COLOR="1")
    person.wait_shown("q leaves")
    assert "━━━" in person.lines[1]
    assert "───" in person.lines[1]
    assert b"\x1b[3" not in person.raw


@pytest.mark.parametrize("key", ["q", "Q"])
def test_q_leaves_quietly_and_the_work_goes_on(working, terminal, key):
    person = terminal("watch", ID)
    person.wait_shown("q leaves")
    person.type(f"x{key}")
    assert person.wait_end() == 0
    assert person.lines == [f"The work goes on; `specthread watch {ID}` follows it again."]
    assert person.is_as_before


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_the_terminal_is_given_back_however_the_page_ends(working, terminal, number, code):
    person = terminal("watch", ID)
    person.wait_shown("q leaves")
    person.process.send_signal(number)
    assert person.wait_end() == code
    assert person.is_as_before
    assert "Traceback" not in person.seen


def test_all_are_followed_on_a_terminal_only(working, cli):
    for arguments in (["watch"], ["watch", "--json"], ["watch", "--until", "human"]):
        said = cli(*arguments)
        assert said.code == 2
        assert "All SpecTasks are followed on a terminal, and without an end." in said.err


def test_the_same_figures_stand_in_list_show_and_status(working, cli):
    (listed,) = cli("list", "--json").json["spectasks"]
    shown = cli("show", ID, "--json").json
    (at_work,) = cli("daemon", "status", "--json").json["at_work"]
    figures = [each["progress"] for each in (listed, shown, at_work)]
    assert figures[0] == figures[2]
    assert {name: value for name, value in figures[0].items() if name != "phases"} == {
        name: value for name, value in figures[1].items() if name != "phases"
    }
    assert figures[0]["percent"] == 61 - 1
    assert figures[0]["eta"]["basis"] == "guess"
    assert figures[0]["left"] in cli("list").out
    assert f"60 %  {figures[0]['left']}" in cli("show", ID).out
    assert f"{ID}  60 %  {figures[0]['left']}" in cli("daemon", "status").out


def test_what_does_not_fit_is_counted():
    blocks = [([Text("a")], [Text(str(number)) for number in range(9)]), ([Text("b")], [Text("x")])]
    assert [line.plain for line in fitted(blocks, 30)] == ["a", *"012345678", "", "b", "x"]
    assert [line.plain for line in fitted(blocks, 12)] == ["a", *"012345678", "b", "x"]
    assert [line.plain for line in fitted(blocks, 6)] == ["a", "0", "1", "2", "  … 6 more lines", "b"]
    assert [line.plain for line in fitted(blocks, 1)] == ["  … 2 more lines"]


@pytest.mark.parametrize(("percent", "drawn"), [(0, "──────────"), (9, "──────────"), (55, "━━━━━─────"), (100, "━━━━━━━━━━")])
def test_a_bar_never_shows_more_than_is_done(percent, drawn):
    assert bar(percent, 10).plain == drawn
    assert Console(width=80).measure(bar(percent, 10)).maximum == 10
