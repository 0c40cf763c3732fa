"""How many requests may leave now: what is known of the broker's rate window, as arithmetic.

Where the broker has told its window (limit, remaining, reset), that is believed; until then at most `limit`
requests leave in any sixty seconds. All times are seconds of one monotonic clock.

Invariants
- Without the broker's word, no sixty seconds see more than `limit` requests.
- Steady reads never use more than `steady_max` requests in any sixty seconds.
- After a refusal for rate nothing leaves before `closed_until`.
"""

from collections import deque

WINDOW = 60.0
"""Seconds: brokers count by the minute."""


class Budget:
    def __init__(self, *, limit: int, steady_share: float) -> None:
        self.limit = limit
        self.closed_until = float("-inf")
        self.sent = 0
        """Requests ever let out; a reply tells its own place in this count."""
        self._steady_share = steady_share
        self._recent: deque[float] = deque()
        self._steady: deque[float] = deque()
        self._reset: float | None = None
        """When the broker's window ends; None while it has told none."""
        self._left = 0
        self._told_at = 0
        """`sent` as it was for the newest reply that told the window."""

    @property
    def steady_max(self) -> int:
        return max(1, int(self.limit * self._steady_share))

    def spend(self, now: float, *, steady: bool) -> int:
        """Let one request out; its number."""
        self.sent += 1
        self._recent.append(now)
        if steady:
            self._steady.append(now)
        return self.sent

    def available(self, now: float) -> int:
        """Requests that may leave now."""
        if now < self.closed_until:
            return 0
        self._forget(now)
        if self._reset is None:
            return self.limit - len(self._recent)
        return self._left - (self.sent - self._told_at)

    def steady_available(self, now: float) -> int:
        self._forget(now)
        return self.steady_max - len(self._steady)

    def next_change(self, now: float) -> float:
        """The earliest moment at which more may be available than now (never before `now`)."""
        if now < self.closed_until:
            return self.closed_until
        moments = [queue[0] + WINDOW for queue in (self._recent, self._steady) if queue]
        if self._reset is not None:
            moments.append(self._reset)
        return max(now, min(moments, default=now))

    def told(self, number: int, *, limit: int, remaining: int, reset: float) -> None:
        """What the reply to request `number` said of the broker's window."""
        if number < self._told_at:
            return  # replies overtake each other; the newest request knows best
        self.limit = max(1, limit)
        self._told_at, self._left, self._reset = number, max(0, remaining), reset

    def close(self, until: float) -> None:
        """Nothing leaves before `until`: the broker refused for rate."""
        self.closed_until = max(self.closed_until, until)

    def _forget(self, now: float) -> None:
        for queue in (self._recent, self._steady):
            while queue and queue[0] <= now - WINDOW:
                queue.popleft()
        if self._reset is not None and now >= self._reset:
            # The window it told is over and no reply has told the next one yet: back to counting ourselves.
            self._recent = deque(at for at in self._recent if at >= self._reset)
            self._reset = None
