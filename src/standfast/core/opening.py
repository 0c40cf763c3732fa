"""Open what was asked for, and prove it: record, submit, verify, protect.

The gate has already spoken when an opening is in the book. What is opened is protected by `protect` as it
fills, entry by entry; what cannot be protected is closed again there.
"""

from datetime import timedelta

from standfast.core.orders import intent, opening
from standfast.core.situation import Outcomes, Situation
from standfast.model.effects import CancelOrder, SubmitOrder, Urgency
from standfast.model.order import Role
from standfast.model.position import Phase, Position

SEND_WITHIN = timedelta(seconds=30)
"""An opening that could not be sent for this long is not sent any more: the market it was meant for is gone."""


def advance_opening(s: Situation, position: Position) -> Outcomes:
    """Send the order of an opening that has none; withdraw one whose close was asked for."""
    if position.phase is not Phase.OPENING or not s.may_act:
        return
    orders = [order for order in s.book.orders_for(position.id) if order.role is Role.OPEN]
    if orders:
        if position.closing is not None:
            yield from (
                CancelOrder(broker_id=order.broker_id, holding=order.holding, reason="its opening was withdrawn")
                for order in orders
                if not order.is_finished and order.broker_id is not None and order.cancel_at is None
            )
        return
    if position.closing is not None:
        return
    made = intent(
        s.book,
        position,
        Role.OPEN,
        opening(position.asked * position.sign, position.limit),
        reason=f"opening {position.key}",
    )
    yield SubmitOrder(intent=made, urgency=Urgency.OPEN)
