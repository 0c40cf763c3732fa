"""WebSockets in virtual time: the exchange's end and the adapter's, and the wire between.

Invariants
1. Without a fault frames keep their order, as on one connection; nothing is replayed.
2. An outage leaves a line half open: nobody says so, and only silence tells. Any other cut is seen by both ends.
"""

import asyncio
from collections.abc import Callable
from contextlib import ExitStack
from functools import partial

import msgspec

from standfast.brokers.shared.transport import TransportError
from standfast.exchange.dialects.gate import as_json
from standfast.exchange.dialects.lines import Spoken
from standfast.sim.loop import current
from standfast.sim.wire import Line

CLOSED = "the stream was closed (1006)"


class SimLine:
    """The exchange's end: `dialects.lines.Way`."""

    is_msgpack = False

    def __init__(self, wire: Line, *, is_binary: bool) -> None:
        self.inbox: asyncio.Queue[str | bytes | TransportError | None] = asyncio.Queue()
        """What has reached the adapter: frames, signs of life (None), the end."""
        self.client: Spoken | None = None
        """Who hears, at the exchange, what the adapter says."""
        self.ends = ExitStack()
        """Closed with the line."""
        self.is_open = True
        self._wire, self._is_binary = wire, is_binary
        self._last_due = 0.0
        wire.cutters.append(self._cut)

    def send(self, message: object) -> None:
        """One message to the adapter."""
        frame = self._wire.spoil("frame", as_json(message))
        self.bring(frame if self._is_binary else frame.decode(errors="replace"))

    def hang_up(self) -> None:
        """Cut it; what still waits is lost."""
        self._close(CLOSED)

    def take(self, text: str) -> None:
        """What the adapter says, on its way to the exchange."""
        if not self._wire.is_down:
            self._wire.later(self._wire.draw(self._wire.travel.there), partial(self._hear, text))

    def bring(self, frame: str | bytes | None) -> None:
        """On its way to the adapter, after everything that was sent before it."""
        loop = current()
        self._last_due = max(self._last_due, loop.time() + self._wire.draw(self._wire.travel.stream))
        self._wire.later(self._last_due - loop.time(), partial(self._deliver, frame))

    def answer_ping(self) -> None:
        if self.is_open and not self._wire.is_down:
            self.bring(None)

    def end(self) -> None:
        """Neither end hears of the other any more."""
        if self.is_open:
            self.is_open = False
            self._wire.cutters.remove(self._cut)
            self.ends.close()

    def _hear(self, text: str) -> None:
        if self.is_open and self.client is not None:
            self._wire.catch_up()
            self.client.said(_decoded(text))

    def _deliver(self, frame: str | bytes | None) -> None:
        if self.is_open:
            self.inbox.put_nowait(frame)

    def _cut(self, reason: str) -> None:
        if self._wire.is_down:
            self.end()
        else:
            self._close(reason)

    def _close(self, reason: str) -> None:
        if self.is_open:
            self.end()
            tell: Callable[[TransportError], None] = self.inbox.put_nowait
            self._wire.later(self._wire.draw(self._wire.travel.stream), partial(tell, TransportError(reason)))


class SimSocket:
    """The adapter's end: `brokers.shared.transport.Socket`."""

    def __init__(self, line: SimLine) -> None:
        self._line = line
        self._closed: TransportError | None = None

    async def send(self, text: str) -> None:
        if self._closed is not None:
            raise self._closed
        self._line.take(text)

    async def receive(self) -> str | bytes | None:
        found = await self._line.inbox.get()
        if isinstance(found, TransportError):
            self._closed = found
            raise found
        return found

    async def ping(self) -> None:
        self._line.answer_ping()

    async def close(self) -> None:
        self._line.end()


def _decoded(text: str) -> object:
    try:
        return msgspec.json.decode(text)
    except msgspec.DecodeError:
        return None
