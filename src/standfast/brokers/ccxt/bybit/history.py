"""Executions since a watermark: trades as fills, funding and the ends of contracts as movements, each told once.

Invariants
- What a read gives depends on its watermark and the exchange alone.
- What happened with no order is never told as a fill, nor funding as a trade.
"""

from collections.abc import Awaitable, Callable, Iterable
from datetime import datetime, timedelta

from standfast.brokers.ccxt.bybit import parse
from standfast.brokers.ccxt.bybit.calls import Calls
from standfast.brokers.ccxt.bybit.rows import ExecutionRow
from standfast.brokers.ccxt.markets import Markets
from standfast.brokers.ccxt.watermark import OVERLAP, Watermark, first, mark_of, parsed
from standfast.model.evidence import ActivitiesRead
from standfast.model.ids import Holding
from standfast.model.order import Fill, Movement

WINDOW = int(timedelta(days=7).total_seconds() * 1000) - 1
OLDEST = int(timedelta(days=700).total_seconds() * 1000)
"""What is asked for at once, and how far back there is anything."""

HoldingOf = Callable[[ExecutionRow], Awaitable[Holding]]
Naming = Callable[[Iterable[str]], Awaitable[Markets]]


async def read(
    calls: Calls, naming: Naming, holding_of: HoldingOf, watermark: str, now: datetime, urgency: int
) -> ActivitiesRead:
    """Raises Malformed for a watermark that is not ours."""
    until = int(now.timestamp() * 1000)
    if not watermark:
        rows = await _rows(calls, first(until), until, urgency)
        moved = (mark_of(row.exec_id) for row in rows if not _is_trade(row))
        return ActivitiesRead(fills=(), movements=(), watermark=str(first(until, moved)))
    mark = parsed(watermark)
    rows = await _rows(calls, mark, until, urgency)
    told = set(mark.told)
    markets = await naming(row.symbol for row in rows if mark_of(row.exec_id) not in told)
    fills: list[Fill] = []
    movements: list[Movement] = []
    for row in sorted(rows, key=_time):
        if mark_of(row.exec_id) in told:
            continue
        size = markets.of_id(row.symbol).size
        if _is_trade(row):
            fills.append(parse.fill(row, await holding_of(row), size))
        else:
            movements.append(parse.movement(row, await holding_of(row), size))
    return ActivitiesRead(
        fills=tuple(fills), movements=tuple(movements), watermark=str(mark.moved_on(_times(rows), until))
    )


def _is_trade(row: ExecutionRow) -> bool:
    return row.exec_type in parse.TRADES or (row.exec_type in parse.FORCED and bool(row.order_id))


async def _rows(calls: Calls, mark: Watermark, until: int, urgency: int) -> list[ExecutionRow]:
    """Every execution at or after the watermark, once."""
    since = max(mark.since, until - OLDEST)
    found: dict[str, ExecutionRow] = {}
    while True:
        end = min(since + WINDOW, until + OVERLAP)
        found |= {row.exec_id: row for row in await calls.executions(since, end, urgency)}
        if end >= until:
            return list(found.values())
        since = end + 1


def _times(rows: Iterable[ExecutionRow]) -> dict[str, int]:
    return {mark_of(row.exec_id): _time(row) for row in rows}


def _time(row: ExecutionRow) -> int:
    return int(parse.moment(row.exec_time, "execTime").timestamp() * 1000)
