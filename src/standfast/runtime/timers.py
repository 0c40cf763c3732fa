"""When to look at a holding again: the earliest of the moments its looks have asked for.

Theory: a look is level-triggered and names, each time, every moment at which something would become due. So one timer
for each holding is enough: when it rings, the look that follows names what is still to come. Keeping every moment that
was ever named would make looks multiply: one that asks for "a second from now" starts a chain of its own, and every
look from elsewhere starts another.
"""

from datetime import datetime, timedelta
from heapq import heappop, heappush

from standfast.model.ids import Holding
from standfast.ports import Clock


class Timers:
    def __init__(self) -> None:
        self._due: dict[Holding, datetime] = {}
        self._queue: list[tuple[datetime, Holding]] = []
        """Holds what was replaced by an earlier moment too, until its time comes."""

    @property
    def next(self) -> datetime | None:
        return self._queue[0][0] if self._queue else None

    def set(self, at: datetime, holding: Holding) -> None:
        """Ring for this holding then, unless it rings sooner."""
        known = self._due.get(holding)
        if known is None or at < known:
            self._due[holding] = at
            heappush(self._queue, (at, holding))

    def ring(self, now: datetime) -> list[Holding]:
        """The holdings whose time has come; each rings once, and is forgotten until it is set again."""
        rung = []
        while self._queue and self._queue[0][0] <= now:
            at, holding = heappop(self._queue)
            if self._due.get(holding) == at:
                del self._due[holding]
                rung.append(holding)
        return rung


class Spaced:
    """Something that is due once in so long, however often it is asked for. No setting of the clock puts it off."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._last: float | None = None

    def is_due(self, every: timedelta) -> bool:
        """Whether it is; if so, it is taken as done."""
        now = self._clock.monotonic()
        if self._last is not None and now - self._last < every.total_seconds():
            return False
        self._last = now
        return True
