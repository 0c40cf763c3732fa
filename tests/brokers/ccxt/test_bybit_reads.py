"""Reads are whole or fail; zero rows are nothing; each side of a hedged account is a holding of its own."""

import asyncio
from collections.abc import Mapping
from decimal import Decimal
from typing import Any

import pytest

from standfast.brokers.ccxt.dialects import Rates
from standfast.brokers.ccxt.markets import Shelf
from standfast.model.effects import Urgency
from standfast.model.errors import Incomplete, Malformed, OutcomeUnknown, Rejected
from standfast.model.ids import BrokerOrderId
from standfast.model.instrument import Kind
from standfast.model.order import MovementKind, OrderState, Side
from tests.brokers.ccxt.scripted import (
    BTC,
    LONG,
    NAME,
    SHORT,
    Script,
    broker,
    enveloped,
    execution_row,
    listed,
    order_row,
    position_row,
)

POSITIONS, ORDERS, HISTORY, EXECUTIONS = (
    "/v5/position/list", "/v5/order/realtime", "/v5/order/history", "/v5/execution/list",
)  # fmt: skip
TIME = "/v5/market/time"
FIRST = BrokerOrderId("o-1")


async def test_a_contract_has_the_exchanges_own_steps() -> None:
    found = await broker(Script()).instrument(NAME)

    assert (found.kind, found.tick, found.lot, found.multiplier) == (
        Kind.PERPETUAL, Decimal("0.10"), Decimal("0.001"), Decimal(1),
    )  # fmt: skip


async def test_a_row_of_size_zero_is_no_position() -> None:
    script = Script()
    script.lists(POSITIONS, position_row(side="", size="0", avgPrice="0"))

    assert (await broker(script).positions()).rows == {}


async def test_the_sides_of_a_hedged_account_are_holdings_of_their_own() -> None:
    script = Script()
    script.lists(POSITIONS, position_row(positionIdx=1), position_row(positionIdx=2, side="Sell", size="0.005"))

    rows = (await broker(script).positions()).rows

    assert {holding: row.quantity for holding, row in rows.items()} == {
        LONG: Decimal("0.020"), SHORT: Decimal("-0.005"),
    }  # fmt: skip


async def test_every_page_of_a_list_is_read() -> None:
    script = Script()

    def pages(asked: Mapping[str, str]) -> bytes:
        if asked.get("orderFilter"):
            return listed()
        ids = {"": ("o-1", "a%2Cb"), "a,b": ("o-2", "last"), "last": (None, "")}
        id, cursor = ids[asked.get("cursor", "")]
        return listed(*([order_row(orderId=id)] if id else []), cursor=cursor)

    script.answers[ORDERS] = pages

    assert set((await broker(script).working_orders()).orders) == {"o-1", "o-2"}


async def test_a_list_that_never_ends_is_incomplete() -> None:
    script = Script()
    script.tell(POSITIONS, listed(position_row(), cursor="again"))

    with pytest.raises(Incomplete):
        await broker(script).positions()


async def test_conditional_orders_are_asked_for_and_listed_with_the_others() -> None:
    script = Script()
    plain = order_row(orderId="o-2", orderType="Limit", price="50000", stopOrderType="", triggerPrice="0")
    script.answers[ORDERS] = lambda asked: listed(order_row() if asked.get("orderFilter") == "StopOrder" else plain)

    assert set((await broker(script).working_orders()).orders) == {"o-1", "o-2"}


@pytest.mark.parametrize("answer", [b"", b"null", b'{"result": "null"}', b"<html>maintenance</html>"])
async def test_no_list_is_not_an_empty_one(answer: bytes) -> None:
    script = Script()
    script.tell(POSITIONS, answer)

    with pytest.raises(Malformed):
        await broker(script).positions()


async def test_success_with_an_error_inside_is_a_failure() -> None:
    script = Script()
    script.refuses(POSITIONS, 10016, "server error")

    with pytest.raises(OutcomeUnknown):
        await broker(script).positions()


async def test_a_position_asked_for_in_the_wrong_mode_is_never_flat() -> None:
    script = Script()
    script.lists(POSITIONS, position_row(positionIdx=1), position_row(positionIdx=2, side="", size="0"))
    at = broker(script)

    with pytest.raises(Malformed, match="the mode is another"):
        await at.position(BTC)
    assert await at.position(LONG) == Decimal("0.020")
    assert await at.position(SHORT) == 0


