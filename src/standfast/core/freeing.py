"""Free the quantity of a close: which resting orders give way to it, which may not be touched, and when it waits.

1. Orders of ours, and exits tied to the position (by their entry, or by what they say they close), give way.
2. What anybody else rests and nothing ties to the position is never cancelled for a close; only `flatten` does that.
   Where the broker reserves quantity it blocks the close of as much, and a person is told.
3. Nothing is freed for a close that cannot be sent now: a stop in force is worth more than the attempt.
4. Where nothing is reserved nothing needs to give way: the stop stays until the close has filled (`stays.py`).
"""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import timedelta
from decimal import ROUND_FLOOR, Decimal

from standfast.core.cover import (
    cover_of,
    exits_by_group,
    is_cancelling,
    is_let_go,
)
from standfast.core.situation import Outcomes, Situation
from standfast.core.stays import stays
from standfast.core.tell import alarm_once
from standfast.model.alert import Severity
from standfast.model.booked import BookedOrder
from standfast.model.effects import CancelOrder, ReadOrders, ReadPositions, Urgency, WakeAt
from standfast.model.ids import BrokerOrderId, ClientOrderId, PositionId
from standfast.model.journal import CloseStalled
from standfast.model.order import STOP_TYPES, ZERO, OrderReport, OrderState, Role
from standfast.model.position import Closing, Position

