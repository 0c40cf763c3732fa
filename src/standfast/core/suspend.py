"""What looks like a split stops every price rule of the instrument until its quantity is explained.

A two-for-one split halves the price before the positions list doubles the quantity: judged by its price alone, a
sound position looks like a crash. Brokers also restate the orders that rest, perhaps before anything else: a stop for
twice the quantity is not too much then. Rules go on when the split is booked, or when the quantity is seen unchanged by
reads made well after the jump: then the price really moved.
"""

from datetime import timedelta
from decimal import Decimal

from standfast.core.situation import Outcomes, Situation
from standfast.core.splits import is_like_a_split, is_restated, is_split
from standfast.core.tell import alarm
from standfast.model.alert import Severity
from standfast.model.effects import ReadActivities, ReadPositions, WakeAt
from standfast.model.ids import Holding
from standfast.model.instrument import Kind
from standfast.model.journal import PricesResumed, PricesSuspended
from standfast.model.order import ZERO

CERTAIN = timedelta(seconds=60)
"""How long the quantity must stay as booked, in the session, before a jump counts as a real move."""


def suspensions(s: Situation, holding: Holding) -> Outcomes:
    """Suspend a holding whose price jumped by a split-like ratio; resume it when that is explained."""
    reason = s.book.state.suspended.get(holding)
    if reason is not None:
        yield from _resume(s, holding)
        return
    reason = _why(s, holding)
    if reason is None or not any(s.book.held(position) for position in s.book.guarded_at(holding)):
        return
    yield PricesSuspended(holding=holding, reason=reason)
    text = (
        f"{holding}: {reason}. No price rule fires until the quantity is explained; stops resting at the broker stay. "
        "Needed: look whether it was split; if it was not, close it by hand should you want out."
    )
    yield alarm(s, Severity.CRITICAL, text, key=f"jump/{holding}/{s.book.head}")
    yield ReadPositions(reason="a jump like a split")
    yield ReadActivities(reason="a jump like a split")


def _why(s: Situation, holding: Holding) -> str | None:
    if s.book.state.split_rows.get(holding):
        return "one row of a split has come, and the other has not"
    if is_split(s, holding):
        return "the broker lists another quantity for the same money, as after a split"
    ratio = jump(s, holding)
    if ratio is not None:
        return f"its price jumped by a ratio of {ratio:.3f}, as a split would make it"
    ratio = restated(s, holding)
    if ratio is not None:
        return f"the broker changed a resting order by a ratio of {ratio:.3f}, as it does in a split"
    return None


def restated(s: Situation, holding: Holding) -> Decimal | None:
    """The ratio by which the broker has just changed the quantity of an exit of ours, if it is near a split's.

    Nobody else can: an order somebody replaces is another order. Once the split is booked the exits fit again.
    """
    for position in s.book.guarded_at(holding):
        orders = s.book.alive.of(position.id)
        if not any(is_restated(order) for order in orders):  # nearly always, and for every holding on every look
            continue
        exits = [order for order in orders if order.reduces and order.is_stop and not order.is_finished]
        if sum((order.remaining for order in exits), ZERO) == s.book.held(position):
            continue
        for order in exits:
            if is_restated(order) and order.terms is not None and s.now - order.changed_at < CERTAIN:
                return order.quantity / order.terms.quantity
    return None


def jump(s: Situation, holding: Holding) -> Decimal | None:
    """The ratio by which the price leapt from one tick to the next, if it is near a split's. Only shares split so."""
    ratio = s.leaps.get(holding)
    if ratio is None or s.instrument(holding).kind is not Kind.EQUITY:
        return None
    return ratio if is_like_a_split(ratio) else None


def _resume(s: Situation, holding: Holding) -> Outcomes:
    since = s.book.state.suspended_at.get(holding)
    if since is None:
        return
    if not s.book.positions_at(holding):
        yield PricesResumed(holding=holding, reason="nothing is held any more")
        return
    if is_split(s, holding):
        if not s.was_asked_lately("activities", CERTAIN):
            yield ReadActivities(reason="a split")
        yield WakeAt(at=s.now + CERTAIN, holding=holding)
        return
    if s.now - since < CERTAIN or not s.in_session:
        yield WakeAt(at=max(since + CERTAIN, s.now + timedelta(seconds=5)), holding=holding)
        return
    read = s.snapshot.positions
    explained = read is not None and read.began >= since + CERTAIN and s.reported_net(holding) in s.book.net(holding)
    if explained and s.reported_net(holding) != ZERO:
        yield PricesResumed(holding=holding, reason="the quantity is unchanged: the price really moved")
    else:
        yield ReadPositions(reason="to explain a jump")
        yield WakeAt(at=s.now + timedelta(seconds=5), holding=holding)
