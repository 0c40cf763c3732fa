"""Over ccxt's own classes, without a network: who is refused, whose orders have what mark, who holds stops himself."""

from collections.abc import Mapping
from typing import Any

import pytest

from standfast.brokers.ccxt.dialects import DIALECTS, lacking
from standfast.brokers.ccxt.library import Library, class_of
from standfast.brokers.ccxt.markets import table
from standfast.brokers.ccxt.unified.abilities import mean_perpetuals
from standfast.brokers.ccxt.unified.calling import Captured
from standfast.brokers.ccxt.unified.rehearsal import KINDS, Means, Rehearsal
from standfast.brokers.ccxt.unified.statements import statements
from standfast.model.order import Side

MARKET: dict[str, Any] = {
    "id": "BTCUSDT", "lowercaseId": "btcusdt", "symbol": "BTC/USDT:USDT", "base": "BTC", "quote": "USDT",
    "settle": "USDT", "baseId": "BTC", "quoteId": "USDT", "settleId": "USDT", "type": "swap", "spot": False,
    "margin": False, "swap": True, "future": False, "option": False, "index": False, "active": True, "contract": True,
    "linear": True, "inverse": False, "subType": "linear", "taker": "0.0005", "maker": "0.0002", "contractSize": "0.01",
    "expiry": None, "strike": None, "optionType": None, "precision": {"amount": "1", "price": "0.1"},
    "limits": {"amount": {"min": "1", "max": "1000"}, "price": {}, "cost": {}, "leverage": {}},
    "info": {"orderTypes": ["LIMIT", "MARKET", "STOP", "STOP_MARKET"]},
}  # fmt: skip


def opened(id: str) -> Library:
    """An exchange that trades one contract, and answers every question with nothing."""
    library = class_of(id)({"enableRateLimit": False, "apiKey": "k", "secret": "s", "password": "p"})
    library.number = str
    mean_perpetuals(library)

    async def answered(
        path: str, api: Any = (), method: str = "GET", params: Any = None, config: Any = None
    ) -> Mapping[str, Any]:
        if method != "GET":
            raise Captured(path, params)
        return {}

    library.fetch2 = library.request = answered
    library.set_markets([MARKET | ({"precision": {"amount": 0, "price": 1}} if library.precisionMode == 2 else {})])
    return library


async def rehearsed(id: str) -> tuple[Library, Means]:
    library = opened(id)
    (market,) = table([MARKET]).by_id.values()
    try:
        return library, await Rehearsal(library, market).run()
    finally:
        await library.close()


@pytest.mark.parametrize(
    ("id", "what"),
    [
        ("kraken", "linear contracts"),
        ("bitstamp", "a list of positions"),
        ("deepcoin", "a look at one order"),
        ("hyperliquid", "a key without privateKey"),
        ("dydx", "a list of the account's trades"),
    ],
)
def test_an_exchange_that_lacks_what_a_guard_needs_is_refused_and_told_why(id: str, what: str) -> None:
    assert what in lacking(id)


@pytest.mark.parametrize("id", ["okx", "bitget", "gate", "kucoinfutures", "krakenfutures", "mexc", "phemex", *DIALECTS])
def test_an_exchange_that_has_it_may_be_tried(id: str) -> None:
    assert lacking(id) == []


@pytest.mark.parametrize("id", ["okx", "bingx", "gate", "krakenfutures", "binanceusdm", "bybit", "phemex"])
async def test_a_stop_that_may_only_reduce_is_found_where_the_exchange_has_one(id: str) -> None:
    _, means = await rehearsed(id)
    assert (means.may_trade, means.has_stops, means.lacking) == (True, True, ())
    for side in Side:
        assert means.stops[side].marks, "no mark: it could be any order"
        assert means.closes["market", side].marks or means.closes["limit", side].marks
        assert means.stops[side] != means.closes["market", side]


@pytest.mark.parametrize(
    ("id", "name", "long", "short"),
    [
        ("okx", "posSide", "long", "short"),
        ("bingx", "positionSide", "LONG", "SHORT"),
        ("phemex", "posSide", "Long", "Short"),
        ("binanceusdm", "positionSide", "LONG", "SHORT"),
        ("bybit", "positionIdx", "1", "2"),
    ],
)
async def test_what_an_exchange_calls_the_side_stands_on_every_order_of_it(
    id: str, name: str, long: str, short: str
) -> None:
    _, means = await rehearsed(id)
    sides = means.sides
    assert sides is not None
    assert (sides.name, sides.values) == (name, {"long": long, "short": short})
    for side, value in sides.values.items():
        forms = [sides.stops[side], *(found[kind, side] for found in (sides.opens, sides.closes) for kind in KINDS)]
        assert all((name, value) in form.marks for form in forms)


@pytest.mark.parametrize("id", ["gate", "krakenfutures", "mexc"])
async def test_where_no_name_of_the_side_is_found_hedge_mode_is_not_to_be_had(id: str) -> None:
    library, means = await rehearsed(id)
    told = {each.what: each for each in statements(library, table([MARKET]), means, {})}

    assert means.sides is None
    assert "hedge mode is refused" in told["positions"].detail


async def test_an_id_of_ours_is_known_again_where_the_exchange_wants_something_in_front() -> None:
    _, means = await rehearsed("gate")
    assert means.id_prefix == "t-"


@pytest.mark.parametrize("id", ["mexc"])
async def test_where_ccxt_says_no_stop_the_guard_holds_it(id: str) -> None:
    library, means = await rehearsed(id)
    assert (means.may_trade, means.has_stops) == (True, False)
    told = {each.what: each for each in statements(library, table([MARKET]), means, {})}
    assert "the guard watches prices" in told["protection"].detail
    assert "while it is not running nothing is protected" in told["protection"].detail


@pytest.mark.parametrize(
    ("id", "why"),
    [
        ("cryptocom", "no order that may only reduce"),
        ("poloniex", "no order that may only reduce"),
        ("toobit", "orders carry no id of ours"),
        ("coinbase", "orders carry no id of ours"),
        ("apex", "ccxt makes no order at the market"),
    ],
)
async def test_where_ccxt_drops_what_is_asked_for_no_order_is_sent_and_it_is_said(id: str, why: str) -> None:
    """ccxt passes on a word it does not know, the exchange ignores it, and a close opens the other way."""
    library, means = await rehearsed(id)
    assert not means.may_trade
    assert any(why in each for each in means.lacking), means.lacking
    told = {each.what: each for each in statements(library, table([MARKET]), means, {})}
    assert not told["orders"].ok
    assert why in told["orders"].detail
    assert told["orders"].remedy


async def test_a_stop_that_would_leave_as_an_order_at_the_market_is_no_stop() -> None:
    """Phemex takes `stopLossPrice` for a stop of the position that a new order brings: it would sell at once."""
    library = opened("phemex")
    (market,) = table([MARKET]).by_id.values()
    try:
        means = await Rehearsal(library, market).run()
    finally:
        await library.close()
    assert means.stop_params == ("triggerPrice", "triggerDirection")


def test_every_exchange_of_ccxts_is_refused_or_may_be_tried_without_an_error() -> None:
    import ccxt.pro as everything

    told = {id: lacking(id) for id in everything.exchanges}
    tried = {id for id, lacks in told.items() if not lacks}
    assert {"okx", "gate", "bitget", "kucoinfutures", "bingx", *DIALECTS} <= tried
    assert all(each for lacks in told.values() for each in lacks), "every reason has words"
