"""What the exchange has promised itself to do later.

Invariant: things due at the same instant happen in the order in which they were put down.
"""

import heapq
from collections.abc import Callable
from datetime import datetime

Deed = Callable[[], None]


class Agenda:
    def __init__(self) -> None:
        self._due: list[tuple[datetime, int, Deed]] = []
        self._count = 0

    def put(self, at: datetime, deed: Deed) -> None:
        self._count += 1
        heapq.heappush(self._due, (at, self._count, deed))

    def next_due(self, until: datetime) -> tuple[datetime, Deed] | None:
        """Take the earliest deed due at or before `until`."""
        if not self._due or self._due[0][0] > until:
            return None
        at, _, deed = heapq.heappop(self._due)
        return at, deed
