"""Alpaca's market data WebSocket, /v2/{feed}: quotes of subscribed symbols, in msgpack for who asks for it, else JSON.

Every message is a list. Codes of errors are those of Alpaca's stream documentation. Trades and bars can be subscribed
to and are never sent: the exchange publishes quotes only.
"""

from contextlib import ExitStack

from aiohttp import web

from standfast.exchange.assets import Quote
from standfast.exchange.dialects.alpaca.market_data import TAPE, VENUE
from standfast.exchange.dialects.alpaca.rows import Row
from standfast.exchange.dialects.alpaca.wire import instant
from standfast.exchange.dialects.hall import Listener
from standfast.exchange.dialects.lines import Line, Way
from standfast.exchange.dialects.venue import Venue
from standfast.exchange.faults import Cut

CHANNELS = (
    "trades", "quotes", "bars", "updatedBars", "dailyBars", "statuses", "lulds", "corrections", "cancelErrors",
)  # fmt: skip
EVERYTHING = "*"


class QuoteStream:
    """The handler."""

    def __init__(self, venue: Venue) -> None:
        self._venue = venue

    async def handle(self, request: web.Request) -> web.StreamResponse:
        venue = self._venue
        venue.catch_up()
        if isinstance(venue.faults.decide("quote_stream_connect", None, venue.now), Cut):
            return web.Response(status=503)
        line = Line(request, is_binary=False)
        line.send([{"T": "success", "msg": "connected"}])
        key, secret = request.headers.get("APCA-API-KEY-ID"), request.headers.get("APCA-API-SECRET-KEY")
        with ExitStack() as watching:
            client = Client(venue, line, watching)
            if key and secret:
                client.authenticate(key, secret)
            return await line.serve(client)


class Client:
    """One client of the stream, whatever carries its messages. Ends with the stack."""

    def __init__(self, venue: Venue, line: Way, watching: ExitStack) -> None:
        self._venue = venue
        self._line = line
        self._watching = watching
        self._is_watching = False
        self._is_known = False
        self._channels: dict[str, set[str]] = {name: set() for name in CHANNELS}

    def said(self, message: object) -> None:
        if not isinstance(message, dict):
            self._error(400, "invalid syntax")
            return
        match message.get("action"):
            case "auth":
                self.authenticate(str(message.get("key", "")), str(message.get("secret", "")))
            case "subscribe" | "unsubscribe" if not self._is_known:
                self._error(401, "not authenticated")
            case "subscribe":
                self._subscribe(message)
            case "unsubscribe":
                for name, symbols in self._named(message):
                    self._channels[name] -= symbols
                self._confirm()
            case _:
                self._error(400, "invalid syntax")

    def _subscribe(self, message: dict[object, object]) -> None:
        for name, symbols in self._named(message):
            self._channels[name] |= symbols
        if not self._is_watching:
            self._is_watching = True
            self._watching.enter_context(self._venue.watching(Listener(self.hear, self._line.hang_up)))
        self._confirm()

    def authenticate(self, key: str, secret: str) -> None:
        if self._is_known:
            self._error(403, "already authenticated")
        elif self._venue.engine.account_for_key(key, secret) is None:
            self._error(402, "auth failed")
        else:
            self._is_known = True
            self._line.send([{"T": "success", "msg": "authenticated"}])

    def hear(self, quote: Quote) -> None:
        wanted = self._channels["quotes"]
        if quote.instrument in wanted or EVERYTHING in wanted:
            self._line.send([_frame(quote, is_msgpack=self._line.is_msgpack)])

    def _named(self, message: dict[object, object]) -> list[tuple[str, set[str]]]:
        lists = [(name, message.get(name)) for name in CHANNELS]
        return [(name, {str(symbol) for symbol in symbols}) for name, symbols in lists if isinstance(symbols, list)]

    def _confirm(self) -> None:
        channels: Row = {name: sorted(symbols) for name, symbols in self._channels.items()}
        self._line.send([{"T": "subscription"} | channels])

    def _error(self, code: int, text: str) -> None:
        self._line.send([{"T": "error", "code": code, "msg": text}])


def _frame(quote: Quote, *, is_msgpack: bool) -> Row:
    """In msgpack times are timestamps, not text."""
    return {
        "T": "q",
        "S": quote.instrument,
        "ap": quote.ask,
        "as": int(quote.ask_size),
        "ax": VENUE,
        "bp": quote.bid,
        "bs": int(quote.bid_size),
        "bx": VENUE,
        "c": ["R"],
        "t": quote.at if is_msgpack else instant(quote.at),
        "z": TAPE,
    }
