"""One stream connection that is never waited on in vain.

Invariants
- After `quiet` seconds without a sign of life the other end is asked for one; after `quiet` more the line is dead.
- `interrupt` ends a wait at once and loses no frame.
"""

import asyncio

from standfast.brokers.shared.transport import Socket, TransportError
from standfast.ports import Clock


class Line:
    def __init__(self, socket: Socket, clock: Clock, *, quiet: float) -> None:
        self._socket = socket
        self._clock = clock
        self._quiet = quiet
        self._interrupted = False
        self._wait: asyncio.Timeout | None = None

    async def send(self, text: str) -> None:
        """Raises TransportError."""
        try:
            async with self._clock.timeout(self._quiet):
                await self._socket.send(text)
        except TimeoutError:
            raise TransportError("the stream takes no more data") from None

    async def receive(self) -> str | bytes | None:
        """The next frame, or None after an interrupt. Raises TransportError when the line is closed or silent."""
        is_asked = False
        while not self._interrupted:
            try:
                async with self._clock.timeout(self._quiet):
                    frame = await self._frame()
            except TimeoutError:
                if is_asked:
                    raise TransportError(f"the stream was silent for {2 * self._quiet:g} s") from None
                is_asked = True
                await self._ask()
                continue
            if frame is not None:
                return frame
            is_asked = False  # a sign of life without content
        self._interrupted = False
        return None

    def interrupt(self) -> None:
        """End the wait in `receive`, or the next one."""
        self._interrupted = True
        if self._wait is not None and not self._wait.expired():
            self._wait.reschedule(asyncio.get_running_loop().time())

    async def close(self) -> None:
        try:
            async with self._clock.timeout(self._quiet):
                await self._socket.close()
        except (TimeoutError, TransportError):
            return  # it is gone either way

    async def _frame(self) -> str | bytes | None:
        # No deadline but a handle: the only way to end a wait from outside without a task of its own.
        try:
            async with asyncio.timeout(None) as self._wait:
                return await self._socket.receive()
        except TimeoutError:
            return None
        finally:
            self._wait = None

    async def _ask(self) -> None:
        try:
            async with self._clock.timeout(self._quiet):
                await self._socket.ping()
        except TimeoutError:
            raise TransportError("the stream takes no more data") from None
