"""How each fact changes the book: one small function a fact, gathered in `FOLD`."""

from collections.abc import Callable, Iterable
from dataclasses import replace
from decimal import Decimal
from typing import Any, TypeVar

from standfast.core.book import Book, Cost, Refusal
from standfast.core.order_states import next_stage
from standfast.model import journal as j
from standfast.model.alert import Alert
from standfast.model.booked import BookedOrder, Stage
from standfast.model.breaks import Break
from standfast.model.ids import ClientOrderId, PositionId
from standfast.model.order import ZERO, Fill, OrderReport, OrderState, Role
from standfast.model.position import Closing, Phase, Position, Standing

FactType = TypeVar("FactType", bound=j.Fact)
Fold = Callable[[Book, Any, j.Entry], None]
FOLD: dict[type[Any], Fold] = {}


def folds(kind: type[FactType]) -> Callable[[Callable[[Book, FactType, j.Entry], None]], Fold]:
    """Register the fold of one kind of fact; a test checks that every kind has one."""

    def register(function: Callable[[Book, FactType, j.Entry], None]) -> Fold:
        assert kind not in FOLD, kind
        FOLD[kind] = function
        return function

    return register


def apply(book: Book, entry: j.Entry) -> None:
    """Fold one entry. Entries come in order and without gaps."""
    assert entry.number == book.state.head + 1, (entry.number, book.state.head)
    book.state.head = entry.number
    book.state.at = entry.at
    FOLD[type(entry.fact)](book, entry.fact, entry)


def fold(book: Book, entries: Iterable[j.Entry]) -> Book:
    """Fold all of them into the book, which is returned."""
    for entry in entries:
        apply(book, entry)
    return book


# --- the guard itself ---------------------------------------------------------------------------


@folds(j.GuardStarted)
def _guard_started(book: Book, fact: j.GuardStarted, entry: j.Entry) -> None:
    book.state.started_at = entry.at
    book.state.mode = fact.mode


@folds(j.GuardingBegan)
def _guarding_began(book: Book, fact: j.GuardingBegan, entry: j.Entry) -> None:
    book.state.began = fact
    book.state.watermark = fact.watermark


@folds(j.GuardStopped)
def _guard_stopped(book: Book, fact: j.GuardStopped, entry: j.Entry) -> None:
    pass


@folds(j.WatermarkMoved)
def _watermark_moved(book: Book, fact: j.WatermarkMoved, entry: j.Entry) -> None:
    book.state.watermark = fact.watermark


@folds(j.SessionSeen)
def _session_seen(book: Book, fact: j.SessionSeen, entry: j.Entry) -> None:
    book.state.session = fact


# --- orders -------------------------------------------------------------------------------------


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
        )
    )


@folds(j.OrderAccepted)
def _order_accepted(book: Book, fact: j.OrderAccepted, entry: j.Entry) -> None:
    order = book.state.orders.get(fact.id)
    if order is None:
        return
    book.put_order(_moved(order, fact, entry, broker_id=fact.broker_id))
    if order.position is not None and order.role in (Role.STOP, Role.TARGET):
        book.state.refusals.pop(order.position, None)


@folds(j.OrderRejected)
def _order_rejected(book: Book, fact: j.OrderRejected, entry: j.Entry) -> None:
    order = book.state.orders.get(fact.id)
    if order is None:
        return
    book.put_order(_moved(order, fact, entry, refusal=fact.reason))
    if order.stage in (Stage.INTENDED, Stage.IN_DOUBT):
        _note_refusal(book, order, fact.kind, fact.reason, entry)


@folds(j.OrderNotSent)
def _order_not_sent(book: Book, fact: j.OrderNotSent, entry: j.Entry) -> None:
    order = book.state.orders.get(fact.id)
    if order is None:
        return
    book.put_order(_moved(order, fact, entry, refusal=f"not sent: {fact.reason}"))
    if order.stage is Stage.INTENDED:
        _note_refusal(book, order, "not_sent", fact.reason, entry)


