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
from collections import Counter, deque
from collections.abc import AsyncGenerator, Callable, Iterable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from contextvars import Context
from datetime import datetime, timedelta
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
from standfast.exchange.dialects.binance.user_stream import messages
from standfast.exchange.dialects.bybit.disconnected import Switches
from standfast.exchange.dialects.bybit.rows import order_row
from standfast.exchange.dialects.bybit.trading import EXCHANGES_OWN
from standfast.exchange.dialects.hall import Listener
from standfast.exchange.dialects.in_process import InProcess
from standfast.exchange.dialects.perpetuals import Perpetuals
from standfast.exchange.faults import HTML, Cut
from standfast.exchange.perpetual.events import Event, EventKind
from standfast.exchange.quotes_file import FileQuote
from standfast.model.ids import AccountId
from standfast.model.secret import Secret
from standfast.ports import BrokerEvent, OrderEvent, StreamDown, StreamUp
from standfast.sim.effects import effect, effect_of
from standfast.sim.loop import PROCESS, Died, Process, VirtualClock, current
from standfast.sim.watch import CANARIES
from standfast.sim.wire import Travel

REST = "https://hall.sim"
DRAWN = "uuid4"
IDS = {"bybit": "bybit", "binance": "binanceusdm"}


class Spoilt(Exception):
    """Planned to fail: the answer's body, or the answer itself."""


def served(venue: Perpetuals, at: str) -> InProcess[Perpetuals]:
    """The hall with the dialect's REST endpoints."""
    if at == "bybit":
        return InProcess(venue, bybit.table(venue, Switches(venue), limits=None))
    return InProcess(venue, binance.table(venue, ListenKeys(venue), limits=None))


class PerpWire:
    """One account's line to the exchange; every life of its guard uses the same one."""

    def __init__(self, venue: Perpetuals, at: str, travel: Travel, *, seed: int) -> None:
        self.venue = venue
        self.at = at
        self.travel = travel
        self.served = served(venue, at)
        self.asked: Counter[str] = Counter()
        """Requests that left, by method and path."""
        self.cutters: list[Callable[[str], None]] = []
        self.outside = Context()
        self._draw = Random(f"perpetual/wire-{seed}")
        self._down_until: datetime | None = None

    def outage(self, seconds: float) -> None:
        """No name resolves and no stream lives for this long: nothing leaves."""
        self._down_until = current().present + timedelta(seconds=seconds)
        self.cut("the network is down")

    def heal(self) -> None:
        self._down_until = None

    def cut(self, reason: str) -> None:
        for cutter in tuple(self.cutters):
            cutter(reason)

    @property
    def is_down(self) -> bool:
        return self._down_until is not None and current().present < self._down_until

    def draw(self, span: tuple[float, float]) -> float:
        return self._draw.uniform(*span)

    def name(self) -> int:
        """Another one each time, the same in every run."""
        return self._draw.getrandbits(128)

    def later(self, seconds: float, act: Callable[[], object]) -> None:
        current().call_later(seconds, act, context=self.outside)


class PerpTransport:
    """`brokers.shared.transport.Transport`, for one life of a guard."""

    def __init__(self, wire: PerpWire) -> None:
        self._wire = wire
        self._travelling: set[asyncio.Task[None]] = set()

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
        response = await answer
        try:
            effect(f"answer {name}", Spoilt)
        except Spoilt:
            return Response(200, {"content-type": "text/html"}, HTML.encode())
        return response

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
        if _is_lost(f"{exchange.method} {parts.path}", process):
            return
        await asyncio.sleep(back)
        if answer.done():
            return
        if reply is None:
            answer.set_exception(TransportError("the connection was reset"))
            answer.exception()  # seen: who asked may be dead
        else:
            headers = {name.lower(): text for name, text in reply.headers.items()}
            answer.set_result(Response(reply.status, headers | {"content-type": reply.content_type}, reply.body))

    async def connect(self, url: str, headers: Mapping[str, str]) -> Socket:
        raise TransportError("quotes are polled here")

    async def close(self) -> None:
        """What travels goes on."""


def _is_lost(name: str, process: Process | None) -> bool:
    """Whether the answer is lost by plan, or with who asked."""
    if process is None or not process.is_alive:
        return False
    try:
        effect_of(process, f"acted {name}", Spoilt)
    except (Spoilt, Died):
        return True
    return False


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

    def __init__(self, wire: PerpWire, shelf: Shelf, clock: VirtualClock, account: AccountId) -> None:
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
            super().__init__(settings, clock=clock, transport=PerpTransport(wire))
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
        """Quotes are polled."""

    def drop(self) -> None:
        """Be gone: nothing is delivered any more."""
        self._ending.close()


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
