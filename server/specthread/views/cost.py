"""What was spent, as people ask for it: call by call, by role, and by requirement."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from specthread.domain import events as e
from specthread.domain.family import short, task_of
from specthread.domain.model import SpecTask
from specthread.domain.run import Spend
from specthread.domain.runs import all_runs
from specthread.domain.usage import Usage

SPLIT = "What a task cost is split evenly over the requirements it names; what names none, as planning, stands by itself."
_MILLIONTH = Decimal("0.000001")


@dataclass(frozen=True, slots=True, kw_only=True)
class CallCost:
    """One attempt of a model call: when it ended, what it used, what it cost and by which prices; `fault` says why it broke, `usd` None that nobody knows."""

    run: str
    call: int
    turn: int
    time: datetime
    model: str
    request_id: str
    usage: Usage
    usd: Decimal | None
    price_version: str
    cached: bool
    fault: str


def calls_of(envelopes: Iterable[e.Envelope]) -> tuple[CallCost, ...]:
    """Returns the calls that ended, in the order in which they did."""
    return tuple(_call(each, each.event) for each in envelopes if isinstance(each.event, e.CallFinished | e.CallLost))


def _call(envelope: e.Envelope, event: e.CallFinished | e.CallLost) -> CallCost:
    if isinstance(event, e.CallFinished):
        usage, cached, fault = event.usage or Usage(input=event.input_tokens, output=event.output_tokens), event.cached, ""
    else:
        usage, cached, fault = event.usage or Usage(), False, event.reason
    return CallCost(
        run=short(event.run),
        call=event.call,
        turn=event.turn,
        time=envelope.time,
        model=event.model,
        request_id=event.request_id,
        usage=usage,
        usd=event.cost_usd,
        price_version=event.price_version,
        cached=cached,
        fault=fault,
    )


def by_role(spectasks: Sequence[SpecTask]) -> dict[str, Spend]:
    """Returns what the runs of each role spent, by its name."""
    found: dict[str, Spend] = {}
    for run in (run for spectask in spectasks for run in all_runs(spectask)):
        found[run.role] = found.get(run.role, Spend()) + run.spend
    return dict(sorted(found.items()))


def by_requirement(spectask: SpecTask) -> dict[str, Decimal]:
    """Returns the dollars that each requirement cost, by what tasks call it, and under an empty name what was spent for none of them."""
    found: dict[str, Decimal] = {}
    for run in all_runs(spectask):
        task = spectask.tasks.get(task_of(spectask, run))
        names = (task.plan.requires if task else ()) or ("",)
        for name in names:
            found[name] = found.get(name, Decimal(0)) + run.spend.cost_usd / len(names)
    rounded = {name: usd.quantize(_MILLIONTH).normalize() + Decimal(0) for name, usd in found.items() if usd}
    return dict(sorted(rounded.items(), key=lambda pair: (pair[0] == "", _order(pair[0]))))


def _order(name: str) -> tuple[tuple[int, str], ...]:
    return tuple((int(part) if part.isdigit() else 0, part) for part in name.split("."))


def cost_section(spectask: SpecTask) -> str:
    """Returns the section of the report; empty where nothing was spent."""
    requirements = by_requirement(spectask)
    if not requirements:
        return ""
    rows = [f"| {name or '(none)'} | ${usd:.4f} |" for name, usd in requirements.items()]
    roles = [
        f"| {role} | {spend.calls} | {spend.input_tokens} | {spend.cache_read} | {spend.output_tokens} | ${spend.cost_usd:.4f} |"
        for role, spend in by_role((spectask,)).items()
    ]
    table = ["| Role | Calls | Tokens in | of these from the cache | Tokens out | Cost |", "|---|---|---|---|---|---|", *roles]
    note = f"{SPLIT} Prices are those of a public list and not those of your bill."
    return "\n".join(["## Cost", "", *table, "", "| Requirement | Cost |", "|---|---|", *rows, "", note])