@folds(j.OrderInDoubt)
def _order_in_doubt(book: Book, fact: j.OrderInDoubt, entry: j.Entry) -> None:
    order = book.state.orders.get(fact.id)
    if order is not None:
        book.put_order(_moved(order, fact, entry, missed=0, missed_at=None))


@folds(j.OrderMissing)
def _order_missing(book: Book, fact: j.OrderMissing, entry: j.Entry) -> None:
    order = book.state.orders.get(fact.id)
    if order is not None:
        stage = next_stage(order.stage, j.OrderMissing)
        book.put_order(replace(order, stage=stage, missed=order.missed + 1, missed_at=entry.at, number=entry.number))


@folds(j.OrderNeverArrived)
def _order_never_arrived(book: Book, fact: j.OrderNeverArrived, entry: j.Entry) -> None:
    order = book.state.orders.get(fact.id)
    if order is not None:
        book.put_order(_moved(order, fact, entry, refusal=fact.reason))
        _after_order(book, order.id, entry)


@folds(j.OrderObserved)
def _order_observed(book: Book, fact: j.OrderObserved, entry: j.Entry) -> None:
    parent = _observe(book, fact.report, fact.position, fact.role, None, entry)
    for leg in fact.report.legs:
        role = Role.FOREIGN if fact.role is Role.FOREIGN else Role.STOP
        known = book.order_by_broker(leg.broker_id)
        position = known.position if known is not None and known.position is not None else fact.position
        _observe(book, leg, position, role, parent, entry)


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
    report = _absorbed(known.report, report)
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
    _after_order(book, order.id, entry)
    return order.id


def _note_unasked_end(book: Book, order: BookedOrder, entry: j.Entry) -> None:
    """An exit of ours that ended without filling and without our asking: refused late, or cancelled by somebody."""
    if order.position is None or not order.reduces or order.parent is not None:
        return
    if order.state is OrderState.REJECTED:
        _note_refusal(book, order, "rejected", (order.report and order.report.reason) or "rejected later", entry)
    elif order.state is OrderState.CANCELLED and order.cancel_at is None and order.role in (Role.STOP, Role.TARGET):
        before = book.state.edits.get(order.position)
        count = before.count + 1 if before is not None else 1
        book.state.edits[order.position] = Refusal(count, entry.at, "edited", f"{order.id} was cancelled, not by us")


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


def _note_refusal(book: Book, order: BookedOrder, kind: str, reason: str, entry: j.Entry) -> None:
    """Remember refused protection and refused closes: back-off and escalation count them."""
    if order.position is None:
        return
    if order.role in (Role.STOP, Role.TARGET):
        before = book.state.refusals.get(order.position)
        count = before.count + 1 if before is not None else 1
        book.state.refusals[order.position] = Refusal(count, entry.at, kind, reason)
        return
    position = book.state.positions.get(order.position)
    if position is not None and position.closing is not None and order.role in (Role.CLOSE, Role.ROLLBACK):
        closing = replace(position.closing, refusals=position.closing.refusals + 1, refused_at=entry.at, refusal=reason)
        book.put_position(replace(position, closing=closing))


def _after_order(book: Book, id: ClientOrderId, entry: j.Entry) -> None:
    """An opening ends when its order is finished and every fill of it is booked; a stranger's is then forgotten."""
    order = book.state.orders.get(id)
    if order is None or not order.is_finished or order.excess:
        return
    if order.position is None:
        if 0 < order.filled <= order.executed:
            book.drop_order(order)
        return
    position = book.state.positions.get(order.position)
    if position is None:
        book.retire_orders(order.position)
    elif order.role is Role.OPEN and position.phase is Phase.OPENING and position.opened > 0:
        book.put_position(replace(position, phase=Phase.OPEN))


@folds(j.CancelIntended)
def _cancel_intended(book: Book, fact: j.CancelIntended, entry: j.Entry) -> None:
    order = book.order_by_broker(fact.broker_id)
    if order is not None:
        book.put_order(replace(order, cancels=order.cancels + 1, cancel_at=entry.at, number=entry.number))


@folds(j.CancelAnswered)
def _cancel_answered(book: Book, fact: j.CancelAnswered, entry: j.Entry) -> None:
    book.touch(fact.holding)


