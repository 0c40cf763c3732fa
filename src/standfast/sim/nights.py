"""Sessions given one by one, so that a run may pass several closes without the hours in which nothing happens."""

from collections.abc import Sequence
from datetime import date, datetime

from standfast.exchange.sessions import Session, Sessions


class Given:
    """These sessions and no others, each (opens, closes), in order."""

    def __init__(self, sessions: Sequence[tuple[datetime, datetime]]) -> None:
        self._sessions = [Session(opens.date(), opens, closes) for opens, closes in sessions]

    def is_open(self, at: datetime) -> bool:
        """Whether orders match now."""
        return any(session.opens <= at < session.closes for session in self._sessions)

    def next_open(self, at: datetime) -> datetime:
        """The first opening strictly after `at`; StopIteration after the last."""
        return next(session.opens for session in self._sessions if session.opens > at)

    def next_close(self, at: datetime) -> datetime:
        """The first close strictly after `at`."""
        return next(session.closes for session in self._sessions if session.closes > at)

    def session_day(self, at: datetime) -> date:
        """The day of the session that is on or comes next."""
        return next(session.day for session in self._sessions if session.closes > at)

    def calendar(self, start: date, end: date) -> list[Session]:
        """Every session from `start` to `end`, both included."""
        return [session for session in self._sessions if start <= session.day <= end]


def planned_close(sessions: Sessions, day: date) -> datetime | None:
    """What the guard's calendar says of a day: when its session ends, None without one or out of its reach."""
    try:
        return next((each.closes for each in sessions.calendar(day, day)), None)
    except LookupError:
        return None
