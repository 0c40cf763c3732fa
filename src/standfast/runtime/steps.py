"""Notice that a clock was set.

The machine's may be set at any moment, by its operator or by NTP; its monotonic time goes on. Nothing has been waited
for any longer by that: evidence is not figured across such a moment (`Situation.surely`).
"""

from datetime import datetime, timedelta

from standfast.core.put_back import STEP
from standfast.ports import Clock


class Steps:
    """Compares the two with each look."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._now, self._monotonic = clock.now(), clock.monotonic()
        self.last: datetime | None = None
        """What the clock showed when it was last found to have been set."""

    def look(self) -> tuple[datetime, timedelta]:
        """The time, and by how much the clock was set since the last look: nothing for what is too little to matter."""
        now, monotonic = self._clock.now(), self._clock.monotonic()
        step = now - self._now - timedelta(seconds=monotonic - self._monotonic)
        self._now, self._monotonic = now, monotonic
        if abs(step) <= STEP:
            return now, timedelta(0)
        self.last = now
        return now, step
