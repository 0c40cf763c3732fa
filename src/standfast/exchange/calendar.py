"""When the regular session is. The engine asks; it keeps no table of its own."""

from dataclasses import dataclass
from datetime import date, datetime
from typing import Protocol


class Calendar(Protocol):
    """Aware UTC in, aware UTC out. `next_open` and `next_close` lie strictly after `at`."""

    def is_open(self, at: datetime) -> bool: ...
    def next_open(self, at: datetime) -> datetime: ...
    def next_close(self, at: datetime) -> datetime: ...
    def session_day(self, at: datetime) -> date:
        """The trading day an order placed at `at` belongs to: today until its close, then the next session's day."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class ClockState:
    timestamp: datetime
    is_open: bool
    next_open: datetime | None  # None: the session is steered by hand and the future is unknown
    next_close: datetime | None
