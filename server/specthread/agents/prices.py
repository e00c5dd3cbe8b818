"""What calls cost, in US dollars, from a price table shipped with a library; nothing is fetched.

List prices are estimates. An unknown model has no price, which is not the same as costing nothing.
"""

from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal
from functools import cache
from importlib import metadata
from typing import TYPE_CHECKING

from specthread.agents.backend import Usage

if TYPE_CHECKING:
    import genai_prices

BYTES_PER_TOKEN = 3
"""Below what text and code really take (about 3.5), so that a reservation errs upwards."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PriceTable:
    """Is where prices come from: `price` of a finished call, `reserve` the most a call can cost; None where no price is known.

    `version` names what a model is priced by, for the journal.
    """

    price: Callable[[str, Usage], Decimal | None]
    reserve: Callable[[str, int, int], Decimal | None]
    version: Callable[[str], str]


def price(model: str, usage: Usage) -> Decimal | None:
    """Returns what a call cost, or None for a model without a known price."""
    import genai_prices  # noqa: PLC0415  a tenth of a second and three megabytes that most commands never need

    tokens = genai_prices.Usage(
        input_tokens=usage.sent,
        cache_read_tokens=usage.cache_read,
        cache_write_tokens=usage.cache_write + usage.cache_write_1h,
        cache_write_1h_tokens=usage.cache_write_1h,
        output_tokens=usage.output,
    )
    return _total(tokens, model)


def reserve(model: str, input_bytes: int, max_tokens: int) -> Decimal | None:
    """Returns the most a call can cost: nothing read from the cache, everything written to it, the reply as long as allowed."""
    return price(model, Usage(cache_write=-(-input_bytes // BYTES_PER_TOKEN), output=max_tokens))


def _total(tokens: "genai_prices.Usage", model: str) -> Decimal | None:
    import genai_prices  # noqa: PLC0415  see `price`

    try:
        return genai_prices.calc_price(tokens, model, provider_id="anthropic").total_price
    except LookupError:
        return None


@cache
def table_version() -> str:
    """Returns the name and the version of the table, as the journal keeps it beside each price."""
    return f"genai-prices {metadata.version('genai-prices')}"


LIST_PRICES = PriceTable(price=price, reserve=reserve, version=lambda _model: table_version())
NO_COST = PriceTable(
    price=lambda _model, _usage: Decimal(0), reserve=lambda _model, _input, _output: Decimal(0), version=lambda _model: "free of charge"
)
"""For models that run at no charge: the demo's, and local ones by the user's own word."""
