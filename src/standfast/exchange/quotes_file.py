"""Recorded quotes from LEAN files: a zip of CSVs, or one plain CSV; minute and second bars, and ticks.

A file says less than it means: which instrument, which day, which clock and which unit stand in its path and in the
names of its members, so they are read there (`quotes` says how) and never guessed from the numbers. What holds for
every file:

1. Quotes come out in time order, members merged; of two at one instant the alphabetically first instrument goes
   first, and one instrument's stay in file order.
2. Prices and sizes are exact: 1/10,000 dollar is moved by the decimal point, plain decimals are taken as written.
3. New York wall time becomes UTC by that day's own offset; a wall time that does not exist on it is an error.
4. A row is understood wholly or refused (`UnreadableQuotes` names file, row and value). Only rows the recorder itself
   marked as suspicious are dropped, and they are counted.
5. Nothing is judged: a crossed or one-sided quote comes out as recorded.

Format: data/market/INDEX.md, after QuantConnect/Lean, folder Data/. Reading is lazy: memory does not grow with the
file.
"""

import csv
import heapq
import io
import zipfile
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal, InvalidOperation
from operator import itemgetter
from pathlib import Path
from typing import IO, Literal, NamedTuple
from zoneinfo import ZoneInfo

from standfast.exchange.quotes_name import Contents, Resolution, UnreadableQuotes, contents_of

NEW_YORK = ZoneInfo("America/New_York")
DAY_MILLISECONDS = 24 * 60 * 60 * 1000
PERIOD = {"minute": timedelta(minutes=1), "second": timedelta(seconds=1)}
CACHED_MAX = 100_000  # distinct numbers kept per member: far more than a day's prices, bounded for crypto sizes

Within = Literal["close", "ohlc"]
_Parse = Callable[[str], Decimal | None]


class FileQuote(NamedTuple):
    """One instrument's best bid and ask from `at` (aware UTC) on, in its currency; None where a side has no quote."""

    at: datetime
    instrument: str
    bid: Decimal | None
    ask: Decimal | None
    bid_size: Decimal | None
    ask_size: Decimal | None

    @property
    def is_two_sided(self) -> bool:
        """Both sides present, positive and not crossed: what a matching engine may use."""
        return self.bid is not None and self.ask is not None and 0 < self.bid <= self.ask


class QuoteStream(Iterator[FileQuote]):
    """The quotes of one file, once. `for` runs at the speed of the generator inside."""

    def __init__(self, members: list["_Member"]) -> None:
        self._members = members
        self._quotes = _merged(members)

    def __iter__(self) -> Iterator[FileQuote]:
        return self._quotes

    def __next__(self) -> FileQuote:
        return next(self._quotes)

    @property
    def instruments(self) -> list[str]:
        """Everything the file may quote, an options zip's contracts one by one."""
        return [member.instrument for member in self._members]

    @property
    def dropped(self) -> int:
        """Rows left out so far because the recorder marked them as suspicious."""
        return sum(member.dropped for member in self._members)


def quotes(
    path: str | Path,
    instrument: str | None = None,
    date: date | None = None,
    *,
    resolution: Resolution | None = None,
    within_bar: Within = "close",
) -> QuoteStream:
    """Read one file lazily. Raises FileNotFoundError and UnreadableQuotes (a ValueError).

    Day, instrument, resolution, clock and unit come from the path and the member's name, as LEAN writes them:
    `equity/spy/second/20131007_quote.zip` is SPY on 2013-10-07. `instrument` picks one contract of an options zip
    (OSI, `SPXW210106P03800000`) and names what any other file holds; `date` and `resolution` fill in what a plain
    CSV's path leaves out. A path that says otherwise than `date` or `resolution` is an error.

    `within_bar`: `close` gives one quote per bar, its close, at the end of the bar. `ohlc` gives four inside it, at
    0, 1/4, 1/2 and 3/4 of its length: open, low, high, close when the bar's mid rose or stood still; open, high, low,
    close when it fell. (What happened between is not recorded; the order is a convention, the same on every run.)
    """
    path = Path(path)
    if zipfile.is_zipfile(path):
        with zipfile.ZipFile(path) as archive:
            names = [name for name in archive.namelist() if name.lower().endswith(".csv")]
    elif path.suffix.lower() == ".zip":
        path.stat()  # a missing file is FileNotFoundError, not an unreadable one
        raise UnreadableQuotes(f"{path}: not a zip file")
    else:
        path.stat()
        names = [path.name]
    found = contents_of(path, names, instrument=instrument, day=date, resolution=resolution)
    return QuoteStream([_Member(path, contents, within_bar) for contents in found])


