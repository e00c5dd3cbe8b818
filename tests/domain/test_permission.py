import pytest

from specthread.domain import commands as c
from specthread.domain import reports
from specthread.domain.model import DAEMON
from specthread.domain.permission import decision
from specthread.domain.react import RunSession, VerifyClaim, kept, wanted
from support.story import DOCUMENTS, ID, Story, ws


@pytest.fixture
def story():
    story = Story()
    story.create()
    for name in ("requirements", "design", "tasks"):
        story.write(name, DOCUMENTS[name])
    story.finish_planning()
    story.approve()
    story.start()
    story.give("1")
    return story


def ask(story, question="1/a", text="Run `make` outside a sandbox?"):
    return story.do(
        reports.AskQuestion(spectask=ID, run=ws(1), question=question, kind="permission", text=text, choices=("once", "always here", "no")),
        DAEMON,
    )


def answer(story, text):
    return story.do(c.AnswerQuestion(spectask=ID, run=ws(1), answer=text))


def used(question="1/a"):
    return reports.UsePermission(spectask=ID, run=ws(1), question=question)


SESSION = RunSession(spectask=ID, run=ws(1), attempt=1)


def test_who_awaits_a_permission_holds_no_place_but_keeps_what_runs_until_it_has_one_again(story):
    ask(story)
    assert story.session().state == "waiting"
    assert SESSION in kept(story.spectask) - wanted(story.spectask)
    answer(story, "Yes.")
    assert story.session().state == "pending"
    assert SESSION in kept(story.spectask) - wanted(story.spectask)
    story.come_back()
    assert (story.session().state, story.session().question.answer) == ("running", "once")
    assert SESSION in wanted(story.spectask)


@pytest.mark.parametrize("stop", [c.PauseRun(spectask=ID, run=ws(1)), c.CancelRun(spectask=ID, run=ws(1)), c.PauseSpecTask(spectask=ID)])
def test_what_a_person_stops_keeps_nothing(story, stop):
    ask(story)
    story.do(stop)
    assert SESSION not in kept(story.spectask) | wanted(story.spectask)


def test_a_permission_counts_once_and_only_when_git_holds_it(story):
    ask(story)
    assert story.refused(used(), DAEMON) == "no-permission"
    answer(story, "once")
    story.come_back()
    story.do(used(), DAEMON)
    assert story.refused(used(), DAEMON) == "no-permission"
    assert story.session().permitted == ()


def test_what_is_permitted_always_is_remembered_in_the_words_that_were_asked_and_in_the_next_attempt(story):
    ask(story, text="Run `make`?")
    answer(story, "Always")
    story.come_back()
    story.do(used(), DAEMON)
    assert story.session().permitted == ("Run `make`?",)
    story.do(reports.FailRun(spectask=ID, run=ws(1), reason="It broke.", stuck=False), DAEMON)
    story.do(c.RetryRun(spectask=ID, run=ws(1)))
    assert (story.session().attempt, story.session().permitted) == (2, ("Run `make`?",))


def test_an_answer_that_is_neither_yes_nor_no_is_not_taken_for_either(story):
    ask(story)
    assert story.refused(c.AnswerQuestion(spectask=ID, run=ws(1), answer="Maybe later")) == "not-a-choice"
    assert [decision(text) for text in ("No, use tox", "no: use tox", "yes, but be quick", "ALWAYS HERE")] == [
        "no: use tox",
        "no: use tox",
        "",
        "always here",
    ]


def test_a_check_that_needs_a_permission_goes_on_being_checked(story):
    story.claim()
    ask(story, "permission-check-1")
    assert VerifyClaim(spectask=ID, run=ws(1), claim=1) not in wanted(story.spectask) | kept(story.spectask)
    answer(story, "once")
    story.come_back()
    assert story.session().state == "verifying"
    assert VerifyClaim(spectask=ID, run=ws(1), claim=1) in wanted(story.spectask)


def test_who_is_paused_while_it_awaits_a_permission_still_does_after(story):
    ask(story)
    story.do(c.PauseRun(spectask=ID, run=ws(1)))
    story.do(c.ResumeRun(spectask=ID, run=ws(1)))
    assert (story.session().state, story.session().question.answer_seq) == ("waiting", 0)
