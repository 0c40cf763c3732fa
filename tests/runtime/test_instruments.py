"""Reading what is known of instruments: never with requests that orders wait for."""

import asyncio
from decimal import Decimal

from standfast.model.instrument import Kind
from standfast.runtime.instruments import AT_ONCE, PAUSE, Instruments
from tests.brokers.ccxt import scripted
from tests.brokers.clocks import ManualClock
from tests.brokers.served import AAPL, desk


async def test_no_instrument_is_read_while_many_orders_are_under_way() -> None:
    clock, under_way = ManualClock(), AT_ONCE
    async with desk() as at, asyncio.TaskGroup() as group:
        instruments = Instruments(at.broker, clock, lambda: under_way)
        instruments.want([AAPL])
        assumed = instruments.known[AAPL.instrument]
        reading = group.create_task(instruments.run())

        await clock.advance(60)
        for _ in range(3):
            await at.broker.clock()  # a request sent before these would have been answered by now
        during = instruments.known[AAPL.instrument]
        under_way = 0
        await clock.advance(PAUSE)
        for _ in range(3):
            await at.broker.clock()
        reading.cancel()

    assert during is assumed
    assert instruments.known[AAPL.instrument] is not assumed


async def test_what_the_broker_knows_without_asking_is_never_assumed() -> None:
    """A perpetual that is taken for a share gets a stop at a price it has not, and the rules for shares."""
    script = scripted.Script()
    broker = scripted.broker(script)
    await broker.positions()  # with the table of all contracts
    instruments = Instruments(broker, script.clock, lambda: 0)

    instruments.want([scripted.BTC])

    known = instruments.known[scripted.NAME]
    assert (known.kind, known.tick, known.lot) == (Kind.PERPETUAL, Decimal("0.1"), Decimal("0.001"))
