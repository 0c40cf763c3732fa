"""Reading what is known of instruments: never with requests that orders wait for."""

import asyncio

from standfast.runtime.instruments import AT_ONCE, PAUSE, Instruments
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
