"""Prices written down, for drills: each row holds until the next. What every source promises: `market.Prices`."""

import heapq
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from decimal import ROUND_CEILING, ROUND_FLOOR, Decimal
from itertools import pairwise
from operator import itemgetter
from typing import TypeAlias

from standfast.exchange.quotes_file import FileQuote

SECOND = timedelta(seconds=1)
INSTANT = timedelta(microseconds=1)

When: TypeAlias = datetime | timedelta
"""A moment, or a time since the start that `quotes` is asked for."""
Price: TypeAlias = Decimal | str | int | None
Row: TypeAlias = tuple[When, Price, Price]
"""From when, bid, ask. One None: that side has no quote. Both None: silence, as in a halt, until the next row."""


class Script:
    """Rows by instrument.

    `Script({"SPY": [(timedelta(0), "100.00", "100.02"), (timedelta(minutes=5), "97.00", "97.02")]}, every=SECOND)`

    A row is quoted when it begins, and again each `every` from the start on (None: only once). The row in force at
    `start` is quoted at `start`. ValueError when an instrument's rows go back in time.
    """

    def __init__(
        self, rows: Mapping[str, Sequence[Row]], *, every: timedelta | None = SECOND, size: Decimal = Decimal(1000)
    ) -> None:
        self._rows = {
            instrument: [(when, _exact(bid), _exact(ask)) for when, bid, ask in rows[instrument]]
            for instrument in sorted(rows)
        }
        self._every = every
        self._size = size

    def quotes(self, start: datetime, end: datetime) -> Iterator[FileQuote]:
        """See `Prices`."""
        start = start.astimezone(UTC)
        return heapq.merge(*(self._of(instrument, start, end) for instrument in self._rows), key=itemgetter(0, 1))

    def _of(self, instrument: str, start: datetime, end: datetime) -> Iterator[FileQuote]:
        rows = [(_moment(when, start), bid, ask) for when, bid, ask in self._rows[instrument]]
        moments = [at for at, _, _ in rows]
        if moments != sorted(moments):
            raise ValueError(f"{instrument}: rows are not in time order")
        rest = [at for at in moments if at > start]
        begins = max([start, *moments[:1]])
        row = -1
        for at in _merged_instants([begins, *rest], _grid(start, end, self._every)):
            if at >= end:
                return
            while row + 1 < len(rows) and moments[row + 1] <= at:
                row += 1
            if row >= 0 and (quote := self._quote(instrument, at, rows[row][1], rows[row][2])):
                yield quote

    def _quote(self, instrument: str, at: datetime, bid: Decimal | None, ask: Decimal | None) -> FileQuote | None:
        if bid is None and ask is None:
            return None
        bid_size, ask_size = (None if price is None else self._size for price in (bid, ask))
        return FileQuote(at, instrument, bid, ask, bid_size, ask_size)


def mids(
    rows: Sequence[tuple[When, Decimal | str | int]],
    *,
    spread: Decimal | str,
    tick: Decimal | str = "0.01",
    every: timedelta | None = None,
) -> list[Row]:
    """Rows for `Script` from mids: bid rounded down to the tick, ask up. With `every`, straight lines between the rows.

    ValueError when lines are asked for between a time since the start and a moment.
    """
    half, step = Decimal(spread) / 2, Decimal(tick)
    points = [(when, Decimal(mid)) for when, mid in rows]
    drawn = (
        points if every is None else [point for a, b in pairwise(points) for point in _line(a, b, every)] + points[-1:]
    )
    return [
        (when, _on_tick(mid - half, step, ROUND_FLOOR), _on_tick(mid + half, step, ROUND_CEILING))
        for when, mid in drawn
    ]


_Point: TypeAlias = tuple[When, Decimal]


def _line(begin: _Point, end: _Point, every: timedelta) -> Iterator[_Point]:
    (since, price), (until, final) = begin, end
    length = _length(since, until)
    steps = max(1, -(-length // every))
    for n in range(steps):
        passed = n * every
        yield since + passed, price + (final - price) * (passed // INSTANT) / max(1, length // INSTANT)


def _length(since: When, until: When) -> timedelta:
    match since, until:
        case (datetime(), datetime()) | (timedelta(), timedelta()):
            return until - since  # type: ignore[operator,return-value]  # alike, which the pattern cannot tell mypy
        case _:
            raise ValueError(f"no line from {since} to {until}: one is a moment, one a time since the start")


def _on_tick(price: Decimal, tick: Decimal, rounding: str) -> Decimal:
    return (price / tick).to_integral_value(rounding) * tick


def _exact(price: Price) -> Decimal | None:
    if isinstance(price, float):
        raise TypeError(f"{price!r} is a float: write prices as text or Decimal")
    return None if price is None else Decimal(price)


def _moment(when: When, start: datetime) -> datetime:
    return start + when if isinstance(when, timedelta) else when.astimezone(UTC)


def _grid(start: datetime, end: datetime, every: timedelta | None) -> Iterator[datetime]:
    at = start
    while every is not None and at < end:
        yield at
        at += every


def _merged_instants(*instants: Iterable[datetime]) -> Iterator[datetime]:
    last = None
    for at in heapq.merge(*instants):
        if at != last:
            yield at
        last = at
