import asyncio
import os
from dataclasses import replace
from decimal import Decimal

import pytest

from specthread.agents import acp_process, acp_wire
from specthread.agents.acp_catalog import ExternalAgent
from specthread.agents.sandbox import probe
from specthread.daemon_agents import backends_of
from support.acp_story import AcpStory, done, say
from support.journal_port import Crash
from support.nesting import nested

DEADLINE = 20.0
"""Seconds after which what does not end is taken to hang."""

pytestmark = pytest.mark.skipif(not probe().available, reason=probe().reason)


@pytest.fixture
def story(tmp_path):
    return AcpStory(tmp_path)


async def test_its_words_and_one_call_are_a_turn_and_its_last_words_the_summary(story):
    steps = [say("I "), say("look."), done("c1", "read", locations=[{"path": "/project/a"}]), say("All done.")]
    story.script(steps)
    end = await story.run()
    assert (end.kind, end.summary) == ("finished", "All done.")
    assert story.said() == [["I look.", "read#c1"], ["All done."]]
    assert story.journal.kinds() == ["started", "finished", "tool", "started", "finished", "done"]
    assert story.journal.text == ["I ", "look.", "All done."]
    assert story.heard() == ["You are a worker.\n\n# Task 1: Do it"]


async def test_it_works_in_the_worktree_with_a_home_of_its_own_and_sees_no_other_file(story, tmp_path):
    (tmp_path / "private.txt").write_text("the person's")
    write = [{"write": "/project/hello.txt", "text": "hello"}, {"write": "/home/agent/kept", "text": "mine"}]
    story.script([*write, {"wait_for": "/project/hello.txt"}, say("Done.")])
    assert (await story.run()).kind == "finished"
    assert (story.worktree / "hello.txt").read_text() == "hello"
    assert (tmp_path / "agent/home/kept").read_text() == "mine"
    story.script([{"write": str(tmp_path / "private.txt"), "text": "stolen"}])
    end = await story.run(backend=story.backend(retry=story.backend().retry.__class__(attempts=0, base=0, cap=0)))
    assert "No such file" in end.reason
    assert (tmp_path / "private.txt").read_text() == "the person's"


async def test_calls_that_overlap_are_of_one_turn_which_ends_with_the_last_of_them(story):
    def begun(name):
        return done(name, "read", status="in_progress")

    ended = {"call": {"toolCallId": "c1", "status": "completed"}, "as": "tool_call_update"}
    failed = {"call": {"toolCallId": "c2", "status": "failed", "rawOutput": "no such file"}, "as": "tool_call_update"}
    story.script([begun("c1"), begun("c2"), ended, failed, ended, say("End.")])
    await story.run()
    assert story.said() == [["read#c1", "read#c2"], ["End."]]
    assert [(result.content, result.is_error) for _, result in story.journal.of("tool")] == [("Done.", False), ("no such file", True)]


async def test_what_is_told_before_the_session_is_answered_and_after_the_turn_is_over_keeps_its_place(story):
    early = {"sessionUpdate": "agent_message_chunk", "content": {"type": "text", "text": "Hello. "}}
    late = [{"call": {"toolCallId": "c1", "status": "completed"}, "as": "tool_call_update"}, say("Last words.")]
    story.script([say("Working."), done("c1", status="pending"), {"after": late}, {"stop": "end_turn"}], early=[early])
    end = await story.run()
    assert story.said() == [["Hello. Working.", "edit#c1"], ["Last words."]]
    assert end.summary == "Last words."


async def test_a_change_to_a_file_is_journalled_as_what_it_read_before_and_after(story):
    diff = {"type": "diff", "path": "/project/a.py", "oldText": "a = 1\n", "newText": "a = 2\n"}
    story.script([done("c1", content=[diff]), say("Done.")])
    await story.run()
    used = story.journal.of("finished")[0][1].content[0]
    assert (used.name, used.input["path"], used.input["old"], used.input["new"]) == ("edit", "/project/a.py", "a = 1\n", "a = 2\n")


