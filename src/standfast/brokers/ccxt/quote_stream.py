"""An exchange's public stream of the best bid and ask of each watched contract. It needs no key and no ccxt.

What is said on it is the exchange's own: how to ask for a contract and how its frames read is a `Feed`.
"""

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from standfast.brokers.ccxt.markets import Markets
from standfast.brokers.shared import quote_stream as shared
from standfast.brokers.shared.line import Line
from standfast.brokers.shared.reading import shown
from standfast.brokers.shared.transport import TransportError
from standfast.brokers.shared.wire import Wire
from standfast.model.errors import Malformed
from standfast.model.ids import Holding, InstrumentId
from standfast.model.quote import ExactTick, Quote


@dataclass(frozen=True, slots=True)
class Top:
    """The best of both sides, by the exchange's name of the contract."""

    symbol: str
    quote: Quote


class Feed(Protocol):
    path: str

    def change(self, symbols: Sequence[str], *, wanted: bool) -> dict[str, Any]:
        """The message that asks for these, or no more for them."""
        ...

    def read(self, told: dict[str, Any], wire: Wire) -> Top | None:
        """What a frame says. Raises Malformed, and TransportError for a refusal."""
        ...


class QuoteStream(shared.QuoteStream):
    def __init__(self, wire: Wire, url: str, feed: Feed, table: Callable[[], Markets | None]) -> None:
        super().__init__(wire, url.rstrip("/") + feed.path)
        self._feed = feed
        self._table = table

    def is_streamed(self, holding: Holding) -> bool:
        return True

    async def log_in(self, line: Line) -> None:
        if self._table() is None:
            raise TransportError("the contracts are not known yet")

    async def change(self, line: Line, before: frozenset[str], wanted: frozenset[str]) -> None:
        for names, is_wanted in ((before - wanted, False), (wanted - before, True)):
            symbols = sorted(filter(None, map(self._symbol, names)))
            if symbols:
                await line.send(json.dumps(self._feed.change(symbols, wanted=is_wanted)))

    def read(self, frame: str | bytes) -> list[ExactTick]:
        try:
            told = json.loads(frame, parse_float=str)
        except ValueError:
            raise Malformed(f"quote stream: {shown(frame)}") from None
        if not isinstance(told, dict):
            raise Malformed(f"quote stream: {shown(frame)}")
        top = self._feed.read(told, self._wire)
        table = self._table()
        market = table.by_id.get(top.symbol) if top is not None and table is not None else None
        return [ExactTick.of(market.name, top.quote)] if market is not None and top is not None else []

    def _symbol(self, name: str) -> str:
        table = self._table()
        market = table.by_name.get(InstrumentId(name)) if table is not None else None
        return market.id if market is not None else ""
