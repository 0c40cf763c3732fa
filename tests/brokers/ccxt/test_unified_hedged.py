"""Through ccxt alone in a hedged account: each side by itself, by the exchange's own name for it."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest

from standfast.brokers.ccxt.unified.sides import Sides
from standfast.model.effects import Turn, Urgency
from standfast.model.errors import Malformed, Rejected
from standfast.model.ids import ClientOrderId, Holding
from standfast.model.order import Fill, OrderReport, OrderState, Side, Terms
from tests.brokers.ccxt.served import BTC, LONG, SHORT
from tests.brokers.ccxt.served_unified import Desk, desk
from tests.brokers.ccxt.test_bybit_writes import stop, terms

BOTH = pytest.mark.parametrize("id", ["bybitid", "binanceusdm"])
NAMES = {"bybitid": "positionIdx", "binanceusdm": "positionSide"}


@asynccontextmanager
async def hedged(id: str) -> AsyncIterator[Desk]:
    async with desk(id) as at:
        at.at.venue.engine.set_account_mode("main", is_hedged=True)
        yield at


async def submit(at: Desk, order: Terms, id: str, holding: Holding) -> OrderReport:
    return await at.broker.submit(ClientOrderId(id), holding, order, Turn(Urgency.OPEN))


async def nets(at: Desk) -> dict[Holding, Decimal]:
    return {holding: row.quantity for holding, row in (await at.broker.positions()).rows.items()}


async def strange(at: Desk, id: str, side: Side, quantity: str) -> None:
    """Somebody else opens his side."""
    place: Any = at.at.place
    if id == "bybitid":
        await place(side.value.title(), quantity, positionIdx=1 if side is Side.BUY else 2)
    else:
        await place(side.value.upper(), quantity, positionSide="LONG" if side is Side.BUY else "SHORT")


async def both_open(at: Desk) -> None:
    await submit(at, terms(side=Side.BUY, reduces=False), "sfabcd-o1", LONG)
    await submit(at, terms(side=Side.SELL, reduces=False, quantity=Decimal("0.02")), "sfabcd-o2", SHORT)


@BOTH
async def test_what_the_exchange_calls_the_side_is_found_out_without_sending_an_order(id: str) -> None:
    async with hedged(id) as at:
        told = {each.what: each for each in await at.broker.guarded()}

        assert f"by the exchange's own `{NAMES[id]}`" in told["positions"].detail
        assert not list(at.at.venue.engine.orders("main"))


@BOTH
async def test_both_sides_are_opened_protected_and_closed_by_themselves(id: str) -> None:
    async with hedged(id) as at:
        await both_open(at)
        assert await nets(at) == {LONG: Decimal("0.01"), SHORT: Decimal("-0.02")}
        assert await at.broker.position(LONG) == Decimal("0.01")

        await submit(at, stop(stop_price=Decimal(49000)), "sfabcd-s1", LONG)
        await submit(at, stop(side=Side.BUY, stop_price=Decimal(51000)), "sfabcd-s2", SHORT)
        orders = (await at.broker.working_orders()).orders.values()
        assert {(each.holding, each.side, each.closes) for each in orders} == {
            (LONG, Side.SELL, True),
            (SHORT, Side.BUY, True),
        }

        at.at.quote("48900")
        assert await nets(at) == {SHORT: Decimal("-0.02")}, "its own stop took the long and nothing else"
        close = terms(side=Side.BUY, quantity=Decimal("0.02"))
        await submit(at, close, "sfabcd-c1", SHORT)
        assert await nets(at) == {}
        with pytest.raises(Rejected):
            await submit(at, close, "sfabcd-c2", SHORT)
        assert await nets(at) == {}, "a close too many opens nothing"


@BOTH
async def test_trades_are_of_the_side_their_order_was_for_whoever_sent_it(id: str) -> None:
    async with hedged(id) as at:
        start = (await at.broker.activities("")).watermark
        await both_open(at)
        await strange(at, id, Side.SELL, "0.03")
        await at.broker.positions()

        fills = (await at.broker.activities(start)).fills

        assert {(each.holding, each.signed) for each in fills} == {
            (LONG, Decimal("0.01")),
            (SHORT, Decimal("-0.02")),
            (SHORT, Decimal("-0.03")),
        }


@BOTH
async def test_a_strangers_first_order_is_of_its_side_before_any_position_was_listed(id: str) -> None:
    async with hedged(id) as at:
        start = (await at.broker.activities("")).watermark
        await at.broker.instrument(BTC.instrument)
        await strange(at, id, Side.BUY, "0.01")
        at.broker._venue._traded["BTCUSDT"] = at.clock.monotonic()  # type: ignore[attr-defined]  # the stream named it

        (fill,) = (await at.broker.activities(start)).fills

        assert fill.holding == LONG


@BOTH
@pytest.mark.parametrize("lost", ["hedged", "reduceOnly"])
async def test_a_stop_that_lost_its_side_on_the_way_does_not_leave(id: str, lost: str) -> None:
    """brokers/README 5.5: it would protect, or open, the other side."""
    async with hedged(id) as at:
        await both_open(at)
        library: Any = at.broker._library
        makes = library.create_order

        async def create_order(symbol: str, kind: str, side: str, amount: float, price: Any, params: Any) -> Any:
            params.pop(lost)
            return await makes(symbol, kind, side, amount, price, params)

        library.create_order = create_order
        asked = len(at.at.venue.log)

        with pytest.raises(Rejected, match="it was not sent"):
            await submit(at, stop(stop_price=Decimal(49000)), "sfabcd-s1", LONG)

        assert len(at.at.venue.log) == asked


@BOTH
async def test_an_order_that_would_go_the_other_way_is_refused_before_it_leaves(id: str) -> None:
    async with hedged(id) as at:
        await both_open(at)
        for holding, order in ((LONG, terms(side=Side.BUY)), (SHORT, terms(side=Side.BUY, reduces=False))):
            with pytest.raises(Rejected, match="it was not sent"):
                await submit(at, order, "sfabcd-x1", holding)
        assert await nets(at) == {LONG: Decimal("0.01"), SHORT: Decimal("-0.02")}


@BOTH
async def test_an_order_for_the_wrong_mode_is_refused_by_the_exchange_and_changes_nothing(id: str) -> None:
    async with desk(id) as at, hedged(id) as other:
        with pytest.raises(Rejected):
            await submit(at, terms(side=Side.BUY, reduces=False), "sfabcd-o1", LONG)
        with pytest.raises(Rejected):
            await submit(other, terms(side=Side.BUY, reduces=False), "sfabcd-o1", BTC)
        assert (await nets(at), await nets(other)) == ({}, {})


@BOTH
async def test_a_liquidation_takes_its_own_side(id: str) -> None:
    async with hedged(id) as at:
        start = (await at.broker.activities("")).watermark
        await both_open(at)
        await at.broker.positions()
        at.at.wait(5)
        at.at.venue.engine.liquidate("main", "BTCUSDT", 2)

        fills: dict[str, Fill] = {}
        for _ in range(5):
            fills |= {each.execution_id: each for each in (await at.broker.activities(start)).fills}
            at.at.wait(15)

        taken = [each for each in fills.values() if each.holding == SHORT and each.side is Side.BUY]
        assert [each.quantity for each in taken] == [Decimal("0.02")]
        order = await at.broker.order(broker_id=taken[0].broker_order_id)
        assert order is not None
        assert (order.order_class, order.state, order.holding) == ("liquidation", OrderState.FILLED, SHORT)


async def test_where_the_side_cannot_be_said_a_hedged_account_is_refused_and_not_netted() -> None:
    async with hedged("bybitid") as at:
        venue: Any = at.broker._venue
        venue._means = replace(await venue.means(), sides=None)
        await at.at.place("Buy", "0.01", positionIdx=1)

        with pytest.raises(Malformed, match="hedge mode"):
            await at.broker.positions()
        with pytest.raises(Rejected, match="hedge mode"):
            await submit(at, terms(), "sfabcd-c1", LONG)
        told = {each.what: each for each in await at.broker.guarded()}
        assert "hedge mode is refused" in told["positions"].detail


def test_what_an_answer_says_of_the_side() -> None:
    sides = Sides(name="positionSide", values={"long": "LONG", "short": "SHORT"}, opens={}, closes={}, stops={})

    told = [sides.of(info) for info in ({"positionSide": "SHORT"}, {"positionSide": "BOTH"}, {"side": "BUY"}, None)]

    assert told == ["short", "", None, None]
