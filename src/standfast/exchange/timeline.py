"""When things happen at an exchange: the time it is, what is due later, and what its listeners are told.

Invariants: time does not go back; listeners hear events in order even when one of them calls back into the engine.
"""

from collections import deque
from collections.abc import Callable
from datetime import datetime
from typing import Generic, TypeVar

from standfast.exchange.agenda import Agenda

Happening = TypeVar("Happening")


class Timeline(Generic[Happening]):
    def __init__(self, start: datetime) -> None:
        assert start.utcoffset() is not None, "the exchange's times are aware"
        self.now = start
        self.agenda = Agenda()
        self.listeners: list[Callable[[Happening], None]] = []
        self._untold: deque[Happening] = deque()
        self._telling = False

    def advance(self, to: datetime) -> None:
        """Let everything due until `to` happen in its order. ValueError when `to` lies in the past."""
        if to < self.now:
            raise ValueError(f"time does not go back: {to} is before {self.now}")
        while (due := self.agenda.next_due(to)) is not None:
            self.now, deed = due
            deed()
            self.deliver()
        self.now = max(self.now, to)  # a listener may have gone further

    def deliver(self) -> None:
        """Tell the listeners what has happened. Called when a call's work is done, never in the middle of it."""
        if self._telling:
            return
        self._telling = True
        try:
            while self._untold:
                event = self._untold.popleft()
                for listener in tuple(self.listeners):
                    listener(event)
        finally:
            self._telling = False
