"""Exits that are not needed, while the fate of another is unknown.

Nothing is placed beside an exit in doubt: it may be there. But what is known to be there, and is more than is held,
would turn the position around if it filled; an opening whose own stop comes to life with its last fill leaves it so,
where the stop of a part was being moved. It goes at once: what stays covers all of it, whatever becomes of the other.
"""

from collections.abc import Sequence
from decimal import ROUND_FLOOR, Decimal

from standfast.core.cover import Cover, exits_by_group, group_quantity, is_cancelling, is_in_force
from standfast.core.situation import Outcomes, Situation
from standfast.model.booked import BookedOrder
from standfast.model.effects import CancelOrder, Urgency
from standfast.model.ids import ClientOrderId
from standfast.model.order import ZERO

Group = Sequence[BookedOrder]


def take_surplus_away(s: Situation, cover: Cover, held: Decimal) -> Outcomes:
    """Of the exits of ours whose fate is known those without which the others still stop all that is held, the newest
    first; and only as long as there are too many."""
    size = held if s.contract.fractional_stops else held.to_integral_value(rounding=ROUND_FLOOR)
    known = [group for group in exits_by_group(cover.own) if _is_known(s, group)]
    resting, stopped = sum(map(group_quantity, known), ZERO), sum((_stopped(s, group) for group in known), ZERO)
    for group in reversed(known) if size > 0 else ():
        if resting <= size or stopped - _stopped(s, group) < size:
            continue
        resting, stopped = resting - group_quantity(group), stopped - _stopped(s, group)
        first = group[0]
        assert first.broker_id is not None, first.id
        reason = f"the others cover all {size} that is held"
        yield CancelOrder(broker_id=first.broker_id, holding=first.holding, reason=reason, urgency=Urgency.PROTECT)


def _is_known(s: Situation, group: Group) -> bool:
    """Whether the broker has said of each that it works, and no entry stands before it any more."""
    ids = {order.id for order in group}
    return all(
        order.is_settled
        and order.broker_id is not None
        and not is_cancelling(s, order)
        and (order.parent is None or order.parent in ids or _is_over(s, order.parent))
        for order in group
    )


def _is_over(s: Situation, parent: ClientOrderId) -> bool:
    entry = s.book.state.orders.get(parent)
    return entry is None or entry.is_finished


def _stopped(s: Situation, group: Group) -> Decimal:
    return sum((order.remaining for order in group if is_in_force(s, order)), ZERO)
