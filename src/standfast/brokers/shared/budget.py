"""How many requests may leave now: what is known of the broker's rate window, as arithmetic.

Where the broker has told its window (limit, remaining, reset), that is believed; until then at most `limit`
requests leave in any window (sixty seconds). All times are seconds of one monotonic clock.

Theory of the told window: the broker's remainder only falls within a window, so the smallest one told is the latest,
and what it does not count yet is exactly what has left and is not answered. Replies may come in any order.

Invariants
- Without the broker's word, no window sees more than `limit` requests.
- With it, no more leave than the smallest remainder told, less what is unanswered.
- Steady reads never use more than `steady_max` requests in any window.
- After a refusal for rate nothing leaves before `closed_until`.
"""

from collections import deque

WINDOW = 60.0
"""Seconds: brokers count by the minute, unless they say otherwise."""

SAME_WINDOW = 5.0
"""Seconds by which the end of one and the same window may be told differently."""

NEVER_ANSWERED = 20.0
"""Seconds after which a request without a reply no longer counts as on its way."""

AROUND_RESET = 2.0
"""Seconds before the end of a window, as we know it, in which a request may already count in the next."""


class Budget:
    def __init__(self, *, limit: int, steady_share: float, window: float = WINDOW) -> None:
        self.limit = limit
        self._window = window
        self.closed_until = float("-inf")
        self.sent = 0
        """Requests ever let out; a reply tells its own place in this count."""
        self._steady_share = steady_share
        self._recent: deque[float] = deque()
        self._steady: deque[float] = deque()
        self._reset: float | None = None
        """When the broker's window ends; None while it has told none."""
        self._left = 0
        """The smallest remainder told in that window."""
        self._unanswered: dict[int, float] = {}
        """When each request left that has no reply yet, oldest first."""

    @property
    def steady_max(self) -> int:
        return max(1, int(self.limit * self._steady_share))

    def spend(self, now: float, *, steady: bool) -> int:
        """Let one request out; its number."""
        self.sent += 1
        self._unanswered[self.sent] = now
        self._recent.append(now)
        if steady:
            self._steady.append(now)
        return self.sent

    def unspend(self, number: int) -> None:
        """Request `number` has not left after all."""
        left = self._unanswered.pop(number, None)
        if left is not None and left in self._recent:
            self._recent.remove(left)

    def available(self, now: float) -> int:
        """Requests that may leave now."""
        if now < self.closed_until:
            return 0
        self._forget(now)
        if self._reset is None:
            return self.limit - len(self._recent)
        return self._left - len(self._unanswered)

    def steady_available(self, now: float) -> int:
        self._forget(now)
        return self.steady_max - len(self._steady)

    def next_change(self, now: float) -> float:
        """The earliest moment at which more may be available than now (never before `now`)."""
        if now < self.closed_until:
            return self.closed_until
        moments = [queue[0] + self._window for queue in (self._recent, self._steady) if queue]
        if self._reset is not None:
            moments.append(self._reset)
        return max(now, min(moments, default=now))

    def told(self, number: int, *, limit: int, remaining: int, reset: float) -> None:
        """What the reply to request `number` said of the broker's window."""
        self.answered(number)
        self.limit = max(1, limit)
        if self._reset is not None and reset < self._reset - SAME_WINDOW:
            return  # a late reply of the window before
        is_same = self._reset is not None and reset <= self._reset + SAME_WINDOW
        self._left = min(self._left, max(0, remaining)) if is_same else max(0, remaining)
        self._reset = reset

    def answered(self, number: int) -> None:
        """Request `number` has its reply, whatever it said."""
        self._unanswered.pop(number, None)

    def close(self, until: float) -> None:
        """Nothing leaves before `until`: the broker refused for rate."""
        self.closed_until = max(self.closed_until, until)

    def _forget(self, now: float) -> None:
        for queue in (self._recent, self._steady):
            while queue and queue[0] <= now - self._window:
                queue.popleft()
        while self._unanswered and next(iter(self._unanswered.values())) <= now - NEVER_ANSWERED:
            del self._unanswered[next(iter(self._unanswered))]
        if self._reset is not None and now >= self._reset:
            # The window it told is over and no reply has told the next one yet: back to counting ourselves.
            self._recent = deque(at for at in self._recent if at >= self._reset - AROUND_RESET)
            self._reset = None