WASH_TRADE = "wash_trade"
SHARING = frozenset({"bracket", "oco"})
LOOK_AGAIN = timedelta(seconds=1)
BARE_MOST = timedelta(seconds=3)
"""How long a close whose reads fail may keep the exits away."""
BARE_MOST_SLOW = timedelta(seconds=30)
"""How long one may whose reads are answered, and do not agree yet."""
TOLD_AFTER = timedelta(seconds=15)
TOLD_AGAIN = timedelta(hours=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Blocking:
    """An order of somebody else that holds quantity of a position."""

    broker_id: BrokerOrderId
    client_id: ClientOrderId
    quantity: Decimal
    words: str
    stops: bool
    """Whether it may protect what it holds."""


def waits(s: Situation, position: Position, closing: Closing) -> bool:
    """Whether a close cannot be sent for now: refused a moment ago, out of session, blocked, or blind."""
    again = closing.again_at
    if not s.trades(position.holding) or (again is not None and s.now < again):
        return True
    return is_blocked(s, position) or cannot_be_sized(s, position)


def cannot_be_sized(s: Situation, position: Position) -> bool:
    """Whether the broker's positions cannot be read: a close could not follow what is freed for it."""
    return "positions" in s.failing and not s.is_comparable(position.holding)


def exit_on_its_way(s: Situation, position: Position) -> BookedOrder | None:
    """An exit of others that is tied to it and has filled more than is booked, until fills were read after that.

    Nobody waits for ever: what had filled before guarding began is never booked.
    """
    orders = (o for o in s.book.orders_for(position.id) if o.role is Role.FOREIGN and o.side.sign != position.sign)
    return next((order for order in orders if order.filled > order.executed and not _is_read(s, order)), None)


def _is_read(s: Situation, order: BookedOrder) -> bool:
    """Whether fills were read after this was seen of it, and not too soon after it to show them."""
    is_old = s.now - order.changed_at >= s.contract.staleness
    return is_old and s.snapshot.activities_asked_after >= order.number


def is_blocked(s: Situation, position: Position) -> bool:
    """Whether orders of others hold all of the position."""
    return blocked(s, position) >= s.book.held(position) > 0


def blocked(s: Situation, position: Position) -> Decimal:
    """How much of the position orders hold that a close may not cancel."""
    return sum((each.quantity for each in blocking(s, position)), ZERO)


def blocking(s: Situation, position: Position) -> list[Blocking]:
    """Those orders, where the broker reserves what they would sell. Where others hold quantity here, theirs first."""
    if not s.contract.reserves_quantity:
        return []
    return s.once(("blocking", position.id), lambda: list(_blocking(s, position)))


def _blocking(s: Situation, position: Position) -> Iterator[Blocking]:
    loose = cover_of(s, position).loose
    for theirs, reports in _beside(s, position, loose):
        left = theirs
        for report in _reserving(s, reports):
            held = max(report.remaining - left, ZERO)
            left = max(left - report.remaining, ZERO)
            if held:
                words = f"{report.side} {report.remaining} {report.type}"
                yield Blocking(
                    broker_id=report.broker_id,
                    client_id=report.client_id,
                    quantity=held,
                    words=words,
                    stops=report.type in STOP_TYPES and report in loose,
                )


def _beside(
    s: Situation, position: Position, loose: Sequence[OrderReport]
) -> Iterator[tuple[Decimal, list[OrderReport]]]:
    """Quantity beside the position, and the listed orders of others that hold it first: what is not guarded together,
    because exits tied to nothing may be of any of it, and each guarded position with the exits that came with it."""
    theirs, guarded = list[OrderReport](), dict[PositionId, list[OrderReport]]()
    for report, lot in _exits_of_others(s, position):
        (guarded.setdefault(lot.id, []) if lot.is_guarded else theirs).append(report)
    yield _of_others(s, position), [*theirs, *loose]
    for id, reports in guarded.items():
        yield s.book.held(s.book.state.positions[id]), reports


def _exits_of_others(s: Situation, position: Position) -> Iterator[tuple[OrderReport, Position]]:
    """Listed exits of others tied to other positions. They may be for more than is left of those."""
    for report in s.orders_by_holding.get(position.holding, ()):
        order = s.book.order_by_broker(report.broker_id)
        if order is None or order.role is not Role.FOREIGN or order.position in (None, position.id):
            continue
        lot = s.book.state.positions.get(order.position)
        is_exit = report.side.sign != position.sign and report.state is not OrderState.HELD
        if is_exit and lot is not None and lot.sign == position.sign:
            yield report, lot


def _reserving(s: Situation, loose: Sequence[OrderReport]) -> Iterator[OrderReport]:
    """Those that hold quantity, of each pair one: target and stop of a bracket share it.

    A list shows the legs of a filled entry side by side, and does not say whose they are. The book may; else two are a
    pair that are of one class and quantity, the one a limit and the other a stop.
    """
    alone: Counter[tuple[object, bool]] = Counter()
    for report in loose:
        known = s.book.order_by_broker(report.broker_id)
        parent = known.parent if known is not None else report.parent_id
        key = parent or (report.order_class, report.remaining)
        is_stop = report.type in STOP_TYPES
        if (parent is not None or report.order_class in SHARING) and alone[key, not is_stop]:
            alone[key, not is_stop] -= 1  # its other half has been counted
            continue
        alone[key, is_stop] += 1
        yield report


def _of_others(s: Situation, position: Position) -> Decimal:
    """Quantity on this side that is not ours: exits tied to nothing may be theirs."""
    lots = (p for p in s.book.positions_at(position.holding) if not p.is_guarded and p.sign == position.sign)
    known = s.book.state.acknowledged.get(position.holding, ZERO) * position.sign
    return sum((lot.held for lot in lots), max(known, ZERO))


def tell_blocked(s: Situation, position: Position, closing: Closing) -> Outcomes:
    """Name what holds the quantity of a close, and what to do about it; again when it changes, or every hour."""
    found = blocking(s, position)
    if not found:
        return
    named = "; ".join(f"{each.broker_id} ({each.client_id}: {each.words}) holds {each.quantity}" for each in found)
    ids = "/".join(each.broker_id for each in found)
    yield from alarm_once(
        s,
        Severity.CRITICAL,
        f"{position.id} {position.net:+} {position.holding}: its close ({closing.reason}: {closing.detail}) is blocked "
        f"by orders that are neither ours nor tied to it: {named}. They are left alone; stops of ours stay. Needed: "
        "cancel them at the broker, or `standfast flatten`. The close goes on by itself when they are gone.",
        key=f"blocked/{position.id}/{closing.at.isoformat()}/{ids}/{(s.now - closing.at) // TOLD_AGAIN}",
    )
    if not s.was_asked_lately("orders"):
        yield ReadOrders(reason=f"{position.id}: is what blocks its close gone?")
    yield WakeAt(at=s.now + LOOK_AGAIN, holding=position.holding)


def wait_for_positions(s: Situation, position: Position, closing: Closing) -> Outcomes:
    """Ask until the broker's positions can be read; whatever rests stays meanwhile, and a person is told."""
    if not s.was_asked_lately("positions"):
        yield ReadPositions(reason=f"to size the close of {position.id}", urgency=Urgency.CLOSE)
    yield WakeAt(at=s.now + LOOK_AGAIN, holding=position.holding)
    if s.now - closing.at < TOLD_AFTER:
        return
    yield from alarm_once(
        s,
        Severity.CRITICAL,
        f"{position.id} {position.net:+} {position.holding}: its close ({closing.reason}: {closing.detail}) waits: "
        "the broker's positions cannot be read. Its exits stay, or are put back. Needed: look at the broker.",
        key=f"unread/{position.id}/{closing.at.isoformat()}/{(s.now - closing.at) // TOLD_AGAIN}",
    )


def free(s: Situation, position: Position, closing: Closing, rank: float) -> Outcomes:
    """Cancel what could still add to the position, and what of ours holds the quantity about to be closed."""
    yield from cancel_entries(s, position)
    cover = cover_of(s, position)
    groups = exits_by_group((*cover.own, *cover.tied))
    held = [group[0] for group in groups if not any(stays(s, position, order) for order in group)]
    for order in (*held, *_to_be_asked_again(s, position, closing)):
        if order.broker_id is not None and not is_cancelling(s, order):
            yield CancelOrder(
                broker_id=order.broker_id, holding=order.holding, reason="frees the quantity for a close", rank=rank
            )


def _to_be_asked_again(s: Situation, position: Position, closing: Closing) -> Iterator[BookedOrder]:
    """Exits nobody can read whose cancel went out before the close was last refused: it may never have arrived."""
    for order in s.book.orders_for(position.id):
        asked, refused = order.cancel_at, closing.refused_at
        if asked is not None and refused is not None and asked <= refused and is_let_go(s, order):
            yield order


def is_freeing(s: Situation, position: Position) -> bool:
    return any(is_cancelling(s, order) for order in s.book.alive.of(position.id))


def cancel_entries(s: Situation, position: Position) -> Outcomes:
    """What could still add to it; where the broker sees a wash trade in the close, entries of others of ours too."""
    closing = position.closing
    if closing is not None and closing.refusal_kind == WASH_TRADE:
        orders = entries_beside(s, position)
    else:
        orders = [order for order in s.book.orders_for(position.id) if order.role is Role.OPEN]
    for order in orders:
        if not order.is_finished and order.broker_id and not is_cancelling(s, order):
            yield CancelOrder(broker_id=order.broker_id, holding=order.holding, reason=f"{position.id} is closing")


def entries_beside(s: Situation, position: Position) -> list[BookedOrder]:
    """Entries of ours that work on this position's side of its holding, whichever position they are to open."""
    orders = s.book.orders_on(position.holding)
    return [o for o in orders if o.role is Role.OPEN and not o.is_finished and o.side.sign == position.sign]


def stall(s: Situation, position: Position, why: str) -> Outcomes:
    """Put off a close that has taken the exits away and cannot be sent: they go back until its next try."""
    since = position.naked_since
    if since is None:
        return
    most = BARE_MOST if "positions" in s.failing else BARE_MOST_SLOW
    if s.now >= since + most:
        yield CloseStalled(position=position.id, reason=why)
    else:
        yield WakeAt(at=since + most, holding=position.holding)


def whole_part(s: Situation, position: Position, quantity: Decimal) -> Decimal:
    """What of a quantity the broker takes an order for, once it has said that it takes none for a fraction."""
    if position.closing is None or not position.closing.whole_only:
        return quantity
    lot = s.instrument(position.holding).lot
    return (quantity / lot).to_integral_value(rounding=ROUND_FLOOR) * lot


def is_fraction_left(s: Situation, position: Position) -> bool:
    """Whether all that is left to close is a fraction that no order can close."""
    closing = position.closing
    left = s.book.held(position) - closing.remain if closing is not None else ZERO
    return left > 0 and not whole_part(s, position, left)
