"""Orders of others that hold what a structure's close needs: a bot's own close of it, resting for a better price.

Where the broker reserves what such an order would close, a stop is refused for as long as it rests. It gives way, as a
resting exit of a single position does: by what it closes it is tied to the structure.

1. Only what closes legs of the structure gives way, or those of others of ours with them (a bot may close two spreads
   by one order), and only where the rest does not suffice.
2. Where others hold of a leg too, nothing is cancelled: it may be theirs.
3. The close waits for the cancel, and not for long: what is refused meanwhile is tried again.
"""

from collections.abc import Iterator
from datetime import timedelta
from decimal import Decimal

from standfast.core.cover import has_strangers, is_cancelling
from standfast.core.situation import Outcomes, Situation
from standfast.core.structures import open_legs
from standfast.model.booked import TOGETHER, BookedOrder
from standfast.model.effects import CancelOrder, ReadOrders, Urgency, WakeAt
from standfast.model.ids import BrokerOrderId, Holding, is_own
from standfast.model.order import ZERO, OrderReport
from standfast.model.position import Closing
from standfast.model.structure import BookedStructure

LOOK_AGAIN = timedelta(milliseconds=500)
PATIENCE = timedelta(seconds=5)
"""How long a close waits for what is in its way to be gone."""


def clearing(s: Situation, booked: BookedStructure, closing: Closing) -> Outcomes:
    """Cancel what is in the way, and wait for that; nothing where nothing is, or it has been waited for long enough."""
    if not s.contract.reserves_quantity or any(has_strangers(s, leg.holding) for leg in booked.legs):
        return
    listed, tied = list(_listed(s, booked)), list(_tied(s, booked))
    if not _lacks(s, booked, closing, listed, tied):
        return
    yield from (
        _cancel(each.broker_id, booked.holding) for each in listed if not s.was_asked_lately_to_cancel(each.broker_id)
    )
    yield from (
        _cancel(order.broker_id, order.holding)
        for order in tied
        if order.broker_id is not None and not is_cancelling(s, order)
    )
    if s.now - closing.at < PATIENCE:
        if not s.was_asked_lately("orders"):
            yield ReadOrders(reason=f"{booked.id}: is what is in the way of its close gone?", urgency=Urgency.CLOSE)
        yield WakeAt(at=s.now + LOOK_AGAIN, holding=booked.holding)


def _cancel(broker_id: BrokerOrderId, holding: Holding) -> CancelOrder:
    why = "frees the quantity for a close"
    return CancelOrder(broker_id=broker_id, holding=holding, reason=why, urgency=Urgency.CLOSE)


def _listed(s: Situation, booked: BookedStructure) -> Iterator[OrderReport]:
    """Working orders of others for several legs, one of this structure among them, that close nothing but ours."""
    read, legs = s.snapshot.orders, {leg.holding for leg in booked.legs}
    for report in read.orders.values() if read is not None else ():
        if report.order_class != TOGETHER or report.is_finished or is_own(report.client_id, s.book.account):
            continue
        if any(leg.holding in legs for leg in report.legs) and all(_closes_ours(s, leg) for leg in report.legs):
            yield report


def _closes_ours(s: Situation, leg: OrderReport) -> bool:
    ours = (each for each in s.book.guarded_at(leg.holding) if each.sign == -leg.side.sign and s.book.held(each) > 0)
    return leg.closes is not False and any(True for _ in ours) and not has_strangers(s, leg.holding)


def _tied(s: Situation, booked: BookedStructure) -> Iterator[BookedOrder]:
    """Resting exits of single legs, placed by whomever while each was one by itself, or by a bot that keeps them so."""
    for leg, position in open_legs(s.book, booked):
        for order in s.book.alive.of(position.id):
            whole = s.book.state.orders.get(order.parent) if order.parent is not None else None
            is_part = whole is not None and whole.is_together
            if order.side.sign == -leg.sign and not order.is_finished and not order.may_fill_any_moment and not is_part:
                yield order


def _lacks(
    s: Situation, booked: BookedStructure, closing: Closing, listed: list[OrderReport], tied: list[BookedOrder]
) -> bool:
    """Whether what these orders leave of any leg is less than has to be closed of it."""
    for leg, position in open_legs(s.book, booked):
        needed = s.book.held(position) - closing.remain * abs(leg.ratio)
        legs = (part for report in listed for part in report.legs if part.holding == leg.holding)
        held: Decimal = sum((part.remaining for part in legs), ZERO)
        held += sum((order.remaining for order in tied if order.holding == leg.holding), ZERO)
        if held and abs(s.reported_net(leg.holding)) - held < needed:
            return True
    return False
