from decimal import Decimal

import pytest

from specthread.agents.backend import Usage
from specthread.agents.prices import LIST_PRICES, NO_COST, OwnPrice, price, reserve, with_own


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


LOCAL = with_own(
    {
        "qwen2.5:7b": OwnPrice(input=Decimal(0), output=Decimal(0)),
        "mine": OwnPrice(input=Decimal(1), output=Decimal(4), cache_read=Decimal("0.1")),
    }
)


def test_a_model_of_ones_own_costs_what_its_person_says():
    assert LOCAL.price("qwen2.5:7b", Usage(input=10**6, output=10**6)) == 0
    assert LOCAL.reserve("qwen2.5:7b", 10**6, 10**6) == 0
    usage = Usage(input=1_000, cache_read=10_000, cache_write=2_000, cache_write_1h=3_000, output=500)
    assert LOCAL.price("mine", usage) == Decimal("0.001") + Decimal("0.001") + Decimal("0.005") + Decimal("0.002")
    assert LOCAL.reserve("mine", 16_000, 500) == Decimal("0.018")
    assert LOCAL.version("mine") == "own price: input 1, output 4, cache read 0.1"


def test_other_models_keep_their_list_price():
    usage = Usage(input=1_000, output=100)
    assert LOCAL.price("claude-sonnet-5-5", usage) == LIST_PRICES.price("claude-sonnet-5-5", usage)
    assert LOCAL.price("unknown", usage) is None
    assert LOCAL.version("claude-sonnet-5-5") == LIST_PRICES.version("claude-sonnet-5-5")


@pytest.mark.parametrize(
    ("cloud", "model"), [("bedrock", "us.anthropic.claude-sonnet-4-5-20250929-v1:0"), ("vertex", "claude-sonnet-4-5@20250929")]
)
def test_a_model_in_a_cloud_has_the_price_of_that_cloud(cloud, model):
    prices = with_own({"mine": OwnPrice(input=Decimal(1), output=Decimal(4))}, cloud)
    usage = Usage(input=1_000, output=100)
    cost, most = prices.price(model, usage), prices.reserve(model, 1_000, 100)
    assert Decimal("0.0045") <= cost <= Decimal("0.005") <= most <= 2 * cost
    assert (prices.price("mine", usage), prices.price("my-local-model", usage)) == (Decimal("0.0014"), None)
    assert prices.version(model) == LIST_PRICES.version(model)
