"""A broker's stream of quotes: those of the watched holdings, as they come. What is said on it is each venue's own.

Invariants
- Nothing connects while nothing is watched; a change of what is watched reaches the broker at once.
- Only quotes come out. When the stream is down `down` says why; nobody is given old prices in their place.
"""

import asyncio
from abc import ABC, abstractmethod
from collections.abc import AsyncGenerator, Sequence

from standfast.brokers.shared.line import Line
from standfast.brokers.shared.sessions import Backoff
from standfast.brokers.shared.transport import TransportError
from standfast.brokers.shared.wire import STEADY_AFTER, Wire
from standfast.model.errors import BrokerError
from standfast.model.ids import Holding
from standfast.ports import Tick, Ticks


class QuoteStream(ABC):
    def __init__(self, wire: Wire, url: str) -> None:
        self.down = "not connected yet"
        """Why no quotes come; empty while they do."""
        self._wire = wire
        self._url = url
        self._watched: frozenset[str] = frozenset()
        self._subscribed: frozenset[str] = frozenset()
        self._is_watching = asyncio.Event()
        self._line: Line | None = None

    @abstractmethod
    def is_streamed(self, holding: Holding) -> bool:
        """Whether it is on this stream; what is not is polled."""

    @abstractmethod
    async def log_in(self, line: Line) -> None:
        """Raises TransportError, BrokerError."""

    @abstractmethod
    async def change(self, line: Line, before: frozenset[str], wanted: frozenset[str]) -> None:
        """Ask for these from now on."""

    @abstractmethod
    def read(self, frame: str | bytes) -> Sequence[Tick]:
        """The quotes of one frame. Raises Malformed, and TransportError where the stream says what is wrong."""

    def watch(self, holdings: frozenset[Holding]) -> None:
        """Carry these from now on."""
        streamed = frozenset(str(each.instrument) for each in holdings if self.is_streamed(each))
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
                    await self.log_in(line)
                    self._line, self.down, self._subscribed = line, "", frozenset()
                    while True:
                        yield await self._next(line)
            except (TransportError, BrokerError) as error:
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
            await self.change(line, before, self._watched)
        frame = await line.receive()
        return Ticks(self._wire.clock.now(), () if frame is None else self.read(frame))
