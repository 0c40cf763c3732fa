"""When watchers look: each second while there is something to look at, each few while nothing has changed.

Theory: looking costs, and most of a run nothing happens. Whoever brings something to look at says so (`hasten`); asking
each second whether there is anything would cost as much as looking.
"""

from collections.abc import Callable
from contextvars import Context

from standfast.sim.handles import SimHandle
from standfast.sim.loop import current

IDLE = 5
"""Seconds between two looks while nothing has changed and nothing runs."""


class Ticker:
    """`look`: one look; whether there is nothing to look at until something happens. Timers are of the context."""

    def __init__(self, look: Callable[[], bool], context: Context) -> None:
        self._look, self._context = look, context
        self._began = 0.0
        self._is_slow = False
        self._timer: SimHandle | None = None

    def begin(self) -> None:
        """The first look is now."""
        self._began = current().time()
        self._tick()

    def hasten(self) -> None:
        """There is something to look at: at the next full second."""
        if self._is_slow:
            self.end()
            self._after(1.0 - (current().time() - self._began) % 1.0)

    def end(self) -> None:
        """No look any more."""
        self._is_slow = False
        if self._timer is not None:
            self._timer.cancel()

    def _tick(self) -> None:
        self._is_slow = self._look()
        self._after(IDLE if self._is_slow else 1.0)

    def _after(self, seconds: float) -> None:
        self._timer = current().call_later(seconds, self._tick, context=self._context)
