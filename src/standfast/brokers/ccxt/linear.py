"""What dialects of linear contracts have alike: one table of names, sides held together or apart, the exchange's clock.

Invariant: a holding of one mode asked of an account in the other is no flat position: it is `Malformed`, and said so.
"""

from abc import ABC, abstractmethod
from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any, NamedTuple

from standfast.brokers.ccxt.client import CcxtClient
from standfast.brokers.ccxt.library import note_time
from standfast.brokers.ccxt.markets import Market, Markets, Shelf
from standfast.brokers.ccxt.venue import Happened
from standfast.model.contract import Contract
from standfast.model.errors import Malformed
from standfast.model.evidence import HeldReport
from standfast.model.ids import Holding, InstrumentId
from standfast.model.instrument import Instrument
from standfast.model.order import ZERO, OrderReport
from standfast.ports import Clock

TOLD_KEPT, ASTRAY = timedelta(seconds=45), timedelta(seconds=1)
"""How long the exchange's time is reckoned from when it was told; and by how much our own may have been set since."""
TICKERS_ONE_BY_ONE = 3
"""Of more contracts all tickers are read at once."""
KNOWN_MAX = 50_000
"""Orders of which is remembered whose they are."""


def contract(
    *,
    unique_ids: bool,
    requests_per_minute: int,
    native_stops: bool = True,
    stops_of_instrument: int | None = None,
    tells_takings: bool = True,
) -> Contract:
    """What every one of them promises, and what each by itself."""
    return Contract(
        staleness=timedelta(seconds=35),
        look_up_staleness=timedelta(seconds=15),
        flight=timedelta(seconds=30),
        unique_ids=unique_ids,
        searchable_ids=True,
        forgets=True,
        reduce_only=True,
        margined=True,
        oco=False,
        native_replace=True,
        replace_keeps_cover=True,
        reserves_quantity=False,
        always_open=True,
        tells_takings=tells_takings,
        fractional_stops=True,
        native_stops=native_stops,
        stops_of_instrument=stops_of_instrument,
        order_life=None,
        requests_per_minute=requests_per_minute,
    )


class Told(NamedTuple):
    """The exchange's time, and ours of both kinds when it was heard."""

    theirs: datetime
    ours: datetime
    monotonic: float


class LinearVenue(ABC):
    def __init__(self, client: CcxtClient, shelf: Shelf, clock: Clock) -> None:
        self._client = client
        self._shelf = shelf
        self._clock = clock
        self._table: Markets | None = None
        self._held: dict[Holding, Decimal] = {}
        self._told: Told | None = None

    @abstractmethod
    async def told_time(self) -> datetime:
        """What the exchange says it is."""

    async def now(self) -> datetime:
        began = self._clock.now()
        found = await self.told_time()
        note_time(self._client.library, found - (began + (self._clock.now() - began) / 2))
        self._told = Told(found, self._clock.now(), self._clock.monotonic())
        return found

    async def about_now(self) -> datetime:
        """The exchange's time as last told, if that was a moment ago and our clock has only run since; else it is asked
        for. What waits for it need not wait for an answer first."""
        told = self._told
        if told is None:
            return await self.now()
        since = timedelta(seconds=self._clock.monotonic() - told.monotonic)
        if since > TOLD_KEPT or abs(self._clock.now() - told.ours - since) > ASTRAY:
            return await self.now()
        return told.theirs + since

    def known_instrument(self, name: InstrumentId) -> Instrument | None:
        """Where the table has it."""
        market = self._table.by_name.get(name) if self._table is not None else None
        return market.instrument if market is not None else None

    async def markets(self, lacking: str = "") -> Markets:
        load = self._client.library.fetch_markets
        self._table = await self._shelf.markets(load, self._clock, lacking=lacking, find=self.ended)
        return self._table

    async def ended(self, symbol: str) -> list[Any]:
        """What the exchange tells of a contract that its list does not show any more, as ccxt has it."""
        return []

    def streamed(self, orders: Any) -> Sequence[Happened]:
        """What ccxt makes of the stream's messages, where they are not understood as they come."""
        return ()

    async def instrument(self, name: InstrumentId) -> Instrument:
        return (await self._market(name)).instrument

    async def _market(self, name: InstrumentId) -> Market:
        return (await self.markets(lacking=name)).of_name(name)

    async def _naming(self, symbols: Iterable[str]) -> Markets:
        """The table with all of these in it: a contract may be younger than the one we have, or have ended."""
        markets = await self.markets()
        for symbol in dict.fromkeys(symbols):
            if symbol not in markets.by_id:
                markets = await self.markets(lacking=symbol)
        return markets

    def _note_held(self, found: Sequence[HeldReport]) -> None:
        """The whole list of positions. Raises Malformed where one is in it twice."""
        if len({each.holding for each in found}) != len(found):
            raise Malformed("positions: one is listed twice")
        self._held = {each.holding: each.quantity for each in found}

    def _whole(self, report: OrderReport) -> OrderReport:
        """An exit for the whole side names no quantity: it is for what is held."""
        if report.quantity or not report.closes or report.is_finished:
            return report
        return replace(report, quantity=abs(self._held.get(report.holding, ZERO)))


def net_of(holding: Holding, told: Iterable[HeldReport | None]) -> Decimal:
    """By what is told of its contract, of which nothing may be held."""
    held = {each.holding: each.quantity for each in told if each is not None}
    if holding not in held and any(bool(each.hedge) is not bool(holding.hedge) for each in held):
        raise Malformed(f"{holding} was asked for, and {', '.join(map(str, held))} is held: the mode is another")
    return held.get(holding, ZERO)