async def test_an_exit_for_the_whole_side_covers_what_is_held() -> None:
    script = Script()
    script.lists(POSITIONS, position_row())
    script.lists(ORDERS, order_row(qty="0", closeOnTrigger=True))
    at = broker(script)
    await at.positions()

    (found,) = (await at.working_orders()).orders.values()

    assert found.quantity == Decimal("0.020")


async def test_an_order_is_unknown_only_when_no_list_shows_it() -> None:
    script = Script()
    at = broker(script)
    assert await at.order(broker_id=FIRST) is None
    assert script.paths().count(ORDERS) == 2
    assert script.paths().count(HISTORY) == 2

    script.lists(HISTORY, order_row(orderStatus="Cancelled", cumExecQty="0.005", avgPrice="39000"))
    found = await at.order(broker_id=FIRST)
    assert found is not None
    assert (found.state, found.filled) == (OrderState.CANCELLED, Decimal("0.005"))


async def test_an_order_without_an_id_of_its_owner_is_found_by_the_exchanges() -> None:
    script = Script()
    script.lists(ORDERS, order_row(orderLinkId=""))
    at = broker(script)
    (listed_order,) = (await at.working_orders()).orders.values()

    found = await at.order(client_id=listed_order.client_id)

    assert found is not None
    assert found.broker_id == "o-1"
    assert script.asked[-1][1]["orderId"] == "o-1"


async def test_another_order_than_the_one_asked_for_is_refused() -> None:
    script = Script()
    script.lists(ORDERS, order_row(orderId="o-9"))
    with pytest.raises(Malformed):
        await broker(script).order(broker_id=FIRST)


async def _activities(script: Script, *rows: Mapping[str, object]) -> list[Any]:
    at = broker(script)
    start = (await at.activities("")).watermark
    stamp = str(int(script.clock.now().timestamp() * 1000))
    script.lists(EXECUTIONS, *({"execTime": stamp, **row} for row in rows))
    read = await at.activities(start)
    assert (await at.activities(read.watermark)).fills == ()
    return [*read.fills, *read.movements]


def _now(row: Mapping[str, object]) -> dict[str, object]:
    return {name: value for name, value in row.items() if name != "execTime"}


async def test_funding_is_a_fee_and_no_trade() -> None:
    (found,) = await _activities(Script(), _now(execution_row(execType="Funding", execFee="0.12")))

    assert (found.kind, found.quantity, found.amount) == (MovementKind.FEE, 0, Decimal("-0.12"))


@pytest.mark.parametrize("kind", ["Settle", "Delivery"])
async def test_the_end_of_a_contract_is_no_trade(kind: str) -> None:
    (found,) = await _activities(Script(), _now(execution_row(execType=kind, side="Sell", orderId="")))

    assert (found.kind, found.quantity, found.price) == (MovementKind.EXPIRY, Decimal("-0.020"), Decimal("40000.5"))


@pytest.mark.parametrize(("kind", "why"), [("BustTrade", "liquidation"), ("AdlTrade", "adl")])
async def test_what_the_exchange_takes_away_is_a_fill_whose_order_says_why(kind: str, why: str) -> None:
    script = Script()
    at = broker(script)
    start = (await at.activities("")).watermark
    stamp = str(int(script.clock.now().timestamp() * 1000))
    script.lists(EXECUTIONS, execution_row(execType=kind, side="Sell", orderId="liq-1", execTime=stamp))

    (fill,) = (await at.activities(start)).fills
    order = await at.order(broker_id=fill.broker_order_id)

    assert (fill.side, fill.quantity) == (Side.SELL, Decimal("0.020"))
    assert order is not None
    assert (order.order_class, order.state, order.filled) == (why, OrderState.FILLED, Decimal("0.020"))


@pytest.mark.parametrize(
    ("side", "closed", "holding"),
    [("Buy", "0", LONG), ("Sell", "0.020", LONG), ("Sell", "0", SHORT), ("Buy", "0.020", SHORT)],
)
async def test_a_fill_of_a_hedged_account_belongs_to_the_side_it_changed(
    side: str, closed: str, holding: object
) -> None:
    script = Script()
    script.lists(POSITIONS, position_row(positionIdx=1), position_row(positionIdx=2, side="", size="0"))
    (found,) = await _activities(script, _now(execution_row(side=side, closedSize=closed)))

    assert found.holding == holding


