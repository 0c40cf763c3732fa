"""Through ccxt alone: what the exchange takes away is booked with its cause and once, and so is funding."""

from collections.abc import Iterable
from decimal import Decimal
from typing import Any

import pytest

from standfast.brokers.ccxt.unified.causes import funding
from standfast.brokers.ccxt.unified.words import cause_of
from standfast.model.effects import Turn, Urgency
from standfast.model.ids import ClientOrderId
from standfast.model.order import Fill, Movement, MovementKind, OrderState, Side
from tests.brokers.ccxt.served import BTC
from tests.brokers.ccxt.served_unified import Desk, desk
from tests.brokers.ccxt.test_bybit_writes import terms

BOTH = pytest.mark.parametrize("id", ["bybitid", "binanceusdm"])


async def bought(at: Desk) -> str:
    """From when on, with something held."""
    start = (await at.broker.activities("")).watermark
    order = terms(side=Side.BUY, reduces=False)
    await at.broker.submit(ClientOrderId("sfabcd-o1"), BTC, order, Turn(Urgency.OPEN))
    (opened,) = (await at.broker.activities(start)).fills
    assert opened.side is Side.BUY
    await at.broker.positions()
    return (await at.broker.activities(start)).watermark


async def told(at: Desk, start: str, times: int = 6) -> tuple[dict[str, Fill], dict[str, Movement]]:
    """Over a minute and more, as the guard keeps asking."""
    fills: dict[str, Fill] = {}
    moves: dict[str, Movement] = {}
    for _ in range(times):
        read = await at.broker.activities(start)
        fills |= {each.execution_id: each for each in read.fills}
        moves |= {each.id: each for each in read.movements}
        at.at.wait(15)
    return fills, moves


def quantity(fills: Iterable[Fill]) -> Decimal:
    return sum((each.signed for each in fills), Decimal(0))


@BOTH
async def test_a_liquidation_is_told_once_and_its_order_says_so(id: str) -> None:
    """At Bybit it is among no trades, at Binance it is among them and in a list of its own."""
    async with desk(id) as at:
        start = await bought(at)
        at.at.wait(5)
        at.at.venue.engine.liquidate("main", "BTCUSDT", 0)

        fills, _ = await told(at, start)

        taken = [each for each in fills.values() if each.side is Side.SELL]
        assert quantity(taken) == Decimal("-0.01")
        order = await at.broker.order(broker_id=taken[0].broker_order_id)
        assert order is not None
        assert (order.order_class, order.state, order.filled) == ("liquidation", OrderState.FILLED, Decimal("0.01"))


@BOTH
async def test_funding_that_is_paid_is_less_than_nothing_and_what_is_received_is_more(id: str) -> None:
    async with desk(id) as at:
        start = await bought(at)
        at.at.wait(5)
        at.at.venue.engine.fund("BTCUSDT", Decimal("0.001"))
        at.at.wait(5)
        at.at.venue.engine.fund("BTCUSDT", Decimal("-0.002"))

        _, moves = await told(at, start)

        amounts = [round(each.amount or 0, 2) for each in sorted(moves.values(), key=lambda each: each.at)]
        assert amounts == [Decimal("-0.5"), Decimal("1")]
        assert {each.kind for each in moves.values()} == {MovementKind.FEE}


@BOTH
async def test_a_list_of_liquidations_that_fails_keeps_no_trade_back_and_doctor_says_so(id: str) -> None:
    async with desk(id) as at:
        start = (await at.broker.activities("")).watermark
        fine = {each.what: each for each in await at.broker.guarded()}["causes"]
        library: Any = at.broker._library

        async def fails(*_: object) -> object:
            raise ConnectionError("no route")

        library.fetch_my_liquidations = library.fetch_funding_history = fails
        order = terms(side=Side.BUY, reduces=False)
        await at.broker.submit(ClientOrderId("sfabcd-o1"), BTC, order, Turn(Urgency.OPEN))

        fills, _ = await told(at, start, times=2)
        causes = {each.what: each for each in await at.broker.guarded()}["causes"]

        assert quantity(fills.values()) == Decimal("0.01")
        assert (fine.ok, causes.ok) == (True, False)
        assert "cannot be read" in causes.detail


