"""Binance's market streams at /public/ws, /market/ws and /ws: best prices, marks, trades, the book. Needs no key."""

from contextlib import ExitStack

from aiohttp import web

from standfast.exchange.assets import Quote
from standfast.exchange.dialects.binance.market_data import day_row
from standfast.exchange.dialects.binance.wire import Row, milliseconds, rounded, text
from standfast.exchange.dialects.hall import Listener
from standfast.exchange.dialects.lines import Line, Way
from standfast.exchange.dialects.perpetuals import Perpetuals
from standfast.exchange.faults import Cut
from standfast.exchange.perpetual.books import Execution, ExecutionKind
from standfast.exchange.perpetual.events import Event
from standfast.exchange.perpetual.forced import next_funding
from standfast.exchange.perpetual.orders import ZERO, PriceBy


class MarketStream:
    """The handler."""

    def __init__(self, venue: Perpetuals) -> None:
        self._venue = venue
        self._clients: dict[Client, None] = {}
        venue.engine.listeners.append(self._traded)

    async def handle(self, request: web.Request) -> web.StreamResponse:
        venue = self._venue
        venue.catch_up()
        if isinstance(venue.faults.decide("quote_stream_connect", None, venue.now), Cut):
            return web.Response(status=503)
        line = Line(request, is_binary=False)
        with ExitStack() as ending:
            client = self.client(line, ending)
            client.subscribe(request.match_info.get("key", "").split("/"))
            return await line.serve(client)

    def client(self, line: Way, ending: ExitStack) -> "Client":
        """Whatever carries its messages."""
        client = Client(self._venue, line)
        self._clients[client] = None
        ending.callback(self._clients.pop, client)
        ending.enter_context(self._venue.watching(Listener(client.hear, line.hang_up)))
        return client

    def _traded(self, event: Event) -> None:
        if event.execution is not None and event.execution.kind is ExecutionKind.TRADE:
            for client in tuple(self._clients):
                client.traded(event.execution)


class Client:
    """One client of the streams, whatever carries its messages."""

    def __init__(self, venue: Perpetuals, line: Way) -> None:
        self._venue = venue
        self._line = line
        self._names: dict[str, None] = {}

    def said(self, message: object) -> None:
        asked = message if isinstance(message, dict) else {}
        names = [str(name) for name in asked.get("params") or []]
        if asked.get("method") == "SUBSCRIBE":
            self.subscribe(names)
        elif asked.get("method") == "UNSUBSCRIBE":
            for name in names:
                self._names.pop(name, None)
        self._line.send({"result": None, "id": asked.get("id")})

    def subscribe(self, names: list[str]) -> None:
        for name in names:
            if "@" in name:
                self._names[name] = None

    def hear(self, quote: Quote) -> None:
        prefix, at = quote.instrument.lower(), milliseconds(quote.at)
        for name in tuple(self._names):
            symbol, _, kind = name.partition("@")
            if symbol == prefix or (name.startswith("!") and kind.endswith("@arr")):
                self._tell(kind or name, quote, at)

    def _tell(self, kind: str, quote: Quote, at: int) -> None:
        word = kind.partition("@")[0]
        if word == "bookTicker":
            self._line.send(self._best(quote, at))
        elif word == "markPrice":
            self._line.send(self._mark(quote.instrument, at))
        elif word.startswith("depth"):
            self._line.send(self._book(quote, at))
        elif word in ("ticker", "miniTicker"):
            self._line.send(self._day(quote.instrument, at))

    def traded(self, execution: Execution) -> None:
        prefix, at = execution.instrument.lower(), milliseconds(execution.at)
        row: Row = {
            "E": at,
            "T": at,
            "s": execution.instrument,
            "p": text(execution.price),
            "q": text(execution.quantity),
            "m": execution.is_maker == (execution.side.sign > 0),
        }
        if f"{prefix}@trade" in self._names:
            self._line.send({"e": "trade", "t": execution.number, "X": "MARKET", **row})
        if f"{prefix}@aggTrade" in self._names:
            number = execution.number
            self._line.send({"e": "aggTrade", "a": number, "f": number, "l": number, **row})

    def _best(self, quote: Quote, at: int) -> Row:
        return {
            "e": "bookTicker",
            "u": self._venue.engine.prices(quote.instrument).count,
            "E": at,
            "T": at,
            "s": quote.instrument,
            "ps": quote.instrument,
            "st": 1,
            "b": text(quote.bid),
            "B": text(quote.bid_size),
            "a": text(quote.ask),
            "A": text(quote.ask_size),
        }

    def _mark(self, symbol: str, at: int) -> Row:
        prices = self._venue.engine.prices(symbol)
        return {
            "e": "markPriceUpdate",
            "E": at,
            "s": symbol,
            "p": rounded(prices.mark or ZERO),
            "i": rounded(prices.get(PriceBy.INDEX) or ZERO),
            "P": rounded(prices.get(PriceBy.INDEX) or ZERO),
            "r": rounded(prices.contract.funding_rate),
            "T": milliseconds(next_funding(prices.contract, self._venue.now)),
            "st": 1,
        }

    def _book(self, quote: Quote, at: int) -> Row:
        """One level on either side, told whole each time: what was before is gone."""
        count = self._venue.engine.prices(quote.instrument).count
        return {
            "e": "depthUpdate",
            "E": at,
            "T": at,
            "s": quote.instrument,
            "U": count,
            "u": count,
            "pu": count - 1,
            "ps": quote.instrument,
            "st": 1,
            "b": [[text(quote.bid), text(quote.bid_size)]],
            "a": [[text(quote.ask), text(quote.ask_size)]],
        }

    def _day(self, symbol: str, at: int) -> Row:
        row = day_row(self._venue.engine.prices(symbol), self._venue.now)
        return {
            "e": "24hrTicker",
            "E": at,
            "s": symbol,
            "p": row["priceChange"],
            "P": row["priceChangePercent"],
            "w": row["weightedAvgPrice"],
            "c": row["lastPrice"],
            "Q": row["lastQty"],
            "o": row["openPrice"],
            "h": row["highPrice"],
            "l": row["lowPrice"],
            "v": row["volume"],
            "q": row["quoteVolume"],
            "O": row["openTime"],
            "C": row["closeTime"],
            "F": row["firstId"],
            "L": row["lastId"],
            "n": row["count"],
            "st": 1,
        }
