"""How a resting stop is moved, made less or taken away, how soon, and how soon again after a refusal."""

from datetime import datetime, timedelta
from decimal import Decimal

from standfast.core.book import Refusal
from standfast.core.cover import Resting, is_cancelling
from standfast.core.orders import intent, reducing
from standfast.core.situation import Outcomes, Situation
from standfast.model.booked import BookedOrder
from standfast.model.effects import CancelOrder, ReplaceOrder, Urgency
from standfast.model.ids import PositionId
from standfast.model.order import Role
from standfast.model.position import CloseReason, Position

FOLLOWS = timedelta(seconds=5)
FOLLOWS_ANEW = timedelta(seconds=30)
"""How often a stop follows a trail, in place and where it is taken away for that; the loop holds it meanwhile."""
RETRY_MAX = timedelta(seconds=60)
UNHEARD_MAX = timedelta(seconds=8)
LOOK_AGAIN = timedelta(seconds=5)
KEEPS = frozenset({"price", "not_sent", "rate_limited"})
"""Refusals of a move that no other way of moving would escape: the old stop is kept."""


def rests_until(order: BookedOrder, wanted: Resting, *, in_place: bool) -> datetime:
    """Until when a stop stays where it is that has followed a trail a moment ago: each step costs the broker's budget,
    and one that is taken away for it leaves the position bare."""
    if wanted.reason is not CloseReason.TRAILING or (in_place and order.replaces is None):
        return order.intended_at
    return order.intended_at + (FOLLOWS if in_place else FOLLOWS_ANEW)


def in_place(  # noqa: PLR0913 - what a stop is made of
    s: Situation,
    position: Position,
    order: BookedOrder,
    quantity: Decimal,
    wanted: Resting,
    *,
    reason: str,
    also: tuple[PositionId, ...] = (),
) -> ReplaceOrder:
    """A stop that takes the place of one that rests."""
    assert order.broker_id is not None, order
    terms = reducing(position.sign * quantity, quantity, stop_price=wanted.stop, resting=True)
    made = intent(
        s.book, position, Role.STOP, terms, reason=reason, replaces=order.id, closes_as=wanted.reason, also=also
    )
    return ReplaceOrder(intent=made, broker_id=order.broker_id)


def cancel(s: Situation, group: tuple[BookedOrder, ...], reason: str) -> Outcomes:
    order = group[0]
    if order.broker_id is not None and not is_cancelling(s, order):
        yield CancelOrder(broker_id=order.broker_id, holding=order.holding, reason=reason, urgency=Urgency.PROTECT)


def due_after(refusal: Refusal) -> datetime:
    """When to try again: where nobody has judged, soon enough to be there when somebody can."""
    if refusal.unheard:
        return refusal.at + min(retry_after(refusal.unheard), UNHEARD_MAX)
    return refusal.at + retry_after(refusal.count)


def retry_after(count: int) -> timedelta:
    """One second after the first refusal, doubling to a minute."""
    return min(timedelta(seconds=2 ** min(count - 1, 6)), RETRY_MAX)


def restore_after(edits: int) -> timedelta:
    """How long to wait before restoring what somebody else took away: five seconds, then three times as long each time.

    Never at once: whoever cancels an exit may be about to close the position, and needs the quantity free.
    """
    return min(timedelta(seconds=5 * 3 ** min(max(edits - 1, 0), 5)), timedelta(minutes=10))


def is_too_near(s: Situation, position: Position, stop: Decimal | None) -> bool:
    """Whether the last price, however little it can be trusted, is at this stop or through it: none could be placed."""
    sight = s.sights.get(position.holding)
    price = sight.quote.closing_price(position.sign) if sight is not None and sight.quote.is_two_sided else None
    return stop is not None and price is not None and (stop - price) * position.sign >= 0
