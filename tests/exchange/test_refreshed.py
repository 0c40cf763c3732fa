"""Quotes that still stand are told again."""

from datetime import UTC, datetime, timedelta

from standfast.exchange.quotes_file import FileQuote
from standfast.exchange.refreshed import Refreshed
from standfast.exchange.script import Script
from standfast.exchange.sessions import USSessions

OPEN = datetime(2026, 1, 5, 14, 30, tzinfo=UTC)
CLOSE = datetime(2026, 1, 5, 21, 0, tzinfo=UTC)
MINUTE = timedelta(minutes=1)


def told(rows: dict[str, list[tuple[timedelta, str, str]]], start: datetime, end: datetime) -> list[tuple[int, str]]:
    """Minutes since the opening, and instruments."""
    script = Script(
        {name: [(OPEN - start + at, bid, ask) for at, bid, ask in of] for name, of in rows.items()}, every=None
    )
    quotes: list[FileQuote] = list(Refreshed(script, USSessions()).quotes(start, end))
    assert quotes == sorted(quotes, key=lambda quote: (quote.at, quote.instrument))
    return [((quote.at - OPEN) // MINUTE, quote.instrument) for quote in quotes]


def test_what_does_not_change_is_told_every_minute_and_what_changes_is_not_told_twice() -> None:
    rows = {"A": [(timedelta(0), "1", "2")], "B": [(timedelta(0), "1", "2"), (2 * MINUTE, "3", "4")]}

    assert told(rows, OPEN, OPEN + 4 * MINUTE) == [
        (0, "A"), (0, "B"), (1, "A"), (1, "B"), (2, "A"), (2, "B"), (3, "A"), (3, "B"),
    ]  # fmt: skip


def test_it_ends_with_the_session_and_the_next_day_begins_anew() -> None:
    rows = {"A": [(timedelta(0), "1", "2"), (timedelta(days=1, minutes=5), "3", "4")], "B": [(timedelta(0), "5", "6")]}

    found = told(rows, OPEN, OPEN + timedelta(days=1, minutes=8))

    last_minute = (CLOSE - OPEN) // MINUTE - 1
    assert [minute for minute, name in found if name == "A"][: last_minute + 1] == list(range(last_minute + 1))
    assert [row for row in found if row[0] > last_minute] == [(24 * 60 + n, "A") for n in (5, 6, 7)]


def test_before_the_opening_nothing_is_repeated() -> None:
    rows = {"A": [(timedelta(minutes=-5), "1", "2")]}

    assert told(rows, OPEN - 5 * MINUTE, OPEN + 2 * MINUTE) == [(-5, "A"), (0, "A"), (1, "A")]