@pytest.mark.parametrize(
    ("info", "amount", "expected"),
    [
        ({"execFee": "0.5", "feeRate": "0.0001"}, "0.5", Decimal("-0.5")),
        ({"income": "-0.5", "asset": "USDT"}, "-0.5", Decimal("-0.5")),
        ({"balChg": "0.25"}, "0.25", Decimal("0.25")),
        ({"fee": "0.5", "change": "0.5"}, "0.5", None),
        ({"something": "else"}, "0.5", None),
    ],
)
async def test_an_amount_whose_sign_is_not_sure_is_not_told(info: Any, amount: str, expected: Decimal | None) -> None:
    async with desk("bybitid") as at:
        await at.broker.instrument(BTC.instrument)
        market = at.broker._venue._table.by_name[BTC.instrument]  # type: ignore[attr-defined]  # read just now

    found = funding({"id": "1", "amount": amount, "timestamp": 1_772_634_602_000, "info": info}, market, BTC)

    assert (found.amount if found is not None else None) == expected


async def test_deleveraging_that_is_told_as_a_trade_is_booked_with_its_cause() -> None:
    async with desk("binanceusdm") as at:
        start = await bought(at)
        at.at.wait(5)
        at.at.venue.engine.deleverage("main", "BTCUSDT", 0, Decimal("0.004"), Decimal("50000"))

        fills, _ = await told(at, start)

        taken = [each for each in fills.values() if each.side is Side.SELL]
        assert quantity(taken) == Decimal("-0.004")
        order = await at.broker.order(broker_id=taken[0].broker_order_id)
        assert order is not None
        assert (order.order_class, order.filled) == ("adl", Decimal("0.004"))


async def test_a_trade_that_names_its_cause_has_an_order_though_the_exchange_tells_of_none(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """As at KuCoin, whose trades say `tradeType`."""
    async with desk("binanceusdm") as at:
        start = await bought(at)
        library: Any = at.broker._library
        trades = library.fetch_my_trades

        async def as_told(*asked: object, **more: object) -> list[Any]:
            rows = await trades(*asked, **more)
            made = {"order": None, "info": {"tradeType": "ADL"}}
            return [row if row["side"] == "buy" else {**row, **made} for row in rows]

        monkeypatch.setattr(library, "fetch_my_trades", as_told)
        at.at.wait(5)
        at.at.venue.engine.deleverage("main", "BTCUSDT", 0, Decimal("0.004"), Decimal("50000"))

        fills, _ = await told(at, start)

        (taken,) = [each for each in fills.values() if each.side is Side.SELL]
        order = await at.broker.order(broker_id=taken.broker_order_id)
        assert order is not None
        assert (order.order_class, order.state, order.filled) == ("adl", OrderState.FILLED, Decimal("0.004"))


@pytest.mark.parametrize(
    ("row", "cause"),
    [
        ({"info": {"tradeType": "ADL"}}, "adl"),
        ({"info": {"tradeSide": "dte_sys_adl_close_long"}}, "adl"),
        ({"info": {"finish_as": "auto_deleveraged"}}, "adl"),
        ({"info": {"dir": "Auto-Deleveraging"}}, "adl"),
        ({"info": {"category": "delivery"}}, "settlement"),
        ({"info": {"tradeType": "settlement"}}, "settlement"),
        ({"info": {"category": "partial_liquidation"}}, "liquidation"),
        ({"info": {"tradeSide": "burst_close_short"}}, "liquidation"),
        ({"clientOrderId": "adl_autoclose"}, "adl"),
        ({"clientOrderId": "settlement_autoclose-1"}, "settlement"),
        ({"clientOrderId": "my-adl-settlement-1", "info": {"clientOid": "adl", "text": "t-liquidation"}}, ""),
        ({"info": {"contractType": "delivery", "settleCoin": "USDT", "adl": "3", "orderType": "market"}}, ""),
        ({"info": {"cancelReason": "liquidation", "category": "linear", "tradeSide": "close_long"}}, ""),
        ({"info": None}, ""),
    ],
)
def test_only_the_exchanges_own_words_about_a_trade_name_its_cause(row: Any, cause: str) -> None:
    assert cause_of(row) == cause
