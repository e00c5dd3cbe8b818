"""A reviewer judges work that passed its checks: what is not met goes back, and no reviewer holds work up for ever."""

import asyncio
from decimal import Decimal

import pytest

from specthread.agents.backend import ModelError
from specthread.agents.sandbox import probe
from specthread.agents.scripted import ScriptedModel, last_said, opening, replies_before, say, spoken, use
from specthread.domain import commands as c
from specthread.domain.copying import replace
from specthread.domain.runs import all_runs
from specthread.engine import reviewing
from specthread.engine.session import criteria_of
from specthread.engine.settings import ReviewSettings
from specthread.spec.render import BugText, render_bugfix
from support.engine_world import ADA, plan, story_of, task, world
from support.git_fixture import git, isolate_git, make_repository
from support.situation import implementing

pytestmark = pytest.mark.skipif(not probe().available, reason=probe().reason)

SUB = 'python3 -c "import calc; assert calc.sub(3, 1) == 2"'
OLD = "def add(a, b):\n    return a + b\n"
GOOD = f"{OLD}\n\ndef sub(a, b):\n    return a - b\n"
GATE = {"review": ReviewSettings(mode="gate")}


@pytest.fixture
def repository(tmp_path, monkeypatch):
    isolate_git(monkeypatch, tmp_path / "home")
    return make_repository(tmp_path / "checkout", {"calc.py": OLD})


def judging(judgement, **given):
    entry = {"criterion": "1.1", "judgement": judgement, "place": "calc.py:5", "reason": "It says what it says.", **given}
    return use("verdict", verdicts=[entry], summary="Looked at calc.py.")


WRITING = (
    (use("read", path="calc.py"),),
    (use("write", path="calc.py", text=GOOD),),
    (use("finish", summary="Added sub."),),
    (use("read", path="calc.py"),),
    (use("edit", path="calc.py", old="    return a - b\n", new="    return a - b  # exact\n"),),
    (use("finish", summary="Corrected sub."),),
)


def reviewed_by(reviewer, writing=WRITING):
    """Returns a story in which `reviewer` gives what a reviewer says to a request."""
    others = story_of(plan(task(1, "Add sub", SUB)), {1: writing})

    def reply_for(request):
        if request.role != "reviewer":
            return others(request)
        said = reviewer(request)
        return said if isinstance(said, ModelError) else spoken(request, *said)

    return reply_for


def done(spectask):
    return spectask.state == "implementation_review"


async def test_work_that_a_reviewer_finds_met_is_merged_with_the_verdict(tmp_path, repository):
    def reviewer(request):
        assert "1.1: WHEN a caller passes two numbers" in opening(request)
        assert "+def sub(a, b):" in opening(request)
        assert [tool.name for tool in request.tools] == ["read", "search", "verdict"]
        return (use("read", path="calc.py"),) if replies_before(request) == 0 else (judging("met"),)

    async with world(tmp_path, repository, reviewed_by(reviewer), changes=GATE) as story:
        await story.create()
        await story.implement()
        await story.until(done)
        (review,) = story.spectask.reviews
        assert (review.id, review.state, review.session) == (f"{story.id}/review-1", "completed", f"{story.id}/ws-1")
        assert [(each.criterion, each.judgement, each.place) for each in review.verdicts] == [("1.1", "met", "calc.py:5")]
        assert story.session().merged
        await story.until(lambda spectask: spectask.reviews[0].logged_turn == 2)
        assert f".specs/{story.id}/sessions/review-1/" in git(
            repository, "ls-tree", "-r", "--name-only", f"spectask/{story.id}/specs", f".specs/{story.id}/sessions/"
        )


async def test_what_is_not_met_goes_back_and_the_next_work_is_judged_anew(tmp_path, repository):
    def reviewer(request):
        return (judging("met" if "# exact" in opening(request) else "unmet", reason="Nothing says that it is exact."),)

    async with world(tmp_path, repository, reviewed_by(reviewer), changes=GATE) as story:
        await story.create()
        await story.implement()
        await story.until(done)
        events = [item.event for item in await story.engine.read_events(story.id, 0, story.session().id)]
        (back,) = (event for event in events if type(event).__name__ == "SessionSentBack")
        assert back.cause == "review"
        assert "1.1: Nothing says that it is exact. (calc.py:5)" in back.text
        assert [review.verdicts[0].judgement for review in story.spectask.reviews] == ["unmet", "met"]
        assert story.session().send_backs == 1


