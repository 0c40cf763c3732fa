"""Quotes as they change: over real sockets from the simulated Bybit, and what each exchange's frames say."""

import asyncio
import random
from contextlib import aclosing
from decimal import Decimal
from typing import Any

import pytest

from standfast.brokers.ccxt.binance.feed import BinanceFeed
from standfast.brokers.ccxt.bybit.feed import BybitFeed
from standfast.brokers.ccxt.quote_stream import Feed
from standfast.brokers.shared.transport import AiohttpTransport, TransportError
from standfast.brokers.shared.wire import Wire
from standfast.model.errors import Malformed
from tests.brokers.ccxt.served import BTC, LONG, NAME, SHORT, desk
from tests.brokers.clocks import PATIENCE, LoopClock

BOOK = {
    "topic": "orderbook.1.BTCUSDT", "type": "snapshot", "ts": 1790000000000,
    "data": {"s": "BTCUSDT", "b": [["50000.1", "2"]], "a": [["50000.2", "1"]], "u": 1, "seq": 1},
}  # fmt: skip
TICKER = {"e": "bookTicker", "u": 1, "s": "BTCUSDT", "b": "50000.1", "B": "2", "a": "50000.2", "A": "1",
          "T": 1790000000000, "E": 1790000000001}  # fmt: skip


def wire() -> Wire:
    return Wire(clock=LoopClock(), transport=AiohttpTransport(), draw=random.Random(1))


async def test_a_watched_contract_is_quoted_as_it_changes_for_both_sides_at_once() -> None:
    async with desk() as at, aclosing(at.broker.quote_events()) as quotes:
        await at.broker.instrument(NAME)
        at.broker.watch(frozenset({BTC, LONG, SHORT}))
        async with asyncio.timeout(PATIENCE):
            while not (first := (await anext(quotes)).each):
                pass
            assert (first[0].instrument, first[0].bid) == (NAME, 50000.0)
            at.at.quote("50123.4")
            seen: list[Decimal | None] = []
            while not seen or seen[-1] != Decimal("50123.4"):
                seen += [tick.quote(at.clock.now()).bid for tick in (await anext(quotes)).each]
        assert at.broker.quotes_down == ""


@pytest.mark.parametrize(("feed", "frame"), [(BybitFeed(), BOOK), (BinanceFeed(), TICKER)], ids=["bybit", "binance"])
async def test_a_frame_is_read_exactly(feed: Feed, frame: dict[str, Any]) -> None:
    top = feed.read(frame, wire())

    assert top is not None
    assert (top.symbol, top.quote.bid, top.quote.ask) == ("BTCUSDT", Decimal("50000.1"), Decimal("50000.2"))


async def test_a_side_that_is_empty_is_no_price() -> None:
    empty = {**BOOK, "data": {"s": "BTCUSDT", "b": [], "a": [["50000.2", "1"]]}}

    top = BybitFeed().read(empty, wire())

    assert top is not None
    assert not top.quote.is_two_sided


@pytest.mark.parametrize(
    ("feed", "frame"),
    [
        (BybitFeed(), {**BOOK, "data": {"b": "x", "a": []}}),
        (BybitFeed(), {**BOOK, "ts": None}),
        (BinanceFeed(), {**TICKER, "b": "NaN"}),
        (BinanceFeed(), {**TICKER, "T": "x"}),
    ],
)
async def test_a_frame_that_cannot_be_understood_is_refused(feed: Feed, frame: dict[str, Any]) -> None:
    with pytest.raises(Malformed):
        feed.read(frame, wire())


@pytest.mark.parametrize(
    ("feed", "frame"),
    [(BybitFeed(), {"success": False, "ret_msg": "no such topic"}), (BinanceFeed(), {"error": {"code": 2}, "id": 1})],
)
async def test_a_refusal_breaks_the_connection(feed: Feed, frame: dict[str, Any]) -> None:
    with pytest.raises(TransportError):
        feed.read(frame, wire())
