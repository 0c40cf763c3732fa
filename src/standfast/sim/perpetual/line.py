"""The real adapters of exchanges for perpetual futures in virtual time: their bytes, the exchange's dialect, no socket.

Theory: a request is signed by ccxt, answered by the dialect's own handlers and read by the adapter's own parsers; the
stream's messages are the dialect's rows, understood by the adapter's own ears. Only what carries them is made up.

Invariants
1. A request that has left arrives and is carried out, whether or not who sent it still waits, or lives.
2. Each request is an effect of its guard, before it leaves, when it was carried out and when its answer is there.
3. What the stream tells wakes and proves nothing: it may come late, twice, or never.
"""

import asyncio
import uuid
from collections import deque
from collections.abc import AsyncGenerator, Iterable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from contextvars import Context
from datetime import datetime
from functools import partial
from random import Random
from typing import Any
from urllib.parse import urlencode, urlsplit

from standfast.brokers.ccxt.adapter import CcxtBroker, CcxtSettings
from standfast.brokers.ccxt.dialects import UNLIMITED
from standfast.brokers.ccxt.library import Access
from standfast.brokers.ccxt.markets import Shelf
from standfast.brokers.ccxt.venue import Happened
from standfast.brokers.shared.courier import Deadlines
from standfast.brokers.shared.transport import Exchange, Response, Socket, TransportError
from standfast.exchange.dialects import binance, bybit
from standfast.exchange.dialects.binance.listen_keys import ListenKeys
from standfast.exchange.dialects.binance.market_stream import MarketStream as BinanceQuotes
from standfast.exchange.dialects.binance.user_stream import messages
from standfast.exchange.dialects.bybit.disconnected import Switches
from standfast.exchange.dialects.bybit.public_stream import PublicStream as BybitQuotes
from standfast.exchange.dialects.bybit.rows import order_row
from standfast.exchange.dialects.bybit.trading import EXCHANGES_OWN
from standfast.exchange.dialects.hall import Listener
from standfast.exchange.dialects.in_process import InProcess
from standfast.exchange.dialects.perpetuals import Perpetuals
from standfast.exchange.faults import Cut
from standfast.exchange.perpetual.events import Event, EventKind
from standfast.exchange.quotes_file import FileQuote
from standfast.model.ids import AccountId
from standfast.model.secret import Secret
from standfast.ports import BrokerEvent, OrderEvent, StreamDown, StreamUp
from standfast.sim.answers import is_lost, read, settle
from standfast.sim.effects import effect
from standfast.sim.loop import PROCESS, Process, VirtualClock, current
from standfast.sim.sockets import SimLine, SimSocket
from standfast.sim.watch import CANARIES
from standfast.sim.wire import Line, Travel

REST = "https://hall.sim"
DRAWN = "uuid4"
IDS = {"bybit": "bybit", "binance": "binanceusdm"}


def served(venue: Perpetuals, at: str) -> InProcess[Perpetuals]:
    """The hall with the dialect's REST endpoints."""
    if at == "bybit":
        return InProcess(venue, bybit.table(venue, Switches(venue), limits=None))
    return InProcess(venue, binance.table(venue, ListenKeys(venue), limits=None))


class PerpWire(Line):
    """To the hall that serves perpetual futures."""

    def __init__(self, venue: Perpetuals, at: str, travel: Travel, *, seed: int) -> None:
        super().__init__(travel, Random(f"perpetual/wire-{seed}"))
        self.venue = venue
        self.at = at
        self.served = served(venue, at)
        self.quotes = BybitQuotes(venue) if at == "bybit" else BinanceQuotes(venue)

    def catch_up(self) -> datetime:
        return self.venue.catch_up()

    def name(self) -> int:
        """Another one each time, the same in every run."""
        return self._draw.getrandbits(128)


class PerpTransport:
    """`brokers.shared.transport.Transport`, for one life of a guard."""

    def __init__(self, wire: PerpWire, *, streams: bool) -> None:
        """`streams`: whether quotes can be had on a stream."""
        self._wire = wire
        self._streams = streams
        self._travelling: set[asyncio.Task[None]] = set()
        self._lines: list[SimLine] = []

    async def request(self, exchange: Exchange) -> Response:
        wire, parts = self._wire, urlsplit(exchange.url)
        name = f"{exchange.method} {parts.path}"
        effect(f"send {name}", partial(TransportError, "the connection was refused"))
        if wire.is_down:
            await asyncio.sleep(0.01)
            raise TransportError("the name does not resolve")
        exchange.left = True
        wire.asked[name] += 1
        answer: asyncio.Future[Response] = current().create_future()
        journey = self._travel(exchange, answer, PROCESS.get())
        task = current().create_task(journey, name=name, context=Context())
        self._travelling.add(task)
        task.add_done_callback(self._travelling.discard, context=wire.outside)
        return read(name, await answer)

    async def _travel(self, exchange: Exchange, answer: "asyncio.Future[Response]", process: Process | None) -> None:
        """In nobody's process."""
        wire, parts = self._wire, urlsplit(exchange.url)
        there, back = wire.draw(wire.travel.there), wire.draw(wire.travel.back)
        await asyncio.sleep(there)
        wire.venue.catch_up()
        query = parts.query or urlencode(exchange.params)
        reply, _ = await wire.served.ask(
            exchange.method, parts.path, raw_query=query, headers=exchange.headers, body=exchange.body or b""
        )
        if is_lost(f"{exchange.method} {parts.path}", process):
            return
        await asyncio.sleep(back)
        response = None
        if reply is not None:
            headers = {name.lower(): text for name, text in reply.headers.items()}
            response = Response(reply.status, headers | {"content-type": reply.content_type}, reply.body)
        settle(answer, response)

    async def connect(self, url: str, headers: Mapping[str, str]) -> Socket:
        wire = self._wire
        if not self._streams:
            raise TransportError("quotes are polled here")
        await asyncio.sleep(wire.draw(wire.travel.there) + wire.draw(wire.travel.back))
        if wire.is_down:
            raise TransportError("the name does not resolve")
        if wire.venue.faults.decide("quote_stream_connect", None, wire.catch_up()) is not None:
            raise TransportError("the handshake was refused (503)")
        line = SimLine(wire, is_binary=False)
        line.client = wire.quotes.client(line, line.ends)
        self._lines.append(line)
        return SimSocket(line)

    async def close(self) -> None:
        """What travels goes on."""
        self.drop()

    def drop(self) -> None:
        """The process is gone: its connections end."""
        for line in self._lines:
            line.end()