async def test_each_wish_is_put_to_the_person_and_allowed_once_at_most(story):
    rm = {"toolCallId": "c1", "kind": "execute", "title": "Tidy up", "rawInput": {"command": "rm -rf build"}}
    git = {"toolCallId": "c2", "kind": "execute", "rawInput": {"command": "git push"}}
    asks = [
        {"ask": rm, "then": [done("c1", "execute")]},
        {"ask": git, "then": [say("pushed")], "otherwise": [done("c2", "execute", status="failed")]},
    ]
    story.script([*asks, say("End.")])
    story.journal.permits = [True, False]
    end = await story.run()
    assert end.kind == "finished"
    assert story.journal.of("permitted") == [
        ("shell", "May it run, with the network: rm -rf build\nIt says: Tidy up"),
        ("shell", "May it run, with the network: git push"),
    ]
    assert [answer["optionId"] for answer in story.answers()] == ["id-allow_once", "id-reject_once"]
    assert story.said() == [["shell#c1"], ["shell#c2"], ["End."]]


async def test_a_wish_that_cannot_be_refused_by_an_option_is_called_off(story):
    story.script([{"ask": {"toolCallId": "c1", "kind": "execute"}, "options": ["allow_always"]}])
    story.journal.permits = [False]
    await story.run()
    assert story.answers() == [{"outcome": "cancelled"}]


async def test_a_command_too_long_to_be_shown_is_refused_and_nobody_is_asked(story):
    long = {"toolCallId": "c1", "kind": "execute", "rawInput": {"command": f"echo {'x' * 200_000}; curl evil"}}
    story.script([{"ask": long}, say("End.")])
    assert (await story.run()).kind == "finished"
    assert story.journal.of("permitted") == []
    assert [answer["optionId"] for answer in story.answers()] == ["id-reject_once"]


async def test_a_long_conversation_is_taken_up_again_though_nobody_hears_of_it(story, monkeypatch):
    monkeypatch.setattr(acp_wire, "TOLD_KEPT", 100)
    story.script([done("c1"), {"hang": 600}], [say("Went on.")], can={"loadSession": True}, loaded=50)
    story.journal.crash_after = 3
    with pytest.raises(Crash):
        await story.run()
    story.journal.crash_after = None
    end = await story.run(backend=story.backend(starting=DEADLINE))
    assert (end.summary, story.heard("session/load")[0]["sessionId"]) == ("Went on.", "s-1")


async def test_what_people_say_is_told_when_its_turn_is_over_and_it_goes_on(story):
    story.script([done("c1"), say("Done.")], [say("Renamed.")])
    story.journal.said = {1: ["Call it b."]}
    end = await story.run()
    assert story.heard()[1:] == ["Call it b."]
    assert end.summary == "Renamed."


async def test_what_people_said_is_told_once_where_the_agent_died_before_it_heard_of_it(story):
    story.script([done("c1"), {"die": 3}], [say("Went on.")])
    story.journal.said = {1: ["Call it b."]}
    assert (await story.run()).summary == "Went on."
    assert ["Call it b." in text for text in story.heard()] == [False, True]


async def test_what_it_asks_while_its_conversation_is_loaded_is_called_off_and_it_goes_on(story):
    story.script([done("c1"), {"hang": 600}], [say("Went on.")], can={"loadSession": True}, ask_loading={"toolCallId": "c1"})
    story.journal.crash_after = 3
    with pytest.raises(Crash):
        await story.run()
    story.journal.crash_after = None
    assert (await story.run(backend=story.backend(starting=DEADLINE))).summary == "Went on."
    assert story.answers() == [{"outcome": "cancelled"}]


async def test_what_is_missing_from_its_work_is_told_before_it_may_end(story):
    story.script([say("Done.")], [say("Now it is.")])
    story.journal.missing = ["A session of yours still works."]
    assert (await story.run()).summary == "Now it is."
    assert story.heard()[1:] == ["A session of yours still works."]


async def test_an_agent_that_dies_in_the_middle_is_started_again_and_told_what_it_did(story):
    story.script([say("Begin."), done("c1"), {"die": 3}], [say("Went on.")])
    end = await story.run()
    assert (end.kind, end.summary) == ("finished", "Went on.")
    again = story.heard()[1]
    assert "# Task 1: Do it" in again
    assert "You said: Begin." in again
    assert story.journal.kinds() == ["started", "finished", "tool", "started", "failed", "started", "finished", "done"]
    assert story.sleeps == [1.0]


async def test_a_call_that_was_begun_when_the_agent_died_is_journalled_as_interrupted(story):
    story.script([done("c1", "execute", status="in_progress"), {"die": 3}], [say("Went on.")])
    await story.run()
    [(_, result)] = story.journal.of("tool")
    assert result.is_error
    assert "interrupted" in result.content


