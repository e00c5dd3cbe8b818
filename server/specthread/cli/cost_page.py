"""What `cost` looks like in a terminal."""

from __future__ import annotations

from rich.console import RenderableType
from rich.text import Text

from specthread.cli.pages import table
from specthread.cli.screen import money
from specthread.protocol.wire_result import CostResult


def cost_page(result: CostResult) -> RenderableType:
    """Returns what each run spent, and the sum."""
    made = table("SpecTask", "Run", "Task", "Role", "Agent", "Calls", "In", "Out", "Cost")
    for row in result.runs:
        spend = row.spend
        tokens = (f"{spend.input_tokens:,}", f"{spend.output_tokens:,}")
        cost = money(spend.cost_usd, spend.unknown_calls)
        made.add_row(row.spectask, row.run, row.task, row.role, row.agent, str(spend.calls), *tokens, cost)
    total = result.total
    made.add_section()
    sums = (str(total.calls), f"{total.input_tokens:,}", f"{total.output_tokens:,}", money(total.cost_usd, total.unknown_calls))
    made.add_row(Text("total", style="bold"), "", "", "", "", *sums)
    return made