async def test_work_that_three_corrections_do_not_make_right_fails_with_the_reviewers_reason(tmp_path, repository):
    def reviewer(_):
        return (judging("unmet", reason="It does not subtract."),)

    async with world(tmp_path, repository, reviewed_by(reviewer), changes=GATE) as story:
        await story.create()
        await story.implement()
        await story.until(lambda spectask: bool(spectask.sessions) and story.session().ended is not None)
        session = story.session()
        assert (session.state, session.send_backs, len(story.spectask.reviews)) == ("failed", 3, 4)
        assert session.reason == "the work did not pass its review after 3 corrections: 1.1: It does not subtract. (calc.py:5)"
        assert story.spectask.tasks["1"].state == "blocked"


async def test_advice_is_told_and_holds_nothing_up(tmp_path, repository):
    def reviewer(_):
        return (judging("unmet"),)

    async with world(tmp_path, repository, reviewed_by(reviewer), changes={"review": ReviewSettings(mode="advice")}) as story:
        await story.create()
        await story.implement()
        await story.until(done)
        assert story.session().send_backs == 0
        assert story.spectask.reviews[0].verdicts[0].judgement == "unmet"


@pytest.mark.parametrize(
    ("said", "reason"),
    [
        (ModelError("refused", "It will not.", retryable=False), "The model call failed: It will not."),
        ((say("It looks fine to me."),), "The agent ended its turn twice without finishing its work or asking for anything."),
    ],
)
async def test_a_reviewer_without_a_verdict_lets_the_work_go_on_and_the_person_is_told(tmp_path, repository, said, reason):
    async with world(tmp_path, repository, reviewed_by(lambda _: said), changes=GATE) as story:
        await story.create()
        await story.implement()
        await story.until(done)
        assert story.spectask.warnings == (f"review-1 gave no verdict on the work of ws-1, which goes by its checks alone: {reason}",)


async def test_a_verdict_that_names_what_is_not_there_is_refused_and_given_again(tmp_path, repository):
    refused = []

    def reviewer(request):
        if replies_before(request):
            refused.append(last_said(request))
        return (
            (judging("met", place="nowhere.py:3"),),
            (use("verdict", verdicts=[], summary=""),),
            (judging("perhaps"),),
            (judging("met"),),
        )[replies_before(request)]

    async with world(tmp_path, repository, reviewed_by(reviewer), changes=GATE) as story:
        await story.create()
        await story.implement()
        await story.until(done)
        assert "There is no file nowhere.py" in refused[0]
        assert "Judge each criterion once: 1.1." in refused[1]
        assert "must be one of" in refused[2]
        assert story.spectask.reviews[0].state == "completed"


async def test_a_person_can_end_a_review_and_the_work_goes_on(tmp_path, repository):
    def reviewer(_):
        return (say("Let me think."), use("read", path="calc.py"))

    async with world(tmp_path, repository, reviewed_by(reviewer), changes=GATE) as story:
        await story.create()
        await story.implement()
        await story.until(lambda spectask: bool(spectask.reviews) and spectask.reviews[0].turn > 0)
        await story.give(c.CancelRun(spectask=story.id, run=story.spectask.reviews[0].id))
        await story.until(done)
        assert story.spectask.reviews[0].state == "cancelled"


async def test_a_reviewer_whose_calls_never_get_through_holds_the_work_up_for_a_time_alone(tmp_path, repository, monkeypatch):
    class Silent(ScriptedModel):
        async def reply(self, request, on_text):
            if request.role == "reviewer":
                await asyncio.Event().wait()
            return await super().reply(request, on_text)

    monkeypatch.setattr(reviewing, "MOST_SECONDS", 0.01)
    model = Silent(story=reviewed_by(lambda _: (judging("met"),)))
    async with world(tmp_path, repository, None, model=model, changes=GATE) as story:
        await story.create()
        await story.implement()
        await story.until(done)
        assert story.spectask.reviews[0].state == "failed"
        assert story.spectask.warnings == (
            "review-1 gave no verdict on the work of ws-1, which goes by its checks alone: it took longer than a review may take.",
        )


async def test_a_session_that_is_cancelled_ends_its_review(tmp_path, repository):
    def reviewer(_):
        return (say("Let me think."), use("read", path="calc.py"))

    async with world(tmp_path, repository, reviewed_by(reviewer), changes=GATE) as story:
        await story.create()
        await story.implement()
        await story.until(lambda spectask: bool(spectask.reviews) and spectask.reviews[0].turn > 0)
        await story.give(c.CancelRun(spectask=story.id, run=story.session().id))
        await story.until(lambda spectask: spectask.reviews[0].ended is not None)
        assert (story.session().state, story.spectask.reviews[0].state) == ("cancelled", "cancelled")


