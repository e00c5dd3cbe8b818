"""What `cost` looks like in a terminal."""

from __future__ import annotations

from rich.console import Group, RenderableType
from rich.text import Text

from specthread.cli.outcome import clean
from specthread.cli.pages import table
from specthread.cli.screen import money
from specthread.protocol.wire_result import CallCost, CostResult
from specthread.protocol.wire_view import SpendView


def cost_page(result: CostResult) -> RenderableType:
    """Returns what each run spent and the sum, then by role and by requirement, and each call where that was asked for."""
    made = table("SpecTask", "Run", "Task", "Role", "Agent", "Calls", "In", "Cached", "Out", "Cost")
    for row in result.runs:
        made.add_row(row.spectask, row.run, row.task, row.role, row.agent, *_sums(row.spend))
    made.add_section()
    made.add_row(Text("total", style="bold"), "", "", "", "", *_sums(result.total))
    parts: list[RenderableType] = [made]
    if len(result.roles) > 1:
        roles = table("Role", "Calls", "In", "Cached", "Out", "Cost")
        for each in result.roles:
            roles.add_row(each.role, *_sums(each.spend))
        parts += ["", roles]
    if result.requirements:
        requirements = table("Requirement", "Cost")
        for share in result.requirements:
            requirements.add_row(clean(share.requirement) or "(none)", f"${share.cost_usd:.4f}")
        parts += ["", requirements, Text(result.note, style="bright_black")]
    return Group(*parts, *_calls(result.calls))


def _sums(spend: SpendView) -> tuple[str, ...]:
    tokens = (f"{spend.input_tokens:,}", f"{spend.cache_read:,}", f"{spend.output_tokens:,}")
    return (str(spend.calls), *tokens, money(spend.cost_usd, spend.unknown_calls))


def _calls(calls: list[CallCost]) -> list[RenderableType]:
    if not calls:
        return []
    made = table("Run", "Call", "Model", "In", "Cached", "Written", "Out", "Cost", "Price", "Request", "Fault")
    for call in calls:
        about = "~" if call.estimated else ""
        tokens = (f"{each:,}" for each in (call.input_tokens, call.cache_read, call.cache_write + call.cache_write_1h))
        cost = "unknown" if call.cost_usd is None else "remembered" if call.cached else f"${call.cost_usd:.6f}"
        said = (clean(text) for text in (call.price, call.request_id, call.fault))
        made.add_row(call.run, str(call.call), clean(call.model), *tokens, f"{about}{call.output_tokens:,}", cost, *said)
    return ["", made]
