"""Through ccxt alone, against the simulated exchanges: how money could be lost there, and is not."""

import asyncio
from collections.abc import Callable
from contextlib import aclosing
from decimal import Decimal
from typing import Any

import pytest

from standfast.brokers.ccxt.adapter import CcxtBroker
from standfast.exchange.faults import ServerError
from standfast.model.effects import Turn, Urgency
from standfast.model.errors import Incomplete, OutcomeUnknown, Rejected
from standfast.model.ids import ClientOrderId, Holding
from standfast.model.order import OrderReport, OrderState, Side, Terms
from tests.brokers.ccxt.served import BTC
from tests.brokers.ccxt.served_unified import Desk, desk
from tests.brokers.ccxt.test_bybit_writes import stop, terms
from tests.brokers.clocks import PATIENCE

BOTH = pytest.mark.parametrize("id", ["bybitid", "binanceusdm"])


async def submit(at: Desk, order: Terms, id: str, holding: Holding = BTC) -> OrderReport:
    urgency = Urgency.CLOSE if order.reduces else Urgency.OPEN
    return await at.broker.submit(ClientOrderId(id), holding, order, Turn(urgency))


async def nets(at: Desk) -> dict[Holding, Decimal]:
    return {holding: row.quantity for holding, row in (await at.broker.positions()).rows.items()}


def altered(broker: CcxtBroker, change: Callable[[dict[str, object]], object]) -> None:
    """Another release of ccxt, which does something else with what it is told of an order."""
    library: Any = broker._library
    makes = library.create_order

    async def create_order(symbol: str, kind: str, side: str, amount: float, price: Any, params: Any) -> Any:
        change(params)
        return await makes(symbol, kind, side, amount, price, params)

    library.create_order = create_order


@BOTH
async def test_closes_that_cross_cannot_turn_a_position_around(id: str) -> None:
    async with desk(id) as at:
        await submit(at, terms(side=Side.BUY, reduces=False), "sfabcd-o1")
        await submit(at, terms(), "sfabcd-c1")
        with pytest.raises(Rejected):
            await submit(at, terms(), "sfabcd-c2")
        assert await nets(at) == {}


@BOTH
@pytest.mark.parametrize(
    ("lost", "order"),
    [("reduceOnly", terms()), ("stopLossPrice", stop(stop_price=Decimal(49000)))],
    ids=["a close that could open", "a stop that would sell now"],
)
async def test_an_order_that_lost_its_mark_on_the_way_does_not_leave(id: str, lost: str, order: Terms) -> None:
    async with desk(id) as at:
        await submit(at, terms(side=Side.BUY, reduces=False), "sfabcd-o1")
        altered(at.broker, lambda params: params.pop(lost, None))
        asked = len(at.at.venue.log)

        with pytest.raises(Rejected, match="it was not sent"):
            await submit(at, order, "sfabcd-s1")

        assert len(at.at.venue.log) == asked
        assert await nets(at) == {BTC: Decimal("0.01")}


@BOTH
async def test_a_stop_that_fires_closes_once_and_is_never_told_as_filled_before(id: str) -> None:
    async with desk(id) as at:
        start = (await at.broker.activities("")).watermark
        await submit(at, terms(side=Side.BUY, reduces=False), "sfabcd-o1")
        placed = await submit(at, stop(stop_price=Decimal(49000)), "sfabcd-s1")
        assert set((await at.broker.working_orders()).orders) == {placed.broker_id}

        at.at.quote("48900")

        assert await nets(at) == {}
        told = await at.broker.order(client_id=ClientOrderId("sfabcd-s1"))
        assert told is not None
        assert told.is_finished
        assert told.filled in (told.quantity, 0), "all of it, or what it became has"
        assert (told.state is OrderState.FILLED) is (told.filled > 0)
        fills = (await at.broker.activities(start)).fills
        assert sorted(fill.signed for fill in fills) == [Decimal("-0.01"), Decimal("0.01")]


@BOTH
async def test_an_answer_that_is_lost_leaves_the_outcome_open_and_the_order_is_found_by_its_id(id: str) -> None:
    async with desk(id) as at:
        await at.broker.positions()
        at.at.fault("submit", ServerError(status=504, after=True))
        with pytest.raises(OutcomeUnknown):
            await submit(at, terms(side=Side.BUY, reduces=False), "sfabcd-o1")

        found = await at.broker.order(client_id=ClientOrderId("sfabcd-o1"))

        assert found is not None
        assert (found.state, found.filled) == (OrderState.FILLED, Decimal("0.01"))
        assert await at.broker.order(client_id=ClientOrderId("sfabcd-o2")) is None


@BOTH
async def test_too_large_an_order_is_refused_by_the_exchange_and_told_as_that(id: str) -> None:
    async with desk(id) as at:
        with pytest.raises(Rejected) as told:
            await submit(at, terms(side=Side.BUY, reduces=False, quantity=Decimal(900)), "sfabcd-o1")
        assert told.value.kind in ("buying_power", "other")
        assert await nets(at) == {}


@BOTH
async def test_a_list_that_may_have_been_cut_off_is_no_answer(id: str) -> None:
    async with desk(id) as at:
        await at.broker.positions()
        library: Any = at.broker._library
        limit = library.features["swap"]["linear"]["fetchOpenOrders"]["limit"]

        async def fetch_open_orders(*_: object) -> list[object]:
            return [{}] * limit

        library.fetch_open_orders = fetch_open_orders
        with pytest.raises(Incomplete):
            await at.broker.working_orders()


@BOTH
async def test_quotes_come_as_they_change(id: str) -> None:
    async with desk(id) as at, aclosing(at.broker.quote_events()) as quotes:
        at.broker.watch(frozenset({BTC}))
        await at.broker.instrument(BTC.instrument)
        await at.broker.clock()
        seen: list[Decimal] = []

        async def listen() -> None:
            async for ticks in quotes:
                seen.extend(tick.quote(at.clock.now()).bid for tick in ticks.each)
                if Decimal("50123.4") in seen:
                    return

        async with asyncio.timeout(PATIENCE):
            listening = asyncio.ensure_future(listen())
            while not listening.done():
                at.at.quote("50123.4")
                await asyncio.wait({listening}, timeout=0.2)
        await listening
