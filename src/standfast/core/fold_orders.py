"""How facts about orders change the book."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

from standfast.core.book import Book, Refusal
from standfast.core.folds import folds
from standfast.core.order_states import next_stage
from standfast.model import journal as j
from standfast.model.booked import BookedOrder, Stage
from standfast.model.ids import ClientOrderId, PositionId
from standfast.model.order import CLOSING_ROLES, OrderReport, OrderState, OrderType, Role
from standfast.model.position import Phase

FORGOTTEN = timedelta(minutes=5)
"""Refusals further apart than this are not in a row."""
LET_BE = timedelta(minutes=20)
"""Exits taken away further apart than this are not in a row: longer than the longest wait for one to be restored."""
EXITS = (Role.STOP, Role.TARGET)
STANDING = (OrderState.WORKING, OrderState.HELD)
"""States that show the broker has taken an exit for good; it may refuse one it has merely accepted."""


@folds(j.OrderIntended)
def _order_intended(book: Book, fact: j.OrderIntended, entry: j.Entry) -> None:
    book.state.attempts[f"{fact.position}/{fact.role}"] = fact.attempt
    if fact.role is Role.OPEN:
        book.state.openings = [*book.state.openings[-999:], entry.at]
    book.put_order(
        BookedOrder(
            id=fact.id,
            position=fact.position,
            role=fact.role,
            holding=fact.holding,
            stage=Stage.INTENDED,
            terms=fact.terms,
            attempt=fact.attempt,
            reason=fact.reason,
            intended_at=entry.at,
            changed_at=entry.at,
            number=entry.number,
            replaces=fact.replaces,
            closes_as=fact.closes_as,
            also=fact.also,
        )
    )


@folds(j.OrderAccepted)
def _order_accepted(book: Book, fact: j.OrderAccepted, entry: j.Entry) -> None:
    order = book.state.orders.get(fact.id)
    if order is None:
        return
    book.put_order(_moved(order, fact, entry, broker_id=fact.broker_id))
    for leg in _legs(book, order):
        book.put_order(_moved(leg, fact, entry))


@folds(j.OrderRejected)
def _order_rejected(book: Book, fact: j.OrderRejected, entry: j.Entry) -> None:
    order = book.state.orders.get(fact.id)
    if order is None:
        return
    book.put_order(_moved(order, fact, entry, refusal=fact.reason))
    for leg in _legs(book, order):
        book.put_order(_moved(leg, fact, entry, refusal=fact.reason))
    if order.stage in (Stage.INTENDED, Stage.IN_DOUBT):
        _note_refusal(book, order, fact.kind, fact.reason, entry)


@folds(j.CopyRefused)
def _copy_refused(book: Book, fact: j.CopyRefused, entry: j.Entry) -> None:
    """No word about the copies before it: how long those are waited for counts on from when they left."""
    order = book.state.orders.get(fact.id)
    if order is not None:
        stage = next_stage(order.stage, j.CopyRefused)
        book.put_order(replace(order, stage=stage, copy_refused=True, refusal=fact.reason, number=entry.number))


@folds(j.OrderNotSent)
def _order_not_sent(book: Book, fact: j.OrderNotSent, entry: j.Entry) -> None:
    order = book.state.orders.get(fact.id)
    if order is None:
        return
    # Of one in doubt only this copy did not leave. It is asked for again before it is sent again: while the network is
    # down each try fails at once.
    book.put_order(_moved(order, fact, entry, refusal=f"not sent: {fact.reason}", missed=0, missed_at=None))
    for leg in _legs(book, order):
        book.put_order(_moved(leg, fact, entry, refusal=f"not sent: {fact.reason}"))
    if order.stage is Stage.INTENDED and not fact.withdrawn:
        _note_refusal(book, order, "not_sent", fact.reason, entry)


@folds(j.OrderInDoubt)
def _order_in_doubt(book: Book, fact: j.OrderInDoubt, entry: j.Entry) -> None:
    order = book.state.orders.get(fact.id)
    if order is not None:
        for each in (order, *_legs(book, order)):
            book.put_order(_moved(each, fact, entry, missed=0, missed_at=None))


@folds(j.OrderMissing)
def _order_missing(book: Book, fact: j.OrderMissing, entry: j.Entry) -> None:
    order = book.state.orders.get(fact.id)
    if order is not None:
        stage = next_stage(order.stage, j.OrderMissing)
        number = order.number if stage is Stage.WORKING else entry.number  # no change of what works: lists count on
        book.put_order(replace(order, stage=stage, missed=order.missed + 1, missed_at=entry.at, number=number))
        for leg in _legs(book, order):
            book.put_order(replace(leg, stage=next_stage(leg.stage, j.OrderMissing), number=entry.number))


@folds(j.OrderNeverArrived)
def _order_never_arrived(book: Book, fact: j.OrderNeverArrived, entry: j.Entry) -> None:
    order = book.state.orders.get(fact.id)
    if order is not None:
        for each in (order, *_legs(book, order)):
            book.put_order(_moved(each, fact, entry, refusal=fact.reason))
            after_order(book, each.id, entry)


def _legs(book: Book, order: BookedOrder) -> list[BookedOrder]:
    """The legs of one order for all of a structure, as the books name them: what becomes of it becomes of them."""
    return [each for each in book.orders_of_whole(order) if not each.is_finished] if order.is_together else []


@folds(j.OrderObserved)
def _order_observed(book: Book, fact: j.OrderObserved, entry: j.Entry) -> None:
    if _is_retired(book, fact.report):
        return
    parent = _observe(book, fact.report, fact.position, fact.role, None, entry)
    top = book.state.orders.get(parent)  # a stranger's that is over has been forgotten
    role = Role.FOREIGN if (top.role if top is not None else fact.role) is Role.FOREIGN else Role.STOP
    if top is not None and top.is_together:
        _observe_together(book, fact.report, top, entry)
        return
    for leg in (leg for leg in fact.report.legs if not _is_retired(book, leg)):
        known = book.order_by_broker(leg.broker_id)
        if known is not None and top is not None and top.position is not None:
            known = _gone_with(book, known, top.position, role)
        position = known.position if known is not None and known.position is not None else fact.position
        _observe(book, leg, position, role, parent, entry)


def _observe_together(book: Book, report: OrderReport, top: BookedOrder, entry: j.Entry) -> None:
    """Legs are told apart by contract and side; one that is over without naming them has done nothing with them."""
    for leg in (leg for leg in report.legs if not _is_retired(book, leg)):
        known = next((o for o in _legs(book, top) if (o.holding, o.side) == (leg.holding, leg.side)), None)
        if known is not None and known.broker_id is None:
            book.put_order(replace(known, broker_id=leg.broker_id))
        _observe(book, leg, None, top.role, top.id, entry)
    if top.is_finished and not top.filled:
        for each in _legs(book, top):
            book.put_order(replace(each, stage=Stage.FINISHED, changed_at=entry.at, number=entry.number))
            after_order(book, each.id, entry)


def tie_entry(book: Book, order: BookedOrder, position: PositionId) -> None:
    """A stranger's entry, and the exits that came with it, are of the lot it has opened. One that has opened another
    before stays with that."""
    if order.position in book.state.positions:
        return
    book.untie_order(order)
    book.put_order(replace(order, position=position))
    for leg in book.orders_on(order.holding):
        if leg.parent == order.id and leg.role is Role.FOREIGN:  # tied by its looks to another, perhaps, till now
            book.untie_order(leg)
            book.put_order(replace(leg, position=position))


def _gone_with(book: Book, leg: BookedOrder, position: PositionId, role: Role) -> BookedOrder:
    """A leg that was tied by its looks, before its parent was read: whose it is, its parent says."""
    if (leg.position, leg.role) != (position, role):
        book.untie_order(leg)
        leg = replace(leg, position=position, role=role)
        book.put_order(leg)
    return leg


def _is_retired(book: Book, report: OrderReport) -> bool:
    """Over and booked, and so let go of with its position: a read that was under way then says nothing new."""
    return report.broker_id in book.state.retired and book.order_by_broker(report.broker_id) is None


def _observe(
    book: Book,
    report: OrderReport,
    position: PositionId | None,
    role: Role,
    parent: ClientOrderId | None,
    entry: j.Entry,
) -> ClientOrderId:
    known = book.order_by_broker(report.broker_id) or book.state.orders.get(report.client_id)
    if known is None:
        known = BookedOrder(
            id=report.client_id,
            position=position,
            role=role,
            holding=report.holding,
            stage=Stage.WORKING,
            intended_at=entry.at,
            changed_at=entry.at,
            number=entry.number,
            parent=parent,
        )
    report = _absorbed(known.report, _of_known_type(book, known, report))
    order = replace(
        known,
        position=known.position if known.position is not None else position,
        parent=known.parent or parent,
        broker_id=report.broker_id,
        report=replace(report, legs=()),
        stage=Stage.FINISHED if report.is_finished else Stage.WORKING,
        changed_at=entry.at,
        number=entry.number,
        missed=0,
        missed_at=None,
    )
    book.put_order(order)
    if order.is_finished and not known.is_finished:
        _note_unasked_end(book, order, entry)
    elif order.position is not None and order.role in EXITS and order.state in STANDING:
        _note_standing(book, order.position, entry)
    after_order(book, order.id, entry)
    return order.id


def _note_standing(book: Book, position: PositionId, entry: j.Entry) -> None:
    """An exit stands: refusals at the door are over. One that refuses later has shown us a standing order before."""
    refusal = book.state.refusals.get(position)
    if refusal is not None and (refusal.kind != "late" or entry.at - refusal.at > FORGOTTEN):
        del book.state.refusals[position]


def _note_unasked_end(book: Book, order: BookedOrder, entry: j.Entry) -> None:
    """An order of ours that ended without filling and without our asking: refused late, or cancelled by somebody.

    Both make us wait longer each time: whoever does it may do it for ever.
    """
    if order.position is None or not order.reduces or order.parent is not None:
        return
    unasked = order.state in (OrderState.CANCELLED, OrderState.EXPIRED) and order.cancel_at is None
    if order.state is OrderState.REJECTED or (unasked and order.role in CLOSING_ROLES):
        said = order.report.reason if order.report is not None else ""
        _note_refusal(book, order, "late", said or f"{order.state.value} later", entry)
    elif unasked:
        before = book.state.edits.get(order.position)
        count = before.count + 1 if before is not None and entry.at - before.at <= LET_BE else 1
        book.state.edits[order.position] = Refusal(
            count, entry.at, "edited", f"{order.id} was {order.state.value}, not by us"
        )


def _of_known_type(book: Book, order: BookedOrder, report: OrderReport) -> OrderReport:
    """What is told of a type nobody knows is still of the type it was, or was sent as: a type never changes.

    An exit of ours would else neither count as the stop it is nor be left alone, and be placed anew for ever.
    """
    if report.type is not OrderType.UNKNOWN:
        return report
    before = order.report.type if order.report is not None else OrderType.UNKNOWN
    parent = book.state.orders.get(order.parent) if order.parent is not None else None
    if before is OrderType.UNKNOWN and order.terms is not None:  # of a pair the target leads
        before = OrderType.LIMIT if order.terms.target_price is not None else order.terms.type
    elif before is OrderType.UNKNOWN and parent is not None and parent.terms is not None and not parent.is_together:
        before = OrderType.STOP  # all that rests with an order of ours
    return replace(report, type=before)


def _absorbed(known: OrderReport | None, new: OrderReport) -> OrderReport:
    """Finished states are absorbing and filled never shrinks: an older read cannot undo a newer one."""
    if known is None or known.broker_id != new.broker_id:
        return new
    if known.is_finished and not new.is_finished:
        return known
    if new.filled < known.filled:
        return replace(new, filled=known.filled, average_price=known.average_price)
    return new


def _moved(order: BookedOrder, fact: j.Fact, entry: j.Entry, **changes: Any) -> BookedOrder:
    return replace(
        order, stage=next_stage(order.stage, type(fact)), changed_at=entry.at, number=entry.number, **changes
    )


SOFT = frozenset({"not_sent", "rate_limited"})
"""Refusals that say nothing about the order: a dead network, the broker's budget."""