async def test_a_review_that_costs_too_much_ends_and_nobody_is_asked_for_money(tmp_path, repository):
    changes = {"review": ReviewSettings(mode="gate", budget_usd=Decimal("-0.01"))}
    async with world(tmp_path, repository, reviewed_by(lambda _: (judging("met"),)), changes=changes) as story:
        await story.create()
        await story.implement()
        await story.until(done)
        (review,) = story.spectask.reviews
        assert (review.state, review.spend.calls, review.user_set) == ("failed", 0, True)
        assert "its next call could cost" in story.spectask.warnings[0]


async def test_a_quick_task_is_not_reviewed(tmp_path, repository):
    async with world(tmp_path, repository, reviewed_by(lambda _: (judging("unmet"),)), changes=GATE) as story:
        await story.create(flow="quick")
        await story.implement()
        await story.until(done)
        assert story.spectask.reviews == ()


async def test_a_review_goes_on_after_a_restart_and_is_read_back_from_git_without_the_log(tmp_path, repository):
    def looking(_):
        return (use("read", path="calc.py"),)

    def judge(request):
        assert replies_before(request) > 0
        return (judging("met"),)

    async with world(tmp_path, repository, reviewed_by(looking), changes=GATE) as story:
        await story.create()
        await story.implement()
        await story.until(lambda spectask: bool(spectask.reviews) and spectask.reviews[0].turn > 0)
        name = story.id
    async with world(tmp_path, repository, reviewed_by(judge), changes=GATE) as story:
        story.id = name
        await story.until(lambda spectask: done(spectask) and all(run.turn == run.logged_turn for run in all_runs(spectask)))
        before = story.spectask
        assert [(review.id, review.state) for review in before.reviews] == [(f"{name}/review-1", "completed")]
    for file in tmp_path.glob("events.db*"):
        file.unlink()
    async with world(tmp_path, repository, reviewed_by(judge), changes=GATE) as story:
        await story.engine.in_git.rebuild(repository, ADA)
        story.id = name
        told = [(review.id, review.session, review.verdicts, review.turn, review.spend) for review in before.reviews]
        assert told == [(review.id, review.session, review.verdicts, review.turn, review.spend) for review in story.spectask.reviews]


async def test_what_a_later_task_also_brings_is_told_and_sent_back_only_with_the_last_of_them(tmp_path, repository):
    more = GOOD + "\n\ndef mul(a, b):\n    return a * b\n"
    multiplying = (
        (use("read", path="calc.py"),),
        (use("write", path="calc.py", text=more),),
        (use("finish", summary="Added mul."),),
        (use("read", path="calc.py"),),
        (use("edit", path="calc.py", old="    return a * b\n", new="    return a * b  # exact\n"),),
        (use("finish", summary="Corrected mul."),),
    )
    mul = 'python3 -c "import calc; assert calc.mul(3, 2) == 6"'
    others = story_of(plan(task(1, "Add sub", SUB), task(2, "Add mul", mul, depends="1")), {1: WRITING, 2: multiplying})
    asked = []

    def reply_for(request):
        if request.role != "reviewer":
            return others(request)
        asked.append(opening(request))
        return spoken(request, judging("met" if "# exact" in opening(request) else "unmet"))

    async with world(tmp_path, repository, reply_for, changes=GATE) as story:
        await story.create()
        await story.implement()
        await story.until(done)
        assert [review.verdicts[0].judgement for review in story.spectask.reviews] == ["unmet", "unmet", "met"]
        assert (story.session(1).send_backs, story.session(2).send_backs) == (0, 1)
    assert ["Another task brings a part of it" in text for text in asked] == [True, False, False]


def test_the_defect_of_a_bug_report_is_asked_for_as_what_must_no_longer_happen():
    report = render_bugfix(
        "Bug", "Why.", BugText(current=("The parser raises IndexError.",), expected=("It returns a list.",), unchanged=("It reads.",))
    )
    spectask = implementing().spectask
    spectask = replace(spectask, versions=(replace(spectask.versions[-1], contents={"bugfix": report}),))
    found = {
        "1.1": "What is wrong now, and must no longer happen: The parser raises IndexError.",
        "2.1": "It returns a list.",
    }
    assert criteria_of(spectask, ("1.1", "2.1")) == found
    assert criteria_of(spectask, ("1", "2.1")) == found
