"""Quotes of what is watched, shares and options alike, as they come; a stream that breaks is up again by itself."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import aclosing, asynccontextmanager
from decimal import Decimal

import pytest

from standfast.brokers.shared.transport import TransportError
from standfast.brokers.tradier.quote_stream import QuoteStream
from standfast.exchange.faults import Cut
from standfast.model.errors import Malformed
from standfast.ports import Tick
from tests.brokers.clocks import PATIENCE, ManualClock
from tests.brokers.tradier.scripted import Script, broker
from tests.brokers.tradier.served import AAPL, PUT, SPY, Desk, desk


@asynccontextmanager
async def ticks(at: Desk) -> AsyncIterator[AsyncIterator[Tick]]:
    async def each() -> AsyncIterator[Tick]:
        async for found in at.broker.quote_events():
            for tick in found.each:
                yield tick

    async with aclosing(each()) as found, asyncio.timeout(PATIENCE):  # type: ignore[type-var]  # it is a generator
        yield found


async def test_quotes_come_for_what_is_watched_and_change_with_it() -> None:
    async with desk() as at, ticks(at) as found:
        at.broker.watch(frozenset({SPY, PUT}))
        first = {(await anext(found)).instrument for _ in range(2)}
        at.quote(AAPL, "240.00", "240.10")
        at.quote(SPY, "598.10", "598.12")
        seen = await anext(found)
        exact = seen.quote(at.clock.now())
        at.broker.watch(frozenset({AAPL}))
        after = await anext(found)

        assert first == {"SPY", PUT.instrument}
        assert (seen.instrument, exact.bid, exact.ask) == ("SPY", Decimal("598.1"), Decimal("598.12"))
        assert exact.at == at.venue.now
        assert after.instrument == "AAPL"
        assert at.broker.quotes_down == ""


async def test_a_stream_that_is_cut_is_up_again_by_itself() -> None:
    async with desk() as at, ticks(at) as found:
        at.broker.watch(frozenset({SPY}))
        await anext(found)
        at.fault("quote_stream", Cut(), count=1)
        at.quote(SPY, "598.10", "598.12")

        assert (await anext(found)).bid == 598.1, "where it stands comes first on every connection"


def stream() -> QuoteStream:
    return broker(Script(), ManualClock(), data_stream_url="wss://h")._quote_stream


@pytest.mark.parametrize("frame", ['{"type": "trade", "symbol": "SPY"}', '{"type": "quote"}', "{}"])
def test_a_frame_without_a_quote_has_none(frame: str) -> None:
    assert stream().read(frame) == []


@pytest.mark.parametrize("frame", ["<html>", "null", '{"type": "quote", "symbol": "SPY", "bid": "much"}'])
def test_a_frame_that_cannot_be_understood_breaks_the_connection(frame: str) -> None:
    with pytest.raises(Malformed):
        stream().read(frame)


def test_a_stream_that_refuses_says_so() -> None:
    with pytest.raises(TransportError, match="Session not found"):
        stream().read('{"error": "Session not found"}')
