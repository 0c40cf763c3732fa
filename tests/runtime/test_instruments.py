"""Reading what is known of instruments: never with requests that orders wait for."""

import asyncio
from collections.abc import Awaitable, Callable
from decimal import Decimal

import pytest

from standfast.model.ids import Holding, InstrumentId
from standfast.model.instrument import Instrument, Kind
from standfast.runtime.instruments import AT_ONCE, PAUSE, Instruments
from tests.brokers.ccxt import scripted
from tests.brokers.clocks import ManualClock
from tests.brokers.served import AAPL, desk

Read = Callable[[InstrumentId], Awaitable[Instrument]]
MSFT, SPY = (Holding(InstrumentId(name)) for name in ("MSFT", "SPY"))


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


async def test_the_turn_of_the_reads_is_not_that_in_which_holdings_are_named(monkeypatch: pytest.MonkeyPatch) -> None:
    """Found by simulation: they come as a set, and a run was not the same in every process."""
    turns = []
    for named in ([AAPL, SPY, MSFT], [MSFT, AAPL, SPY]):
        asked: list[InstrumentId] = []
        async with desk() as at, asyncio.TaskGroup() as group:
            read = at.broker.instrument

            async def noted(name: InstrumentId, asked: list[InstrumentId] = asked, read: Read = read) -> Instrument:
                asked.append(name)
                return await read(name)

            monkeypatch.setattr(at.broker, "instrument", noted)
            instruments = Instruments(at.broker, ManualClock(), lambda: 0)
            instruments.want(named)
            reading = group.create_task(instruments.run())
            while len(asked) < len(named):
                await at.broker.clock()
            reading.cancel()
        turns.append(asked)

    assert turns[0] == turns[1]


async def test_what_the_broker_knows_without_asking_is_never_assumed() -> None:
    """A perpetual that is taken for a share gets a stop at a price it has not, and the rules for shares."""
    script = scripted.Script()
    broker = scripted.broker(script)
    await broker.positions()  # with the table of all contracts
    instruments = Instruments(broker, script.clock, lambda: 0)

    instruments.want([scripted.BTC])

    known = instruments.known[scripted.NAME]
    assert (known.kind, known.tick, known.lot) == (Kind.PERPETUAL, Decimal("0.1"), Decimal("0.001"))
