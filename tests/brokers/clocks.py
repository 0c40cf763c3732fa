"""Clocks for the adapters' tests: one that stands until it is moved, and one that runs with the loop."""

import asyncio
import heapq
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from datetime import UTC, datetime, timedelta

START = datetime(2026, 10, 8, 14, 30, tzinfo=UTC)
TURNS = 50


class ManualClock:
    """Time passes only in `advance`, which runs everything that falls due, in order."""

    def __init__(self) -> None:
        self._seconds = 0.0
        self._due: list[tuple[float, int, asyncio.Timeout]] = []
        self._made = 0

    def now(self) -> datetime:
        return START + timedelta(seconds=self._seconds)

    def monotonic(self) -> float:
        return self._seconds

    async def sleep(self, seconds: float) -> None:
        try:
            async with self.timeout(seconds):
                await asyncio.get_running_loop().create_future()
        except TimeoutError:
            return

    def timeout(self, seconds: float) -> AbstractAsyncContextManager[object]:
        return self._timeout(seconds)

    def timer(self, seconds: float) -> AbstractAsyncContextManager[object]:
        return self._timeout(seconds)

    def later(self, seconds: float, act: Callable[[], object]) -> asyncio.TimerHandle:
        raise NotImplementedError

    @asynccontextmanager
    async def _timeout(self, seconds: float) -> AsyncIterator[object]:
        async with asyncio.timeout(None) as handle:
            self._made += 1
            entry = (self._seconds + seconds, self._made, handle)
            heapq.heappush(self._due, entry)
            try:
                yield handle
            finally:
                if entry in self._due:
                    self._due.remove(entry)
                    heapq.heapify(self._due)

    async def advance(self, seconds: float) -> None:
        end = self._seconds + seconds
        await settle()
        while self._due and self._due[0][0] <= end:
            at, _, handle = heapq.heappop(self._due)
            self._seconds = max(self._seconds, at)
            handle.reschedule(asyncio.get_running_loop().time())
            await settle()
        self._seconds = end
        await settle()


class LoopClock:
    """The event loop's own time."""

    def now(self) -> datetime:
        return START + timedelta(seconds=self.monotonic())

    def monotonic(self) -> float:
        return asyncio.get_running_loop().time()

    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(seconds)

    def timeout(self, seconds: float) -> AbstractAsyncContextManager[object]:
        return asyncio.timeout(seconds)

    def timer(self, seconds: float) -> AbstractAsyncContextManager[object]:
        return asyncio.timeout(seconds)

    def later(self, seconds: float, act: Callable[[], object]) -> asyncio.TimerHandle:
        return asyncio.get_running_loop().call_later(seconds, act)


async def settle() -> None:
    """Let everything that can run, run."""
    for _ in range(TURNS):
        await asyncio.sleep(0)
