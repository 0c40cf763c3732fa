"""Tradier's clock and calendar -> when the session opens and closes.

The clock tells the state and the time, and the next change without a date; the calendar tells the days of a month.
"""

from datetime import UTC, date, datetime, time, timedelta

import msgspec

from standfast.brokers.shared.reading import rows, shown
from standfast.brokers.tradier.client import TradierClient
from standfast.brokers.tradier.orders import NEW_YORK
from standfast.brokers.tradier.rows import CalendarReply, ClockReply, DayRow, each
from standfast.model.errors import Malformed
from standfast.model.evidence import MarketClock

CLOCK = msgspec.json.Decoder(ClockReply)
CALENDAR = msgspec.json.Decoder(CalendarReply)
MONTHS_AHEAD = 2
"""No session lies further ahead."""

Session = tuple[datetime, datetime]


class Sessions:
    """Months of the calendar are read anew each day: days are taken out of it at short notice."""

    def __init__(self, client: TradierClient) -> None:
        self._client = client
        self._read_on: date | None = None
        self._months: dict[tuple[int, int], list[Session]] = {}

    async def clock(self) -> MarketClock:
        row = rows(CLOCK, await self._client.get_clock(), "clock").clock
        now = datetime.fromtimestamp(row.timestamp, UTC)
        today = now.astimezone(NEW_YORK).date()
        if self._read_on != today:
            self._months, self._read_on = {}, today
        sessions = await self._ahead(now, today)
        return MarketClock(
            at=now,
            is_open=row.state == "open",
            next_open=min(opens for opens, _ in sessions if opens > now),
            next_close=min(closes for _, closes in sessions if closes > now),
        )

    async def _ahead(self, now: datetime, today: date) -> list[Session]:
        """Sessions that are not over, with one among them that has not begun."""
        found: list[Session] = []
        year, month = today.year, today.month
        for _ in range(MONTHS_AHEAD):
            found += [each for each in await self._month(year, month) if each[1] > now]
            if any(opens > now for opens, _ in found):
                return found
            year, month = (year, month + 1) if month < 12 else (year + 1, 1)
        raise Malformed(f"calendar: no session after {now}")

    async def _month(self, year: int, month: int) -> list[Session]:
        known = self._months.get((year, month))
        if known is None:
            body = await self._client.get_calendar(month=month, year=year)
            known = self._months[year, month] = sessions_of(body)
        return known


def sessions_of(body: bytes) -> list[Session]:
    """Opening and close of the regular session, of each day that has one."""
    days = each(rows(CALENDAR, body, "calendar").calendar.days.day)
    return [_session(day) for day in days if day.status == "open" and day.open is not None]


def _session(day: DayRow) -> Session:
    assert day.open is not None, day
    try:
        on = date.fromisoformat(day.date)
        opens, closes = (
            datetime.combine(on, time.fromisoformat(text), NEW_YORK).astimezone(UTC)
            for text in (day.open.start, day.open.end)
        )
    except (ValueError, OverflowError, TypeError):
        raise Malformed(f"calendar day {shown(day.date)} from {shown(day.open.start)}") from None
    if not timedelta() < closes - opens < timedelta(days=1):
        raise Malformed(f"calendar day {shown(day.date)} ends before it begins")
    return opens, closes
