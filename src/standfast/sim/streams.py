"""The exchange's two streams as the guard's adapter would carry them: connect, carry, break, connect again.

Invariants
1. Nothing is replayed: what happens while a stream is down, or is on its way when it breaks, is lost.
2. Without a fault messages keep their order, as on one connection.
3. A stream ends only by `aclose`.
"""

import asyncio
from collections.abc import Callable
from typing import Generic, TypeVar

from standfast.exchange.post import HangUp, Post
from standfast.sim.loop import current
from standfast.sim.wire import Wire

Message = TypeVar("Message")


class Stream(Generic[Message]):
    """An async iterator of messages. `up` is said after every connection, `down` once with every reason to be down."""

    def __init__(
        self,
        wire: Wire,
        operation: str,
        *,
        up: Callable[[], Message] | None = None,
        down: Callable[[str], Message] | None = None,
    ) -> None:
        self._wire = wire
        self._operation = operation
        self._up, self._down = up, down
        self._post: Post[Message] = Post(wire.faults, operation)
        self._inbox: asyncio.Queue[Message] = asyncio.Queue()
        self._connection = 0
        self._is_connected = False
        self._is_open = False
        self._said = ""
        self._last_due = 0.0

    def __aiter__(self) -> "Stream[Message]":
        return self

    async def __anext__(self) -> Message:
        if not self._is_open:
            self._is_open = True
            self._wire.cutters.append(self._break)
            self._wire.later(self._wire.draw(self._wire.travel.there), self._connect)
        return await self._inbox.get()

    async def aclose(self) -> None:
        """Listen no more."""
        self.drop()

    def drop(self) -> None:
        if self._is_open:
            self._wire.cutters.remove(self._break)
        self._is_open = self._is_connected = False
        self._connection += 1

    def offer(self, message: Message, instrument: str) -> None:
        """The exchange has something to say."""
        if not self._is_connected:
            return
        at = current().present
        for sending in self._post.arrange(message, instrument=instrument, account=self._wire.account, at=at):
            if isinstance(sending, HangUp):
                self._break("the connection was cut")
                return
            self._send(sending.message, sending.seconds)

    def _send(self, message: Message, extra: float) -> None:
        due = max(self._last_due, current().time() + self._wire.draw(self._wire.travel.stream))
        self._last_due = due
        connection = self._connection
        self._wire.later(due + extra - current().time(), lambda: self._deliver(message, connection))

    def _deliver(self, message: Message, connection: int) -> None:
        if self._is_connected and connection == self._connection:
            self._inbox.put_nowait(message)

    def _connect(self) -> None:
        if not self._is_open or self._is_connected:
            return
        at = current().present
        fault = self._wire.faults.decide(f"{self._operation}_connect", None, at, account=self._wire.account)
        if self._wire.is_down or fault is not None:
            self._say_down("it does not connect")
            self._again()
            return
        self._is_connected, self._said = True, ""
        if self._up is not None:
            self._inbox.put_nowait(self._up())

    def _break(self, reason: str) -> None:
        if not self._is_connected:
            return
        self._is_connected = False
        self._connection += 1
        self._say_down(reason)
        self._again()

    def _say_down(self, reason: str) -> None:
        if self._down is not None and reason != self._said:
            self._inbox.put_nowait(self._down(reason))
        self._said = reason

    def _again(self) -> None:
        self._wire.later(self._wire.draw(self._wire.travel.reconnect), self._connect)
