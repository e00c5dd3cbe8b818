import threading
from dataclasses import replace
from typing import Any

import pytest

from specthread.agents.backend import ModelRequest, Reply, RunEnd
from specthread.agents.prices import NO_COST
from specthread.agents.scripted import ScriptedModel, say, spoken, use
from specthread.agents.turns import MessagesBackend
from support.journal_port import Journal
from support.turns_story import ASSIGNMENT, DONE, heard, play, toolbox


async def test_tools_are_used_one_by_one_and_finish_ends_the_run():
    end, journal, box, requests, _ = await play((say("Looking."), use("read", path="a"), use("shell", command="ls")), DONE)
    assert end == RunEnd(kind="finished", summary="All done.")
    assert journal.kinds() == ["started", "finished", "tool", "tool", "started", "finished", "done"]
    assert [call.name for call in box.used] == ["read", "shell"]
    assert heard(requests[1]) == ["read done", "shell done"]
    assert "".join(journal.text) == "Looking."


async def test_every_effect_is_journalled_before_it_happens():
    order: list[str] = []

    class Loud(Journal):
        def _write(self, *entry: Any) -> None:
            order.append(entry[0])
            Journal._write(self, *entry)

    await play(use("read", path="a"), DONE, journal=Loud(), box=toolbox(do=lambda call: order.append("effect") or "x"))
    assert order == ["started", "finished", "effect", "tool", "started", "finished", "done"]


async def test_a_question_waits_for_its_answer():
    question = use("ask", question="Red or blue?", choices=["red", "blue"])
    end, journal, _, requests, _ = await play(question, DONE, journal=Journal(answers=["blue"]))
    assert end.kind == "finished"
    assert journal.of("asked")[0][1:] == ("Red or blue?", ("red", "blue"))
    assert heard(requests[1]) == ["blue"]


QUESTION_THEN_WORK = (use("ask", question="Which?"), use("shell", command="make"))


async def test_a_run_stopped_by_its_question_goes_on_with_the_answer_and_the_work_behind_it():
    end, journal, box, _, _ = await play(QUESTION_THEN_WORK)
    assert (end.kind, box.used) == ("stopped", [])
    journal.answers, journal.said = ["the left one"], {1: ["And be quick."]}
    end, journal, box, requests, _ = await play(DONE, journal=journal, history=journal.history())
    assert end.kind == "finished"
    assert heard(requests[0]) == ["the left one", "shell done", "And be quick."]


async def test_what_a_human_says_while_a_question_is_open_does_not_answer_it():
    _, journal, _, _, _ = await play(QUESTION_THEN_WORK)
    (turn,) = journal.history()
    journal.answers = ["the left one"]
    _, _, _, requests, _ = await play(DONE, journal=journal, history=(replace(turn, follow_up=("Be quick.",)),))
    assert heard(requests[0]) == ["the left one", "shell done", "Be quick."]


async def test_a_finish_that_cannot_be_taken_is_answered_and_the_run_goes_on():
    end, journal, _, requests, _ = await play(DONE, DONE, journal=Journal(missing=["`tasks` is not written yet."]))
    assert end.kind == "finished"
    assert heard(requests[1]) == ["`tasks` is not written yet."]
    assert len(journal.of("done")) == 2


async def test_tools_after_a_finish_in_the_same_reply_are_not_used():
    end, _, box, _, _ = await play((use("read", path="a"), DONE, use("shell", command="rm -r .")))
    assert end.kind == "finished"
    assert [call.name for call in box.used] == ["read"]


@pytest.mark.parametrize(
    ("call", "says"),
    [
        (use("dance"), "no tool `dance`"),
        (use("finish"), "needs `summary`"),
        (use("read", path="a", mode="fast"), "knows no `mode`"),
        (use("read", path=3), "must be of type string"),
        (use("read", path="a", lines=True), "must be of type integer"),
        (use("read", path="a", lines=0), "at least 1"),
        (use("ask", question="?", choices=[1]), "a list whose entries are of type string"),
    ],
)
async def test_a_wrong_call_is_answered_with_what_is_wrong(call, says):
    end, journal, box, requests, _ = await play(call, DONE)
    assert end.kind == "finished"
    assert says in heard(requests[1])[0]
    assert journal.of("tool")[0][1].is_error
    assert not box.used