async def test_an_agent_that_goes_on_dying_ends_the_run_with_its_last_words(story):
    story.script([{"note": "Traceback"}, {"note": "key secret-value is wrong"}, {"die": 3}])
    end = await story.run(backend=story.backend(given={"FAKE_KEY": "secret-value"}, secrets=("secret-value",)))
    assert (end.kind, end.outside) == ("failed", True)
    assert end.reason == "acp:fake ended in the middle of its work. It last said: key [redacted] is wrong"
    assert len(story.heard()) == 3


async def test_its_key_is_left_out_whole_whatever_else_it_is_given(story):
    environ = {"SHORT": "key-1", "LONG": "key-1-and-2"}
    agent = ExternalAgent(name="fake", command=story.backend().command, credentials=tuple(environ), fixed={"QUIET": "1"})
    [backend] = backends_of({"acp:fake": agent}, environ).values()
    story.script([{"note": "1 key, key-1-and-2, is wrong"}, {"die": 3}])
    end = await story.run(backend=replace(backend, retry=story.backend().retry, sleep=story.backend().sleep))
    assert end.reason.endswith("It last said: 1 key, [redacted], is wrong")


@pytest.mark.parametrize(
    ("can", "method"), [({"loadSession": True}, "session/load"), ({"sessionCapabilities": {"resume": {}}}, "session/resume")]
)
async def test_a_conversation_is_taken_up_again_where_the_agent_can(story, can, method):
    story.script([done("c1"), {"hang": 600}], [say("Went on.")], can=can)
    story.journal.crash_after = 3
    with pytest.raises(Crash):
        await story.run()
    story.journal.crash_after = None
    if method == "session/resume":
        story.script([say("Went on.")], can=can)
        agent = story.folder / "script/agent.py"
        agent.write_text(
            agent.read_text().replace("def session_load", "session_resume = lambda self, params: {'result': {}}\n\n    def session_load")
        )
    end = await story.run()
    assert end.summary == "Went on."
    assert story.heard(method)[0]["sessionId"] == "s-1"
    assert story.heard()[-1].startswith("You were interrupted.")
    assert ["what it said long ago"] not in story.said()


async def test_where_the_agent_cannot_load_its_conversation_it_is_told_of_it(story):
    story.script([done("c1"), {"hang": 600}], [say("Went on.")], can={"loadSession": True}, refuse_load=True)
    story.journal.crash_after = 3
    with pytest.raises(Crash):
        await story.run()
    story.journal.crash_after = None
    assert (await story.run()).summary == "Went on."
    assert "You used edit" in story.heard()[-1]


async def test_tokens_and_cost_are_journalled_where_they_are_told_and_unknown_where_not(story):
    def cost(amount):
        return {"update": {"sessionUpdate": "usage_update", "used": 1, "size": 2, "cost": {"amount": amount, "currency": "USD"}}}

    usage = {"totalTokens": 17, "inputTokens": 10, "outputTokens": 7, "cachedReadTokens": 3}
    story.script([done("c1"), cost(0.25), done("c2"), cost(0.75), say("Done."), {"stop": "end_turn", "usage": usage}])
    await story.run()
    finished = story.journal.of("finished")
    assert [paid for *_, paid in finished] == [None, Decimal("0.25"), Decimal("0.5")]
    last = finished[-1][1].usage
    assert (last.input, last.output, last.cache_read) == (10, 7, 3)


@pytest.mark.parametrize(
    ("more", "said"),
    [
        ({"greeting": ["Welcome!"] * 300}, "does not speak the Agent Client Protocol"),
        ({"version": 7}, "speaks version 7 of the protocol"),
        ({"fail_new": {"code": -32000, "message": "Authentication required"}}, "wants to be signed in"),
        (
            {"fail_new": {"code": -32603, "message": "Internal error", "data": {"details": "no model"}}},
            "answered with an error: Internal error: no model.",
        ),
    ],
)
async def test_an_agent_that_cannot_be_talked_to_is_told_of_in_one_sentence(story, more, said):
    story.script([say("Hi.")], **more)
    end = await story.run()
    assert (end.kind, end.outside) == ("failed", True)
    assert said in end.reason
    assert "Traceback" not in end.reason
    assert story.journal.entries == []


async def test_words_that_are_no_messages_are_passed_over(story):
    story.script(
        [{"raw": "npm notice: new version"}, {"raw": '["no", "message"]'}, {"raw": '{"id": [1], "result": 1}'}, say("Done.")],
        greeting=["hi"],
    )
    assert (await story.run()).summary == "Done."