# --- fills and movements ------------------------------------------------------------------------


@folds(j.FillBooked)
def _fill_booked(book: Book, fact: j.FillBooked, entry: j.Entry) -> None:
    fill = fact.fill
    assert fill.execution_id not in book.state.executions, fill.execution_id
    book.state.executions[fill.execution_id] = fill.at
    order = book.order_by_broker(fill.broker_order_id)
    if order is not None:
        book.put_order(replace(order, executed=order.executed + fill.quantity, number=entry.number))
    fee = fill.fee
    for part in fact.allocations:
        if part.position is None:
            _acknowledge(book, fill, part)
        else:
            _allocate(book, fill, part, fee, fact)
            fee = ZERO
    book.touch(fill.holding)
    if order is not None:
        _after_order(book, order.id, entry)


def _acknowledge(book: Book, fill: Fill, part: j.Allocation) -> None:
    total = book.state.acknowledged.get(fill.holding, ZERO) + part.quantity * fill.side.sign
    if total:
        book.state.acknowledged[fill.holding] = total
    else:
        book.state.acknowledged.pop(fill.holding, None)


def _allocate(book: Book, fill: Fill, part: j.Allocation, fee: Decimal, fact: j.FillBooked) -> None:
    assert part.position is not None
    _book_cost(book, fill, part)
    position = book.state.positions.get(part.position) or book.state.closed.get(part.position)
    assert position is not None, part.position
    value = part.quantity * fill.price
    if part.opens:
        position = replace(
            position,
            opened=position.opened + part.quantity,
            entry_value=position.entry_value + value,
            opened_at=position.opened_at or fill.at,
            fees=position.fees + fee,
        )
    else:
        position = replace(
            position,
            closed=position.closed + part.quantity,
            exit_value=position.exit_value + value,
            pnl=position.pnl + part.realised,
            fees=position.fees + fee,
            closed_at=fill.at,
            close_reason=fact.reason or position.close_reason,
        )
    if position.id in book.state.positions:
        book.put_position(_closing_reached(position))
    else:
        book.state.closed[position.id] = position


def _closing_reached(position: Position) -> Position:
    """A partial close ends by itself when only what shall remain is left."""
    closing = position.closing
    if closing is not None and closing.remain > 0 and position.held <= closing.remain:
        return replace(position, closing=None, phase=Phase.OPEN)
    return position


def _book_cost(book: Book, fill: Fill, part: j.Allocation) -> None:
    cost = book.state.costs.get(fill.holding, Cost())
    signed = part.quantity * fill.side.sign
    if part.opens:
        cost = Cost(cost.quantity + signed, cost.value + signed * fill.price)
    else:
        left = cost.quantity + signed
        cost = Cost(left, cost.average * left) if left else Cost()
    if cost.quantity:
        book.state.costs[fill.holding] = cost
    else:
        book.state.costs.pop(fill.holding, None)


@folds(j.FillMatched)
def _fill_matched(book: Book, fact: j.FillMatched, entry: j.Entry) -> None:
    book.state.executions[fact.fill.execution_id] = fact.fill.at
    order = book.order_by_broker(fact.fill.broker_order_id)
    if order is not None:
        book.put_order(replace(order, executed=order.executed + fact.fill.quantity, number=entry.number))


@folds(j.MovementBooked)
def _movement_booked(book: Book, fact: j.MovementBooked, entry: j.Entry) -> None:
    book.state.movements[f"{fact.movement.id}/{fact.movement.status}"] = fact.movement.at
    if fact.movement.holding is not None:
        book.touch(fact.movement.holding)


@folds(j.Rescaled)
def _rescaled(book: Book, fact: j.Rescaled, entry: j.Entry) -> None:
    ratio = fact.ratio
    for position in book.positions_at(fact.holding):
        trail_free = replace(
            position,
            asked=position.asked * ratio,
            opened=position.opened * ratio,
            closed=position.closed * ratio,
            anchor=position.anchor / ratio if position.anchor is not None else None,
            stop=position.stop / ratio if position.stop is not None else None,
            target=position.target / ratio if position.target is not None else None,
        )
        book.put_position(trail_free)
    cost = book.state.costs.get(fact.holding)
    if cost is not None:
        book.state.costs[fact.holding] = Cost(cost.quantity * ratio, cost.value)
    known = book.state.acknowledged.get(fact.holding)
    if known is not None:
        book.state.acknowledged[fact.holding] = known * ratio
    book.touch(fact.holding)


