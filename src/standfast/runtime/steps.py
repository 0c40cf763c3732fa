"""Notice that a clock was set.

The machine's may be set at any moment, by its operator or by NTP; its monotonic time goes on. Nothing has been waited
for any longer by that: evidence is not figured across such a moment (`Situation.surely`).
"""

from datetime import datetime, timedelta

from standfast.core.put_back import STEP
from standfast.ports import Clock

SECONDS, NOTHING = STEP.total_seconds(), timedelta(0)


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
        passed, gone_by = now - self._now, monotonic - self._monotonic
        self._now, self._monotonic = now, monotonic
        if abs(passed.total_seconds() - gone_by) <= SECONDS:  # as nearly always, and many times a second
            return now, NOTHING
        self.last = now
        return now, passed - timedelta(seconds=gone_by)
