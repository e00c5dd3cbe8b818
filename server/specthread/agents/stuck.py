"""When an agent is stuck: one table of rules, each with what it counts, when the agent is told, and when its run ends.

All of it is counted from the journal, so that a restart changes no count. Whatever somebody says to the agent begins every count anew.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Final, TypeAlias

from specthread.agents.backend import Turn
from specthread.agents.compaction import OVERFLOW, calls_of

RESENT = frozenset({"max_tokens", OVERFLOW, "refusal"})
"""Stop reasons whose reply is dropped: it is cut or empty, and the next call asks for it anew."""
INTERRUPTED = "This call was interrupted; it is not known whether it took effect. Check the state before you repeat it."


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """Is one way of being stuck: `counts` gives a number per turn; from `nudge` on the agent is told, at `end` the run ends for a `reason`."""

    counts: Callable[[Sequence[Turn]], list[int]]
    nudge: int
    end: int
    told: str
    reason: str
    is_for_writers: bool = False
    """It holds only for agents that can change files."""


def nudges(turns: Sequence[Turn], *, writes: bool) -> list[tuple[str, ...]]:
    """Returns, for each turn, what its agent is told after it."""
    acted = _acted(turns)
    found: dict[int, tuple[str, ...]] = {}
    for rule in _rules(writes=writes):
        for turn, count in zip(acted, rule.counts(acted), strict=True):
            if count >= rule.nudge:
                found[turn.number] = (*found.get(turn.number, ()), rule.told)
    return [found.get(turn.number, ()) for turn in turns]


def reason_stuck(turns: Sequence[Turn], *, writes: bool) -> str | None:
    """Returns in a sentence why the run is stuck after its last turn, or None; who was just told something is not."""
    acted = _acted(turns)
    if not acted or acted[-1].follow_up:
        return None
    return next((rule.reason for rule in _rules(writes=writes) if rule.counts(acted)[-1] >= rule.end), None)


def is_idle(turn: Turn) -> bool:
    """Tells whether the model ended its turn by itself without using a tool."""
    if turn.reply is None or turn.reply.stop_reason in RESENT or turn.reply.stop_reason == "pause_turn":
        return False
    return turn.reply.stop_reason != "tool_use" or not calls_of(turn)


def _rules(*, writes: bool) -> tuple[Rule, ...]:
    return tuple(rule for rule in RULES if writes or not rule.is_for_writers)


def _acted(turns: Sequence[Turn]) -> list[Turn]:
    """Returns the turns in which the agent worked; of those in which it summed up only what was said meanwhile is left."""
    return [replace(turn, reply=None) if turn.sums_up else turn for turn in turns if not turn.sums_up or turn.follow_up]


# --- what is counted ------------------------------------------------------------------------------------------------------


_Did: TypeAlias = tuple[object, ...]
"""A call: its tool, what it was given, and what came of it."""


def _done(turn: Turn) -> tuple[_Did, ...]:
    results = {result.tool_use_id: result.content for result in turn.results}
    return tuple((call.name, call.input, results.get(call.id)) for call in calls_of(turn))


def repeats(turns: Sequence[Turn]) -> list[int]:
    """Counts the turns in a row whose calls were all the same, with the same result; equal calls in one reply count once, as nobody has told the agent yet."""
    counts: list[int] = []
    last: _Did = ()
    run = 0
    for turn in turns:
        if done := _done(turn):
            run = run + 1 if all(did == last for did in done) else 1
            last = done[-1]
        counts.append(run if done else 0)
        if turn.follow_up:
            last, run = (), 0
    return counts


def same_errors(turns: Sequence[Turn]) -> list[int]:
    """Counts the turns in a row in which everything failed and the last call was the same with the same error; a restart's interruptions are nobody's fault."""
    counts: list[int] = []
    last: _Did = ()
    run = 0
    for turn in turns:
        calls = {call.id for call in calls_of(turn)}
        results = [result for result in turn.results if result.tool_use_id in calls]
        if not results:
            counts.append(0)
        elif all(result.is_error and result.content != INTERRUPTED for result in results):
            error = next(did for did in reversed(_done(turn)) if did[2] is not None)
            last, run = error, run + 1 if error == last else 1
            counts.append(run)
        else:
            last, run = (), 0
            counts.append(0)
        if turn.follow_up:
            last, run = (), 0
    return counts


def alternations(turns: Sequence[Turn]) -> list[int]:
    """Counts the turns in a row that take turns with one other, call for call and result for result."""
    counts: list[int] = []
    before: tuple[_Did, ...] = ()
    last: tuple[_Did, ...] = ()
    run = 0
    for turn in turns:
        did = _done(turn)
        if not did or did == last:
            run = 1 if did else 0
        else:
            run = run + 1 if run > 1 and did == before else 2 if last else 1
        before, last = ((), ()) if turn.follow_up else (last, did)
        counts.append(run)
        run = 0 if turn.follow_up else run
    return counts


def unchanged(turns: Sequence[Turn]) -> list[int]:
    """Counts the turns in a row after which the files were as before; a result of which that is not known counts as a change."""
    counts: list[int] = []
    run = 0
    for turn in turns:
        if turn.results:
            run = run + 1 if all(result.changed is False for result in turn.results) else 0
        counts.append(run)
        run = 0 if turn.follow_up else run
    return counts


def idle(turns: Sequence[Turn]) -> list[int]:
    """Counts the turns in a row that used no tool, to which nobody has said anything."""
    counts: list[int] = []
    run = 0
    for turn in turns:
        run = run + 1 if is_idle(turn) and not turn.follow_up else 0
        counts.append(run)
    return counts


def _otherwise(what: str) -> str:
    return f"{what} Repeating it will not help. Try something else, or call `ask` and say what is in the way."


RULES: Final = (
    Rule(
        counts=repeats,
        nudge=3,
        end=5,
        told=_otherwise("You have made the same call with the same result several times in a row."),
        reason="The agent made the same call 5 times in a row with the same result.",
    ),
    Rule(
        counts=same_errors,
        nudge=2,
        end=3,
        told=_otherwise("You have got the same error again."),
        reason="The agent got the same error 3 times in a row.",
    ),
    Rule(
        counts=alternations,
        nudge=4,
        end=6,
        told=_otherwise("You go back and forth between the same two steps, with the same results."),
        reason="The agent went back and forth between the same two steps 6 times.",
    ),
    Rule(
        counts=unchanged,
        nudge=10,
        end=15,
        told="You have changed no file for 10 turns. If you know enough, make the change now. If something is in the way, call `ask`; if the work is done, call `finish`.",
        reason="The agent changed no file for 15 turns.",
        is_for_writers=True,
    ),
    Rule(
        counts=idle,
        nudge=1,
        end=2,
        told=(
            "Your turn ended without a tool call. If the work is done, call `finish` with a summary. If something is in the way, call `ask`. "
            "Otherwise go on with the work."
        ),
        reason="The agent ended its turn twice without finishing its work or asking for anything.",
    ),
)
