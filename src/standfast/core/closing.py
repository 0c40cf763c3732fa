"""Take a position to flat (or to what shall remain) and prove it.

Free the quantity where it is reserved, size from the broker's net at that moment, send one order, read its fills,
settle. Nothing is held in memory between these steps: each look asks what is so and takes the next one.

1. At most one closing order of a position is unfinished.
2. Its side comes from the broker's signed net; its size is the smaller of what this position still holds by its
   fills and what the net still has free. Where the net is what the books add up to, a leg's part of it is its own.
3. A refused close is tried again for ever, protected meanwhile, and never dropped.
4. A position is settled by fills that add up, never by its absence from a list, and not while an order that opens or
   closes it can still fill.
5. A close that works for more than is left to close (somebody else has sold some of it) is cancelled.
6. Where the broker takes no order for a fraction, what is whole is closed; what is left is a person's, told once.
7. Shares that make good a sold call are not sold before that is bought back (`core/covering.py`).
"""

from datetime import timedelta
from decimal import Decimal

from standfast.core.cover import bounded, for_several, is_cancelling
from standfast.core.covering import closes_before
from standfast.core.freeing import (
    blocked,
    cancel_entries,
    cannot_be_sized,
    exit_on_its_way,
    free,
    is_blocked,
    is_freeing,
    stall,
    tell_blocked,
    wait_for_positions,
    whole_part,
)
from standfast.core.orders import intent, reducing
from standfast.core.situation import Outcomes, Situation
from standfast.core.stays import may_stay
from standfast.core.tell import alarm_once
from standfast.model.alert import Severity
from standfast.model.booked import BookedOrder
from standfast.model.effects import (
    CancelOrder,
    ReadActivities,
    ReadPosition,
    ReadPositions,
    SubmitOrder,
    Urgency,
    WakeAt,
)
from standfast.model.ids import Holding
from standfast.model.journal import CloseWithdrawn, PositionSettled
from standfast.model.order import CLOSING_ROLES, ZERO, Role
from standfast.model.position import CloseReason, Closing, Position

BY_PRICE = frozenset({CloseReason.STOP_LOSS, CloseReason.TAKE_PROFIT, CloseReason.TRAILING, CloseReason.EMERGENCY_STOP})
"""Closes that hold for the price of a moment."""
EXITS = frozenset({Role.STOP, Role.TARGET, Role.FOREIGN})
TRADING = frozenset({Role.OPEN, *CLOSING_ROLES})
"""Orders that fill by themselves; an exit rests until a price comes."""
ESCALATE_AFTER = 3
"""Refusals of one close in a row before a person is called."""


def settle(s: Situation, position: Position) -> Outcomes:
    """End a position whose fills prove it flat."""
    alive = s.book.alive.of(position.id)
    if any(order.excess or (not order.is_finished and order.role in TRADING) for order in alive):
        return
    orders = s.book.orders_for(position.id)
    if position.opened == 0:
        yield from _never_opened(s, position, orders)
    elif position.held == 0:
        reason = position.close_reason or CloseReason.FOREIGN
        closers = [order for order in orders if order.executed and order.side.sign != position.sign]
        proof = ", ".join(f"{order.executed} by {order.id}" for order in closers) or position.proof
        proof = proof or "fills of orders not ours"
        yield from _let_go(s, position)
        yield PositionSettled(position=position.id, reason=reason, proof=f"fills add up to {position.closed}: {proof}")


def _let_go(s: Situation, position: Position) -> Outcomes:
    """Exits that stayed while it was closed: left alone, they would close what somebody opens here next."""
    if not s.may_act or not may_stay(s) or not position.is_guarded or position.closing is None:
        return  # of what nobody was closing here `protect` takes them away
    others = [order for order in for_several(s, position.holding) if bounded(s, order) == [position]]
    alone = [order for order in s.book.alive.of(position.id) if not order.also]
    for order in (*alone, *others):
        if order.role not in EXITS or order.side.sign == position.sign or order.parent is not None or order.is_finished:
            continue
        if order.broker_id is not None and not is_cancelling(s, order):
            yield CancelOrder(broker_id=order.broker_id, holding=order.holding, reason=f"{position.id} is closed")


def _never_opened(s: Situation, position: Position, orders: list[BookedOrder]) -> Outcomes:
    openers = [order for order in orders if order.role is Role.OPEN]
    if not openers or position.phase.value == "closed":
        return
    last = openers[-1]
    proof = f"nothing filled: {last.id} {_what_became(s, last)}"
    if last.executed:
        proof = f"nothing opened: {last.id} filled {last.executed}, which closed what was held the other way"
    yield PositionSettled(position=position.id, reason=CloseReason.ROLLBACK, proof=proof)


