"""When the exchange trades. Its own table and its own arithmetic: the guard's calendar shares neither.

A session is half-open: it trades at `opens` and no longer at `closes`. Times are aware UTC, days New York dates;
`next_open` and `next_close` lie strictly after the time asked about. The table (us_sessions.csv, baked by
scripts/bake_calendar.py) says its own form and range; beyond the range a `LookupError` says so.
"""

import csv
from bisect import bisect_left, bisect_right
from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime, time, timedelta
from functools import cache
from pathlib import Path
from typing import Literal, NamedTuple, Protocol
from zoneinfo import ZoneInfo

Market = Literal["equities", "index_options"]

NEW_YORK = ZoneInfo("America/New_York")


class Session(NamedTuple):
    """One regular session, half-open, in aware UTC."""

    day: date
    opens: datetime
    closes: datetime


class Sessions(Protocol):
    """What the engine, the dialects and the market ask. Fits `exchange.calendar.Calendar`."""

    def is_open(self, at: datetime) -> bool: ...
    def next_open(self, at: datetime) -> datetime: ...
    def next_close(self, at: datetime) -> datetime: ...
    def session_day(self, at: datetime) -> date: ...
    def calendar(self, start: date, end: date) -> list[Session]: ...


class USSessions:
    """Regular sessions of US equities (9:30 to 16:00) or index options (to 16:15), New York; holidays, early closes."""

    def __init__(self, market: Market = "equities") -> None:
        self._market: Market = market

    def is_open(self, at: datetime) -> bool:
        """Whether orders match now."""
        return self._ending_after(at).opens <= at

    def next_open(self, at: datetime) -> datetime:
        """The first opening strictly after `at`."""
        return self._first_after(at, _opens).opens

    def next_close(self, at: datetime) -> datetime:
        """The first close strictly after `at`: of the session that is on, or of the next."""
        return self._ending_after(at).closes

    def session_day(self, at: datetime) -> date:
        """The day of the session that is on or comes next: after the close an order belongs to the next session."""
        return self._ending_after(at).day

    def session(self, day: date) -> Session | None:
        """The session of that day; None on weekends and holidays."""
        found = self.calendar(day, day)
        return found[0] if found else None

    def calendar(self, start: date, end: date) -> list[Session]:
        """Every session from `start` to `end`, both included."""
        years = range(start.year, end.year + 1)
        found: list[Session] = []
        for year in years:
            sessions = _year(self._market, year)
            found += sessions[bisect_left(sessions, start, key=_day) : bisect_right(sessions, end, key=_day)]
        return found

    def _ending_after(self, at: datetime) -> Session:
        return self._first_after(at, _closes)

    def _first_after(self, at: datetime, edge: Callable[[Session], datetime]) -> Session:
        """The first session whose edge lies after `at`. No session straddles a year's end in UTC."""
        at = _aware(at)
        sessions = _year(self._market, at.year)
        index = bisect_right(sessions, at, key=edge)
        return sessions[index] if index < len(sessions) else _year(self._market, at.year + 1)[0]


class AlwaysOpen:
    """Trades without pause. Its days are UTC days, each of which closes and opens again at midnight."""

    def is_open(self, at: datetime) -> bool:
        """Always; an `at` without time zone is a ValueError here too."""
        return _aware(at) is not None

    def next_open(self, at: datetime) -> datetime:
        """The next midnight."""
        return self._of(self.session_day(at)).closes

    def next_close(self, at: datetime) -> datetime:
        """The next midnight."""
        return self._of(self.session_day(at)).closes

    def session_day(self, at: datetime) -> date:
        """The UTC date."""
        return _aware(at).date()

    def session(self, day: date) -> Session:
        """That day, midnight to midnight."""
        return self._of(day)

    def calendar(self, start: date, end: date) -> list[Session]:
        """Every day from `start` to `end`, both included."""
        return [self._of(start + timedelta(days=n)) for n in range((end - start).days + 1)]

    def _of(self, day: date) -> Session:
        opens = datetime(day.year, day.month, day.day, tzinfo=UTC)
        return Session(day, opens, opens + timedelta(days=1))


def _aware(at: datetime) -> datetime:
    if at.tzinfo is None:
        raise ValueError(f"{at} has no time zone")
    return at.astimezone(UTC)


def _day(session: Session) -> date:
    return session.day


def _opens(session: Session) -> datetime:
    return session.opens


def _closes(session: Session) -> datetime:
    return session.closes


class _Hours(NamedTuple):
    opens: time
    closes: time


class _Table(NamedTuple):
    first: date
    last: date
    weekday: _Hours
    exceptions: dict[date, _Hours | None]


@cache
def _table(market: Market) -> _Table:
    with Path(__file__).with_name("us_sessions.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(line for line in file if not line.startswith("#")))
    by_name = {row["day"]: row[market] for row in rows}
    first, last = map(date.fromisoformat, by_name.pop("range").split("/"))
    weekday = _hours(by_name.pop("weekday"))
    assert weekday is not None
    return _Table(first, last, weekday, {date.fromisoformat(day): _hours(text) for day, text in by_name.items()})


def _hours(text: str) -> _Hours | None:
    if text == "closed":
        return None
    opens, closes = text.split("-")
    return _Hours(time.fromisoformat(opens), time.fromisoformat(closes))


@cache
def _year(market: Market, year: int) -> tuple[Session, ...]:
    table = _table(market)
    if not table.first.year <= year <= table.last.year:
        raise LookupError(f"{year} is outside the session table of US {market} ({table.first} to {table.last})")
    return tuple(_sessions(table, year))


def _sessions(table: _Table, year: int) -> Iterator[Session]:
    day = date(year, 1, 1)
    while day.year == year:
        hours = table.exceptions.get(day, table.weekday if day.weekday() < 5 else None)
        if hours is not None:
            opens, closes = (datetime.combine(day, at, NEW_YORK).astimezone(UTC) for at in hours)
            yield Session(day, opens, closes)
        day += timedelta(days=1)
