"""A market that comes to rest, so that nothing it does keeps an account from converging."""

from collections.abc import Iterator
from datetime import datetime, timedelta

from standfast.exchange.market import Prices
from standfast.exchange.quotes_file import FileQuote

STILL_EVERY = timedelta(seconds=4)
"""Between two quotes of a market that stands still: less than what a guard waits before it asks for one."""


class ThenStill:
    """A market that stands still from a moment on: its last quotes are told again and again."""

    def __init__(self, market: Prices, still_from: datetime, every: timedelta) -> None:
        self._market, self._still_from, self._every = market, still_from, every

    def quotes(self, start: datetime, end: datetime) -> Iterator[FileQuote]:
        """As `Prices` says."""
        last: dict[str, FileQuote] = {}
        for quote in self._market.quotes(start, min(end, self._still_from)):
            last[quote.instrument] = quote
            yield quote
        at = self._still_from
        while at < end:
            for quote in last.values():
                yield FileQuote(at, quote.instrument, quote.bid, quote.ask, quote.bid_size, quote.ask_size)
            at += self._every
