"""Which order events call for a read of the order they name. An event itself proves nothing and adds nothing."""

from standfast.model.booked import BookedOrder
from standfast.model.order import Role
from standfast.ports import OrderEvent

TAKEN = frozenset({"new", "pending_new", "accepted"})
"""Events of an order that is being taken."""


def must_be_read(order: BookedOrder, event: OrderEvent) -> bool:
    """Whether an event says what no read that follows anyway will tell.

    That the broker takes an order of ours its own answer says, or doubt asks for. What fills a close is read with the
    fills, which prove more; where many close at once, every request is needed for the others.
    """
    if event.event in TAKEN:
        return not order.is_own
    return not ("fill" in event.event and order.role in (Role.CLOSE, Role.ROLLBACK))
