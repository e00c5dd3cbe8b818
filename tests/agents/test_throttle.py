"""The gate with its throttle and its breaker under any order of events; time is a number that the test moves."""

import asyncio
from datetime import UTC, datetime
from math import inf

from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from specthread.agents.breaker import Breaker
from specthread.agents.provider import Provider
from specthread.agents.retry import LONGEST_ASKED
from specthread.agents.throttle import Throttle

NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)
ASKED = st.none() | st.floats(0, 10_000)


class WatchedThrottle(Throttle):
    def begin(self):
        assert self.in_flight < self.limit, "a call left beyond the limit"
        return Throttle.begin(self)


class WatchedBreaker(Breaker):
    def begin(self):
        assert self.state != "half-open", "a second call left while one tries"
        return Breaker.begin(self)


class AnyOrder(RuleBasedStateMachine):
    """Runs come, are answered, refused, fail and are stopped in any order, while time passes."""

    @initialize(most=st.integers(1, 8), failures=st.integers(1, 4))
    def begin(self, most, failures):
        self.loop = asyncio.new_event_loop()
        self.now = 0.0
        self.sleepers = []
        self.waiting = {}
        self.under_way = []
        self.runs = 0
        throttle, breaker = WatchedThrottle(most=most), WatchedBreaker(failures=failures, first=10, longest=60)
        self.gate = Provider(throttle=throttle, breaker=breaker, clock=lambda: self.now, sleep=self.sleep)

    async def sleep(self, seconds):
        done = self.loop.create_future()
        self.sleepers.append((self.now + seconds, done))
        await done

    def settle(self):
        """Lets everybody go on who can, and notes who came through: the lowest numbers first."""
        for _ in range(8 + 4 * len(self.waiting)):
            for at, done in self.sleepers:
                if at <= self.now and not done.done():
                    done.set_result(None)
            self.sleepers = [(at, done) for at, done in self.sleepers if not done.done()]
            self.loop.run_until_complete(asyncio.sleep(0))
        through = [run for run, task in self.waiting.items() if task.done() and not task.cancelled()]
        numbers = self.gate._number_of
        left = [numbers[run] for run in self.waiting if run not in through]
        assert not through or not left or max(numbers[run] for run in through) < min(left), "somebody was overtaken"
        self.under_way += [self.waiting.pop(run).result() for run in through]

    def ask(self, run):
        self.waiting[run] = self.loop.create_task(self.gate.enter(run))
        self.settle()

    @rule()
    def comes(self):
        self.runs += 1
        self.ask(f"x-1/ws-{self.runs}")

    @rule(seconds=st.floats(0, 100))
    def passes(self, seconds):
        self.now += seconds
        self.settle()

    def ends(self, place, tell):
        tell(place)
        place.leave()
        place.leave()
        self.settle()

    @precondition(lambda self: self.under_way)
    @rule(data=st.data())
    def is_answered(self, data):
        self.ends(self.under_way.pop(data.draw(st.integers(0, len(self.under_way) - 1))), lambda place: place.answered())

    @precondition(lambda self: self.under_way)
    @rule(data=st.data(), asked=ASKED)
    def is_refused(self, data, asked):
        place = self.under_way.pop(data.draw(st.integers(0, len(self.under_way) - 1)))
        throttle, before = self.gate.throttle, self.gate.throttle.limit
        under_way = throttle.in_flight
        present = place.epoch == throttle._epoch
        self.ends(place, lambda place: place.refused("overloaded", asked))
        assert throttle.limit == (max(1, min(before, under_way) // 2) if present else before)
        self.ask(place.run)

    @precondition(lambda self: self.under_way)
    @rule(data=st.data())
    def fails(self, data):
        place = self.under_way.pop(data.draw(st.integers(0, len(self.under_way) - 1)))
        self.ends(place, lambda place: place.failed("down"))
        self.ask(place.run)

    @precondition(lambda self: self.under_way)
    @rule(data=st.data())
    def is_stopped(self, data):
        place = self.under_way.pop(data.draw(st.integers(0, len(self.under_way) - 1)))
        self.ends(place, lambda _: None)

    @precondition(lambda self: self.waiting)
    @rule(data=st.data())
    def is_stopped_while_it_waits(self, data):
        task = self.waiting.pop(data.draw(st.sampled_from(sorted(self.waiting))))
        task.cancel()
        self.settle()
        assert task.cancelled()

    @invariant()
    def counts_are_true(self):
        throttle = self.gate.throttle
        assert 1 <= throttle.limit <= throttle.most
        assert throttle.in_flight == len(self.under_way)
        assert sorted(self.gate.state(NOON).waiting) == sorted(self.waiting)

    @invariant()
    def nobody_waits_without_a_reason(self):
        if self.waiting and not self.under_way:
            seconds = max(self.gate.throttle.wait(self.now), self.gate.breaker.wait(self.now))
            assert 0 < seconds <= LONGEST_ASKED, "nobody is under way and nobody knows when it goes on"

    def teardown(self):
        if not hasattr(self, "gate"):
            return
        try:
            self.all_go_on()
        finally:
            for task in self.waiting.values():
                task.cancel()
            self.settle()
            self.loop.close()

    def all_go_on(self):
        """From wherever it stands: once the world answers again, everybody gets through, and the limit is back."""
        for _ in range(200):
            if not self.waiting and not self.under_way:
                break
            for place in tuple(self.under_way):
                self.under_way.remove(place)
                self.ends(place, lambda place: place.answered())
            self.now += LONGEST_ASKED
            self.settle()
        assert not self.waiting, "somebody starved"
        self.now += LONGEST_ASKED
        for _ in range(100):
            self.comes()
            self.ends(self.under_way.pop(), lambda place: place.answered())
        assert self.gate.throttle.limit == self.gate.throttle.most


TestAnyOrder = AnyOrder.TestCase
TestAnyOrder.settings = settings(max_examples=60, stateful_step_count=40, deadline=None)


@given(st.integers(1, 1000), st.integers(1, 1000))
def test_a_crowd_of_refusals_halves_the_limit_once(most, crowd):
    throttle = Throttle(most=most)
    epochs = [throttle.begin() for _ in range(min(most, crowd))]
    for epoch in epochs:
        throttle.refused(epoch, 0.0, "overloaded")
        throttle.end()
    assert throttle.limit == max(1, len(epochs) // 2)


def test_the_limit_grows_by_one_for_each_round_of_answers():
    throttle = Throttle(most=6)
    for epoch in [throttle.begin() for _ in range(6)]:
        throttle.refused(epoch, 0.0, "overloaded")
        throttle.end()
    limits = []
    for _ in range(3 + 4 + 5):
        throttle.answered(throttle.begin())
        throttle.end()
        limits.append(throttle.limit)
    assert limits == [3, 3, 4, 4, 4, 4, 5, 5, 5, 5, 5, 6]


def test_one_that_asks_for_too_little_again_and_again_is_left_alone_for_longer():
    throttle, now, waits = Throttle(most=6), 0.0, []
    for _ in range(9):
        epoch = throttle.begin()
        throttle.refused(epoch, now, "overloaded", 0.0)
        throttle.end()
        waits.append(throttle.wait(now))
        now += waits[-1]
    assert waits == [0.0, 2.0, 4.0, 8.0, 16.0, 32.0, 60.0, 60.0, 60.0]


def test_answers_and_refusals_of_calls_from_before_a_halving_change_nothing():
    throttle = Throttle(most=8)
    epochs = [throttle.begin() for _ in range(8)]
    throttle.refused(epochs[0], 0.0, "overloaded", 5.0)
    for epoch in epochs[1:]:
        throttle.answered(epoch)
        throttle.refused(epoch, 1.0, "overloaded")
    assert (throttle.limit, throttle.wait(1.0)) == (4, 4.0)


def test_a_full_provider_is_waited_for_without_a_clock():
    throttle = Throttle(most=1)
    throttle.begin()
    assert throttle.wait(0.0) == inf