async def test_the_first_watermark_reaches_back_to_the_trades_that_a_list_may_lack_and_to_no_funding() -> None:
    script = Script()
    at = broker(script)
    now = int(script.clock.now().timestamp() * 1000)
    staleness = int(at.contract.staleness.total_seconds() * 1000)
    script.lists(
        EXECUTIONS,
        execution_row(execId="e-1", execTime=str(now - staleness)),
        execution_row(execId="e-2", execTime=str(now - 1_000), execType="Funding"),
    )

    read = await at.activities((await at.activities("")).watermark)

    assert [fill.execution_id for fill in read.fills] == ["e-1"]
    assert read.movements == ()


async def test_an_execution_that_is_listed_late_is_told_once() -> None:
    script = Script()
    at = broker(script)
    start = (await at.activities("")).watermark
    stamp = int(script.clock.now().timestamp() * 1000)
    script.lists(EXECUTIONS, execution_row(execId="e-2", execTime=str(stamp)))
    first = await at.activities(start)
    script.lists(
        EXECUTIONS,
        execution_row(execId="e-2", execTime=str(stamp)),
        execution_row(execId="e-1", execTime=str(stamp - 5_000)),
    )
    second = await at.activities(first.watermark)

    assert [fill.execution_id for fill in first.fills] == ["e-2"]
    assert [fill.execution_id for fill in second.fills] == ["e-1"]
    assert (await at.activities(second.watermark)).fills == ()


async def test_a_long_absence_is_read_in_the_windows_the_exchange_allows() -> None:
    script = Script()
    at = broker(script)
    start = (await at.activities("")).watermark
    await script.clock.advance(20 * 86_400)
    script.asked.clear()

    await at.activities(start)

    spans = [int(asked["endTime"]) - int(asked["startTime"]) for path, asked in script.asked if path == EXECUTIONS]
    assert len(spans) == 3
    assert max(spans) < 7 * 86_400_000


async def test_a_watermark_of_somebody_else_is_refused() -> None:
    with pytest.raises(Malformed):
        await broker(Script()).activities("2026-01-01/x")


async def test_the_account_says_whose_it_is_and_what_its_key_may_do() -> None:
    script = Script()
    script.tell(
        "/v5/account/wallet-balance",
        enveloped({"list": [{"accountType": "UNIFIED", "totalEquity": "1000.5", "totalAvailableBalance": "900"}]}),
    )
    key = {"userID": 7, "readOnly": 1, "permissions": {"Wallet": ["Withdraw"], "ContractTrade": []}}
    script.tell("/v5/user/query-api", enveloped(key))
    at = broker(script)

    account = await at.account()

    assert (account.equity, account.number, account.blocked) == (Decimal("1000.5"), "7", True)
    assert (await at.rights()).may_withdraw is True


async def test_a_contract_nobody_lists_is_not_known() -> None:
    with pytest.raises(Rejected) as refused:
        await broker(Script()).instrument(type(NAME)("NO/USDT:USDT"))
    assert refused.value.kind == "not_found"


async def test_a_position_in_a_contract_that_is_younger_than_the_table_is_not_left_out() -> None:
    script = Script()
    at = broker(script)
    await at.positions()
    script.lists(POSITIONS, position_row(symbol="NEWUSDT"))

    with pytest.raises(Malformed):
        await at.positions()


async def test_fills_that_are_waited_for_do_not_wait_for_the_exchanges_time_first() -> None:
    script = Script()
    at = broker(script)
    start = (await at.activities("")).watermark

    await at.activities(start)
    asked = [script.paths().count(TIME)]
    await script.clock.advance(60)
    await at.activities(start)

    assert [*asked, script.paths().count(TIME)] == [1, 2]


async def test_accounts_at_one_exchange_share_what_their_address_may_ask() -> None:
    script, shelf = Script(), Shelf()
    rates = Rates(reads=100, orders=100, window=1.0, address=4, address_window=60.0)
    one, other = (broker(script, rates=rates, shelf=shelf) for _ in range(2))
    await one.positions()  # the table of contracts, in two requests, and the list
    await other.positions()

    waits = asyncio.ensure_future(one.positions(urgency=Urgency.CLOSE))
    await script.clock.advance(50)
    assert not waits.done()
    await script.clock.advance(15)
    assert (await waits).rows == {}
