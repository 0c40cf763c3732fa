"""What any of a broker's streams needs to connect, and to be answered in time."""

import random
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import TypeVar

from standfast.brokers.shared.line import Line
from standfast.brokers.shared.transport import Transport, TransportError
from standfast.ports import Clock

STEADY_AFTER = 10.0
"""Seconds a connection must have lived before the next failure counts as the first."""

Answer = TypeVar("Answer")


@dataclass(frozen=True, slots=True, kw_only=True)
class Wire:
    clock: Clock
    transport: Transport
    draw: random.Random
    quiet: float = 10.0
    """Seconds without a sign of life before one is asked for, and again before the line counts as dead."""

    @asynccontextmanager
    async def line(self, url: str) -> AsyncIterator[Line]:
        """A connection; raises TransportError."""
        try:
            async with self.clock.timeout(self.quiet):
                socket = await self.transport.connect(url, {})
        except TimeoutError:
            raise TransportError(f"no connection within {self.quiet:g} s") from None
        line = Line(socket, self.clock, quiet=self.quiet)
        try:
            yield line
        finally:
            await line.close()

    async def answer(self, line: Line, take: Callable[[str | bytes], Answer | None]) -> Answer:
        """The first frame that `take` accepts; raises TransportError when it does not come in time."""
        try:
            async with self.clock.timeout(self.quiet):
                while True:
                    frame = await line.receive()
                    found = take(frame) if frame is not None else None
                    if found is not None:
                        return found
        except TimeoutError:
            raise TransportError(f"no answer on the stream within {self.quiet:g} s") from None
