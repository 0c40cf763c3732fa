"""Tradier's /v1/markets/events: quotes of the symbols a client names; naming others replaces them."""

from contextlib import ExitStack

from aiohttp import web

from standfast.exchange.assets import Quote
from standfast.exchange.contracts import contract_of
from standfast.exchange.dialects.hall import Listener
from standfast.exchange.dialects.lines import Line, Way
from standfast.exchange.dialects.tradier.sessions import Sessions
from standfast.exchange.dialects.tradier.wire import Row, milliseconds, number
from standfast.exchange.dialects.venue import Venue
from standfast.exchange.faults import Cut


class QuoteStream:
    """The handler."""

    def __init__(self, venue: Venue, sessions: Sessions) -> None:
        self._venue = venue
        self._sessions = sessions

    async def handle(self, request: web.Request) -> web.StreamResponse:
        venue = self._venue
        venue.catch_up()
        if isinstance(venue.faults.decide("quote_stream_connect", None, venue.now), Cut):
            return web.Response(status=503)
        line = Line(request, is_binary=False)
        with ExitStack() as watching:
            return await line.serve(Client(venue, self._sessions, line, watching))


class Client:
    """One client of the stream, whatever carries its messages. Ends with the stack."""

    def __init__(self, venue: Venue, sessions: Sessions, line: Way, watching: ExitStack) -> None:
        self._venue = venue
        self._sessions = sessions
        self._line = line
        self._watching = watching
        self._is_watching = False
        self._symbols: frozenset[str] = frozenset()
        self._hears_quotes = False

    def said(self, message: object) -> None:
        asked = message if isinstance(message, dict) else {}
        symbols, kinds = asked.get("symbols"), asked.get("filter")
        if self._sessions.token(self._venue, asked.get("sessionid")) is None and not self._is_watching:
            self._line.send({"error": "Session not found"})
            return
        if not isinstance(symbols, list):
            self._line.send({"error": "symbols are required"})
            return
        self._symbols = frozenset(str(symbol).upper() for symbol in symbols)
        self._hears_quotes = not kinds or (isinstance(kinds, list) and "quote" in kinds)
        if not self._is_watching:
            self._is_watching = True
            self._watching.enter_context(self._venue.watching(Listener(self._hear, self._line.hang_up)))
        for symbol in sorted(self._symbols):  # where it stands now comes first
            quote = self._venue.last_quote(symbol)
            if quote is not None:
                self._hear(quote)

    def _hear(self, quote: Quote) -> None:
        if self._hears_quotes and quote.instrument in self._symbols:
            self._line.send(quote_frame(quote))


def quote_frame(quote: Quote) -> Row:
    """Dates are texts of milliseconds here."""
    exchange = "Q" if contract_of(quote.instrument) is None else "C"
    return {
        "type": "quote",
        "symbol": quote.instrument,
        "bid": number(quote.bid),
        "bidsz": int(quote.bid_size),
        "bidexch": exchange,
        "biddate": str(milliseconds(quote.at)),
        "ask": number(quote.ask),
        "asksz": int(quote.ask_size),
        "askexch": exchange,
        "askdate": str(milliseconds(quote.at)),
    }
