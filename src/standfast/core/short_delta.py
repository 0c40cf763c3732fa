"""Sold options that have come too near the money, by the delta that the broker tells: alone, or as a leg.

1. What shares deliver is not judged: what it may lose by a move, they make. Of what is sold alone that is counted, and
   only what no share delivers is bought back.
2. Without a delta, or by an old one, nothing is judged, and that is said.
"""

from collections.abc import Iterable, Iterator
from datetime import timedelta
from decimal import Decimal

from standfast.core.covering import naked
from standfast.core.policy import Policy
from standfast.core.situation import Situation
from standfast.core.structures import is_option
from standfast.model.ids import Holding
from standfast.model.order import ZERO
from standfast.model.position import Position

GREEKS_FRESH = timedelta(minutes=90)
"""Greeks older than this say nothing of now: brokers figure them once an hour."""


def beyond_limit(s: Situation, sold: Iterable[Holding], policy: Policy) -> str:
    """Which sold option has come too near the money, and how near; empty: none has."""
    limit = policy.short_delta_limit
    for holding in sold if limit is not None else ():
        found = delta(s, holding)
        if found is not None and limit is not None and abs(found) >= limit:
            return f"short delta {abs(found)} of {holding} is at the limit of {limit}"
    return ""


def closes_at_once(s: Situation, sold: Iterable[Holding], policy: Policy) -> Iterator[str]:
    """Of what is to be sold: the limits that would close it the moment after."""
    limit = policy.short_delta_limit
    for holding in sold:
        found = delta(s, holding)
        if found is not None and limit is not None and abs(found) >= limit:
            yield f"the delta of {holding} is {found}: short_delta_limit = {limit} would close it at once"


def without_delta(s: Situation, sold: Iterable[Holding]) -> str:
    """The sold options whose delta is not known, or too old to be judged by."""
    lacking = (holding for holding in sold if delta(s, holding) is None)
    return "; ".join(f"{holding}: no delta, or an old one" for holding in lacking)


def delta(s: Situation, holding: Holding) -> Decimal | None:
    known = s.greeks.get(holding)
    return known.delta if known is not None and s.broker_now - known.at <= GREEKS_FRESH else None


# --- alone --------------------------------------------------------------------------------------


def is_judged(position: Position, policy: Policy) -> bool:
    """Whether it is a single sold option that has such a limit, as long as shares do not deliver it."""
    is_alone = position.structure is None and position.sign < 0
    return is_alone and policy.short_delta_limit is not None and is_option(position)


def naked_part(s: Situation, position: Position, policy: Policy) -> Decimal:
    """How much of a single sold option its limit is judged of: what no share delivers."""
    return naked(s, position) if is_judged(position, policy) else ZERO
