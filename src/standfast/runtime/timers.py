"""When which holding is to be looked at again: each moment once, the earliest first."""

from datetime import datetime
from heapq import heappop, heappush

from standfast.model.ids import Holding


class Timers:
    def __init__(self) -> None:
        self._queue: list[tuple[datetime, Holding]] = []
        self._set: set[tuple[datetime, Holding]] = set()

    @property
    def next(self) -> datetime | None:
        return self._queue[0][0] if self._queue else None

    def set(self, at: datetime, holding: Holding) -> None:
        """Ring for this holding then; one that is set already rings once."""
        if (at, holding) not in self._set:
            self._set.add((at, holding))
            heappush(self._queue, (at, holding))

    def ring(self, now: datetime) -> list[Holding]:
        """The holdings whose time has come; each timer rings once."""
        rung = []
        while self._queue and self._queue[0][0] <= now:
            timer = heappop(self._queue)
            self._set.discard(timer)
            rung.append(timer[1])
        return rung
