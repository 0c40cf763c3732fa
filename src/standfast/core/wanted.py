"""Which exits shall rest for a position now, at prices and in a quantity that its instrument and its broker take."""

from decimal import ROUND_FLOOR, Decimal

from standfast.core.cover import Resting, resting_of
from standfast.core.situation import Situation
from standfast.model.instrument import Instrument
from standfast.model.position import Position


def wanted_alone(s: Situation, position: Position) -> Resting:
    """The exits that shall rest for it, were it the only one here."""
    return _rounded(resting_of(s, position), position, s.instrument(position.holding))


def size(s: Situation, held: Decimal) -> Decimal:
    """What may rest at the broker: whole units where it takes no fractions; the guard holds the rest."""
    return held if s.contract.fractional_stops else held.to_integral_value(rounding=ROUND_FLOOR)


def _rounded(wanted: Resting, position: Position, instrument: Instrument) -> Resting:
    """To the tick: a stop towards the market's side of its level, a target to the nearer price."""
    stop, target = wanted.stop, wanted.target
    if stop is not None:
        stop = instrument.round_up(stop) if position.sign > 0 else instrument.round_down(stop)
    if target is not None:
        target = max(instrument.round_nearest(target), instrument.tick_at(target))
    return Resting(stop=stop, target=target, reason=wanted.reason)
