"""A recorded day played again, moved in time. See `market.Prices` for what every source of prices promises."""

import heapq
from collections.abc import Iterator, Sequence
from datetime import UTC, date, datetime
from operator import itemgetter
from pathlib import Path
from zoneinfo import ZoneInfo

from standfast.exchange.quotes_file import FileQuote, Within, quotes
from standfast.exchange.quotes_name import UnreadableQuotes

NEW_YORK = ZoneInfo("America/New_York")


class Replay:
    """Recorded quotes, moved in time: what happened at `begin` happens at `at`, and from there `speed` times as fast.

    Several files (instruments, or days in a row) play together. The quotes in force at `start` come first, stamped
    `start`.
    """

    def __init__(
        self,
        paths: str | Path | Sequence[str | Path],
        *,
        begin: datetime,
        at: datetime,
        speed: float = 1,
        within_bar: Within = "close",
    ) -> None:
        """ValueError for a speed that is not positive."""
        if not speed > 0:
            raise ValueError(f"speed {speed} is not positive")
        self._paths = [paths] if isinstance(paths, str | Path) else list(paths)
        self._begin, self._at = begin.astimezone(UTC), at.astimezone(UTC)
        self._speed = speed
        self._within_bar: Within = within_bar

    @classmethod
    def onto(cls, paths: str | Path | Sequence[str | Path], day: date, *, within_bar: Within = "close") -> "Replay":
        """Play the recorded day as `day`, each quote at its own time of day: 09:30 in New York stays 09:30 in New York.

        Crypto keeps its UTC time of day. Of several files the first says which day was recorded.
        """
        path = paths if isinstance(paths, str | Path) else paths[0]
        first = next(quotes(path), None)
        if first is None:
            raise UnreadableQuotes(f"{path}: holds no quotes")
        zone = UTC if "/" in first.instrument else NEW_YORK
        recorded = first.at.astimezone(zone)
        # Noon, because a day's midnight may lie on the other side of a change of the clocks.
        noon, noon_then = (datetime(d.year, d.month, d.day, 12, tzinfo=zone) for d in (recorded.date(), day))
        return cls(paths, begin=noon, at=noon_then, within_bar=within_bar)

    def quotes(self, start: datetime, end: datetime) -> Iterator[FileQuote]:
        """See `Prices`. Nothing once the recording is over."""
        start = start.astimezone(UTC)
        in_force: dict[str, FileQuote] | None = {}
        for quote in self._moved():
            if in_force is not None:
                if quote.at <= start:
                    in_force[quote.instrument] = quote
                    continue
                yield from (in_force[name]._replace(at=start) for name in sorted(in_force))
                in_force = None
            if quote.at >= end:
                return
            yield quote

    def _moved(self) -> Iterator[FileQuote]:
        begin, target, speed = self._begin, self._at, self._speed
        files = (quotes(path, within_bar=self._within_bar) for path in self._paths)
        for at, instrument, bid, ask, bid_size, ask_size in heapq.merge(*files, key=itemgetter(0, 1)):
            yield FileQuote(target + (at - begin) / speed, instrument, bid, ask, bid_size, ask_size)
