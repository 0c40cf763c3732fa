"""One exchange as its dialects share it: an engine, its time, its faults, who listens, and what has been asked.

Time is the exchange's. At a pace it follows the event loop's clock, times the speed; without one it stands still until
somebody moves it. Either way it moves only in `advance`, which also lets go whoever waited for the moment, so that
waits are in exchange seconds at every speed.

Invariants: time never steps back; a listener hears every event of its account in the engine's order, or, where a fault
says so, in the order that fault makes; it hears it in the same turn of the loop in which it happened.
"""

import asyncio
import heapq
from collections import defaultdict, deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from decimal import Decimal
from functools import partial
from itertools import count
from typing import Any, Generic, Protocol, TypeVar

from standfast.exchange.assets import Quote
from standfast.exchange.faults import Faults
from standfast.exchange.market import Prices
from standfast.exchange.post import Delivery, HangUp, Post
from standfast.exchange.quotes_file import FileQuote

LOG_MAX = 20_000
FED_FOR = timedelta(days=3 * 366)  # a source of prices is asked for that long
NOTHING = Decimal(0)

Message = TypeVar("Message")


class Told(Protocol):
    """What an engine tells of."""

    @property
    def account(self) -> str: ...

    @property
    def instrument(self) -> str: ...

    @property
    def at(self) -> datetime: ...


Happening = TypeVar("Happening", bound=Told)


class Matching(Protocol[Happening]):
    """What every engine has in common."""

    listeners: list[Callable[[Happening], None]]

    @property
    def now(self) -> datetime: ...

    def advance(self, to: datetime) -> None: ...

    def is_market(self, instrument: str, bid: Decimal, ask: Decimal) -> bool: ...

    def quote(
        self, instrument: str, bid: Decimal, ask: Decimal, bid_size: Decimal, ask_size: Decimal, at: datetime
    ) -> None: ...

    def last_quote(self, instrument: str) -> Quote | None: ...


Kind = TypeVar("Kind", bound=Matching[Any])


@dataclass(frozen=True, slots=True)
class Asked:
    """One request as the gate saw it. `fault`: its kind, "" for none. `status` None: never answered."""

    at: datetime
    account: str
    operation: str
    instrument: str | None
    status: int | None
    fault: str


@dataclass(frozen=True, slots=True)
class Listener(Generic[Message]):
    """Somebody on a stream. `hang_up` ends the connection."""

    hear: Callable[[Message], None]
    hang_up: Callable[[], None]


