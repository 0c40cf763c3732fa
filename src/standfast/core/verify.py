"""What evidence says about orders: ask for what is in doubt, and tell when doubt may end.

1. Only a read by id ends doubt. A list, a timeout and a missing position are evidence of nothing.
2. "Not found" ends doubt only after the flight and the staleness the broker declares, seen twice. A clock that was set
   since has counted none of it.
3. Where orders that ended without a fill are forgotten after a day, one that no list shows and no look by id finds, for
   longer than either may lag, has ended so: of what works and of what has filled everything is told.
4. Where ids are unique, an order still wanted is simply sent again under the same id, at growing intervals: it is the
   same order.
"""

from dataclasses import replace
from datetime import datetime, timedelta

from standfast.core.cover import is_listed, stands_alone
from standfast.core.reconcile import REMEMBERED
from standfast.core.sending import why_not
from standfast.core.situation import Outcomes, Situation
from standfast.model.booked import BookedOrder, Stage
from standfast.model.breaks import BreakKind
from standfast.model.effects import QueryOrder, ReadActivities, SubmitOrder, Urgency, WakeAt
from standfast.model.ids import Holding
from standfast.model.journal import OrderIntended, OrderNeverArrived, OrderObserved
from standfast.model.order import OrderState, OrderType, Role

FIRST_LOOK = timedelta(milliseconds=250)
LONGEST_WAIT = timedelta(seconds=10)
SIDE_BY_SIDE = 4
"""Orders in doubt that are sent again each at its own pace; more of them share that of so many."""
LONGEST_SHARED = timedelta(seconds=30)
FORGOTTEN = "the exchange does not know it any more: it ended without a fill"
CLOSE_FILLS = timedelta(seconds=1)
"""How long a closing order is left to fill before it is asked for: its fills come by themselves, and where many close
at once every request is needed for the others."""
STILL_WANTED = timedelta(seconds=10)
"""How long after its intent an opening may still be sent again; later it must be asked for anew."""


def doubts(s: Situation, holding: Holding) -> Outcomes:
    """Questions about every order of this holding whose state is not beyond doubt."""
    for order in s.book.alive.at(holding):
        if order.excess:
            yield from _ask_for_fills(s, order)
        if order.is_finished:
            continue
        if order.stage is Stage.WORKING:
            yield from _look_at_working(s, order)
        elif holding not in s.busy and order.parent is None:  # else it is on its way: its own reply comes first
            yield from _look_for(s, order)


def _ask_for_fills(s: Situation, order: BookedOrder) -> Outcomes:
    asked, since = s.asked.get("read activities"), order.changed_at
    due = since if asked is None or asked < since else asked + _backoff(since, asked)
    if s.now >= due:
        yield ReadActivities(reason=f"{order.id} has filled {order.filled}, booked {order.executed}")
        due = s.now + _backoff(since, s.now)
    yield WakeAt(at=due, holding=order.holding)


def _look_at_working(s: Situation, order: BookedOrder) -> Outcomes:
    reason = _reason_to_look(s, order)
    if not reason:
        return
    if order.report is not None and _is_forgotten(s, order):
        ended = replace(order.report, state=OrderState.CANCELLED, reason=FORGOTTEN)
        yield OrderObserved(report=ended, position=order.position, role=order.role)
        return
    since = order.changed_at + CLOSE_FILLS if order.role in (Role.CLOSE, Role.ROLLBACK) else order.changed_at
    due = _next_look(s, order, since=order.cancel_at or since)
    if s.now >= due:
        yield QueryOrder(holding=order.holding, broker_id=order.broker_id, client_id=order.id, reason=reason)
        due = s.now + FIRST_LOOK
    yield WakeAt(at=due, holding=order.holding)


def _reason_to_look(s: Situation, order: BookedOrder) -> str:
    if not stands_alone(s, order):
        return ""  # read with its parent
    if order.cancel_at is not None and order.cancel_at >= order.changed_at:
        return "a cancel was asked for"
    if order.position is not None and any(o.replaces == order.id for o in _beside(s, order)):
        return "it is being replaced"
    if s.orders_listed_after(order.number) and not is_listed(s, order):
        return "booked as working, not listed"
    if s.in_session and order.type is OrderType.MARKET:
        return "a market order should have filled"
    if order.report is None:
        return "accepted, not yet seen"
    return ""


def _is_forgotten(s: Situation, order: BookedOrder) -> bool:
    if not s.contract.forgets or order.missed_at is None or s.now - order.changed_at < REMEMBERED:
        return False
    kind = BreakKind.GHOST_ORDER
    breaks = s.book.breaks_at(order.holding)
    found = next((b for b in breaks if b.finding.kind is kind and b.finding.subject == order.id), None)
    return found is not None and found.confirmed and order.missed_at >= found.first_seen + _patience(s)


