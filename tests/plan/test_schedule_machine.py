"""Whatever happens in whatever order: the scheduler breaks no rule, and everything that can end does."""

from __future__ import annotations

from dataclasses import replace

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from specthread.domain import commands as c
from specthread.domain import events as e
from specthread.domain import reports
from specthread.domain.completion import is_over, needed_tasks
from specthread.domain.condition import Condition
from specthread.domain.decide import decide
from specthread.domain.family import live_children, short
from specthread.domain.ids import Oid, SpecTaskId, TaskNumber
from specthread.domain.messages import open_questions
from specthread.domain.model import ENDED_TASK_STATES, Actor, Refusal
from specthread.domain.names import spectask_of
from specthread.domain.readiness import holds, is_to_begin, uses_of
from specthread.domain.run import WORKING_RUN_STATES
from specthread.domain.run_options import RunOptions
from specthread.plan.capacity import Capacity
from specthread.plan.schedule import ready
from specthread.plan.waiting import why_task_waiting, why_waiting
from support.simulation import ADA, GREEN, Simulation, planned

ROLES = ("backend", "tester", "writer")
CAPACITY = Capacity(sessions=5, roles={"tester": 1, "writer": 2}, agents={"demo": 4}, resources={"api:x": 2})
OPTIONS = st.builds(
    RunOptions,
    mode=st.sampled_from(["parallel", "parallel", "sequential"]),
    priority=st.sampled_from(["low", "normal", "high"]),
    roles=st.sampled_from([(), (), (), ("backend", "tester")]),
    interactive=st.sampled_from([False, False, True]),
    fail_fast=st.booleans(),
)


@st.composite
def plans(draw):
    """Draws up to eight tasks that wait for, or depend on the end of, earlier ones."""
    tasks = []
    for number in range(1, draw(st.integers(1, 8)) + 1):
        earlier = [str(before) for before in range(1, number)]
        named = draw(st.sampled_from(["", "", *earlier])) if earlier else ""
        outcome = draw(st.sampled_from(["failed", "merged", "skipped"]))
        conditions = (Condition(task=named, outcome=outcome, leaves=(TaskNumber(named),)),) if named else ()
        depends = draw(st.lists(st.sampled_from(earlier), unique=True, max_size=3)) if earlier else []
        tasks.append(
            planned(
                str(number),
                *(each for each in depends if each != named),
                role=draw(st.sampled_from(ROLES)),
                files=draw(st.sampled_from([(), ("src/a.py",), ("src/",), ("docs/**",)])),
                uses=draw(
                    st.sampled_from(
                        [
                            (),
                            (),
                            ("database:test",),
                            ("database:test (shared)", "api:x"),
                            ("api:x (shared)",),
                            ("api:x (shared)", "database:test"),
                        ]
                    )
                ),
                optional=draw(st.sampled_from([False, False, True])),
                conditions=conditions,
            )
        )
    return tasks