async def test_a_turn_without_a_tool_call_is_nudged_once_then_the_run_is_stuck():
    end, _, _, requests, _ = await play(say("I think I am done."), say("Really."))
    assert end.kind == "stuck"
    assert "call `finish`" in heard(requests[1])[0]


async def test_a_nudge_that_helps_is_forgotten():
    end, _, _, _, _ = await play(say("Hm."), use("read", path="a"), say("Hm."), DONE)
    assert end.kind == "finished"


async def test_tools_of_a_reply_that_did_not_stop_for_them_never_run():
    end, _, box, requests, _ = await play(((use("shell", command="make"),), "end_turn"), DONE)
    assert end.kind == "finished"
    assert not box.used
    assert "was not run" in heard(requests[1])[0]


async def test_a_cut_reply_is_asked_for_once_more_with_twice_the_room():
    cut = ((say("Beginning of"), use("shell", command="ma")), "max_tokens")
    end, journal, box, requests, _ = await play(cut, DONE, max_tokens=1000)
    assert end.kind == "finished"
    assert not box.used
    assert [request.max_tokens for request in requests] == [1000, 2000]
    assert requests[1].messages == requests[0].messages
    assert [entry[0] for entry in journal.of("finished")] == [1, 2]
    end, _, box, _, _ = await play(cut, cut)
    assert (end.kind, box.used) == ("failed", [])


async def test_a_paused_turn_is_sent_back_as_it_is():
    end, _, _, requests, _ = await play(((say("Still thinking."),), "pause_turn"), DONE)
    assert end.kind == "finished"
    assert requests[1].messages[-1].role == "assistant"


async def test_a_refusal_ends_the_run():
    end, _, _, _, _ = await play(((), "refusal"))
    assert (end.kind, "refused" in end.reason) == ("failed", True)


async def test_why_a_model_refused_is_told_as_far_as_it_is_known():
    def story(request: ModelRequest) -> Reply:
        return replace(spoken(request), stop_reason="refusal", refusal="cyber: asks for an exploit")

    end = await MessagesBackend(model=ScriptedModel(story=story), prices=NO_COST).run(ASSIGNMENT, Journal(), toolbox())
    assert end.reason == "The model refused to go on (cyber: asks for an exploit). Change the task's wording, or use another model."


@pytest.mark.parametrize("reason", ["", "None", "compaction", "newly_invented"])
async def test_a_stop_reason_nobody_knows_is_a_failure_and_runs_nothing(reason):
    def story(request: ModelRequest) -> Reply:
        return replace(spoken(request, use("shell", command="make")), stop_reason=reason)

    box = toolbox()
    end = await MessagesBackend(model=ScriptedModel(story=story), prices=NO_COST).run(ASSIGNMENT, Journal(), box)
    assert (end.kind, box.used) == ("failed", [])


async def test_the_same_call_is_nudged_at_three_and_stuck_at_five():
    again = use("shell", command="make")
    end, _, box, requests, _ = await play(*[again] * 5)
    assert (end.kind, len(box.used)) == ("stuck", 5)
    assert [len(heard(request)) for request in requests] == [1, 1, 1, 2, 2]
    assert "same call" in heard(requests[3])[1]


async def test_the_same_call_with_another_result_is_progress():
    counter = iter(range(100))
    end, _, _, _, _ = await play(*[use("shell", command="make")] * 7, DONE, box=toolbox(do=lambda _call: str(next(counter))))
    assert end.kind == "finished"


async def test_the_price_table_is_loaded_where_nobody_waits_for_it():
    threads: list[threading.Thread] = []
    prices = replace(NO_COST, reserve=lambda *_: threads.append(threading.current_thread()))
    backend = MessagesBackend(model=ScriptedModel(story=lambda request: spoken(request, DONE)), prices=prices)
    await backend.run(ASSIGNMENT, Journal(), toolbox())
    assert threads[0] is not threading.current_thread()
