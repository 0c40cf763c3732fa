"""Alpaca's market-data stream (`shared.quote_stream`).

Invariants
- Options are not on this stream (theirs speaks another encoding): they are polled.
- A frame of nothing but quotes, which is nearly every frame, is decoded once and handed on as it is.
"""

import json

import msgspec

from standfast.brokers.alpaca import parse
from standfast.brokers.alpaca.rows import MarketMessage, StreamedQuote
from standfast.brokers.alpaca.stream import Wire
from standfast.brokers.shared import quote_stream as shared
from standfast.brokers.shared import reading
from standfast.brokers.shared.line import Line
from standfast.brokers.shared.transport import TransportError
from standfast.model.ids import Holding

QUOTES = msgspec.json.Decoder(list[StreamedQuote])
ELEMENTS = msgspec.json.Decoder(list[msgspec.Raw])
MESSAGE = msgspec.json.Decoder(MarketMessage)
QUOTE = msgspec.json.Decoder(StreamedQuote)
SYMBOLS_IN_A_MESSAGE = 400


class QuoteStream(shared.QuoteStream):
    def __init__(self, wire: Wire, url: str) -> None:
        super().__init__(wire, url)
        self._access = wire.access

    def is_streamed(self, holding: Holding) -> bool:
        return not parse.is_option(holding.instrument)

    def read(self, frame: str | bytes) -> list[StreamedQuote]:
        return streamed(frame)

    async def change(self, line: Line, before: frozenset[str], wanted: frozenset[str]) -> None:
        await self._say(line, "unsubscribe", before - wanted)
        await self._say(line, "subscribe", wanted - before)

    async def _say(self, line: Line, action: str, symbols: frozenset[str]) -> None:
        names = sorted(symbols)
        for first in range(0, len(names), SYMBOLS_IN_A_MESSAGE):
            await line.send(json.dumps({"action": action, "quotes": names[first : first + SYMBOLS_IN_A_MESSAGE]}))

    async def log_in(self, line: Line) -> None:
        keys = {"key": self._access.key_id.reveal(), "secret": self._access.secret.reveal()}
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
