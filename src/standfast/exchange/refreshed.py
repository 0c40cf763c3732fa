"""Quotes that have not changed, quoted again: for recordings that keep only changes.

A minute without a change has no row in a recording of minutes, which means that the quote of before still stood, and a
broker would have shown it with a fresh time. See `market.Prices` for what every source of prices promises.
"""

from collections.abc import Iterator
from datetime import datetime, timedelta
from itertools import groupby
from operator import itemgetter

from standfast.exchange.contracts import contract_of
from standfast.exchange.market import Prices
from standfast.exchange.quotes_file import FileQuote
from standfast.exchange.sessions import Sessions

MINUTE = timedelta(minutes=1)
INDEX_OPTIONS_AFTER = timedelta(minutes=15)


class Refreshed:
    """Another source, with each quote in force repeated every `every` while its day's session is open."""

    def __init__(self, prices: Prices, sessions: Sessions, *, every: timedelta = MINUTE) -> None:
        self._prices = prices
        self._sessions = sessions
        self._every = every

    def quotes(self, start: datetime, end: datetime) -> Iterator[FileQuote]:
        """See `Prices`. After the last change it goes on to the end of that day."""
        in_force: dict[str, FileQuote] = {}
        due, at = start + self._every, start
        for at, together in groupby(self._prices.quotes(start, end), key=itemgetter(0)):
            while due < at:
                yield from self._again(in_force, due)
                due += self._every
            rows = list(together)
            in_force.update((row.instrument, row) for row in rows)
            if due == at:
                rows = sorted([*rows, *self._again(in_force, due)], key=itemgetter(1))
                due += self._every
            yield from rows
        while due < end and due.date() == at.date():
            yield from self._again(in_force, due)
            due += self._every

    def _again(self, in_force: dict[str, FileQuote], due: datetime) -> Iterator[FileQuote]:
        """Those that have had no quote since the last time; yesterday's are in force no more."""
        is_open, is_late = self._sessions.is_open(due), self._sessions.is_open(due - INDEX_OPTIONS_AFTER)
        if not is_open and not is_late:
            return
        for name in sorted(in_force):
            quote = in_force[name]
            if not is_open and not _trades_late(name, due):
                continue
            if quote.at.date() == due.date() and quote.at <= due - self._every:
                in_force[name] = quote._replace(at=due)
                yield in_force[name]


def _trades_late(name: str, at: datetime) -> bool:
    contract = contract_of(name)
    return contract is not None and contract.is_cash_settled and contract.expiry > at.date()
