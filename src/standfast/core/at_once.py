"""Openings that their own rules would close at once: a stop that lies inside the quotes of the moment.

What is bought at the ask is worth the bid a moment later. Where that alone is as far as the stop, each such opening
loses the width of its quotes and nothing else, and whoever asks again loses it again.
"""

from collections.abc import Iterator
from decimal import Decimal
from typing import NamedTuple

from standfast.core.policy import HeldBy, Policy
from standfast.core.results import Levels
from standfast.core.tell import short_price
from standfast.core.worth import Sides

REMEDY = "take a wider stop, by its policy or with --stop"


class Exits(NamedTuple):
    """What would be kept around it: where its rules stand, and how they are judged."""

    at: Levels
    policy: Policy
    basis: Decimal
    wide_from: Decimal
    """The share of the stop distance from which on quotes are too wide to be judged at their worse side."""


def entered(entry: Decimal | None, now: Sides) -> tuple[Decimal, Sides]:
    """What would be paid for it, and the sides of the quotes after that. `entry`: at most so much; None: at the market.

    A price inside the quotes is met as they are; for a better one they have to move, until it lies in their middle.
    """
    if entry is None or entry >= now.best:
        return now.best, now
    if entry >= now.worst:
        return entry, now
    half = (now.best - now.worst) / 2
    return entry, Sides(entry - half, entry + half)


def fires_at_once(exits: Exits, after: Sides) -> Iterator[str]:
    """The rules that end a loss and would do so with these quotes."""
    policy = exits.policy
    rests = policy.held_by is not HeldBy.GUARD
    for name, level, waits, is_resting in (
        ("stop", exits.at.stop, bool(policy.minimum_hold), policy.held_by is HeldBy.BROKER),
        ("emergency stop", exits.at.emergency, False, rests),
    ):
        if level is None or waits:
            continue
        price = after.worst if is_resting else _judged(exits, after)
        if price <= level:
            yield (
                f"its {name} would close it at once: that stands at {short_price(level)}, and closing would bring "
                f"{short_price(after.worst)} (mid {short_price(after.mid)}); {REMEDY}"
            )
            return


def _judged(exits: Exits, after: Sides) -> Decimal:
    distance = exits.policy.stop_loss or exits.policy.emergency_stop
    limit = distance * abs(exits.basis) * exits.wide_from if distance is not None else None
    is_wide = limit is not None and after.best - after.worst > limit
    return after.mid if is_wide else after.worst
