"""The real adapter for Bybit against the simulated one, in this process and under virtual time."""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest

from standfast.brokers.ccxt.adapter import CcxtBroker, CcxtSettings
from standfast.brokers.ccxt.dialects import UNLIMITED
from standfast.brokers.ccxt.library import Access
from standfast.brokers.ccxt.markets import Shelf
from standfast.brokers.shared.courier import Deadlines
from standfast.exchange.dialects import bybit
from standfast.exchange.dialects.bybit.disconnected import Switches
from standfast.exchange.dialects.in_process import InProcess
from standfast.exchange.dialects.perpetuals import Perpetuals
from standfast.exchange.faults import NeverAnswered, Rule, Slow, Stale
from standfast.model.effects import Turn, Urgency
from standfast.model.errors import OutcomeUnknown
from standfast.model.ids import AccountId, ClientOrderId
from standfast.model.order import OrderType, Side, Terms, TimeInForce
from standfast.model.secret import Secret
from standfast.sim.halls import HallTransport
from standfast.sim.loop import VirtualClock, run
from tests.brokers.ccxt.served import BTC, NAME
from tests.exchange.dialects.bybit_desk import KEY, SECRET, venue_of
from tests.exchange.perpetual.desk import BTC as SYMBOL
from tests.exchange.perpetual.desk import START, D

Play = Callable[[CcxtBroker, Perpetuals], Awaitable[None]]
BUY = Terms(side=Side.BUY, quantity=D("0.02"), type=OrderType.MARKET, time_in_force=TimeInForce.DAY, reduces=False)
ID = ClientOrderId("sfabcd-o1")


def played(play: Play) -> Perpetuals:
    """The exchange after a scene; its time is the loop's."""
    venue = venue_of(speed=1.0)
    venue.engine.quote(SYMBOL, D(50_000), D("50000.1"), D(100), D(100), venue.now)
    venue.engine.quote("ADAUSDT", D("0.3"), D("0.3001"), D(100), D(100), venue.now)

    served = InProcess(venue, bybit.table(venue, Switches(venue), limits=None))
    broker = _broker(HallTransport(served, there=0.01, back=0.01))  # outside: ccxt draws a random name for itself

    async def main() -> None:
        async with asyncio.TaskGroup() as tasks:
            keeping = tasks.create_task(served.keep_time(), name="time")
            await play(broker, venue)
            keeping.cancel()
        await broker.close()

    run(main(), start=START)
    return venue


def _broker(transport: HallTransport) -> CcxtBroker:
    access = Access(
        id="bybit",
        key_id=Secret(KEY),
        secret=Secret(SECRET),
        passphrase=Secret(""),
        live=False,
        rest_url="https://hall.sim",
        stream_url="wss://hall.sim",
    )
    deadlines = Deadlines(answer_within=5.0)
    settings = CcxtSettings(
        account=AccountId("perp"), access=access, shelf=Shelf(), rate_share=1.0, rates=UNLIMITED, deadlines=deadlines
    )
    return CcxtBroker(settings, clock=VirtualClock(), transport=transport)


async def submit(broker: CcxtBroker) -> Any:
    return await broker.submit(ID, BTC, BUY, Turn(Urgency.OPEN))


def test_an_order_is_taken_and_the_position_seen_when_the_list_has_caught_up() -> None:
    waited: list[Decimal] = []

    async def play(broker: CcxtBroker, venue: Perpetuals) -> None:
        venue.faults.install(Rule(operation="positions", fault=Stale(age=30)))
        await broker.instrument(NAME)
        await submit(broker)
        for _ in range(2):
            rows = (await broker.positions(urgency=Urgency.READ)).rows
            waited.append(rows[BTC].quantity if BTC in rows else D(0))
            await VirtualClock().sleep(31)

    venue = played(play)
    assert waited == [D(0), D("0.02")]
    assert venue.engine.position("main", SYMBOL).quantity == D("0.02")


@pytest.mark.parametrize("fault", [NeverAnswered(), Slow(seconds=20, late="request")])
def test_a_request_that_left_is_carried_out_though_nobody_waits_any_more(fault: NeverAnswered | Slow) -> None:
    async def play(broker: CcxtBroker, venue: Perpetuals) -> None:
        await broker.instrument(NAME)
        venue.faults.install(Rule(operation="submit", fault=fault))
        before = venue.catch_up()
        with pytest.raises(OutcomeUnknown):
            await submit(broker)
        assert venue.catch_up() - before < timedelta(seconds=10)
        await VirtualClock().sleep(60)

    assert played(play).engine.position("main", SYMBOL).quantity == D("0.02")
