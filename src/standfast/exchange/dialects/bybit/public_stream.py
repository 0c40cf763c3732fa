"""Bybit's /v5/public/linear: tickers, the top of the book, trades. Needs no key."""

from collections.abc import Sequence
from contextlib import ExitStack

from aiohttp import web

from standfast.exchange.assets import Quote
from standfast.exchange.dialects.bybit.account_rows import ticker_row
from standfast.exchange.dialects.bybit.market_data import book_row
from standfast.exchange.dialects.bybit.rows import SIDE
from standfast.exchange.dialects.bybit.streams import Numbers, Talk, now_of
from standfast.exchange.dialects.bybit.wire import Row, milliseconds, text
from standfast.exchange.dialects.hall import Listener
from standfast.exchange.dialects.lines import Line, Way
from standfast.exchange.dialects.perpetuals import Perpetuals
from standfast.exchange.faults import Cut
from standfast.exchange.perpetual.books import Execution, ExecutionKind
from standfast.exchange.perpetual.events import Event

DEPTHS = frozenset({"1", "50", "200", "1000"})
CHANGING = (
    "lastPrice",
    "markPrice",
    "indexPrice",
    "price24hPcnt",
    "fundingRate",
    "nextFundingTime",
    "bid1Price",
    "bid1Size",
    "ask1Price",
    "ask1Size",
)


class PublicStream:
    """The handler."""

    def __init__(self, venue: Perpetuals) -> None:
        self._venue = venue
        self._numbers = Numbers()
        self._clients: dict[Client, None] = {}
        venue.engine.listeners.append(self._traded)

    async def handle(self, request: web.Request) -> web.StreamResponse:
        venue = self._venue
        venue.catch_up()
        if isinstance(venue.faults.decide("quote_stream_connect", None, venue.now), Cut):
            return web.Response(status=503)
        line = Line(request, is_binary=False)
        with ExitStack() as ending:
            return await line.serve(self.client(line, ending))

    def client(self, line: Way, ending: ExitStack) -> "Client":
        """Whatever carries its messages."""
        client = Client(self._venue, line, ending, self._numbers.connection())
        self._clients[client] = None
        ending.callback(self._clients.pop, client)
        return client

    def _traded(self, event: Event) -> None:
        if event.execution is not None and event.execution.kind is ExecutionKind.TRADE:
            for client in tuple(self._clients):
                client.traded(event.execution)


class Client(Talk):
    """One client of the stream."""

    def __init__(self, venue: Perpetuals, line: Way, ending: ExitStack, connection: str) -> None:
        super().__init__(venue, line, ending, connection)
        self._ending = ending
        self._is_watching = False

    def pong(self, asked: Row) -> None:
        self.answer(asked, success=True, text="pong")

    def refusal(self, topics: Sequence[str]) -> str:
        known = {contract.symbol for contract in self.venue.engine.contracts()}
        unknown = [topic for topic in topics if not _is_topic(topic, known)]
        return f"Invalid topic: {unknown[0]}" if unknown else ""

    def joined(self, topics: Sequence[str]) -> None:
        if not self._is_watching:
            self._is_watching = True
            self._ending.enter_context(self.venue.watching(Listener(self._hear, self.line.hang_up)))
        for topic in topics:
            name, symbol = topic.partition(".")[0], topic.rpartition(".")[2]
            quote = self.venue.last_quote(symbol)
            if name == "tickers":
                self._send(topic, "snapshot", self._ticker(symbol, quote), now_of(self.venue))
            elif name == "orderbook" and quote is not None:
                self._send(topic, "snapshot", self._book(symbol), milliseconds(quote.at))

    def _hear(self, quote: Quote) -> None:
        at = milliseconds(quote.at)
        ticker, symbol = f"tickers.{quote.instrument}", quote.instrument
        if ticker in self.topics:
            row = self._ticker(symbol, quote)
            changed = {name: row[name] for name in CHANGING}
            self._send(ticker, "delta", {"symbol": symbol, **changed}, at)
        for depth in DEPTHS:
            topic = f"orderbook.{depth}.{symbol}"
            if topic in self.topics:
                self._send(topic, "snapshot", self._book(symbol), at)

    def traded(self, execution: Execution) -> None:
        topic = f"publicTrade.{execution.instrument}"
        if topic in self.topics:
            at = milliseconds(execution.at)
            row: Row = {
                "T": at,
                "s": execution.instrument,
                "S": SIDE[execution.side],
                "v": text(execution.quantity),
                "p": text(execution.price),
                "L": "ZeroPlusTick",
                "i": execution.id,
                "BT": False,
                "RPI": False,
                "seq": execution.seq,
            }
            self.line.send({"topic": topic, "type": "snapshot", "ts": at, "data": [row]})

    def _ticker(self, symbol: str, quote: Quote | None) -> Row:
        row = ticker_row(self.venue.engine.prices(symbol), self.venue.now, quote)
        return {**row, "tickDirection": "PlusTick"}

    def _book(self, symbol: str) -> Row:
        prices = self.venue.engine.prices(symbol)
        row = book_row(prices, prices.count, 0)
        return {name: row[name] for name in ("s", "b", "a", "u", "seq")}

    def _send(self, topic: str, kind: str, data: Row, at: int) -> None:
        self.line.send({"topic": topic, "type": kind, "data": data, "cs": at, "ts": at})


def _is_topic(topic: str, known: set[str]) -> bool:
    parts = topic.split(".")
    if parts[-1] not in known:
        return False
    return parts[0] in ("tickers", "publicTrade", "allLiquidation") or (
        len(parts) == 3 and parts[0] == "orderbook" and parts[1] in DEPTHS
    )
