"""Quotes as they change, through ccxt.pro, on an object of the library's that knows no key and sends no order.

Invariants
- Nothing connects while nothing is watched.
- When no quotes come `down` says why, and those who need prices ask for them.
"""

import asyncio
from collections.abc import AsyncGenerator, Callable
from typing import Any

from standfast.brokers.ccxt.library import Library, forget_connections
from standfast.brokers.ccxt.unified import prices
from standfast.brokers.ccxt.unified.abilities import can, mean_perpetuals
from standfast.brokers.shared.sessions import Backoff
from standfast.model.errors import Malformed, named
from standfast.model.ids import Holding, InstrumentId
from standfast.model.quote import ExactTick
from standfast.ports import Clock, Ticks

WATCHES = {"watchBidsAsks": "watch_bids_asks", "watchTickers": "watch_tickers"}
QUIET = 30.0
"""Seconds without a quote of anything that is watched after which the stream counts as down."""


class WatchedQuotes:
    def __init__(self, library: Library, teach: Callable[[Library], bool], clock: Clock, backoff: Backoff) -> None:
        """`teach` gives it the names of the markets; False for as long as they are not known."""
        self.down = "not connected yet"
        self._library = library
        mean_perpetuals(library)
        self._teach = teach
        self._clock = clock
        self._backoff = backoff
        self._watched: frozenset[str] = frozenset()
        self._changed = asyncio.Event()

    def watch(self, holdings: frozenset[Holding]) -> None:
        names = frozenset(str(each.instrument) for each in holdings)
        if names != self._watched:
            self._watched = names
            self._changed.set()

    async def quotes(self) -> AsyncGenerator[Ticks, None]:
        """Quotes for ever; it connects again by itself."""
        call = next((WATCHES[name] for name in WATCHES if can(self._library, name)), "")
        if not call:
            self.down = "ccxt streams no quotes of this exchange: they are asked for"
            await asyncio.Event().wait()
        while True:
            self._changed.clear()
            if not self._watched:
                await self._changed.wait()
                continue
            try:
                if not self._teach(self._library):
                    raise Malformed("the contracts are not known yet")  # noqa: TRY301 - told and waited for as the rest
                async with self._clock.timeout(QUIET):
                    told = await getattr(self._library, call)(sorted(self._watched))
                self.down = ""
                self._backoff.succeeded()
                yield Ticks(self._clock.now(), self._ticks(told))
            except Exception as error:  # noqa: BLE001 - whatever ccxt meets on a stream, it is tried again
                self.down = named(error)
                await forget_connections(self._library)
                await self._clock.sleep(self._backoff.wait())

    async def close(self) -> None:
        await self._library.close()

    def _ticks(self, told: Any) -> list[ExactTick]:
        rows = told.values() if isinstance(told, dict) and "symbol" not in told else [told]
        found = []
        for row in rows:
            if str(row.get("symbol")) in self._watched and prices.is_whole(row):
                found.append(ExactTick.of(InstrumentId(str(row["symbol"])), prices.quote(row, self._clock)))
        return found
