"""When a lost connection is tried again: at once, then at growing intervals, never all at the same moment.

Invariant: `wait` n lies between half and all of min(longest, first x 2^n); a connection that worked starts over.
"""

import random


class Backoff:
    """Seconds to wait before the next attempt, drawn from the generator it was given."""

    def __init__(self, draw: random.Random, *, first: float = 0.25, longest: float = 30.0) -> None:
        self._draw = draw
        self._first = first
        self._longest = longest
        self._failed = 0

    def succeeded(self) -> None:
        self._failed = 0

    def wait(self) -> float:
        """The next interval, in seconds."""
        ceiling = min(self._longest, self._first * 2.0 ** min(self._failed, 30))
        self._failed += 1
        return ceiling * self._draw.uniform(0.5, 1.0)