def _what_became(s: Situation, order: BookedOrder) -> str:
    """Of an order without a fill, with the broker's words; a leg is told about with the order for all of them."""
    if order.refusal or order.report is None:
        return order.refusal or "never arrived"
    whole = s.book.state.orders.get(order.parent) if order.parent is not None else None
    told = (each.report.reason for each in (order, whole) if each is not None and each.report is not None)
    why = next((reason for reason in told if reason), "")
    return f"{order.report.state.value}: {why}" if why else order.report.state.value


def advance_closing(s: Situation, position: Position) -> Outcomes:
    """The next step out, if this position is to be closed."""
    closing = position.closing
    yield from _take_excess_away(s, position)
    if closing is None or not position.is_guarded:
        return
    if not s.may_act:
        if closing.by == "guard" and closing.reason in BY_PRICE and not _is_under_way(s, position):
            why = "orders may not be sent now: it is judged anew when they may"
            yield CloseWithdrawn(position=position.id, reason=why)
        return
    held = s.book.held(position)
    if position.opened == 0 and held == 0:
        yield from cancel_entries(s, position)
    elif _is_under_way(s, position):
        return
    elif held > closing.remain:
        calls = closes_before(s, position, held - closing.remain) if s.trades(position.holding) else None
        yield from _get_out(s, position, closing, held - closing.remain) if calls is None else calls
    elif closing.remain > 0 and position.held <= closing.remain:
        yield CloseWithdrawn(position=position.id, reason="what shall remain is all that is held")


def _take_excess_away(s: Situation, position: Position) -> Outcomes:
    """Its close would go on to sell what is not this position's, or turn it around."""
    if not s.may_act or not position.is_guarded:
        return
    for order in (order for order in s.book.alive.of(position.id) if order.parent is None):
        if order.role not in CLOSING_ROLES or order.is_finished or order.broker_id is None or is_cancelling(s, order):
            continue
        left = s.book.held(position) - position.closing.remain if position.closing is not None else ZERO
        if order.remaining > left:
            why = f"it closes {order.remaining}, and {left} is left to close"
            yield CancelOrder(broker_id=order.broker_id, holding=order.holding, reason=why, urgency=Urgency.CLOSE)


def _is_under_way(s: Situation, position: Position) -> bool:
    """An order of this position is unsettled, or a close of it is unfinished: wait for what becomes of it."""
    return any(
        not order.is_settled or (order.role in CLOSING_ROLES and not order.is_finished)
        for order in s.book.alive.of(position.id)
    )


def _get_out(s: Situation, position: Position, closing: Closing, to_close: Decimal) -> Outcomes:
    again = closing.again_at
    if again is not None:
        yield from _escalate(s, position, closing)
        if s.now < again:
            yield WakeAt(at=again, holding=position.holding)
            return
    if not s.trades(position.holding):
        yield from _wait_for_open(s, position, closing)
        return
    yield from tell_blocked(s, position, closing)
    if is_blocked(s, position):
        return
    unsized = list(_wait_to_be_sized(s, position, closing))
    yield from unsized
    if unsized:
        return
    filled = exit_on_its_way(s, position)
    if filled is not None:
        yield from _wait_for_fills(s, position, filled)
        return
    freed = list(free(s, position, closing, beyond_stop(s, position)))
    yield from freed
    if not freed and not is_freeing(s, position):
        yield from _close(s, position, to_close)


def _escalate(s: Situation, position: Position, closing: Closing) -> Outcomes:
    """A close that keeps being refused is a person's business too; it is tried on meanwhile."""
    if closing.refusals < ESCALATE_AFTER:
        return
    yield from alarm_once(
        s,
        Severity.CRITICAL,
        f"{position.id} {position.net:+} {position.holding}: its close ({closing.reason}) was refused "
        f"{closing.refusals} times: {closing.refusal}. It is tried again for ever. Needed: look at the broker.",
        key=f"refused/{position.id}/{closing.at.isoformat()}/{closing.refusals // 20}",
    )


def _wait_for_open(s: Situation, position: Position, closing: Closing) -> Outcomes:
    """Outside the session the exits stay where they are; the close is due at the open, and says so once."""
    clock = s.snapshot.clock
    if clock is None:
        return
    opens = clock.next_open if not clock.is_open else s.now + timedelta(seconds=5)
    yield WakeAt(at=max(opens, s.now + timedelta(seconds=1)), holding=position.holding)
    yield from alarm_once(
        s,
        Severity.WARNING,
        f"{position.id} {position.net:+} {position.holding} is to be closed ({closing.reason}: {closing.detail}). "
        f"The session is closed: it is due at the open, {opens:%Y-%m-%d %H:%M} UTC. Its exits stay in place.",
        key=f"due/{position.id}/{closing.at.isoformat()}",
    )


