"""Stops that come too late: beyond the price at which the exchange takes the position away, nothing is left to stop."""

from standfast.core.cover import cover_of
from standfast.core.situation import Outcomes, Situation
from standfast.core.tell import alarm_once
from standfast.model.alert import Severity
from standfast.model.ids import Holding


def too_late(s: Situation, holding: Holding) -> Outcomes:
    """Say it of every position whose nearest stop lies there; once for each stop."""
    read = s.snapshot.positions
    row = read.rows.get(holding) if read is not None else None
    if row is None or row.liquidation is None:
        return
    for position in s.book.guarded_at(holding):
        prices = cover_of(s, position).stop_prices
        if row.quantity * position.sign <= 0 or not prices:
            continue
        nearest = max(prices) if position.sign > 0 else min(prices)
        if (row.liquidation - nearest) * position.sign < 0:
            continue
        yield from alarm_once(
            s,
            Severity.CRITICAL,
            f"{position.id} {position.net:+} {holding}: its stop at {nearest} protects nothing, because the exchange "
            f"takes the position away at {row.liquidation} already. Needed: a nearer stop (`standfast protect "
            f"{position.id} --stop PRICE`, or the policy's), more margin, or less of it.",
            key=f"too late/{position.id}/{nearest.normalize()}",
        )
