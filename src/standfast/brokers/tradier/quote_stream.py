"""Tradier's market events: quotes of shares and options, in one stream. The sandbox has none: there all is polled.

Every message names all symbols that are wanted: it takes the place of the one before.
"""

import asyncio
import json
from collections.abc import AsyncGenerator
from decimal import Decimal

import msgspec

from standfast.brokers.shared import quote_stream as shared
from standfast.brokers.shared.line import Line
from standfast.brokers.shared.reading import holding, number, rows
from standfast.brokers.shared.transport import TransportError
from standfast.brokers.shared.wire import Wire
from standfast.brokers.tradier.client import TradierClient
from standfast.brokers.tradier.parse import moment_of
from standfast.brokers.tradier.rows import MarketEvent, SessionReply
from standfast.model.ids import Holding
from standfast.model.quote import ExactTick, Quote
from standfast.ports import Clock, Ticks

EVENT = msgspec.json.Decoder(MarketEvent)
SESSION = msgspec.json.Decoder(SessionReply)
PATH = "/v1/markets/events"


class QuoteStream(shared.QuoteStream):
    def __init__(self, wire: Wire, client: TradierClient, url: str) -> None:
        super().__init__(wire, url.rstrip("/") + PATH)
        self._client = client
        self._session = ""

    def is_streamed(self, holding: Holding) -> bool:
        return True

    async def log_in(self, line: Line) -> None:
        self._session = rows(SESSION, await self._client.post_market_session(), "session").stream.sessionid

    async def change(self, line: Line, before: frozenset[str], wanted: frozenset[str]) -> None:
        asked = {"symbols": sorted(wanted), "sessionid": self._session, "filter": ["quote"], "linebreak": False}
        await line.send(json.dumps(asked))

    def read(self, frame: str | bytes) -> list[ExactTick]:
        event = rows(EVENT, frame.encode(errors="replace") if isinstance(frame, str) else frame, "market event")
        if event.error:
            raise TransportError(f"the data stream refuses: {event.error}")
        if event.type != "quote" or event.symbol is None:
            return []
        stamps = [moment_of(int(stamp)) for stamp in (event.biddate, event.askdate) if stamp and stamp.isdigit()]
        received = self._wire.clock.now()
        quote = Quote(_price(event.bid, "bid"), _price(event.ask, "ask"), max(stamps, default=received), received)
        return [ExactTick.of(holding(event.symbol).instrument, quote)]


async def no_quotes(clock: Clock) -> AsyncGenerator[Ticks, None]:
    """None come: what is watched is polled, out of a budget of its own."""
    await asyncio.Event().wait()
    yield Ticks(clock.now(), ())


def _price(value: str | int | float | None, field: str) -> Decimal:
    return Decimal(0) if value is None else number(value, field)
