"""A read is whole or it is an error; what it takes to be whole is the adapter's business."""

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

import pytest

from standfast.brokers.shared.courier import READ_ATTEMPTS_MAX
from standfast.exchange.faults import EmptyList, Garbled, NeverArrives, RefusedWith, Reset, ServerError
from standfast.model.effects import Turn, Urgency
from standfast.model.errors import Incomplete, Malformed, OutcomeUnknown, Unreachable
from standfast.model.ids import BrokerOrderId, ClientOrderId, Holding, InstrumentId
from standfast.model.order import MovementKind, OrderType, Side, Terms, TimeInForce
from tests.brokers.served import AAPL, SPY, Desk, desk

LOW = Terms(
    side=Side.BUY,
    quantity=Decimal(1),
    type=OrderType.LIMIT,
    time_in_force=TimeInForce.GTC,
    limit_price=Decimal("1.00"),
    reduces=False,
)
MARKET = Terms(side=Side.BUY, quantity=Decimal(10), type=OrderType.MARKET, time_in_force=TimeInForce.DAY, reduces=False)
ONE = replace(MARKET, quantity=Decimal(1))


async def rest(at: Desk, count: int, *, moments: int) -> set[str]:
    """Working orders, submitted at so many different moments."""
    placed = set()
    for number in range(count):
        if number % max(1, count // moments) == 0:
            at.venue.advance(at.venue.now + timedelta(seconds=1))
        report = await at.broker.submit(ClientOrderId(f"o{number}"), SPY, LOW, Turn(Urgency.OPEN))
        placed.add(str(report.broker_id))
    return placed


async def test_every_page_of_working_orders_is_read_though_many_share_a_moment() -> None:
    async with desk(per_minute=None) as at:
        placed = await rest(at, 1_203, moments=7)

        read = await at.broker.working_orders()

        assert set(read.orders) == placed == set(read.changed)
        again = await at.broker.working_orders()
        assert again.orders is read.orders
        assert again.changed == frozenset()


async def test_a_list_that_cannot_be_paged_past_one_moment_is_refused() -> None:
    async with desk(per_minute=None) as at:
        await rest(at, 501, moments=1)

        with pytest.raises(Incomplete, match="more than a page"):
            await at.broker.working_orders()


async def test_only_what_differs_is_named_as_changed() -> None:
    async with desk(per_minute=None) as at:
        await at.broker.submit(ClientOrderId("a"), SPY, MARKET, Turn(Urgency.OPEN))
        first = await at.broker.positions()
        at.quote(SPY, "610.00", "610.02")
        ticked = await at.broker.positions()
        await at.broker.submit(ClientOrderId("b"), AAPL, MARKET, Turn(Urgency.OPEN))
        second = await at.broker.positions()

        assert (set(first.changed), set(ticked.changed), set(second.changed)) == ({SPY}, set(), {AAPL})
        assert ticked.rows is first.rows, "a price that moves changes nothing that is held"
        assert set(first.rows) == {SPY}, "a list once given is never altered"


async def test_a_short_position_is_negative() -> None:
    async with desk() as at:
        sell = Terms(
            side=Side.SELL, quantity=Decimal(3), type=OrderType.MARKET, time_in_force=TimeInForce.DAY, reduces=False
        )
        await at.broker.submit(ClientOrderId("s"), SPY, sell, Turn(Urgency.OPEN))

        assert (await at.broker.positions()).rows[SPY].quantity == -3


@pytest.mark.parametrize("body", ["null", "{}", '"null"', "<html>", '[{"symbol":"SPY","qty":"1","side":"up"}]'])
async def test_a_list_that_is_none_is_never_taken_for_an_empty_one(body: str) -> None:
    async with desk() as at:
        at.fault("positions", Garbled(body=body))

        with pytest.raises(Malformed):
            await at.broker.positions()


async def test_a_failing_read_is_asked_again_and_not_for_ever() -> None:
    async with desk() as at:
        at.fault("positions", ServerError(status=500), count=1)
        at.fault("positions", Reset(), count=1)
        assert (await at.broker.positions()).rows == {}

        at.fault("account", NeverArrives())
        with pytest.raises((OutcomeUnknown, Unreachable)):
            await at.broker.account()
        assert [asked.operation for asked in at.venue.log].count("account") == READ_ATTEMPTS_MAX


async def test_a_page_of_somebody_else_is_no_proof_that_an_order_is_unknown() -> None:
    async with desk() as at:
        at.fault("order", RefusedWith(status=404, body={"message": "no route"}))

        with pytest.raises(OutcomeUnknown):
            await at.broker.order(client_id=ClientOrderId("mine"))
        with pytest.raises(OutcomeUnknown):
            await at.broker.order(broker_id=BrokerOrderId("0b11f089-722d-4ced-9beb-e2eeed3637dc"))


async def test_every_page_of_activities_is_read_once_and_a_restart_repeats_none() -> None:
    async with desk(per_minute=None) as at:
        start = (await at.broker.activities("")).watermark
        for number in range(250):
            await at.broker.submit(ClientOrderId(f"o{number}"), SPY, ONE, Turn(Urgency.OPEN))

        read = await at.broker.activities(start)

        assert len(read.fills) == 250
        assert len({fill.execution_id for fill in read.fills}) == 250
        assert sum(fill.signed for fill in read.fills) == 250
        assert (await at.broker.activities(read.watermark)).fills == ()
        assert (await at.broker.activities(start)).fills == read.fills, "the same watermark gives the same rows"


async def test_what_was_booked_before_the_first_read_is_not_told_and_what_comes_at_the_same_moment_is() -> None:
    async with desk() as at:
        await at.broker.submit(ClientOrderId("before"), SPY, MARKET, Turn(Urgency.OPEN))
        first = await at.broker.activities("")
        await at.broker.submit(ClientOrderId("after"), SPY, MARKET, Turn(Urgency.OPEN))  # time stands still

        read = await at.broker.activities(first.watermark)

        assert first.fills == ()
        assert len(read.fills) == 1
        assert (await at.broker.activities(read.watermark)).watermark == read.watermark


async def test_a_split_is_a_movement_of_the_holding() -> None:
    async with desk() as at:
        await at.broker.submit(ClientOrderId("a"), SPY, MARKET, Turn(Urgency.OPEN))
        start = (await at.broker.activities("")).watermark
        at.venue.engine.split("SPY", Decimal(4))

        moved = (await at.broker.activities(start)).movements

        assert {each.kind for each in moved} == {MovementKind.SPLIT}
        assert sum(each.quantity for each in moved) == 30
        assert (await at.broker.positions()).rows[SPY].quantity == 40


async def test_an_empty_list_is_reported_as_the_broker_gave_it() -> None:
    async with desk() as at:
        await at.broker.submit(ClientOrderId("a"), SPY, MARKET, Turn(Urgency.OPEN))
        await at.broker.positions()
        at.fault("positions", EmptyList())

        read = await at.broker.positions()

        assert (dict(read.rows), set(read.changed)) == ({}, {SPY}), "doubting it is the core's business"


async def test_a_holding_without_a_quote_is_absent() -> None:
    async with desk() as at:
        unknown = Holding(InstrumentId("ZZZZ"))

        quotes = await at.broker.quotes([SPY, unknown, AAPL])

        assert set(quotes) == {SPY, AAPL}
        asked = len(at.venue.log)
        assert set(await at.broker.quotes([SPY, unknown, AAPL])) == {SPY, AAPL}
        assert len(at.venue.log) == asked + 1, "the refused symbol is left out at once"
        assert (quotes[SPY].bid, quotes[SPY].ask) == (Decimal("599.99"), Decimal("600.01"))
