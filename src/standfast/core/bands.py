"""Prices inside which no rule can fire: one comparison a tick, whatever is held.

A band may be too narrow (the exact check then finds nothing to do), never too wide. Floats live here and
nowhere else in the core: they only wake the exact check, widened inwards by an epsilon against rounding.

Where nothing may be done a price can stay beyond a rule for hours. What fires there has been said: then the band lies
around that price, between the nearest two at which something else would be so.
"""

import math
from decimal import Decimal
from typing import NamedTuple

from standfast.core.cover import cover_of, is_too_young
from standfast.core.ladder import next_move
from standfast.core.reconcile import watches_prices
from standfast.core.results import Clarity, Judged, Levels, judge, levels_of, price_at, widest
from standfast.core.short_delta import is_judged
from standfast.core.situation import Situation
from standfast.core.tell import is_rule_said
from standfast.model.ids import Holding
from standfast.model.position import CloseReason, Position

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
        if s.book.held(position) <= 0:
            continue
        watched = watched or is_judged(position, s.policy(position))  # with its quotes come its greeks
        if not watches_prices(s, position):
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
    if not s.may_act and _is_all_said(s, position, at):
        resting = [float(price) for price in cover_of(s, position).stop_prices]
        return *_around(s, position.holding, [*losing, *winning, *resting]), wide
    if position.sign > 0:
        return max(losing, default=0.0), min(winning, default=math.inf), wide
    return max(winning, default=0.0), min(losing, default=math.inf), wide


def _is_all_said(s: Situation, position: Position, at: Levels) -> bool:
    """Whether the rule that the last price fires has been told, so that there is nothing to look at where it stands."""
    policy = s.policy(position)
    judged = judge(s, position, policy)
    if judged.clarity is not Clarity.CLEAR or is_too_young(s, position, policy):
        return False
    reason = _fired(position, at, judged)
    return reason is not None and is_rule_said(s, position.id, reason)


def _fired(position: Position, at: Levels, judged: Judged) -> CloseReason | None:
    """Whose level the price is beyond: the first that is judged."""
    if judged.price is None or judged.gain is None:
        return None
    for level, reason in ((at.emergency, CloseReason.EMERGENCY_STOP), (at.stop, at.stop_reason)):
        if level is not None and (level - judged.price) * position.sign >= 0:
            return reason
    is_won = at.target is not None and (judged.gain - at.target) * position.sign >= 0
    return CloseReason.TAKE_PROFIT if is_won else None


def _around(s: Situation, holding: Holding, levels: list[float]) -> tuple[float, float]:
    """The nearest on either side of the last quote; one between its sides is crossed."""
    ask = float(s.sights[holding].quote.ask)
    below = max((level for level in levels if level <= ask), default=0.0)
    return below, min((level for level in levels if level > ask), default=math.inf)


def _next_climb(s: Situation, position: Position) -> Decimal | None:
    """The nearest price at which the trailing ladder would move."""
    entry = s.book.entry_price(position)
    result = next_move(s.policy(position).trailing, position.trail) if entry else None
    return price_at(position, result, of=entry) if result is not None else None