@folds(j.PricesSuspended)
def _prices_suspended(book: Book, fact: j.PricesSuspended, entry: j.Entry) -> None:
    book.state.suspended[fact.holding] = fact.reason
    book.touch(fact.holding)


@folds(j.PricesResumed)
def _prices_resumed(book: Book, fact: j.PricesResumed, entry: j.Entry) -> None:
    book.state.suspended.pop(fact.holding, None)
    book.touch(fact.holding)


# --- positions ----------------------------------------------------------------------------------


@folds(j.OpeningRequested)
def _opening_requested(book: Book, fact: j.OpeningRequested, entry: j.Entry) -> None:
    book.state.keys[fact.key] = fact.position
    book.put_position(
        Position(
            id=fact.position,
            strategy=fact.strategy,
            holding=fact.holding,
            standing=Standing.OWNED,
            phase=Phase.OPENING,
            sign=1 if fact.quantity > 0 else -1,
            asked=abs(fact.quantity),
            stop=fact.stop,
            target=fact.target,
            limit=fact.limit,
            key=fact.key,
        )
    )


@folds(j.OpeningRefused)
def _opening_refused(book: Book, fact: j.OpeningRefused, entry: j.Entry) -> None:
    pass


@folds(j.LotFound)
def _lot_found(book: Book, fact: j.LotFound, entry: j.Entry) -> None:
    position = Position(
        id=fact.position,
        strategy=fact.strategy,
        holding=fact.holding,
        standing=fact.standing,
        phase=Phase.OPEN,
        sign=fact.sign,
        asked=ZERO,
        adopted_at=entry.at if fact.standing is Standing.ADOPTED else None,
    )
    book.put_position(position)
    order = book.order_by_broker(fact.order)
    if order is not None:
        book.put_order(replace(order, position=position.id))
        for leg in book.orders_on(fact.holding):
            if leg.parent == order.id and leg.position is None:
                book.put_order(replace(leg, position=position.id))


@folds(j.PositionAdopted)
def _position_adopted(book: Book, fact: j.PositionAdopted, entry: j.Entry) -> None:
    quantity = abs(fact.quantity)
    book.put_position(
        Position(
            id=fact.position,
            strategy=fact.strategy,
            holding=fact.holding,
            standing=Standing.ADOPTED,
            phase=Phase.OPEN,
            sign=1 if fact.quantity > 0 else -1,
            asked=ZERO,
            opened=quantity,
            entry_value=quantity * fact.price,
            opened_at=entry.at,
            adopted_at=entry.at,
            bare_adopted=quantity,
            anchor=fact.anchor,
        )
    )
    cost = book.state.costs.get(fact.holding, Cost())
    book.state.costs[fact.holding] = Cost(cost.quantity + fact.quantity, cost.value + fact.quantity * fact.price)


@folds(j.StandingChanged)
def _standing_changed(book: Book, fact: j.StandingChanged, entry: j.Entry) -> None:
    position = book.state.positions.get(fact.position)
    if position is not None:
        adopted_at = entry.at if fact.standing is Standing.ADOPTED else None
        book.put_position(replace(position, standing=fact.standing, anchor=fact.anchor, adopted_at=adopted_at))


@folds(j.CloseRequested)
def _close_requested(book: Book, fact: j.CloseRequested, entry: j.Entry) -> None:
    position = book.state.positions.get(fact.position)
    if position is None:
        return
    closing = Closing(
        reason=fact.reason, by=fact.by, detail=fact.detail, remain=fact.remain, at=entry.at, request=fact.request
    )
    phase = Phase.CLOSING if position.opened > 0 else position.phase
    book.put_position(replace(position, phase=phase, closing=closing))