def _patience(s: Situation) -> timedelta:
    """How long a request may be in flight, and what it did remain unseen."""
    return s.contract.flight + (s.contract.look_up_staleness or s.contract.staleness)


def _beside(s: Situation, order: BookedOrder) -> list[BookedOrder]:
    """Orders that may take its place: those of its position, or for several positions here."""
    assert order.position is not None, order
    shared = [each for each in s.book.alive.at(order.holding) if each.also]
    return [*s.book.orders_for(order.position), *shared]


def _next_look(s: Situation, order: BookedOrder, since: datetime) -> datetime:
    """At once, then at growing intervals from the last time it was asked for."""
    asked = s.asked.get(order.id)
    if asked is None or asked < since:
        return since
    return asked + _backoff(since, asked)


def _look_for(s: Situation, order: BookedOrder) -> Outcomes:
    """An intent without an outcome: after a crash, a lost reply, a timeout."""
    if order.missed and _may_resend(s, order):
        again = order.changed_at + _pace(s, order)
        if s.now < again:
            yield WakeAt(at=again, holding=order.holding)
            return
        yield SubmitOrder(intent=_intent(order), urgency=_urgency(order), again=True)
        return
    started = s.book.state.started_at or order.changed_at
    last_sent = s.surely(max(order.changed_at, started))
    patience = _patience(s)
    if order.missed >= 2 and order.missed_at is not None and order.missed_at >= last_sent + patience:
        yield OrderNeverArrived(
            id=order.id, reason=f"not known to the broker {int(patience.total_seconds())} s after it could have left"
        )
        return
    due = _next_look(s, order, since=order.changed_at)
    if s.now >= due:
        yield QueryOrder(holding=order.holding, client_id=order.id, reason=f"{order.stage.value}: did it arrive?")
        due = s.now + FIRST_LOOK
    yield WakeAt(at=due, holding=order.holding)


def _pace(s: Situation, order: BookedOrder) -> timedelta:
    """How long after its last copy the next may leave.

    Where only writes fail, each position's stop is sent again and again: together no oftener than a few would be, and
    one that joins an outage as often as those that have met it, because closes and the bot live on the same budget.
    """
    since, many = s.once("in doubt", lambda: _outage(s))
    wait = _backoff(min(since or order.intended_at, order.intended_at), order.changed_at)
    return wait if many <= SIDE_BY_SIDE else min(wait * many / SIDE_BY_SIDE, LONGEST_SHARED)


def _outage(s: Situation) -> tuple[datetime | None, int]:
    """Since when orders in doubt have not arrived, and how many are in doubt."""
    orders = (order for holding in s.book.holdings() for order in s.book.alive.at(holding))
    doubtful = [order for order in orders if order.stage is Stage.IN_DOUBT]
    return min((order.intended_at for order in doubtful if order.missed), default=None), len(doubtful)


def _may_resend(s: Situation, order: BookedOrder) -> bool:
    if not (s.contract.unique_ids and s.contract.searchable_ids and s.may_act) or order.terms is None:
        return False
    if order.is_together:
        return False  # nothing says that what it was figured for is still so of every leg
    if order.replaces is not None or order.missed > 3 or order.position is None or order.copy_refused:
        return False
    if order.role is Role.OPEN:
        is_out = s.now - order.intended_at > STILL_WANTED
    else:  # by the last read too, however old: a copy of it may have arrived
        is_out = order.terms.quantity > s.reported_net(order.holding) * -order.terms.side.sign
    return not is_out and not why_not(s, _intent(order))


def _intent(order: BookedOrder) -> OrderIntended:
    assert order.terms is not None, order.id
    assert order.position is not None, order.id
    return OrderIntended(
        id=order.id,
        position=order.position,
        role=order.role,
        holding=order.holding,
        terms=order.terms,
        attempt=order.attempt,
        reason=order.reason,
        closes_as=order.closes_as,
        also=order.also,
    )


def _urgency(order: BookedOrder) -> Urgency:
    match order.role:
        case Role.OPEN | Role.FOREIGN:
            return Urgency.OPEN
        case Role.CLOSE | Role.ROLLBACK:
            return Urgency.CLOSE
        case Role.STOP | Role.TARGET:
            return Urgency.PROTECT


def _backoff(since: datetime, now: datetime) -> timedelta:
    """Wait half as long as it has lasted, between a quarter of a second and ten seconds."""
    return min(max((now - since) / 2, FIRST_LOOK), LONGEST_WAIT)
