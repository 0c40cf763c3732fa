"""Which exits stay where they are while a close works, so that no moment is without cover.

Where resting exits reserve nothing and may only reduce, a close needs nothing freed: the stop stays until the close has
filled and goes then, or shrinks to what is left. Should both fill, the exchange takes no more than is held in all.

1. What is held in all may be more than this position. A stop that would reach into somebody else's quantity is freed
   first, as everywhere; so is one near the price for which the position is closed, where others of ours are held too.
2. Only a stop in force stays: a target, or a stop that has fired and does not fill, covers nothing.
"""

from decimal import Decimal

from standfast.core.cover import Cover, has_strangers, is_in_force
from standfast.core.situation import Situation
from standfast.model.booked import BookedOrder
from standfast.model.order import CLOSING_ROLES, ZERO
from standfast.model.position import CloseReason, Position

AT_THE_STOP = frozenset({CloseReason.STOP_LOSS, CloseReason.TRAILING, CloseReason.EMERGENCY_STOP})
"""Closes for a price that is near the stop's own: both could fill in one moment."""


def being_closed(s: Situation, position: Position) -> Decimal:
    """What closing orders under way may still take: nothing may be placed for that beside them."""
    orders = s.book.alive.of(position.id)
    return sum((order.remaining for order in orders if order.role in CLOSING_ROLES), ZERO)


def may_stay(s: Situation) -> bool:
    """Whether exits may rest beside a close at all, by what the broker promises."""
    return s.contract.reduce_only and not s.contract.reserves_quantity


def stays(s: Situation, position: Position, order: BookedOrder) -> bool:
    """Whether this exit rests on until the close of its position has filled."""
    return may_stay(s) and is_in_force(s, order) and not _reaches_others(s, position)


def rests_beside_close(s: Situation, position: Position, cover: Cover) -> bool:
    """Whether stops rest that stay until a close is over: they are for more than it will leave."""
    return position.closing is not None and any(stays(s, position, order) for order in (*cover.own, *cover.tied))


def _reaches_others(s: Situation, position: Position) -> bool:
    """Whether what a stop takes beyond this position would be taken from others, and that may happen."""
    holding = position.holding
    if has_strangers(s, holding):
        return True
    held = sum((s.book.held(each) for each in s.book.guarded_at(holding)), ZERO)
    if s.is_comparable(holding) and s.reported_net(holding) * position.sign > held:
        return True  # more is held than the books know of
    is_alone = held == s.book.held(position)
    return not is_alone and position.closing is not None and position.closing.reason in AT_THE_STOP