@folds(j.CloseWithdrawn)
def _close_withdrawn(book: Book, fact: j.CloseWithdrawn, entry: j.Entry) -> None:
    position = book.state.positions.get(fact.position)
    if position is not None:
        book.put_position(replace(position, phase=Phase.OPEN, closing=None))


@folds(j.PositionSettled)
def _position_settled(book: Book, fact: j.PositionSettled, entry: j.Entry) -> None:
    position = book.state.positions.get(fact.position)
    if position is not None:
        book.close_position(_ended(position, entry, fact.reason, fact.proof))


@folds(j.PositionWrittenOff)
def _position_written_off(book: Book, fact: j.PositionWrittenOff, entry: j.Entry) -> None:
    position = book.state.positions.get(fact.position)
    if position is None:
        return
    cost = book.state.costs.get(position.holding, Cost())
    left = cost.quantity - position.net
    if left:
        book.state.costs[position.holding] = Cost(left, cost.average * left)
    else:
        book.state.costs.pop(position.holding, None)
    book.close_position(_ended(position, entry, fact.reason, f"{fact.by}: {fact.detail}"))


@folds(j.PositionReinstated)
def _position_reinstated(book: Book, fact: j.PositionReinstated, entry: j.Entry) -> None:
    position = book.state.closed.pop(fact.position, None)
    if position is None:
        return
    cost = book.state.costs.get(position.holding, Cost())
    value = cost.value + position.net * (position.entry_price or ZERO)
    book.state.costs[position.holding] = Cost(cost.quantity + position.net, value)
    book.put_position(
        replace(position, phase=Phase.OPEN, closed_at=None, close_reason=None, proof="", opened_at=position.opened_at)
    )


def _ended(position: Position, entry: j.Entry, reason: Any, proof: str) -> Position:
    naked = position.naked_seconds
    if position.naked_since is not None:
        naked += Decimal(str((entry.at - position.naked_since).total_seconds()))
    return replace(
        position,
        phase=Phase.CLOSED,
        closing=None,
        closed_at=position.closed_at or entry.at,
        close_reason=reason,
        proof=proof,
        naked_since=None,
        naked_seconds=naked,
    )


@folds(j.TrailMoved)
def _trail_moved(book: Book, fact: j.TrailMoved, entry: j.Entry) -> None:
    position = book.state.positions.get(fact.position)
    if position is not None:
        book.put_position(replace(position, trail=fact.trail))


@folds(j.ProtectionChosen)
def _protection_chosen(book: Book, fact: j.ProtectionChosen, entry: j.Entry) -> None:
    position = book.state.positions.get(fact.position)
    if position is not None:
        book.put_position(replace(position, stop=fact.stop, target=fact.target, bare=fact.bare))


@folds(j.NakedBegan)
def _naked_began(book: Book, fact: j.NakedBegan, entry: j.Entry) -> None:
    position = book.state.positions.get(fact.position)
    if position is not None:
        book.put_position(replace(position, naked_since=entry.at))


@folds(j.NakedEnded)
def _naked_ended(book: Book, fact: j.NakedEnded, entry: j.Entry) -> None:
    position = book.state.positions.get(fact.position)
    if position is not None and position.naked_since is not None:
        spent = Decimal(str((entry.at - position.naked_since).total_seconds()))
        book.put_position(replace(position, naked_since=None, naked_seconds=position.naked_seconds + spent))


# --- breaks, foreign quantity, alerts, operators --------------------------------------------------


@folds(j.ForeignAcknowledged)
def _foreign_acknowledged(book: Book, fact: j.ForeignAcknowledged, entry: j.Entry) -> None:
    if fact.quantity:
        book.state.acknowledged[fact.holding] = fact.quantity
    else:
        book.state.acknowledged.pop(fact.holding, None)
    book.touch(fact.holding)


@folds(j.BreakSeen)
def _break_seen(book: Book, fact: j.BreakSeen, entry: j.Entry) -> None:
    known = book.state.breaks.get(fact.id)
    book.state.breaks[fact.id] = Break(
        id=fact.id,
        finding=fact.finding,
        first_seen=known.first_seen if known is not None else entry.at,
        last_seen=entry.at,
        number=entry.number,
        alarmed_at=known.alarmed_at if known is not None else None,
        action=known.action if known is not None else "",
    )
    book.breaks_on[fact.finding.holding][fact.id] = None