def _close(s: Situation, position: Position, to_close: Decimal) -> Outcomes:
    holding = position.holding
    if not s.is_comparable(holding):
        yield ReadPositions(reason=f"to size the close of {position.id}", urgency=Urgency.CLOSE)
        return
    booked = s.book.net(holding)
    is_shared = _is_shared(s, position)
    net = position.net if is_shared else _net(s, position)
    kept = blocked(s, position)
    others = ZERO if is_shared else in_flight(s, position)
    room = min(abs(net) - others - kept, s.book.held(position) - kept)
    if room <= 0:
        yield WakeAt(at=s.now + timedelta(seconds=1), holding=holding)
        return
    assert position.closing is not None
    quantity = whole_part(s, position, min(to_close, room))
    if not quantity and position.closing.remain > 0:
        why = f"{to_close} of what was to be closed is less than one order may be: it stays with the rest"
        yield CloseWithdrawn(position=position.id, reason=why)
        return
    if not quantity:
        yield from _tell_fraction(s, position, to_close)
        return
    role = Role.ROLLBACK if position.closing.reason is CloseReason.ROLLBACK else Role.CLOSE
    made = intent(
        s.book,
        position,
        role,
        reducing(net, s.instrument(holding).at_most(quantity)),
        reason=f"{position.closing.reason.value}: {position.closing.detail}; net {net}, booked {booked}",
    )
    yield SubmitOrder(intent=made, urgency=Urgency.CLOSE, rank=beyond_stop(s, position))


def _wait_to_be_sized(s: Situation, position: Position, closing: Closing) -> Outcomes:
    """What is asked for while the broker's positions do not say what a close may take: nothing is freed meanwhile."""
    if cannot_be_sized(s, position):
        yield from wait_for_positions(s, position, closing)
        yield from stall(s, position, "the broker's positions cannot be read")
    elif why := _cannot_size(s, position):
        yield from cancel_entries(s, position)
        yield from _ask_what_is_held(s, position, why)
        yield from stall(s, position, why)


def _cannot_size(s: Situation, position: Position) -> str:
    """Why what was told last sizes no close."""
    told, booked = _net(s, position), s.book.net(position.holding)
    net = position.net if _is_shared(s, position) else told
    if net * position.sign <= 0 or (told not in booked and not _is_quiet(s, position.holding)):
        return f"net {net} against {booked} booked"
    return ""


def _is_shared(s: Situation, position: Position) -> bool:
    """Whether its part of the net is its own: a leg, where the net is what the books add up to."""
    booked = s.book.net(position.holding)
    return position.structure is not None and booked.is_exact and _net(s, position) in booked


def _tell_fraction(s: Situation, position: Position, left: Decimal) -> Outcomes:
    yield from alarm_once(
        s,
        Severity.CRITICAL,
        f"{position.id} {position.holding}: {left} of it cannot be closed, the broker takes no order for a fraction. "
        "It stays in the books without a stop, and is not tried again. Needed: have the broker close it.",
        key=f"fraction/{position.id}/{left}",
    )


def _wait_for_fills(s: Situation, position: Position, filled: BookedOrder) -> Outcomes:
    """It may be flat already: what is sold beside it would be somebody else's."""
    why = f"{filled.id} has filled {filled.filled}, booked {filled.executed}"
    if not s.was_asked_lately("activities"):
        yield ReadActivities(reason=f"{position.id}: {why}")
    yield WakeAt(at=s.now + timedelta(seconds=1), holding=position.holding)
    yield from stall(s, position, why)


def _net(s: Situation, position: Position) -> Decimal:
    """The broker's net. A list that leaves the holding out is doubted as long as its own name is answered otherwise."""
    listed = s.reported_net(position.holding)
    if listed * position.sign > 0:
        return listed
    by_name = s.net_by_name(position.holding)
    return listed if by_name is None else by_name


def _is_quiet(s: Situation, holding: Holding) -> bool:
    """Whether a read can no longer be older than the last thing orders did here. One that has filled nothing has done
    nothing, whatever else became of it."""
    orders = (order for order in s.book.orders_on(holding) if order.filled or not order.is_settled)
    last = max((order.changed_at for order in orders), default=None)
    return last is None or s.now - s.surely(last) >= s.contract.staleness


def _ask_what_is_held(s: Situation, position: Position, why: str) -> Outcomes:
    """Sources disagree: ask every one of them again, a second apart."""
    holding = position.holding
    if not s.was_asked_lately("activities"):
        yield ReadActivities(reason=f"{position.id}: {why}")
    if not s.was_asked_lately(f"position {holding}"):
        yield ReadPosition(holding=holding, reason=why)
    if not s.was_asked_lately("positions"):
        yield ReadPositions(reason=why, urgency=Urgency.CLOSE)
    yield WakeAt(at=s.now + timedelta(seconds=1), holding=holding)


def in_flight(s: Situation, position: Position) -> Decimal:
    """What other closing orders on this holding may still take off the net we just read."""
    return sum(
        (
            order.remaining
            for order in s.book.alive.at(position.holding)
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
