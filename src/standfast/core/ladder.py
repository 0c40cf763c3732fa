"""The trailing ladder: which rung is armed, and where it puts the stop. Everything here is a result, not a price.

1. The stop never falls, and the rung in force never goes back.
2. Below the first rung's arm nothing trails.
3. Below the result that `next_move` names the ladder stays as it is.
"""

from collections.abc import Sequence
from decimal import Decimal

from standfast.core.policy import Rung
from standfast.model.order import ZERO
from standfast.model.position import Trail

STEPS = 10
"""The stop follows in steps of so many parts of what its rung gives back: each one is journaled."""


def climbed(trailing: Sequence[Rung], before: Trail | None, result: Decimal) -> Trail | None:
    """The ladder's new state at this result, when a rung is armed or the stop rises by a step; None if it stays."""
    peak = max(result, before.peak) if before is not None else result
    armed = [number for number, rung in enumerate(trailing) if peak >= rung.arm]
    if not armed:
        return None
    stop = max(trailing[number].stop(peak) for number in armed)
    if before is None or armed[-1] > before.rung:
        return Trail(rung=armed[-1], peak=peak, stop=max(stop, before.stop) if before is not None else stop)
    if stop > before.stop and stop - before.stop >= _step(trailing[armed[-1]]):
        return Trail(rung=before.rung, peak=peak, stop=stop)
    return None


def next_move(trailing: Sequence[Rung], trail: Trail | None) -> Decimal | None:
    """The nearest result at which the ladder would move; None if it never does again."""
    if trail is None:
        return trailing[0].arm if trailing else None
    armed = [rung for rung in trailing if rung.arm <= trail.peak]
    if len(armed) - 1 > trail.rung:  # the policy has other rungs since: it moves at once, at any result above the stop
        return trail.stop
    step = _step(armed[-1]) if armed else ZERO
    results = [rung.arm for rung in trailing if rung.arm > trail.peak]
    results += [trail.stop + rung.give_back + step for rung in armed if rung.give_back is not None]
    return min(results, default=None)


def _step(rung: Rung) -> Decimal:
    return (rung.give_back or ZERO) / STEPS