class Hall(Generic[Kind, Happening]):
    """See the module. Not thread-safe: everything happens in one event loop."""

    def __init__(
        self,
        engine: Kind,
        accounts: Sequence[str] = (),
        *,
        faults: Faults | None = None,
        prices: Prices | None = None,
        speed: float | None = None,
    ) -> None:
        """`accounts`: their names. `prices` feed it from the engine's time on. `speed`: exchange seconds per second;
        None: time is moved by hand."""
        self.engine = engine
        self.accounts = tuple(accounts)
        self.faults = faults or Faults()
        self.speed = speed
        self.log: deque[Asked] = deque(maxlen=LOG_MAX)
        self.overhearers: list[Callable[[Asked], None]] = []
        """Told of every request as it goes into the log."""
        self._stopped = False
        self._pauses: set[asyncio.Event] = set()
        self._started: tuple[float, datetime] | None = None
        self._waiting: list[tuple[datetime, int, Callable[[], None]]] = []
        self._ticket = count()
        self._listeners: defaultdict[str, list[Listener[Happening]]] = defaultdict(list)
        self._quote_listeners: list[Listener[Quote]] = []
        self._orders_out: Post[Happening] = Post(self.faults, "stream")
        self._quotes_out: Post[Quote] = Post(self.faults, "quote_stream")
        self._feed = iter(() if prices is None else prices.quotes(engine.now, engine.now + FED_FOR))
        self._next = next(self._feed, None)
        self._one_sided: dict[str, Quote] = {}
        engine.listeners.append(self._tell)

    # Time

    @property
    def now(self) -> datetime:
        return self.engine.now

    def start(self) -> None:
        """From here on time runs, if it has a pace."""
        self._started = (asyncio.get_running_loop().time(), self.engine.now)

    def due(self) -> datetime:
        """The time it should be by now."""
        if self.speed is None or self._started is None:
            return self.engine.now
        since, at = self._started
        return at + timedelta(seconds=(asyncio.get_running_loop().time() - since) * self.speed)

    def catch_up(self) -> datetime:
        """Let happen what is due, and return the time."""
        self.advance(max(self.due(), self.engine.now))
        return self.engine.now

    def advance(self, to: datetime) -> None:
        """Move time, stopping for every quote and everything put off until a moment on the way. ValueError for a past
        time."""
        while True:
            quote_at = to if self._next is None else self._next.at
            if self._waiting and self._waiting[0][0] <= min(quote_at, to):
                at, _, act = heapq.heappop(self._waiting)
                self.engine.advance(max(at, self.engine.now))
                act()
            elif self._next is not None and quote_at <= to:
                fed, self._next = self._next, next(self._feed, None)
                self._take(_quote_of(fed, max(fed.at, self.engine.now)))
            else:
                break
        self.engine.advance(to)

    def jump(self, to: datetime) -> None:
        """Move time by hand; the pace, if there is one, goes on from there."""
        self.advance(to)
        if self._started is not None:
            self.start()

    def later(self, seconds: float, act: Callable[[], None]) -> None:
        """Do something that many exchange seconds from now."""
        heapq.heappush(self._waiting, (self.now + timedelta(seconds=seconds), next(self._ticket), act))

    async def pause(self, seconds: float) -> None:
        """Wait that many exchange seconds, or until the exchange stops."""
        if self._stopped:
            return
        passed = asyncio.Event()
        self.later(seconds, passed.set)
        self._pauses.add(passed)
        try:
            await passed.wait()
        finally:
            self._pauses.discard(passed)

    def stop(self) -> None:
        """End every pause and every stream, and let go of recorded prices; time stands still from here on."""
        self._stopped = True
        self.speed = None
        self._feed, self._next = iter(()), None
        for passed in self._pauses:
            passed.set()
        self.hang_up()

    def hang_up(self) -> None:
        """Cut every stream."""
        for listeners in self._listeners.values():
            for listener in tuple(listeners):
                listener.hang_up()
        for watcher in tuple(self._quote_listeners):
            watcher.hang_up()

    def note(self, asked: Asked) -> None:
        """A request has had its answer, or never will."""
        self.log.append(asked)
        for overhearer in self.overhearers:
            overhearer(asked)

    # Market

    def quote(self, quote: Quote) -> None:
        """A new quote: trades what it trades, then goes to the listeners. One that is no market (a side missing or
        crossed) is shown and trades nothing. KeyError for an unknown instrument."""
        if quote.at > self.engine.now:
            self.advance(quote.at)
        self._take(replace(quote, at=max(quote.at, self.engine.now)))

    def last_quote(self, instrument: str) -> Quote | None:
        """What clients are shown, tradable or not."""
        return self._one_sided.get(instrument) or self.engine.last_quote(instrument)

    def _take(self, quote: Quote) -> None:
        name = quote.instrument
        if self.engine.is_market(name, quote.bid, quote.ask):
            self._one_sided.pop(name, None)
            self.engine.quote(name, quote.bid, quote.ask, quote.bid_size, quote.ask_size, quote.at)
        else:
            self._one_sided[name] = quote
        self._seen(quote)
        if self._quote_listeners:
            self._tell_quote(quote)

    def _seen(self, quote: Quote) -> None:
        """A quote was shown."""

    # Streams

    @contextmanager
    def listening(self, account: str, listener: Listener[Happening]) -> Iterator[None]:
        self._listeners[account].append(listener)
        try:
            yield
        finally:
            self._listeners[account].remove(listener)

    @contextmanager
    def watching(self, listener: Listener[Quote]) -> Iterator[None]:
        self._quote_listeners.append(listener)
        try:
            yield
        finally:
            self._quote_listeners.remove(listener)

    def listeners(self) -> tuple[dict[str, int], int]:
        """How many listen to each account's orders, and how many to quotes."""
        return {name: len(listeners) for name, listeners in self._listeners.items() if listeners}, len(
            self._quote_listeners
        )

    def _tell(self, event: Happening) -> None:
        """Without listeners a message is lost, and no fault is used up by it."""
        if not self._listeners[event.account]:
            return
        post = self._post(event)
        for step in post.arrange(event, instrument=event.instrument, account=event.account, at=event.at):
            self._carry_out(step, self._send, self._listeners[event.account])

    def _post(self, event: Happening) -> Post[Happening]:
        """By which way it goes out, and so under which faults."""
        return self._orders_out

    def _send(self, event: Happening) -> None:
        for listener in tuple(self._listeners[event.account]):
            listener.hear(event)

    def _tell_quote(self, quote: Quote) -> None:
        for step in self._quotes_out.arrange(quote, instrument=quote.instrument, account="", at=quote.at):
            self._carry_out(step, self._send_quote, self._quote_listeners)

    def _send_quote(self, quote: Quote) -> None:
        for listener in tuple(self._quote_listeners):
            listener.hear(quote)

    def _carry_out(
        self, step: Delivery[Message] | HangUp, send: Callable[[Message], None], listeners: Iterable[Listener[Message]]
    ) -> None:
        if isinstance(step, HangUp):
            for listener in tuple(listeners):
                listener.hang_up()
        elif step.seconds:
            self.later(step.seconds, partial(send, step.message))
        else:
            send(step.message)


def _quote_of(fed: FileQuote, at: datetime) -> Quote:
    """A side without a quote is zero, as brokers show it."""
    _, name, *sides = fed
    bid, ask, bid_size, ask_size = (NOTHING if side is None else side for side in sides)
    return Quote(name, bid, ask, bid_size, ask_size, at)
