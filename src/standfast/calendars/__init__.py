"""When the regular session is: a baked table that plans ahead. At run time the broker's own clock decides.

1. A session is half-open: its first instant belongs to it, its close does not.
2. Times in and out are aware UTC; days are the exchange's own (New York) dates. Daylight saving lives in the time
   zone data, not in the table.
3. `next_open` and `next_close` lie strictly after the time asked about.
4. Outside the table's range there is an error (`OutsideCalendar`), never a guess.

The tables are baked from a calendar library by scripts/bake_calendar.py and say their form in their first lines.
Importing this reads nothing: a table is read when its first question is asked.
"""

from datetime import UTC, date, datetime, timedelta
from functools import cache
from typing import TYPE_CHECKING, Literal, NamedTuple

from standfast.model.errors import StandfastError

if TYPE_CHECKING:
    from zoneinfo import ZoneInfo

Market = Literal["us_equities", "us_index_options"]

DAY = timedelta(days=1)
OVERNIGHT_STARTS = 20  # o'clock in New York: what trades from here on clears as the next session's


class OutsideCalendar(StandfastError):
    """The table does not reach this day: ask the broker's clock, and bake a newer table."""


class Session(NamedTuple):
    """One regular session, half-open, in aware UTC; `day` is the exchange's date."""

    day: date
    opens: datetime
    closes: datetime


class Calendar:
    """One market's sessions. Every method may raise OutsideCalendar; an `at` without time zone is our own bug."""

    def __init__(self, market: Market = "us_equities") -> None:
        self.market = market

    def session(self, day: date) -> Session | None:
        """The session of that day; None on weekends and holidays."""
        return _session(self.market, day)

    def sessions(self, first: date, last: date) -> list[Session]:
        """Every session from `first` to `last`, both included."""
        days = (first + n * DAY for n in range((last - first).days + 1))
        return [session for day in days if (session := self.session(day))]

    def in_session(self, at: datetime) -> bool:
        """Whether the regular session is on."""
        session = self.session(self._date(at))
        return session is not None and session.opens <= at < session.closes

    def session_open(self, day: date) -> datetime | None:
        """When that day's session opens; None when it has none."""
        session = self.session(day)
        return session.opens if session else None

    def session_close(self, day: date) -> datetime | None:
        """When that day's session closes, early closes included; None when it has none."""
        session = self.session(day)
        return session.closes if session else None

    def planned_close(self, day: date) -> datetime | None:
        """As `session_close`; None where the table does not reach too, as with a machine whose clock shows 1970."""
        table = _table(self.market)
        return self.session_close(day) if table.first <= day <= table.last else None

    def next_open(self, at: datetime) -> datetime:
        """The first opening strictly after `at`."""
        session = self._first(self._date(at))
        return session.opens if session.opens > at else self._first(session.day + DAY).opens

    def next_close(self, at: datetime) -> datetime:
        """The first close strictly after `at`: of the session that is on, or of the next."""
        session = self._first(self._date(at))
        return session.closes if session.closes > at else self._first(session.day + DAY).closes

    def minutes_to_close(self, at: datetime) -> int | None:
        """Whole minutes left of the session that is on; None outside a session."""
        return (self.next_close(at) - at) // timedelta(minutes=1) if self.in_session(at) else None

    def trading_day(self, at: datetime) -> date:
        """The exchange's trading day, to which a fill at `at` is counted.

        Before, during and after a session it is that session's day; overnight (from 20:00 New York on), weekends and
        holidays count for the session that follows.
        """
        local = at.astimezone(_table(self.market).zone)
        day = local.date() + DAY if local.hour >= OVERNIGHT_STARTS else local.date()
        return self._first(day).day

    def _date(self, at: datetime) -> date:
        assert at.tzinfo is not None, at
        return at.astimezone(_table(self.market).zone).date()

    def _first(self, day: date) -> Session:
        """The first session on `day` or after it."""
        while True:  # ends: `session` raises at the table's end
            if session := self.session(day):
                return session
            day += DAY


_Hours = tuple[int, int]  # hour and minute in New York


class _Table(NamedTuple):
    zone: "ZoneInfo"
    first: date
    last: date
    usual: tuple[_Hours, _Hours]
    unusual: dict[date, tuple[_Hours, _Hours] | None]  # None: closed all day


@cache
def _table(market: Market) -> _Table:
    # Here and not above: together they cost more than the rest of the import, and most commands never ask.
    from pathlib import Path
    from zoneinfo import ZoneInfo

    lines = Path(__file__).with_name(f"{market}.csv").read_text("utf-8").splitlines()
    rows = [line.split(",") for line in lines if not line.startswith("#")]
    (_, first, _), (_, last, _), (_, *usual), *unusual = rows
    return _Table(
        zone=ZoneInfo("America/New_York"),
        first=date.fromisoformat(first),
        last=date.fromisoformat(last),
        usual=(_hours(usual[0]), _hours(usual[1])),
        unusual={
            date.fromisoformat(day): (_hours(opens), _hours(closes)) if opens else None
            for day, opens, closes in unusual
        },
    )


def _hours(text: str) -> _Hours:
    hour, minute = text.split(":")
    return int(hour), int(minute)


@cache
def _session(market: Market, day: date) -> Session | None:
    table = _table(market)
    if not table.first <= day <= table.last:
        raise OutsideCalendar(f"{day} is outside the {market} calendar ({table.first} to {table.last})")
    hours = table.unusual.get(day, table.usual if day.weekday() < 5 else None)
    if hours is None:
        return None
    opens, closes = (
        datetime(day.year, day.month, day.day, hour, minute, tzinfo=table.zone).astimezone(UTC)
        for hour, minute in hours
    )
    return Session(day, opens, closes)
