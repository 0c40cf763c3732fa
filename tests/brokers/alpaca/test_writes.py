"""A write ends in one of three ways, and each is told apart from the others."""

import asyncio
import json
from decimal import Decimal

import pytest

from standfast.brokers.alpaca.adapter import AlpacaBroker, AlpacaSettings
from standfast.brokers.shared.courier import Deadlines
from standfast.brokers.shared.transport import AiohttpTransport
from standfast.exchange.faults import (
    AnyFault,
    Garbled,
    NeverAnswered,
    NeverArrives,
    RateLimited,
    RefusedWith,
    Reset,
    ServerError,
)
from standfast.model.effects import Turn, Urgency
from standfast.model.errors import OutcomeUnknown, Rejected, Unauthorised, Unreachable, Withdrawn
from standfast.model.ids import AccountId, ClientOrderId
from standfast.model.order import OrderType, Side, TimeInForce
from standfast.model.secret import Secret
from tests.brokers.alpaca.replies import order_row
from tests.brokers.clocks import LoopClock
from tests.brokers.served import SPY, desk
from tests.brokers.writing import ID, exists, submit, terms


@pytest.mark.parametrize(
    ("fault", "happened"),
    [
        (ServerError(status=500), False),
        (ServerError(status=504, after=True), True),
        (ServerError(status=503, body="<html>maintenance</html>"), False),
        (Garbled(), True),
        (Garbled(body="null"), True),
        (Garbled(body='{"id": "x", "client_order_id": "another"}'), True),
        (Garbled(body=json.dumps(order_row(client_order_id="another"))), True),
        (Reset(), False),
        (Reset(after=True), True),
        (NeverArrives(), False),
        (NeverAnswered(), True),
        (RefusedWith(status=404, body={"error": "a proxy's page"}), False),
        (RefusedWith(status=409, body={"message": "never seen"}), False),
        (RefusedWith(status=302, body={}), False),
    ],
    ids=str,
)
async def test_an_answer_that_proves_nothing_leaves_the_outcome_open(fault: AnyFault, *, happened: bool) -> None:
    async with desk() as at:
        at.fault("submit", fault)

        with pytest.raises(OutcomeUnknown):
            await submit(at)

        assert await exists(at) is happened


async def test_a_write_is_sent_once_whatever_happens_to_it() -> None:
    async with desk() as at:
        at.fault("submit", ServerError(status=504))

        with pytest.raises(OutcomeUnknown):
            await submit(at)

        assert [asked.operation for asked in at.venue.log].count("submit") == 1


async def test_a_refused_connection_means_that_it_never_left() -> None:
    settings = AlpacaSettings(
        account=AccountId("paper"), key_id=Secret("k"), secret=Secret("s"), rest_url="http://127.0.0.1:9"
    )
    broker = AlpacaBroker(settings, clock=LoopClock(), transport=AiohttpTransport())
    try:
        with pytest.raises(Unreachable, match="not sent"):
            await broker.submit(ID, SPY, terms(), Turn(Urgency.OPEN))
    finally:
        await broker.close()


async def test_a_full_connection_pool_means_that_it_never_left() -> None:
    async with desk() as at:
        at.fault("submit", NeverArrives())
        settings = AlpacaSettings(
            account=AccountId("paper"), key_id=Secret("PKTEST0001"), secret=Secret("very secret words"),
            rest_url=at.server.url,
        )  # fmt: skip
        narrow = AlpacaBroker(settings, clock=at.clock, transport=AiohttpTransport(connections_max=1))
        outcomes: list[type[Exception]] = []

        async def one(client_id: str) -> None:
            try:
                await narrow.submit(ClientOrderId(client_id), SPY, terms(), Turn(Urgency.OPEN))
            except (OutcomeUnknown, Unreachable) as error:
                outcomes.append(type(error))

        try:
            async with asyncio.TaskGroup() as tasks:
                tasks.create_task(one("first"))
                tasks.create_task(one("second"))
        finally:
            await narrow.close()

        assert sorted(outcomes, key=str) == [OutcomeUnknown, Unreachable]


async def test_refused_keys_are_said_as_such() -> None:
    async with desk(secret="wrong") as at:
        with pytest.raises(Unauthorised):
            await submit(at)
        with pytest.raises(Unauthorised):
            await at.broker.positions()


