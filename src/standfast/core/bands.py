"""Prices inside which no rule can fire: one comparison a tick, whatever is held.

A band may be too narrow (the exact check then finds nothing to do), never too wide. Floats live here and
nowhere else in the core: they only wake the exact check, widened inwards by an epsilon against rounding.
"""

import math
from decimal import Decimal
from typing import NamedTuple

from standfast.core.ladder import next_move
from standfast.core.reconcile import watches_prices
from standfast.core.results import levels_of, price_at, widest
from standfast.core.situation import Situation
from standfast.model.ids import Holding
from standfast.model.position import Position

EPSILON = 1e-9


class Band(NamedTuple):
    """Quiet while `low < bid <= ask < high` and the spread is below `spread`."""

    low: float
    high: float
    spread: float

    def is_quiet(self, bid: float, ask: float) -> bool:
        return self.low < bid <= ask < self.high and ask - bid < self.spread


NOTHING_WAKES = Band(-math.inf, math.inf, math.inf)


def band(s: Situation, holding: Holding) -> Band | None:
    """The band of a holding; None where no price rule of any position is on, so that no quotes are needed."""
    low, high, spread, watched = 0.0, math.inf, math.inf, False
    for position in s.book.guarded_at(holding):
        if s.book.held(position) <= 0 or not watches_prices(s, position):
            continue
        watched = True
        below, above, wide = _edges(s, position)
        low, high, spread = max(low, below), min(high, above), min(spread, wide)
    if not watched:
        return None
    return Band(low * (1 + EPSILON), high * (1 - EPSILON), spread)


def _edges(s: Situation, position: Position) -> tuple[float, float, float]:
    policy = s.policy(position)
    at = levels_of(s, position)
    losing = [float(level) for level in (at.stop, at.emergency) if level is not None]
    winning = [float(level) for level in (at.target, _next_climb(s, position)) if level is not None]
    if position.is_leaving:
        losing = winning = []
    limit = widest(position, policy, position.basis or s.book.entry_price(position))
    wide = float(limit) if limit is not None else math.inf
    if position.sign > 0:
        return max(losing, default=0.0), min(winning, default=math.inf), wide
    return max(winning, default=0.0), min(losing, default=math.inf), wide


def _next_climb(s: Situation, position: Position) -> Decimal | None:
    """The nearest price at which the trailing ladder would move."""
    entry = s.book.entry_price(position)
    result = next_move(s.policy(position).trailing, position.trail) if entry else None
    return price_at(position, result, of=entry) if result is not None else None
