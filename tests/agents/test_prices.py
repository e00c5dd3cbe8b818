from decimal import Decimal

import pytest

from specthread.agents.backend import Usage
from specthread.agents.prices import LIST_PRICES, NO_COST, price, reserve


def test_each_kind_of_token_has_its_own_price():
    million = 1_000_000
    kinds = [Usage(input=million), Usage(output=million), Usage(cache_read=million), Usage(cache_write=million)]
    assert [price("claude-sonnet-5-5", usage) for usage in kinds] == [Decimal(2), Decimal(10), Decimal("0.1"), Decimal("2.5")]


@pytest.mark.parametrize("model", ["my-local-model", "", "gpt-5"])
def test_an_unknown_model_has_no_price_which_is_not_nothing(model):
    assert price(model, Usage(input=1)) is None
    assert reserve(model, 1000, 1000) is None


def test_the_demo_costs_nothing():
    assert NO_COST.price("anything", Usage(input=10**9)) == 0
    assert NO_COST.reserve("anything", 10**9, 10**9) == 0
    assert LIST_PRICES.price("claude-haiku-5-5", Usage(input=1_000)) == Decimal("0.0001")
