"""The only place that reads the clock.

`RealClock` is the machine's time, corrected by what the broker's clock says. `ScaledClock` follows a simulated
exchange that runs N times as fast: every period of the guard shrinks with it. Both promise that `monotonic` never
steps back and that `now` is aware UTC.

asyncio is imported where it is needed, because the parent process reads the time too and has no loop.
"""

import time
from collections.abc import Awaitable, Callable, Mapping
from contextlib import AbstractAsyncContextManager
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING

if TYPE_CHECKING:  # the parent process, which is small, reads the time too
    from standfast.ports import Timer

OFFSET_ALARM = timedelta(seconds=2)
"""A machine further than this from the broker's clock is worth an alarm (reliability.md §4.1, A6)."""

PATIENCE_LEAST = 1.0
"""Real seconds: however fast an exchange runs, a request still travels over a real wire on a busy machine."""

Fetch = Callable[[str], Awaitable[Mapping[str, object]]]
"""Reads a JSON object from an address."""


def monotonic() -> float:
    """Real seconds that never step back, for those who have no `Clock`."""
    return time.monotonic()


def wall_time() -> datetime:
    """The machine's own idea of the time, aware UTC: for log lines and for nothing that decides."""
    return datetime.now(UTC)


def offset(broker: datetime, began: datetime, ended: datetime) -> timedelta:
    """How far the broker's clock is ahead of ours, given its answer and our time before and after asking.

    The answer is taken to have been given half-way; it is wrong by at most half of the time asking took.
    """
    return broker - (began + (ended - began) / 2)


class RealClock:
    """The machine's clock, corrected."""

    def __init__(self) -> None:
        self.correction = timedelta(0)

    def now(self) -> datetime:
        return datetime.now(UTC) + self.correction

    def monotonic(self) -> float:
        return time.monotonic()

    async def sleep(self, seconds: float) -> None:
        import asyncio

        await asyncio.sleep(seconds)

    def timeout(self, seconds: float) -> AbstractAsyncContextManager[object]:
        import asyncio

        return asyncio.timeout(seconds)

    def timer(self, seconds: float) -> AbstractAsyncContextManager[object]:
        import asyncio

        return asyncio.timeout(seconds)

    def later(self, seconds: float, act: Callable[[], object]) -> "Timer":
        import asyncio

        return asyncio.get_running_loop().call_later(seconds, act)

    def correct(self, by: timedelta) -> None:
        """Move `now` by this much (`offset` says how much); `monotonic` is not touched."""
        self.correction += by


class ScaledClock:
    """An exchange's time at `speed` times the real one, from an anchor on."""

    def __init__(self, anchor: datetime, *, speed: Decimal, at: float | None = None) -> None:
        """`at` is the real `monotonic()` of the anchor; now, if not given."""
        assert speed > 0, speed
        assert anchor.tzinfo is not None, anchor
        self.anchor = anchor
        self.speed = float(speed)
        self._anchored = time.monotonic() if at is None else at
        self._began = self._anchored
        self._elapsed = 0.0

    @classmethod
    async def following(cls, url: str, get: Fetch) -> "ScaledClock":
        """A clock anchored at the exchange that serves `url` (scheme and host)."""
        anchor, speed, at = await _ask(url, get)
        return cls(anchor, speed=speed, at=at)

    async def follow(self, url: str, get: Fetch) -> timedelta:
        """Take a new anchor and speed from the exchange; returns how far `now` was off."""
        anchor, speed, at = await _ask(url, get)
        before = self._at(at)
        self._elapsed = self.monotonic()  # what has passed stays passed, whatever the speed from here on
        self._began = time.monotonic()
        self.anchor, self.speed, self._anchored = anchor, float(speed), at
        return anchor - before

    def now(self) -> datetime:
        return self._at(time.monotonic())

    def monotonic(self) -> float:
        return self._elapsed + (time.monotonic() - self._began) * self.speed

    async def sleep(self, seconds: float) -> None:
        import asyncio

        await asyncio.sleep(seconds / self.speed)

    def timeout(self, seconds: float) -> AbstractAsyncContextManager[object]:
        """In this clock's seconds, but never so short in real ones that an answer could not have come."""
        import asyncio

        return asyncio.timeout(max(seconds / self.speed, min(seconds, PATIENCE_LEAST)))

    def timer(self, seconds: float) -> AbstractAsyncContextManager[object]:
        import asyncio

        return asyncio.timeout(seconds / self.speed)

    def later(self, seconds: float, act: Callable[[], object]) -> "Timer":
        import asyncio

        return asyncio.get_running_loop().call_later(seconds / self.speed, act)

    def correct(self, by: timedelta) -> None:
        """As `RealClock.correct`."""
        self.anchor += by

    def _at(self, real: float) -> datetime:
        return self.anchor + timedelta(seconds=(real - self._anchored) * self.speed)


async def _ask(url: str, get: Fetch) -> tuple[datetime, Decimal, float]:
    """The exchange's time, its speed, and the real moment its answer speaks for."""
    began = time.monotonic()
    answer = await get(f"{url}/sim/clock")
    ended = time.monotonic()
    anchor = datetime.fromisoformat(str(answer["now"]))
    return anchor, Decimal(str(answer["speed"])), (began + ended) / 2
