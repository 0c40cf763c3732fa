"""Bake the session tables of the guard and of the simulated exchange from exchange_calendars (for development).

    python scripts/bake_calendar.py            rewrite the three tables
    python scripts/bake_calendar.py --check    exit 1 when one differs from what would be written

The library's rules reach any year; exchanges announce about three years ahead. The tables end in 2050 all the same,
because a table that runs out stops a guard, while a session planned wrongly years ahead is put right by the broker's
clock and the next bake.

One deviation, on purpose: the library's CBOE calendar (XCBF) leaves out most early closes of the days before
Independence Day and Christmas. Index options close at 13:15 whenever the equities behind them close early, so those
days are added.
"""

import sys
from collections.abc import Iterable, Mapping
from datetime import date, time, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import exchange_calendars

FIRST, LAST = date(2013, 1, 1), date(2050, 12, 31)
NEW_YORK = ZoneInfo("America/New_York")
PACKAGE = Path(__file__).resolve().parent.parent / "src" / "standfast"

Hours = tuple[time, time]
EQUITIES: Hours = (time(9, 30), time(16, 0))
INDEX_OPTIONS: Hours = (time(9, 30), time(16, 15))
INDEX_OPTIONS_EARLY: Hours = (time(9, 30), time(13, 15))


def sessions(name: str) -> dict[date, Hours]:
    """Every session of a calendar, by day, with its New York opening and closing time."""
    calendar: Any = exchange_calendars.get_calendar(name, start=FIRST.isoformat(), end=LAST.isoformat())
    return {
        day.date(): (opens.tz_convert(NEW_YORK).time(), closes.tz_convert(NEW_YORK).time())
        for day, opens, closes in zip(calendar.sessions, calendar.opens, calendar.closes, strict=True)
    }


def index_options(equities: Mapping[date, Hours]) -> dict[date, Hours]:
    """The library's CBOE sessions, and the early closes it leaves out."""
    early = {day for day, hours in equities.items() if hours != EQUITIES}
    return {day: INDEX_OPTIONS_EARLY if day in early else hours for day, hours in sessions("XCBF").items()}


def exceptions(found: Mapping[date, Hours], usual: Hours) -> dict[date, Hours | None]:
    """Weekdays that are no session (None) or have other hours than usual."""
    assert all(day.weekday() < 5 for day in found), "a session on a weekend has no place in the tables' form"
    days = (FIRST + timedelta(days=n) for n in range((LAST - FIRST).days + 1))
    return {day: found.get(day) for day in days if day.weekday() < 5 and found.get(day) != usual}


def guards_table(market: str, found: Mapping[date, Hours], usual: Hours) -> str:
    """One market a file: `day,open,close`; no times on a holiday."""
    rows = [(day.isoformat(), *_times(hours)) for day, hours in exceptions(found, usual).items()]
    return _text(
        f"{market}, New York time. Every weekday from the first row's day to the second's is a session with the hours",
        "of the third row, except the days below: other hours, or none at all (closed).",
        rows=[("from", FIRST.isoformat(), ""), ("to", LAST.isoformat(), ""), ("weekday", *_times(usual)), *rows],
    )


def exchanges_table(markets: Mapping[str, tuple[Mapping[date, Hours], Hours]]) -> str:
    """One column a market: `day,HOURS,HOURS`."""
    columns = [exceptions(found, usual) for found, usual in markets.values()]
    usuals = [usual for _, usual in markets.values()]
    days = sorted(set().union(*columns))
    rows = [
        (day.isoformat(), *(_hours(column.get(day, usual)) for column, usual in zip(columns, usuals, strict=True)))
        for day in days
    ]
    return _text(
        f"US sessions from {FIRST} to {LAST}, New York time. The row `weekday` holds for every weekday in that range",
        "except the days below it; no weekend has a session.",
        rows=[
            ("day", *markets),
            ("range", *[f"{FIRST}/{LAST}" for _ in markets]),
            ("weekday", *map(_hours, usuals)),
            *rows,
        ],
    )


def _times(hours: Hours | None) -> tuple[str, str]:
    return (f"{hours[0]:%H:%M}", f"{hours[1]:%H:%M}") if hours else ("", "")


def _hours(hours: Hours | None) -> str:
    return f"{hours[0]:%H:%M}-{hours[1]:%H:%M}" if hours else "closed"


def _text(*comments: str, rows: Iterable[tuple[str, ...]]) -> str:
    version = exchange_calendars.__version__
    head = (*comments, f"Baked by scripts/bake_calendar.py from exchange_calendars {version}; do not edit.")
    return "\n".join([*(f"# {line}" for line in head), *(",".join(row) for row in rows), ""])


def tables() -> dict[Path, str]:
    """Every file this script owns, and what it should hold."""
    equities = sessions("XNYS")
    options = index_options(equities)
    return {
        PACKAGE / "calendars" / "us_equities.csv": guards_table("US equities (XNYS)", equities, EQUITIES),
        PACKAGE / "calendars" / "us_index_options.csv": guards_table("US index options (CBOE)", options, INDEX_OPTIONS),
        PACKAGE / "exchange" / "us_sessions.csv": exchanges_table(
            {"equities": (equities, EQUITIES), "index_options": (options, INDEX_OPTIONS)}
        ),
    }


def main() -> int:
    """Write, or with `--check` compare; returns the exit code."""
    if "--check" in sys.argv[1:]:
        stale = [path.name for path, text in tables().items() if not path.exists() or path.read_text("utf-8") != text]
        sys.stdout.write(f"out of date: {', '.join(stale)}\n" if stale else "the tables are up to date\n")
        return 1 if stale else 0
    for path, text in tables().items():
        path.write_text(text, "utf-8", newline="\n")
        sys.stdout.write(f"{path.name}: {len(text):,} bytes\n")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
