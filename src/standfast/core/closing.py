"""Take a position to flat (or to what shall remain) and prove it.

Free the quantity, size from the broker's net at that moment, send one order, read its fills, settle. Nothing
is held in memory between these steps: each look asks what is so and takes the next one.

1. At most one closing order of a position is unfinished.
2. Its side comes from the broker's signed net; its size is the smaller of what this position still holds by its
   fills and what the net still has free.
3. A refused close is tried again for ever, protected meanwhile, and never dropped.
4. A position is settled by fills that add up, never by its absence from a list.
"""

from datetime import timedelta
from decimal import Decimal

from standfast.core.cover import cover_of, exits_by_group, is_cancelling
from standfast.core.orders import intent, reducing
from standfast.core.situation import Outcomes, Situation
from standfast.model.booked import BookedOrder
from standfast.model.effects import CancelOrder, ReadActivities, ReadPositions, SubmitOrder, Urgency, WakeAt
from standfast.model.journal import CloseWithdrawn, PositionSettled
from standfast.model.order import ZERO, Role
from standfast.model.position import CloseReason, Position

CLOSING_ROLES = (Role.CLOSE, Role.ROLLBACK)


def settle(s: Situation, position: Position) -> Outcomes:
    """End a position whose fills prove it flat."""
    orders = s.book.orders_for(position.id)
    if any(not order.is_finished and order.role is Role.OPEN for order in orders):
        return
    if any(order.excess for order in orders):
        return
    if position.opened == 0:
        yield from _never_opened(position, orders)
    elif position.held == 0:
        reason = position.close_reason or CloseReason.FOREIGN
        closers = [order for order in orders if order.executed and order.side.sign != position.sign]
        proof = ", ".join(f"{order.executed} by {order.id}" for order in closers) or "fills of orders not ours"
        yield PositionSettled(position=position.id, reason=reason, proof=f"fills add up to {position.closed}: {proof}")


def _never_opened(position: Position, orders: list[BookedOrder]) -> Outcomes:
    openers = [order for order in orders if order.role is Role.OPEN]
    if not openers or position.phase.value == "closed":
        return
    last = openers[-1]
    said = last.refusal or (last.report.state.value if last.report is not None else "never arrived")
    yield PositionSettled(position=position.id, reason=CloseReason.ROLLBACK, proof=f"nothing filled: {last.id} {said}")


def advance_closing(s: Situation, position: Position) -> Outcomes:
    """The next step out, if this position is to be closed."""
    closing = position.closing
    if closing is None or not s.may_act or not position.is_guarded:
        return
    if position.opened == 0 and s.book.held(position) == 0:
        yield from _cancel_entries(s, position)
        return
    orders = s.book.orders_for(position.id)
    if any(not order.is_settled for order in orders):
        return
    if any(order.role in CLOSING_ROLES and not order.is_finished for order in orders):
        return
    to_close = s.book.held(position) - closing.remain
    if to_close <= 0:
        if position.held - closing.remain <= 0 < closing.remain:
            yield CloseWithdrawn(position=position.id, reason="what shall remain is all that is held")
        return
    if closing.refused_at is not None:
        again = closing.refused_at + retry_after(closing.refusals)
        if s.now < again:
            yield WakeAt(at=again, holding=position.holding)
            return
    if not s.in_session:
        if s.snapshot.clock is not None:
            yield WakeAt(at=max(s.snapshot.clock.next_open, s.now + timedelta(seconds=1)), holding=position.holding)
        return
    freed = list(_free(s, position))
    if freed or _is_freeing(s, position):
        yield from freed
        return
    yield from _close(s, position, to_close)


def retry_after(refusals: int) -> timedelta:
    """One second, doubling to half a minute: a close is never dropped."""
    return min(timedelta(seconds=2 ** min(refusals - 1, 5)), timedelta(seconds=30))


def _cancel_entries(s: Situation, position: Position) -> Outcomes:
    for order in s.book.orders_for(position.id):
        if order.role is Role.OPEN and not order.is_finished and order.broker_id and not is_cancelling(order):
            yield CancelOrder(broker_id=order.broker_id, holding=order.holding, reason="its position is closing")


def _free(s: Situation, position: Position) -> Outcomes:
    """Cancel what could still add to the position or holds the quantity we are about to close."""
    yield from _cancel_entries(s, position)
    cover = cover_of(s, position)
    rank = beyond_stop(s, position)
    for group in exits_by_group((*cover.own, *cover.tied)):
        order = group[0]
        if order.broker_id is not None and not is_cancelling(order):
            yield CancelOrder(
                broker_id=order.broker_id, holding=order.holding, reason="frees the quantity for a close", rank=rank
            )


def _is_freeing(s: Situation, position: Position) -> bool:
    return any(is_cancelling(order) for order in s.book.orders_for(position.id))


def _close(s: Situation, position: Position, to_close: Decimal) -> Outcomes:
    holding = position.holding
    if not s.is_comparable(holding):
        yield ReadPositions(reason=f"to size the close of {position.id}")
        return
    net, booked = s.reported_net(holding), s.book.net(holding)
    if net * position.sign <= 0 or net not in booked:
        # Two sources disagree: ask for fills, and wait until a read can no longer be older than our last order.
        settled_at = max((order.changed_at for order in s.book.orders_on(holding)), default=None)
        quiet = settled_at is None or s.now - settled_at >= s.contract.staleness
        if net * position.sign <= 0 or not quiet:
            yield ReadActivities(reason=f"net {net} does not explain {position.id} ({position.net})")
            yield ReadPositions(reason=f"net {net} against {booked} booked")
            yield WakeAt(at=s.now + timedelta(seconds=1), holding=holding)
            return
    free = abs(net) - in_flight(s, position)
    if free <= 0:
        yield WakeAt(at=s.now + timedelta(seconds=1), holding=holding)
        return
    assert position.closing is not None
    role = Role.ROLLBACK if position.closing.reason is CloseReason.ROLLBACK else Role.CLOSE
    made = intent(
        s.book.account,
        position,
        role,
        reducing(net, min(to_close, free)),
        attempt=s.book.next_attempt(position.id, role),
        reason=f"{position.closing.reason.value}: {position.closing.detail}; net {net}, booked {booked}",
    )
    yield SubmitOrder(intent=made, urgency=Urgency.CLOSE, rank=beyond_stop(s, position))


def in_flight(s: Situation, position: Position) -> Decimal:
    """What other closing orders on this holding may still take off the net we just read."""
    return sum(
        (
            order.remaining
            for order in s.book.orders_on(position.holding)
            if order.role in CLOSING_ROLES and not order.is_finished and order.position != position.id
        ),
        ZERO,
    )


def beyond_stop(s: Situation, position: Position) -> float:
    """Rank among closes: the position that has lost most against its basis goes first (smaller first)."""
    sight = s.sights.get(position.holding)
    basis = position.basis
    if sight is None or not basis:
        return 0.0
    price = sight.quote.closing_price(position.sign)
    return float((price - basis) / basis * position.sign)
