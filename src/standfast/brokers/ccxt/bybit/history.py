"""Executions since a watermark: trades as fills, funding and the ends of contracts as movements, each told once.

Theory. Executions have times and no running number, and one may be listed a moment after a later one. So a read goes
back a little behind what it has told, and a watermark says how far, and which executions from there on are told:
`MILLISECONDS/DIGEST DIGEST ...`.

Invariants
- What a read gives depends on its watermark and the exchange alone.
- An execution is told once, and one that turns up late by less than OVERLAP is told.
- What happened with no order is never told as a fill, nor funding as a trade.
"""

from collections.abc import Awaitable, Callable, Iterable
from datetime import datetime, timedelta
from typing import NamedTuple

from standfast.brokers.ccxt.bybit import parse
from standfast.brokers.ccxt.bybit.calls import Calls
from standfast.brokers.ccxt.bybit.rows import ExecutionRow
from standfast.brokers.ccxt.markets import Markets
from standfast.brokers.shared.reading import shown
from standfast.model.errors import Malformed
from standfast.model.evidence import ActivitiesRead
from standfast.model.ids import Holding, digest
from standfast.model.order import Fill, Movement

OVERLAP = 15_000
"""Milliseconds behind the newest one told in which one may turn up late."""
AT_REST, MOVED_ON = 7_200_000, 3_600_000
"""A watermark this old with nothing new is moved on, to this long ago."""
WINDOW = int(timedelta(days=7).total_seconds() * 1000) - 1
OLDEST = int(timedelta(days=700).total_seconds() * 1000)
"""What is asked for at once, and how far back there is anything."""
TOLD_KEPT = 300

HoldingOf = Callable[[ExecutionRow], Awaitable[Holding]]


class Watermark(NamedTuple):
    since: int
    told: tuple[str, ...]

    def __str__(self) -> str:
        return f"{self.since}/{' '.join(self.told)}"


async def read(
    calls: Calls, markets: Markets, holding_of: HoldingOf, watermark: str, now: datetime, urgency: int
) -> ActivitiesRead:
    """Raises Malformed for a watermark that is not ours."""
    until = int(now.timestamp() * 1000)
    if not watermark:
        begun = Watermark(until - OVERLAP, ())
        rows = await _rows(calls, begun, until, urgency)
        return ActivitiesRead(fills=(), movements=(), watermark=str(_moved_on(begun, rows, until)))
    mark = parsed(watermark)
    rows = await _rows(calls, mark, until, urgency)
    told = set(mark.told)
    fills: list[Fill] = []
    movements: list[Movement] = []
    for row in sorted(rows, key=_time):
        if mark_of(row) in told:
            continue
        size = markets.of_id(row.symbol).size
        if row.exec_type in parse.TRADES or (row.exec_type in parse.FORCED and row.order_id):
            fills.append(parse.fill(row, await holding_of(row), size))
        else:
            movements.append(parse.movement(row, await holding_of(row), size))
    return ActivitiesRead(fills=tuple(fills), movements=tuple(movements), watermark=str(_moved_on(mark, rows, until)))


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


def _moved_on(mark: Watermark, rows: Iterable[ExecutionRow], until: int) -> Watermark:
    """As far behind the newest as one may be late, and no further back than that is of use."""
    times = {mark_of(row): _time(row) for row in rows}
    newest = max(times.values(), default=mark.since)
    since = max(mark.since, newest - OVERLAP)
    if until - since > AT_REST:
        since = until - MOVED_ON
    told = sorted((each for each, at in times.items() if at >= since), key=lambda each: (times[each], each))
    if len(told) > TOLD_KEPT:
        told = told[-TOLD_KEPT:]
        since = max(since, times[told[0]])
        told = [each for each, at in times.items() if at >= since]
    return Watermark(since, tuple(sorted(told)))


def parsed(watermark: str) -> Watermark:
    stamp, slash, told = watermark.partition("/")
    if not slash or not stamp.isascii() or not stamp.isdigit() or len(stamp) > 15:
        raise Malformed(f"watermark is {shown(watermark)}")
    return Watermark(int(stamp), tuple(told.split()))


def mark_of(row: ExecutionRow) -> str:
    return digest(row.exec_id)[:12]


def _time(row: ExecutionRow) -> int:
    return int(parse.moment(row.exec_time, "execTime").timestamp() * 1000)
