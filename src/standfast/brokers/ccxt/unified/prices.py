"""Best bid and ask of contracts, by whichever of ccxt's calls tells both."""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

from standfast.brokers.ccxt.library import Library
from standfast.brokers.ccxt.unified.abilities import can
from standfast.brokers.ccxt.unified.parse import Row
from standfast.brokers.shared.reading import number
from standfast.model.ids import InstrumentId
from standfast.model.quote import Quote
from standfast.ports import Clock


async def quotes(library: Library, names: Sequence[InstrumentId], clock: Clock) -> dict[InstrumentId, Quote]:
    """A contract without both sides is absent. Raises what ccxt raises."""
    told = await _tops(library, names) if names else {}
    found: dict[InstrumentId, Quote] = {}
    for name in names:
        row = told.get(name)
        if not is_whole(row) and can(library, "fetchOrderBook"):
            row = _top(await library.fetch_order_book(name, 5))
        if row is not None and is_whole(row):
            found[name] = quote(row, clock)
    return found


def quote(row: Row, clock: Clock) -> Quote:
    received, stamp = clock.now(), row.get("timestamp")
    at = datetime.fromtimestamp(stamp / 1000, UTC) if isinstance(stamp, int) and stamp > 0 else received
    return Quote(number(str(row["bid"]), "bid"), number(str(row["ask"]), "ask"), at, received)


async def _tops(library: Library, names: Sequence[InstrumentId]) -> dict[str, Any]:
    if can(library, "fetchBidsAsks"):
        return dict(await library.fetch_bids_asks(list(names)))
    if can(library, "fetchTickers"):
        return dict(await library.fetch_tickers(list(names)))
    if can(library, "fetchTicker"):
        return {name: await library.fetch_ticker(name) for name in names}
    return {}


def _top(book: Row) -> dict[str, Any]:
    sides = {"bid": book.get("bids"), "ask": book.get("asks")}
    best = {name: levels[0][0] for name, levels in sides.items() if levels}
    return {**best, "timestamp": book.get("timestamp")}


def is_whole(row: Row | None) -> bool:
    return bool(row) and row is not None and row.get("bid") is not None and row.get("ask") is not None