def _note_refusal(book: Book, order: BookedOrder, kind: str, reason: str, entry: j.Entry) -> None:
    """Remember refused protection and refused closes: back-off and escalation count them."""
    if order.position is None:
        return
    if order.role in EXITS:
        before = book.state.refusals.get(order.position)
        counted = 0 if kind in SOFT else 1
        in_a_row = before is not None and entry.at - before.at <= FORGOTTEN
        count = max(before.count + counted, 1) if before is not None and in_a_row else 1
        unheard = (before.unheard if before is not None and in_a_row else 0) + 1 if kind in SOFT else 0
        book.state.refusals[order.position] = Refusal(count, entry.at, kind, reason, unheard)
        return
    position = book.state.positions.get(order.position)
    if position is not None and position.closing is not None and order.role in CLOSING_ROLES:
        book.put_position(replace(position, closing=position.closing.refused(reason, entry.at, kind)))


def after_order(book: Book, id: ClientOrderId, entry: j.Entry) -> None:
    """An opening ends when its order is finished and every fill of it is booked; a stranger's is then forgotten."""
    order = book.state.orders.get(id)
    if order is None or not order.is_finished or order.excess:
        return
    if order.position is None:
        if order.filled <= order.executed:
            book.drop_order(order)
        return
    position = book.state.positions.get(order.position)
    if position is None:
        book.retire_orders(order.position)
    elif order.role is Role.OPEN and position.phase is Phase.OPENING and position.opened > 0:
        phase = Phase.OPEN if position.closing is None else Phase.CLOSING
        book.put_position(replace(position, phase=phase))


@folds(j.CancelIntended)
def _cancel_intended(book: Book, fact: j.CancelIntended, entry: j.Entry) -> None:
    order = book.order_by_broker(fact.broker_id)
    if order is not None:
        book.put_order(replace(order, cancels=order.cancels + 1, cancel_at=entry.at, number=entry.number))


@folds(j.CancelAnswered)
def _cancel_answered(book: Book, fact: j.CancelAnswered, entry: j.Entry) -> None:
    book.touch(fact.holding)