@folds(j.BreakConfirmed)
def _break_confirmed(book: Book, fact: j.BreakConfirmed, entry: j.Entry) -> None:
    known = book.state.breaks.get(fact.id)
    if known is not None:
        book.state.breaks[fact.id] = replace(known, confirmed=True, last_seen=entry.at)


@folds(j.BreakActed)
def _break_acted(book: Book, fact: j.BreakActed, entry: j.Entry) -> None:
    known = book.state.breaks.get(fact.id)
    if known is not None:
        book.state.breaks[fact.id] = replace(known, action=fact.action)


@folds(j.BreakEnded)
def _break_ended(book: Book, fact: j.BreakEnded, entry: j.Entry) -> None:
    known = book.state.breaks.pop(fact.id, None)
    if known is not None:
        book.breaks_on[known.finding.holding].pop(fact.id, None)
        book.state.ended_breaks[fact.id] = replace(known, ended_at=entry.at, ended_by=fact.by, last_seen=entry.at)
        while len(book.state.ended_breaks) > 1000:
            del book.state.ended_breaks[next(iter(book.state.ended_breaks))]


@folds(j.AlertRaised)
def _alert_raised(book: Book, fact: j.AlertRaised, entry: j.Entry) -> None:
    book.state.alerts[fact.id] = Alert(
        id=fact.id, severity=fact.severity, text=fact.text, break_id=fact.break_id, first_at=entry.at
    )
    known = book.state.breaks.get(fact.break_id) if fact.break_id is not None else None
    if known is not None:
        book.state.breaks[known.id] = replace(known, alarmed_at=entry.at)
    while len(book.state.alerts) > 2000:
        del book.state.alerts[next(iter(book.state.alerts))]


@folds(j.AlertDelivered)
def _alert_delivered(book: Book, fact: j.AlertDelivered, entry: j.Entry) -> None:
    alert = book.state.alerts.get(fact.id)
    if alert is not None:
        book.state.alerts[fact.id] = replace(alert, delivered_at=entry.at, attempts=alert.attempts + 1)


@folds(j.AlertFailed)
def _alert_failed(book: Book, fact: j.AlertFailed, entry: j.Entry) -> None:
    alert = book.state.alerts.get(fact.id)
    if alert is not None:
        book.state.alerts[fact.id] = replace(
            alert, attempts=alert.attempts + 1, last_failure=fact.reason, failed_at=entry.at
        )


@folds(j.AlertAcknowledged)
def _alert_acknowledged(book: Book, fact: j.AlertAcknowledged, entry: j.Entry) -> None:
    alert = book.state.alerts.get(fact.id)
    if alert is not None:
        book.state.alerts[fact.id] = replace(alert, acknowledged_at=entry.at)


@folds(j.RequestTaken)
def _request_taken(book: Book, fact: j.RequestTaken, entry: j.Entry) -> None:
    book.state.requests[fact.request] = fact


@folds(j.RequestDone)
def _request_done(book: Book, fact: j.RequestDone, entry: j.Entry) -> None:
    book.state.requests.pop(fact.request, None)


@folds(j.Frozen)
def _frozen(book: Book, fact: j.Frozen, entry: j.Entry) -> None:
    book.state.frozen[fact.scope] = fact


@folds(j.Thawed)
def _thawed(book: Book, fact: j.Thawed, entry: j.Entry) -> None:
    book.state.frozen.pop(fact.scope, None)


@folds(j.FlattenRequested)
def _flatten_requested(book: Book, fact: j.FlattenRequested, entry: j.Entry) -> None:
    book.state.flattening[fact.request] = fact


@folds(j.FlattenEnded)
def _flatten_ended(book: Book, fact: j.FlattenEnded, entry: j.Entry) -> None:
    book.state.flattening.pop(fact.request, None)


@folds(j.Undone)
def _undone(book: Book, fact: j.Undone, entry: j.Entry) -> None:
    pass