async def test_a_refusal_for_rate_says_how_long_and_closes_the_way_for_the_next() -> None:
    async with desk(deadlines=Deadlines(turn_within=0.05)) as at:
        at.fault("submit", RateLimited(reset_after=30.0), count=1)

        with pytest.raises(Rejected) as refused:
            await submit(at)
        with pytest.raises(Unreachable, match="no turn"):
            await submit(at)

        assert refused.value.kind == "rate_limited"
        assert refused.value.retry_after is not None
        assert 29 <= refused.value.retry_after <= 32
        assert [asked.operation for asked in at.venue.log].count("submit") == 1


async def test_a_close_waits_for_the_quantity_its_stop_holds() -> None:
    async with desk() as at:
        await submit(at, terms(quantity="10"))
        stop = terms(Side.SELL, "10", type=OrderType.STOP, time_in_force=TimeInForce.GTC, stop_price=Decimal("590.00"))
        await submit(at, stop, ClientOrderId("stop"))

        with pytest.raises(Rejected) as refused:
            await submit(at, terms(Side.SELL, "10"), ClientOrderId("close"))

        assert (refused.value.kind, refused.value.code) == ("held_quantity", "40310000")


async def test_the_same_id_is_the_same_order() -> None:
    async with desk() as at:
        await submit(at)

        with pytest.raises(Rejected) as refused:
            await submit(at)

        assert refused.value.kind == "duplicate_id"
        assert (await at.broker.positions()).rows[SPY].quantity == 1


async def test_a_price_below_the_tick_is_refused_as_a_price() -> None:
    async with desk() as at:
        with pytest.raises(Rejected) as refused:
            await submit(at, terms(type=OrderType.LIMIT, limit_price=Decimal("500.123")))

        assert refused.value.kind == "price"


async def test_a_stop_over_a_fraction_is_refused_before_it_leaves() -> None:
    async with desk() as at:
        broken = terms(Side.SELL, "0.5", type=OrderType.STOP, stop_price=Decimal(500))

        with pytest.raises(Rejected) as refused:
            await submit(at, broken)

        assert refused.value.kind == "not_fractionable"
        assert not [asked for asked in at.venue.log if asked.operation == "submit"]


async def test_a_pair_keeps_its_quantity_out_of_a_replace_of_its_stop() -> None:
    async with desk() as at:
        await submit(at, terms(quantity="10"))
        pair = terms(
            Side.SELL, "10", type=OrderType.STOP, time_in_force=TimeInForce.GTC,
            stop_price=Decimal("590.00"), target_price=Decimal("700.00"),
        )  # fmt: skip
        await submit(at, pair, ClientOrderId("pair"))
        (parent,) = (await at.broker.working_orders()).orders.values()
        (stop,) = parent.legs
        assert stop.parent_id == parent.broker_id
        higher = terms(
            Side.SELL, "10", type=OrderType.STOP, time_in_force=TimeInForce.GTC, stop_price=Decimal("595.00")
        )

        new = await at.broker.replace(stop.broker_id, ClientOrderId("higher"), higher, Turn(Urgency.PROTECT))

        assert (new.stop_price, new.quantity, new.client_id) == (
            Decimal("595.00"),
            Decimal(10),
            ClientOrderId("higher"),
        )


async def test_no_error_names_the_keys() -> None:
    async with desk() as at:
        at.fault("submit", NeverAnswered())
        with pytest.raises(OutcomeUnknown) as unknown:
            await submit(at)

        shown = repr(unknown.value) + repr(unknown.value.__context__) + repr(at.broker._settings)
        assert "very secret words" not in shown
        assert "PKTEST0001" not in shown


async def test_an_order_that_is_not_wanted_any_more_when_its_turn_comes_does_not_leave() -> None:
    async with desk() as at:
        with pytest.raises(Withdrawn):
            await at.broker.submit(ID, SPY, terms(), Turn(Urgency.OPEN, is_wanted=lambda: False))
        assert not await exists(at)
        await at.broker.submit(ID, SPY, terms(), Turn(Urgency.OPEN, is_wanted=lambda: True))
        assert await exists(at)
