"""ccxt's unified rows: what they leave out is never taken for something."""

from decimal import Decimal
from typing import Any

import pytest

from standfast.brokers.ccxt.unified import parse, trades
from standfast.brokers.ccxt.unified.parse import PLAIN, TRIGGER, Row
from standfast.model.errors import Incomplete, Malformed
from standfast.model.ids import BrokerOrderId
from standfast.model.order import OrderState, OrderType
from tests.brokers.ccxt.test_bybit_writes import MARKET

STAMP = 1_790_000_000_000


def order(**changes: Any) -> dict[str, Any]:
    return {
        "id": "7", "clientOrderId": "sfabcd-c1", "symbol": "BTC/USDT:USDT", "side": "sell", "type": "market",
        "status": "closed", "amount": "0.02", "filled": "0.02", "timestamp": STAMP, "reduceOnly": True,
    } | changes  # fmt: skip


def position(**changes: Any) -> dict[str, Any]:
    return {"symbol": "BTC/USDT:USDT", "side": "long", "contracts": "0.02", "entryPrice": "40000.5"} | changes


@pytest.mark.parametrize(
    ("changes", "kind", "state"),
    [
        ({}, PLAIN, OrderState.FILLED),
        ({"filled": "0.01"}, PLAIN, OrderState.CANCELLED),
        ({"filled": "0"}, PLAIN, OrderState.CANCELLED),
        ({"filled": None}, PLAIN, OrderState.UNKNOWN),
        ({"filled": None, "triggerPrice": "39000"}, TRIGGER, OrderState.CANCELLED),
        ({"status": None}, PLAIN, OrderState.UNKNOWN),
        ({"status": "canceling"}, PLAIN, OrderState.UNKNOWN),
        ({"status": "canceled", "filled": "0.01"}, PLAIN, OrderState.CANCELLED),
    ],
    ids=str,
)
def test_an_order_is_over_only_as_far_as_it_is_told(changes: dict[str, Any], kind: str, state: OrderState) -> None:
    assert parse.order(order(**changes), MARKET, kind).state is state


def test_a_conditional_order_that_fired_is_not_filled() -> None:
    found = parse.order(order(filled="0", triggerPrice="39000", type="stop_market"), MARKET, TRIGGER)
    assert (found.filled, found.triggered, found.type) == (Decimal(0), True, OrderType.STOP)


@pytest.mark.parametrize(
    ("changes", "of_type"),
    [
        ({"stopLossPrice": "39000"}, OrderType.STOP),
        ({"triggerPrice": "39000"}, OrderType.STOP),
        ({"triggerPrice": "39000", "clientOrderId": "their-own"}, OrderType.UNKNOWN),
        ({"triggerPrice": "39000", "clientOrderId": "their-own", "type": "stop_market"}, OrderType.STOP),
        ({"takeProfitPrice": "45000"}, OrderType.LIMIT),
        ({"triggerPrice": "45000", "type": "take_profit_market"}, OrderType.LIMIT),
    ],
    ids=str,
)
def test_a_trigger_is_a_stop_only_where_that_is_told_or_ours(changes: dict[str, Any], of_type: OrderType) -> None:
    assert parse.order(order(status="open", filled="0", **changes), MARKET, TRIGGER).type is of_type


@pytest.mark.parametrize(
    "changes", [{"side": None}, {"contracts": "-1"}, {"hedged": True}, {"contracts": "many"}], ids=str
)
def test_a_position_whose_side_is_not_beyond_doubt_is_refused(changes: dict[str, Any]) -> None:
    with pytest.raises(Malformed):
        parse.held(position(**changes), MARKET)


def test_a_row_of_nothing_is_no_position() -> None:
    assert parse.held(position(contracts="0", side=None), MARKET) is None
    assert parse.held(position(contracts=None, side=None), MARKET) is None


def test_an_id_says_the_contract_and_the_list() -> None:
    for kind in (PLAIN, TRIGGER):
        assert parse.parsed_id(parse.broker_id(MARKET, kind, "a:o:7")) == (MARKET.id, kind, "a:o:7")
    assert parse.parsed_id("00000000-0000") is None


def rows(*ids: int) -> list[Row]:
    return [{"id": str(id), "symbol": "s", "timestamp": STAMP + id} for id in ids]


@pytest.mark.parametrize("newest_first", [False, True])
async def test_more_trades_than_a_page_are_all_read_whichever_end_comes_first(*, newest_first: bool) -> None:
    kept = rows(*range(1, 8))

    async def page(begin: int, until: int | None, limit: int) -> list[Row]:
        found = [row for row in kept if begin <= row["timestamp"] <= (until or STAMP * 2)]
        return found[-limit:] if newest_first else found[:limit]

    found = await trades.since(page, STAMP, {"limit": 3, "untilDays": 7})
    assert sorted(int(row["id"]) for row in found) == list(range(1, 8))


async def test_trades_that_may_be_cut_off_and_cannot_be_asked_for_are_no_answer() -> None:
    async def page(begin: int, until: int | None, limit: int) -> list[Row]:
        return rows(5, 6, 7)

    with pytest.raises(Incomplete):
        await trades.since(page, STAMP, {"limit": 3})


@pytest.mark.parametrize(("coin", "fee"), [("USDT", "0.2"), (None, "0.2"), ("BNB", "0")])
def test_a_commission_in_another_coin_is_no_amount_of_the_contracts_own(coin: str | None, fee: str) -> None:
    row = {"id": "1", "side": "buy", "amount": "1", "price": "2", "timestamp": STAMP}

    found = parse.fill(row | {"fee": {"cost": "0.2", "currency": coin}}, MARKET, BrokerOrderId("o"))

    assert found.fee == Decimal(fee)


def test_quantities_are_in_the_base_coin() -> None:
    from dataclasses import replace

    tenth = replace(MARKET, size=Decimal("0.1"))
    held = parse.held(position(side="short"), tenth)
    assert held is not None
    assert held.quantity == Decimal("-0.002")
    assert parse.order(order(), tenth, PLAIN).filled == Decimal("0.002")
