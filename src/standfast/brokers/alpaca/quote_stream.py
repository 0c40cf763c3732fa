"""Alpaca's market-data stream: quotes of the watched holdings, as they come.

Invariants
- Nothing connects while nothing is watched; a change of what is watched reaches the broker at once.
- Only quotes come out. When the stream is down `down` says why; nobody is given old prices in their place.
- Options are not on this stream (theirs speaks another encoding): they are polled.
- A frame of nothing but quotes, which is nearly every frame, is decoded once and handed on as it is.
"""

import asyncio
import json
from collections.abc import AsyncGenerator

import msgspec

from standfast.brokers.alpaca import parse
from standfast.brokers.alpaca.rows import MarketMessage, StreamedQuote
from standfast.brokers.alpaca.stream import Wire
from standfast.brokers.shared import reading
from standfast.brokers.shared.line import Line
from standfast.brokers.shared.sessions import Backoff
from standfast.brokers.shared.transport import TransportError
from standfast.brokers.shared.wire import STEADY_AFTER
from standfast.model.errors import Malformed
from standfast.model.ids import Holding
from standfast.ports import Ticks

QUOTES = msgspec.json.Decoder(list[StreamedQuote])
ELEMENTS = msgspec.json.Decoder(list[msgspec.Raw])
MESSAGE = msgspec.json.Decoder(MarketMessage)
QUOTE = msgspec.json.Decoder(StreamedQuote)
SYMBOLS_IN_A_MESSAGE = 400


class QuoteStream:
    def __init__(self, wire: Wire, url: str) -> None:
        self.down = "not connected yet"
        """Why no quotes come; empty while they do."""
        self._wire = wire
        self._url = url
        self._watched: frozenset[str] = frozenset()
        self._subscribed: frozenset[str] = frozenset()
        self._is_watching = asyncio.Event()
        self._line: Line | None = None

    def watch(self, holdings: frozenset[Holding]) -> None:
        """Carry these from now on."""
        streamed = frozenset(str(each.instrument) for each in holdings if not parse.is_option(each.instrument))
        if streamed == self._watched:
            return
        self._watched = streamed
        if streamed:
            self._is_watching.set()
        else:
            self._is_watching.clear()
        if self._line is not None:
            self._line.interrupt()

    async def quotes(self) -> AsyncGenerator[Ticks, None]:
        """Quotes for ever; it connects again by itself."""
        backoff = Backoff(self._wire.draw)
        while True:
            await self._is_watching.wait()
            began = self._wire.clock.monotonic()
            try:
                async with self._wire.line(self._url) as line:
                    await self._log_in(line)
                    self._line, self.down, self._subscribed = line, "", frozenset()
                    while True:
                        yield await self._next(line)
            except (TransportError, Malformed) as error:
                self.down = str(error)
            finally:
                self._line = None
            if self._wire.clock.monotonic() - began >= STEADY_AFTER:
                backoff.succeeded()
            await self._wire.clock.sleep(backoff.wait())

    async def _next(self, line: Line) -> Ticks:
        """The quotes of the next frame, if it has any, after bringing the subscription up to date."""
        if self._subscribed != self._watched:
            before, self._subscribed = self._subscribed, self._watched
            await self._say(line, "unsubscribe", before - self._subscribed)
            await self._say(line, "subscribe", self._subscribed - before)
        frame = await line.receive()
        return Ticks(self._wire.clock.now(), () if frame is None else streamed(frame))

    async def _say(self, line: Line, action: str, symbols: frozenset[str]) -> None:
        names = sorted(symbols)
        for first in range(0, len(names), SYMBOLS_IN_A_MESSAGE):
            await line.send(json.dumps({"action": action, "quotes": names[first : first + SYMBOLS_IN_A_MESSAGE]}))

    async def _log_in(self, line: Line) -> None:
        access = self._wire.access
        keys = {"key": access.key_id.reveal(), "secret": access.secret.reveal()}
        await line.send(json.dumps({"action": "auth", **keys}))
        await self._wire.answer(line, _is_authenticated)


def streamed(frame: str | bytes) -> list[StreamedQuote]:
    """The quotes of one frame. Raises Malformed, and TransportError where the stream says that something is wrong."""
    try:
        return QUOTES.decode(frame)
    except (ValueError, RecursionError):
        return [reading.rows(QUOTE, each, "streamed quote") for each, message in _messages(frame) if message.T == "q"]


def _messages(frame: str | bytes) -> list[tuple[bytes, MarketMessage]]:
    """The messages of one frame; an error among them breaks the connection."""
    body = frame.encode(errors="replace") if isinstance(frame, str) else frame
    each = [bytes(raw) for raw in reading.rows(ELEMENTS, body, "market data frame")]
    found = [(element, reading.rows(MESSAGE, element, "market data message")) for element in each]
    for _, message in found:
        if message.T == "error":
            raise TransportError(f"the data stream refuses: {message.msg} ({message.code})")
    return found


def _is_authenticated(frame: str | bytes) -> bool | None:
    found = any(message.T == "success" and message.msg == "authenticated" for _, message in _messages(frame))
    return found or None
