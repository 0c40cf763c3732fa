"""What a task that goes round waits for: somebody rings, or it is time all the same.

An `asyncio.Event` under an `asyncio.timeout` does the same, and cancels its task each time nobody has rung, which is
nearly always: the exception costs more than the round that follows.
"""

import asyncio

from standfast.ports import Clock


class Bell:
    """For one task; anybody may ring."""

    __slots__ = ("_waiter", "is_rung")

    def __init__(self) -> None:
        self.is_rung = False
        """Since it was last hushed."""
        self._waiter: asyncio.Future[None] | None = None

    def ring(self) -> None:
        self.is_rung = True
        self._wake()

    def hush(self) -> None:
        self.is_rung = False

    async def heard(self, clock: Clock, seconds: float) -> bool:
        """Wait until it is rung, or has been; or, by this clock, for so many seconds. Whether it is rung."""
        if self.is_rung:
            return True
        assert self._waiter is None, "a bell is for one task"
        self._waiter = asyncio.get_running_loop().create_future()
        timer = clock.later(seconds, self._wake)
        try:
            await self._waiter
        finally:
            self._waiter = None
            timer.cancel()
        return self.is_rung

    def _wake(self) -> None:
        if self._waiter is not None and not self._waiter.done():
            self._waiter.set_result(None)