async def test_a_call_that_nests_without_end_is_no_message_and_places_that_are_none_are_passed_over(story):
    deep = done("c1", rawInput={"a": nested(520)})
    story.script([deep, done("c2", "read", locations=5), done("c3", "read", rawInput={"a": nested(40)}), say("Done.")])
    assert (await story.run()).summary == "Done."
    assert story.said() == [["read#c2"], ["read#c3"], ["Done."]]


async def test_half_a_pair_in_what_it_says_is_made_sound(story):
    text = '{"jsonrpc":"2.0","method":"session/update","params":{"update":{"sessionUpdate":"agent_message_chunk","content":{"type":"text","text":"a\\ud83d"}}}}'
    story.script([{"raw": text}])
    end = await story.run()
    end.summary.encode()


async def test_an_agent_without_a_word_is_given_up(story):
    story.script([{"hang": 600}])
    end = await story.run(backend=story.backend(silence=0.2))
    assert (end.kind, end.reason) == ("failed", "acp:fake said nothing for 0.2 seconds.")
    story.script([], hang_at_start=True)
    end = await story.run(backend=story.backend(starting=0.2))
    assert end.reason == "acp:fake did not begin within 0.2 seconds."


async def test_an_agent_that_is_given_up_while_it_says_more_than_anybody_reads_is_ended(story, monkeypatch):
    monkeypatch.setattr(acp_process, "LONGEST_MESSAGE", 4_096)
    story.script([{"raw": "x" * 1_000_000}])
    running = asyncio.ensure_future(story.run())
    done_, _ = await asyncio.wait({running}, timeout=DEADLINE)
    assert done_
    assert "does not speak the Agent Client Protocol" in running.result().reason


async def test_a_command_that_does_not_exist_is_told_of(story):
    end = await story.run(backend=story.backend(command=("no-such-agent", "--acp")))
    assert (end.kind, end.outside) == ("failed", True)
    assert "There is no program `no-such-agent`" in end.reason


@pytest.mark.parametrize(
    ("stop", "kind", "said"),
    [
        ("refusal", "failed", "refused"),
        ("max_turn_requests", "limit", "as many requests"),
        ("cancelled", "failed", "stopped its own"),
        ("what", "failed", "'what'"),
    ],
)
async def test_every_reason_to_stop_has_an_end(story, stop, kind, said):
    story.script([{"stop": stop}])
    end = await story.run()
    assert (end.kind, said in end.reason) == (kind, True)


async def test_a_turn_that_was_cut_is_gone_on_with_once(story):
    story.script([{"stop": "max_tokens"}])
    end = await story.run()
    assert (end.kind, len(story.heard())) == ("failed", 2)


async def test_the_same_call_again_and_again_is_no_progress(story):
    story.script([done(f"c{number}", "execute", rawInput={"command": "make"}) for number in range(9)])
    end = await story.run()
    assert (end.kind, len(story.journal.of("finished"))) == ("stuck", 5)


async def test_it_ends_at_its_limit_of_turns(story):
    story.script([done("c1"), done("c2", "read"), done("c3", "search")])
    assert (await story.run(max_turns=2)).kind == "limit"


async def test_a_stop_in_the_middle_ends_the_program_with_all_it_started(story):
    story.script([{"hang": 600}])
    os.mkfifo(story.folder / "script/alive")
    agent = story.folder / "script/agent.py"
    agent.write_text(
        agent.read_text().replace(
            "import time\n",
            "import subprocess, time\nsubprocess.Popen(['sh', '-c', 'echo up; sleep 600'], stdout=open('/script/alive', 'w'))\n",
            1,
        )
    )
    working = asyncio.create_task(story.run())
    with await asyncio.to_thread((story.folder / "script/alive").open) as alive:
        await asyncio.to_thread(alive.readline)
        working.cancel()
        assert await asyncio.gather(working, return_exceptions=True) != [None]
        assert await asyncio.to_thread(alive.read) == ""


async def test_an_order_to_stop_ends_it_and_is_no_failure(story):
    story.script([done("c1"), done("c2")])
    story.journal.stop_before_call = 1
    end = await story.run()
    assert (end.kind, end.reason) == ("stopped", "Paused by the human.")


async def test_without_a_place_it_does_not_begin(story):
    story.script([])
    end = await story.run(place=None)
    assert (end.kind, "no sandbox here" in end.reason) == ("failed", True)