class Scheduling(RuleBasedStateMachine):
    """People, agents and the scheduler in any order."""

    def __init__(self) -> None:
        super().__init__()
        self.world = Simulation(CAPACITY)
        self.world.judges.append(self.judge_places)
        self.calls = 0

    def spectasks(self, *states):
        return [spectask for spectask in self.world.state.spectasks.values() if spectask.state in states]

    def sessions(self, *states):
        return sorted(
            session.id
            for spectask in self.world.state.spectasks.values()
            if spectask.state not in ENDED_TASK_STATES and not spectask.paused
            for session in spectask.sessions.values()
            if session.state in states
        )

    @rule(plan=plans(), options=OPTIONS, places=st.integers(1, 3), stop=st.sampled_from([50, 50, 1]))
    def ask_for(self, plan, options, places, stop):
        if len(self.world.state.spectasks) < 6:
            self.world.add(f"spec-{len(self.world.state.spectasks)}", plan, options=options, max_parallel=places, stop_usd=stop)

    @rule(seconds=st.sampled_from([1, 60, 3600, -30]))
    def time_passes(self, seconds):
        self.world.seconds += seconds

    @rule()
    def schedule(self):
        made_anew = ready(self.world.state, CAPACITY, self.world.now)
        commands = self.world.queue.take(CAPACITY, self.world.now)
        assert sorted(map(str, commands)) == sorted(map(str, made_anew))
        assert self.world.queue.take(CAPACITY, self.world.now) == ()
        for command in commands:
            self.judge(command)
            self.world.give(command)

    def judge(self, command):
        spectask = self.world.state.spectasks[command.spectask]
        if not isinstance(command, reports.StartSession | reports.PassOverTask):
            assert not spectask.paused
            assert spectask.sessions[command.session].state == "pending"
            return
        task = spectask.tasks[command.task]
        assert spectask.state == "implementing"
        assert not spectask.paused
        assert task.state == "open"
        if isinstance(command, reports.PassOverTask):
            assert any(holds(spectask, each) is False for each in task.plan.conditions)
            return
        assert all(spectask.tasks[before].state in {"merged", "skipped"} for before in task.plan.depends)
        assert all(holds(spectask, each) for each in task.plan.conditions)
        assert command.task in needed_tasks(spectask)
        assert not spectask.options.roles or task.plan.role in spectask.options.roles
        assert not spectask.options.interactive or command.task in spectask.allowed
        assert not (spectask.options.fail_fast and any(each.state == "blocked" for each in spectask.tasks.values()))
        cost = sum(session.spend.cost_usd for session in spectask.sessions.values())
        assert not 0 < cost >= spectask.limits.stop_usd
        working = sum(session.state in WORKING_RUN_STATES for session in spectask.sessions.values())
        alive = sum(session.ended is None for session in spectask.sessions.values())
        assert alive == 0 if spectask.options.mode == "sequential" else working < spectask.limits.max_parallel

    def judge_places(self):
        """Whatever just happened: no limit is passed, in no SpecTask and not over all of them."""
        going = [each for each in self.world.state.spectasks.values() if each.state not in ENDED_TASK_STATES and not each.paused]
        working = [run for each in going for run in each.sessions.values() if run.state in WORKING_RUN_STATES]
        for each in going:
            at_work = sum(run.state in WORKING_RUN_STATES for run in each.sessions.values())
            assert at_work <= (1 if each.options.mode == "sequential" else each.limits.max_parallel)
        assert len(working) <= CAPACITY.sessions
        assert all(sum(run.role == role for run in working) <= most for role, most in CAPACITY.roles.items())
        assert sum(run.agent == "demo" for run in working) <= CAPACITY.agents["demo"]

    @precondition(lambda self: self.sessions("starting", "running", "interrupted"))
    @rule(data=st.data())
    def an_agent_works(self, data):
        run = data.draw(st.sampled_from(self.sessions("starting", "running", "interrupted")))
        if self.world.lacking(run):
            return
        acts = [self.merge, self.merge, self.world.fail, lambda run: self.world.spend(run, "0.6"), self.cancel_run]
        acts += [self.ask, self.ask, self.spawn, self.spawn, self.rest, self.ask_another, self.claim]
        data.draw(st.sampled_from(acts))(run)
        self.world.settle()

    def merge(self, run):
        if not live_children(self.world.spectask(spectask_of(run)), run):
            self.world.merge(run)

    def claim(self, run):
        if not live_children(self.world.spectask(spectask_of(run)), run):
            self.world.give(reports.ClaimSession(spectask=spectask_of(run), session=run, summary="Done."))

    def ask(self, run):
        self.world.give(reports.AskQuestion(spectask=spectask_of(run), run=run, question=self.call(), kind="question", text="Which?"))

    def spawn(self, run):
        self.perhaps(c.SpawnSession(spectask=spectask_of(run), parent=run, work="Help", role="tester", call=self.call()), run)

    def rest(self, run):
        self.perhaps(reports.AwaitSessions(spectask=spectask_of(run), run=run, call=self.call()), run)

    def ask_another(self, run):
        others = sorted(each.id for each in self.world.spectask(spectask_of(run)).sessions.values() if each.id != run and not each.ended)
        if others:
            asked = reports.SendMessage(
                spectask=spectask_of(run), run=run, kind="question", to=(short(others[0]),), text="What is its name?", call=self.call()
            )
            self.perhaps(asked, run)
            self.rest(run)

    def perhaps(self, command, run):
        """Gives a command of an agent that may be refused."""
        self.perhaps_by(Actor(kind="session", name=run), command)

    def call(self):
        self.calls += 1
        return f"c{self.calls}"

    @precondition(lambda self: self.sessions("verifying"))
    @rule(data=st.data(), outcome=st.sampled_from(["red", "cannot-run", "verified"]))
    def a_check_ends(self, data, outcome):
        run = data.draw(st.sampled_from(self.sessions("verifying")))
        claim = self.world.spectask(spectask_of(run)).sessions[run].claims
        found = replace(GREEN, outcome=outcome)
        self.world.give(reports.FinishCheck(spectask=spectask_of(run), session=run, claim=claim, verification=found, text="It is red."))

    @precondition(lambda self: self.sessions("merging"))
    @rule(data=st.data())
    def git_merges(self, data):
        run = data.draw(st.sampled_from(self.sessions("merging")))
        self.world.give(reports.FinishMerge(spectask=spectask_of(run), session=run, feature=Oid(f"f{self.world.state.sequence}")))
        self.world.settle()

    @rule()
    def the_daemon_dies_and_comes_again(self):
        self.world.restart()

    @precondition(lambda self: self.sessions("waiting"))
    @rule(data=st.data())
    def a_human_answers(self, data):
        self.answer(data.draw(st.sampled_from(self.sessions("waiting"))))

    def answer(self, run):
        session = self.world.spectask(spectask_of(run)).sessions[run]
        if session.question is None and not open_questions(self.world.spectask(spectask_of(run)), of=run):
            return
        answer = "90000" if session.question and session.question.kind == "budget" else "Yes."
        self.world.give(c.AnswerQuestion(spectask=spectask_of(run), run=run, question="", answer=answer), ADA)
        self.world.settle()

    @rule(data=st.data())
    def a_human_pauses_a_session_or_lets_it_go_on(self, data):
        paused, going = self.sessions("paused"), self.sessions("pending", "waiting", *WORKING_RUN_STATES)
        if not paused and not going:
            return
        run = data.draw(st.sampled_from([*paused, *going]))
        kind = c.ResumeRun if run in paused else c.PauseRun
        self.world.give(kind(spectask=spectask_of(run), run=run), ADA)
        self.world.settle()

    @rule(data=st.data())
    def a_human_tries_again_what_failed(self, data):
        stopped = self.sessions("failed", "cancelled")
        if stopped:
            run = data.draw(st.sampled_from(stopped))
            self.perhaps_by(ADA, c.RetryRun(spectask=spectask_of(run), run=run))
            self.world.settle()

    def perhaps_by(self, actor, command):
        decision = decide(self.world.state, command, actor)
        if not isinstance(decision, Refusal):
            self.world.record(command.spectask, decision, actor)

    def cancel_run(self, run):
        self.world.give(c.CancelRun(spectask=spectask_of(run), run=run), ADA)

    @precondition(lambda self: self.sessions("starting", "running"))
    @rule()
    def sessions_ask_for_what_they_use(self):
        for run in self.sessions("starting", "running"):
            self.world.take_up(run)
        self.world.grant()

    @precondition(lambda self: any(lock.held for lock in self.world.state.locks.values()))
    @rule(data=st.data())
    def a_resource_is_given_back(self, data):
        every = [(name, held.run) for (_, name), lock in self.world.state.locks.items() for held in lock.held]
        resource, run = data.draw(st.sampled_from(sorted(every)))
        spectask = SpecTaskId(run.partition("/")[0])
        if data.draw(st.booleans()):
            self.world.give(c.TakeBackLock(spectask=spectask, run=run, resource=resource), ADA)
        else:
            self.world.give(reports.ReleaseLock(spectask=spectask, run=run, resource=resource))
        self.world.grant()

    @invariant()
    def nobody_has_what_another_has_alone_and_no_more_share_it_than_may(self):
        for (_, name), lock in self.world.state.locks.items():
            modes = [held.mode for held in lock.held]
            assert modes == ["exclusive"] or set(modes) <= {"shared"}
            assert len(modes) <= CAPACITY.resources.get(name, len(modes))

    @invariant()
    def what_is_over_has_nothing_and_stands_in_no_line(self):
        for lock in self.world.state.locks.values():
            for each in (*lock.held, *lock.waiting):
                spectask = self.world.spectask(each.run.partition("/")[0])
                assert spectask.state not in ENDED_TASK_STATES
                assert spectask.sessions[each.run].ended is None

    @invariant()
    def tasks_of_a_spectask_are_at_work_together_only_where_their_resources_allow_it(self):
        for spectask in self.world.state.spectasks.values():
            alive = [
                session
                for session in spectask.sessions.values()
                if session.ended is None and session.task in spectask.tasks and not is_to_begin(session)
            ]
            uses = [
                (name, mode)
                for session in alive
                for name, mode in uses_of(spectask.tasks[session.task]).items()
                if name not in session.without
            ]
            for name, mode in uses:
                assert mode == "shared" or sum(other == name for other, _ in uses) == 1

    @precondition(lambda self: self.spectasks("implementing"))
    @rule(data=st.data(), seconds=st.integers(0, 100))
    def a_human_decides(self, data, seconds):
        self.world.seconds += seconds
        spectask = data.draw(st.sampled_from(self.spectasks("implementing")))
        number = data.draw(st.sampled_from(sorted(spectask.tasks)))
        task = spectask.tasks[number]
        move = data.draw(st.sampled_from(["allow", "allow", "skip", "retry", "pause", "cancel"]))
        if move == "allow":
            self.world.record(spectask.id, [e.TaskAllowed(task=number, person="Ada")], ADA)
        elif move == "skip" and task.state in {"open", "blocked"}:
            self.world.give(c.SkipTask(spectask=spectask.id, task=number), ADA)
        elif move == "retry" and task.state == "blocked":
            self.world.give(c.RetryRun(spectask=spectask.id, run=task.session), ADA)
        elif move == "pause":
            self.world.give(c.ResumeSpecTask(spectask=spectask.id) if spectask.paused else c.PauseSpecTask(spectask=spectask.id), ADA)
        elif move == "cancel":
            self.world.give(c.CancelSpecTask(spectask=spectask.id), ADA)

    @precondition(lambda self: self.spectasks("cancelled"))
    @rule(data=st.data())
    def a_human_takes_it_up_again(self, data):
        spectask = data.draw(st.sampled_from(self.spectasks("cancelled")))
        self.world.give(c.ResumeSpecTask(spectask=spectask.id), ADA)

    @rule()
    def everything_says_in_one_sentence_what_it_waits_for(self):
        crowd = self.world.queue.crowd(CAPACITY)
        for spectask in self.world.state.spectasks.values():
            sentences = [why_waiting(self.world.state, spectask.id, crowd)]
            sentences += [why_task_waiting(spectask, number, crowd) for number in spectask.tasks]
            assert all(sentence.strip() and "\n" not in sentence for sentence in sentences)

    def teardown(self):
        """Every plan that can end does: what people hold back is let go, and every session is merged."""
        world = self.world
        world.seconds += 1_000  # from now on what the first in line need is kept
        for spectask in list(world.state.spectasks.values()):
            if spectask.state == "cancelled" or spectask.paused:
                world.give(c.ResumeSpecTask(spectask=spectask.id), ADA)
            if world.spectask(spectask.id).paused:
                world.give(c.ResumeSpecTask(spectask=spectask.id), ADA)
            limits = spectask.limits.__class__(max_parallel=spectask.limits.max_parallel)
            world.record(spectask.id, [e.ImplementationStarted(person="Ada", limits=limits, options=RunOptions())], ADA)
        for _ in range(500):
            world.schedule()
            blocked = [
                (each.id, number)
                for each in world.state.spectasks.values()
                for number, task in each.tasks.items()
                if task.state == "blocked"
            ]
            for spectask, number in blocked:
                world.give(c.SkipTask(spectask=spectask, task=number), ADA)
            busy = blocked or self.sessions("paused", "waiting", "pending", *WORKING_RUN_STATES)
            self.let_all_go_on()
            if not busy:
                break
        for spectask in world.state.spectasks.values():
            needed = needed_tasks(spectask)
            assert all(is_over(spectask.tasks[number]) for number in needed), world.states(spectask.id)

    def let_all_go_on(self):
        for run in self.sessions("paused"):
            self.world.give(c.ResumeRun(spectask=spectask_of(run), run=run), ADA)
        for run in self.sessions("waiting"):
            self.answer(run)
        working = self.sessions(*WORKING_RUN_STATES)
        acting = self.sessions("starting", "running", "interrupted")
        for run in acting:
            self.world.take_up(run)
        self.world.grant()
        for run in working:
            if run not in acting or not self.world.lacking(run):
                self.finish(run)
        self.world.settle()

    def finish(self, run):
        """Carries a session from wherever it is to its merge; one whose children work has them end first."""
        spectask = spectask_of(run)
        for child in live_children(self.world.spectask(spectask), run):
            self.cancel_run(child.id)
        session = self.world.spectask(spectask).sessions[run]
        if session.state in {"verifying", "merging"}:
            if session.state == "verifying":
                green = reports.FinishCheck(spectask=spectask, session=run, claim=session.claims, verification=GREEN, text="")
                self.world.give(green)
            self.world.give(reports.FinishMerge(spectask=spectask, session=run, feature=Oid(f"f{self.world.state.sequence}")))
        elif not session.ended:
            self.world.merge(run)


TestScheduling = Scheduling.TestCase
TestScheduling.settings = settings(max_examples=60, stateful_step_count=50, deadline=None, suppress_health_check=list(HealthCheck))