def _merged(members: list["_Member"]) -> Iterator[FileQuote]:
    with ExitStack() as files:
        if len(members) == 1:
            yield from members[0].quotes(files)
        else:
            yield from heapq.merge(*(member.quotes(files) for member in members), key=itemgetter(0))


class _Numbers(dict[str, Decimal | None]):
    """Text to Decimal, each distinct text parsed once: a day has few prices and many rows."""

    def __init__(self, parse: _Parse) -> None:
        self._parse = parse

    def __missing__(self, text: str) -> Decimal | None:
        if len(self) >= CACHED_MAX:
            self.clear()
        value = self[text] = self._parse(text) if text else None
        return value


def _ten_thousandths(text: str) -> Decimal:
    if not (text.isascii() and text.isdigit()):
        raise ValueError(f"price {text!r} is not a whole number of 1/10,000 dollar")
    return Decimal(text).scaleb(-4)


def _plain(text: str) -> Decimal:
    try:
        value = Decimal(text)
    except InvalidOperation:
        raise ValueError(f"{text!r} is not a number") from None
    if not value.is_finite() or value < 0:
        raise ValueError(f"{text!r} is not a finite number of zero or more")
    return value


class _Member:
    """One CSV: what it holds, and how its rows become quotes."""

    def __init__(self, path: Path, contents: Contents, within_bar: Within) -> None:
        self.dropped = 0
        self.instrument = contents.instrument
        self._path = path
        self._contents = contents
        self._within_bar = within_bar
        self._where = str(path) if contents.name == path.name else f"{path}!{contents.name}"
        self._sizes = _Numbers(_plain)
        self._prices = _Numbers(_plain if contents.is_crypto else _ten_thousandths)
        self._since_midnight = _clock(contents)

    def quotes(self, files: ExitStack) -> Iterator[FileQuote]:
        text = files.enter_context(io.TextIOWrapper(self._open(files), encoding="ascii", newline=""))
        rows = csv.reader(text)
        row: list[str] = []

        def remembered() -> Iterator[list[str]]:
            nonlocal row
            for row in rows:  # noqa: UP028  not `yield from`: the row in hand is kept for the message of a refusal
                yield row

        try:
            yield from self._read(remembered())
        except (ValueError, csv.Error) as error:
            raise UnreadableQuotes(
                f"{self._where}, row {rows.line_num}: {error}; the row is {','.join(row)!r}"
            ) from error
        except (zipfile.BadZipFile, EOFError, OSError) as error:
            raise UnreadableQuotes(f"{self._where}, after row {rows.line_num}: {error}") from error

    def _open(self, files: ExitStack) -> IO[bytes]:
        if zipfile.is_zipfile(self._path):
            archive = files.enter_context(zipfile.ZipFile(self._path))
            return files.enter_context(archive.open(self._contents.name))
        return files.enter_context(self._path.open("rb"))

    def _read(self, rows: Iterator[list[str]]) -> Iterator[FileQuote]:
        if self._contents.resolution == "tick":
            return self._ticks(rows)
        if self._within_bar == "ohlc":
            return self._paths(rows)
        return self._closes(rows)

    def _ticks(self, rows: Iterator[list[str]]) -> Iterator[FileQuote]:
        instrument, prices, sizes, at_of = self._contents.instrument, self._prices, self._sizes, self._since_midnight
        bid = ask = bid_size = ask_size = None
        last, at = "", datetime.min.replace(tzinfo=UTC)
        for row in rows:
            milliseconds, bid_text, bid_size_text, ask_text, ask_size_text, _, _, suspicious = row
            if suspicious != "0":
                self._drop(suspicious)
                continue
            if milliseconds != last:
                last, at = milliseconds, _later(at_of(milliseconds), at)
            if bid_text != "0":  # zero: this side did not change
                bid, bid_size = prices[bid_text], sizes[bid_size_text]
            if ask_text != "0":
                ask, ask_size = prices[ask_text], sizes[ask_size_text]
            yield FileQuote(at, instrument, bid, ask, bid_size, ask_size)

    def _drop(self, suspicious: str) -> None:
        if suspicious != "1":
            raise ValueError(f"suspicious is {suspicious!r}, not 0 or 1")
        self.dropped += 1

    def _closes(self, rows: Iterator[list[str]]) -> Iterator[FileQuote]:
        instrument, prices, sizes, at_of = self._contents.instrument, self._prices, self._sizes, self._since_midnight
        period = PERIOD[self._contents.resolution]
        at = datetime.min.replace(tzinfo=UTC)
        for milliseconds, _, _, _, bid, bid_size, _, _, _, ask, ask_size in rows:
            at = _later(at_of(milliseconds), at)
            yield FileQuote(at + period, instrument, prices[bid], prices[ask], sizes[bid_size], sizes[ask_size])

    def _paths(self, rows: Iterator[list[str]]) -> Iterator[FileQuote]:
        instrument, sizes, at_of = self._contents.instrument, self._sizes, self._since_midnight
        quarter = PERIOD[self._contents.resolution] / 4
        at = datetime.min.replace(tzinfo=UTC)
        for row in rows:
            if len(row) != 11:
                raise ValueError(f"{len(row)} columns instead of 11")
            at = _later(at_of(row[0]), at)
            bids, bid_size = [self._prices[text] for text in row[1:5]], sizes[row[5]]
            asks, ask_size = [self._prices[text] for text in row[6:10]], sizes[row[10]]
            for step, which in enumerate((0, 1, 2, 3) if _fell(bids, asks) else (0, 2, 1, 3)):
                yield FileQuote(at + step * quarter, instrument, bids[which], asks[which], bid_size, ask_size)


