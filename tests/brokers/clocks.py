"""Clocks for the adapters' tests: one that stands until it is moved, one that runs with the loop, and one that runs
with the loop and the date of a served exchange."""

import asyncio
import heapq
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any

from standfast.exchange.dialects.hall import Hall

START = datetime(2026, 10, 8, 14, 30, tzinfo=UTC)
TURNS = 50
PATIENCE = 120.0
"""Real seconds after which a test gives up on an answer that should have come."""
LOOKS_EVERY = 0.005


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


class VenueClock(LoopClock):
    """The exchange's date, and seconds of the loop.

    An answer's time is over as soon as the exchange leaves a request hanging, and not before: a healthy answer of a
    busy machine is waited for, and one that never comes costs no time. Deadlines in seconds are proven on a
    `ManualClock`.
    """

    def __init__(self, venue: Hall[Any, Any]) -> None:
        self._venue = venue

    def now(self) -> datetime:
        return self._venue.now

    @asynccontextmanager
    async def _until_one_hangs(self) -> AsyncIterator[object]:
        async with asyncio.timeout(PATIENCE) as limit:
            looking = _Looking(partial(self._hangs, frozenset(self._venue._pauses)), limit)
            try:
                yield limit
            finally:
                looking.end()

    def timeout(self, seconds: float) -> AbstractAsyncContextManager[object]:
        return self._until_one_hangs()

    def _hangs(self, before: frozenset[asyncio.Event]) -> bool:
        return not self._venue._pauses <= before


class _Looking:
    """Ends a limit as soon as it is so."""

    def __init__(self, is_so: Callable[[], bool], limit: asyncio.Timeout) -> None:
        self._is_so, self._limit = is_so, limit
        self._handle = self._again()

    def _again(self) -> asyncio.TimerHandle:
        return asyncio.get_running_loop().call_later(LOOKS_EVERY, self._look)

    def _look(self) -> None:
        if self._is_so():
            self._limit.reschedule(asyncio.get_running_loop().time())
        else:
            self._handle = self._again()

    def end(self) -> None:
        self._handle.cancel()


async def settle() -> None:
    """Let everything that can run, run."""
    for _ in range(TURNS):
        await asyncio.sleep(0)