@contextmanager
def _names_by_seed(wire: PerpWire) -> Iterator[None]:
    """ccxt draws a random name for each of its objects, and tells it to nobody."""
    kept = getattr(uuid, DRAWN)
    setattr(uuid, DRAWN, lambda: uuid.UUID(int=wire.name()))
    try:
        yield
    finally:
        setattr(uuid, DRAWN, kept)


class SimPerpetuals(CcxtBroker):
    """The real adapter of one life of a guard."""

    def __init__(self, wire: PerpWire, shelf: Shelf, clock: VirtualClock, account: AccountId, *, streams: bool) -> None:
        self._sim = PerpTransport(wire, streams=streams)
        access = Access(
            id=IDS[wire.at],
            key_id=Secret(CANARIES[0]),
            secret=Secret(CANARIES[1]),
            passphrase=Secret(""),
            live=False,
            rest_url=REST,
            stream_url="wss://hall.sim",
        )
        settings = CcxtSettings(
            account=account,
            access=access,
            shelf=shelf,
            rate_share=1.0,
            rates=UNLIMITED,
            deadlines=Deadlines(answer_within=wire.travel.deadline, list_within=wire.travel.deadline * 2),
        )
        with _names_by_seed(wire):
            super().__init__(settings, clock=clock, transport=self._sim)
        self._library.own_session, self._library.ssl_context = False, False  # it sends nothing by itself
        self._wire = wire
        self._ending = ExitStack()
        self._news = asyncio.Event()
        self._heard: deque[Happened] = deque()
        self._broken = ""

    async def events(self) -> AsyncGenerator[BrokerEvent, None]:
        """As `OrderStream.events`: connected, signed in, heard of, cut, and connected again."""
        wire, clock = self._wire, self._clock
        while True:
            await clock.sleep(wire.draw(wire.travel.there) + wire.draw(wire.travel.back))
            await self._learn_names()
            decided = wire.venue.faults.decide("stream_connect", None, wire.venue.now)
            if not wire.is_down and not isinstance(decided, Cut):
                self._listen()
                yield StreamUp()
                while not self._broken:
                    self._news.clear()
                    while self._heard:
                        told = self._heard.popleft()
                        yield OrderEvent(told.holding, told.broker_id, told.client_id, told.event)
                    if not self._broken:
                        await self._news.wait()
                self._ending.close()
                yield StreamDown(self._broken)
            await clock.sleep(wire.draw(wire.travel.reconnect))

    def _listen(self) -> None:
        wire, self._broken = self._wire, ""
        self._heard.clear()
        self._ending = ExitStack()
        hang_up = partial(self._hang_up, "the connection was closed")
        self._ending.enter_context(wire.venue.listening(self._settings.account, Listener(self._on_its_way, hang_up)))
        wire.cutters.append(self._hang_up)
        self._ending.callback(wire.cutters.remove, self._hang_up)

    def _on_its_way(self, event: Event) -> None:
        """It comes when it comes, to a process that may be gone by then."""
        for message in _messages(self._wire, event):
            found = self._venue.heard(message)
            self._wire.later(self._wire.draw(self._wire.travel.stream), partial(self._hear, found))

    def _hear(self, found: Iterable[Happened]) -> None:
        self._heard.extend(found)
        self._news.set()

    def _hang_up(self, reason: str) -> None:
        self._broken = reason
        self._news.set()

    def saw(self, row: FileQuote) -> None:
        """The exchange's own stream tells it."""

    def drop(self) -> None:
        """Be gone: nothing is delivered any more."""
        self._ending.close()
        self._sim.drop()


def _messages(wire: PerpWire, event: Event) -> list[Any]:
    engine = wire.venue.engine
    if wire.at == "binance":
        return list(messages(engine, event))
    if event.execution is not None or event.order is None or event.order.role in EXCHANGES_OWN:
        return []
    row = {**order_row(engine, event.order), "category": "linear"}
    if event.kind is EventKind.TRIGGERED:
        row["orderStatus"] = "Triggered"
    return [{"topic": "order", "data": [row]}]
