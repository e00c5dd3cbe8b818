"""What calls cost, in US dollars, from a price table shipped with a library; nothing is fetched.

List prices are estimates. An unknown model has no price, which is not the same as costing nothing.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from functools import cache
from importlib import metadata
from typing import TYPE_CHECKING

from specthread.agents.backend import Usage

if TYPE_CHECKING:
    import genai_prices

MILLION = 1_000_000
_SELLERS = {"": "anthropic", "bedrock": "aws", "vertex": "google"}
"""Who sells the models in the words of the price table, by the name of the cloud."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PriceTable:
    """Is where prices come from: `price` of a finished call, `reserve` the most that a call of so many tokens in and out can cost; None where no price is known.

    `version` names what a model is priced by, for the journal.
    """

    price: Callable[[str, Usage], Decimal | None]
    reserve: Callable[[str, int, int], Decimal | None]
    version: Callable[[str], str]


def price(model: str, usage: Usage, cloud: str = "") -> Decimal | None:
    """Returns what a call cost, at the vendor's or in a cloud, or None for a model without a known price."""
    import genai_prices  # noqa: PLC0415  a tenth of a second and three megabytes that most commands never need

    tokens = genai_prices.Usage(
        input_tokens=usage.sent,
        cache_read_tokens=usage.cache_read,
        cache_write_tokens=usage.cache_write + usage.cache_write_1h,
        cache_write_1h_tokens=usage.cache_write_1h,
        output_tokens=usage.output,
    )
    return _total(tokens, model, _SELLERS[cloud])


def reserve(model: str, input_tokens: int, max_tokens: int, cloud: str = "") -> Decimal | None:
    """Returns the most a call can cost: all of its input of the dearest kind, in the tier of so much input, and the reply as long as allowed.

    Nothing is asked to be kept in the cache for an hour, so that price counts only where it was paid.
    """
    dearest = (Usage(input=input_tokens, output=max_tokens), Usage(cache_write=input_tokens, output=max_tokens))
    known = [cost for usage in dearest if (cost := price(model, usage, cloud)) is not None]
    return max(known, default=None)


def _total(tokens: "genai_prices.Usage", model: str, seller: str) -> Decimal | None:
    import genai_prices  # noqa: PLC0415  see `price`

    try:
        return genai_prices.calc_price(tokens, model, provider_id=seller).total_price
    except LookupError:
        return None


@cache
def table_version() -> str:
    """Returns the name and the version of the table, as the journal keeps it beside each price."""
    return f"genai-prices {metadata.version('genai-prices')}"


@dataclass(frozen=True, slots=True, kw_only=True)
class OwnPrice:
    """Is what a model costs by a person's own word, in US dollars for a million tokens; None costs as other input does."""

    input: Decimal
    output: Decimal
    cache_read: Decimal | None = None
    cache_write: Decimal | None = None

    def of(self, usage: Usage) -> Decimal:
        """Returns what a call cost."""
        written = usage.cache_write + usage.cache_write_1h
        read, write = (self.input if kind is None else kind for kind in (self.cache_read, self.cache_write))
        return (usage.input * self.input + usage.output * self.output + usage.cache_read * read + written * write) / MILLION

    def most(self, input_tokens: int, max_tokens: int) -> Decimal:
        """Returns the most that a call can cost."""
        dearest = max(self.input, self.cache_read or self.input, self.cache_write or self.input)
        return (input_tokens * dearest + max_tokens * self.output) / MILLION

    def __str__(self) -> str:
        kinds = {"input": self.input, "output": self.output, "cache read": self.cache_read, "cache write": self.cache_write}
        return "own price: " + ", ".join(f"{kind} {usd}" for kind, usd in kinds.items() if usd is not None)


def with_own(own: Mapping[str, OwnPrice], cloud: str = "") -> PriceTable:
    """Returns the list prices of the vendor or of a cloud, with those of a person's own before them."""
    if not own and not cloud:
        return LIST_PRICES
    return PriceTable(
        price=lambda model, usage: own[model].of(usage) if model in own else price(model, usage, cloud),
        reserve=lambda model, sent, most: own[model].most(sent, most) if model in own else reserve(model, sent, most, cloud),
        version=lambda model: str(own[model]) if model in own else table_version(),
    )


LIST_PRICES = PriceTable(price=price, reserve=reserve, version=lambda _model: table_version())
NO_COST = PriceTable(
    price=lambda _model, _usage: Decimal(0), reserve=lambda _model, _input, _output: Decimal(0), version=lambda _model: "free of charge"
)
"""For models that run at no charge: the demo's, and local ones by the user's own word."""