def _fell(bids: list[Decimal | None], asks: list[Decimal | None]) -> bool:
    """Whether the bar's close lies below its open, by the sides that have both."""
    change = Decimal(0)
    for opened, _, _, closed in (bids, asks):
        if opened is not None and closed is not None:
            change += closed - opened
    return change < 0


def _later(at: datetime, previous: datetime) -> datetime:
    if at < previous:
        raise ValueError(f"time goes back, from {previous.isoformat()} to {at.isoformat()}")
    return at


def _clock(contents: Contents) -> Callable[[str], datetime]:
    """From text (milliseconds since local midnight) to UTC. On all but two days a year that is one addition."""
    midnight = datetime(contents.day.year, contents.day.month, contents.day.day, tzinfo=UTC)
    if not contents.is_crypto:
        offset = _offset(midnight)
        if offset != _offset(midnight + timedelta(days=1)):
            return lambda text: _wall_time(midnight + _duration(text))
        midnight -= offset
    return lambda text: midnight + _duration(text)


def _duration(text: str) -> timedelta:
    if not (text.isascii() and text.isdigit() and int(text) < DAY_MILLISECONDS):
        raise ValueError(f"{text!r} is not a number of milliseconds within a day")
    return timedelta(milliseconds=int(text))


def _offset(wall: datetime) -> timedelta:
    offset = wall.replace(tzinfo=NEW_YORK).utcoffset()
    assert offset is not None
    return offset


def _wall_time(wall: datetime) -> datetime:
    """New York's wall time, held in UTC fields, to UTC. The hour that comes twice in autumn means its first pass."""
    at = wall - _offset(wall)
    if at.astimezone(NEW_YORK).replace(tzinfo=UTC) != wall:
        raise ValueError(f"{wall:%H:%M:%S} does not exist in New York on {wall:%Y-%m-%d}")
    return at
