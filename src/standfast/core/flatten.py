"""Flatten an account: entries first, then what the books hold; foreign quantity stays unless everything is meant.

It is over when no opening order works and nothing guarded is held; until then protection stays where it is,
position by position, and resting entries are cancelled as often as they appear.
"""

from collections.abc import Iterator, Mapping
from datetime import timedelta

from standfast.core.acknowledge import acknowledging
from standfast.core.adopt import adoption, price_now, taking_over
from standfast.core.cover import is_cancelling
from standfast.core.freeing import blocking, is_fraction_left
from standfast.core.policy import Foreign
from standfast.core.situation import Outcomes, Situation
from standfast.model.effects import CancelOrder, ReadOrders, ReadPositions, ReadQuotes, WakeAt
from standfast.model.evidence import HeldReport
from standfast.model.ids import Holding
from standfast.model.journal import (
    CloseRequested,
    FlattenEnded,
    FlattenRequested,
    RequestDone,
)
from standfast.model.order import ZERO, OrderReport, Role
from standfast.model.position import CloseReason, Position


def flattening(s: Situation) -> Outcomes:
    """The next step of every flatten under way."""
    for wanted in list(s.book.state.flattening.values()):
        entries = list(_entries(s, wanted))
        yield from entries
        if not entries:
            yield from _closes(s, wanted)
            yield from _end(s, wanted)


def _entries(s: Situation, wanted: FlattenRequested) -> Outcomes:
    """Cancel every order that could add exposure, ours and anybody's; only what is ignored by policy is spared."""
    for order in s.book.state.orders.values():
        if order.role is not Role.OPEN or order.is_finished or order.parent is not None:
            continue
        if order.broker_id and not is_cancelling(s, order):
            yield CancelOrder(broker_id=order.broker_id, holding=order.holding, reason="flatten: entries first")
    for holding, reports in s.orders_by_holding.items():
        if not wanted.everything and s.rules.foreign_for(holding) is Foreign.IGNORE:
            continue
        for report in reports:
            if _adds(s, holding, report) and not s.was_asked_lately_to_cancel(report.broker_id):
                yield CancelOrder(broker_id=report.broker_id, holding=holding, reason="flatten: entries first")


def _adds(s: Situation, holding: Holding, report: OrderReport) -> bool:
    """Whether a listed order of somebody else could still open or add, as far as what is held tells."""
    known = s.book.order_by_broker(report.broker_id)
    if known is not None and known.role is not Role.FOREIGN:
        return False  # ours: entries are asked above, exits only reduce
    held = [position.sign for position in s.book.positions_at(holding) if s.book.held(position) > 0]
    return report.side.sign in held if held else s.reported_net(holding) * report.side.sign >= 0


def _closes(s: Situation, wanted: FlattenRequested) -> Outcomes:
    for position in list(s.book.state.positions.values()):
        if wanted.everything and not position.is_guarded and position.held > 0:
            if price_now(s, position.holding, however_wide=True) is None:
                yield ReadQuotes(holding=position.holding, reason="flatten everything")
            else:
                yield taking_over(s, position, by=wanted.by)
        elif position.is_guarded and s.book.held(position) > 0 and position.structure is None:
            yield from _close(s, wanted, position)
    yield from _structures(s, wanted)
    if wanted.everything:
        for holding in sorted(_rows(s)):
            yield from _take_over(s, wanted, holding)


def _structures(s: Situation, wanted: FlattenRequested) -> Outcomes:
    """As one, or leg by leg in the turn that keeps nothing sold uncovered."""
    for structure in list(s.book.state.structures.values()):
        if structure.is_guarded and (structure.closing is None or structure.closing.remain):
            yield CloseRequested(
                position=structure.id,
                reason=CloseReason.OPERATOR,
                by=wanted.by,
                detail="flatten",
                request=wanted.request,
            )


def _take_over(s: Situation, wanted: FlattenRequested, holding: Holding) -> Outcomes:
    """What no fill explains is taken into the books first: only what is booked can be closed and proven."""
    known = s.book.state.acknowledged.get(holding)
    if known is not None:
        yield acknowledging(s.book, holding, ZERO, by=wanted.by)
        return
    booked, reported = s.book.net(holding), s.reported_net(holding)
    if not s.is_comparable(holding) or not booked.is_exact:
        return
    if abs(reported) <= abs(booked.low) or booked.low * reported < 0:
        return  # less than booked is no quantity to take over
    if price_now(s, holding, however_wide=True) is None:
        yield ReadQuotes(holding=holding, reason="flatten everything")
        return
    yield from adoption(s, holding, reported - booked.low, by=wanted.by)


def _close(s: Situation, wanted: FlattenRequested, position: Position) -> Outcomes:
    """Ask for its close; what others have resting that would block it goes too, by the operator's word."""
    if position.closing is None:
        yield CloseRequested(
            position=position.id, reason=CloseReason.OPERATOR, by=wanted.by, detail="flatten", request=wanted.request
        )
    for order in blocking(s, position):
        if not s.was_asked_lately_to_cancel(order.broker_id):
            yield CancelOrder(
                broker_id=order.broker_id, holding=position.holding, reason="flatten: it holds the quantity of a close"
            )


def _end(s: Situation, wanted: FlattenRequested) -> Outcomes:
    held = [position for position in s.book.state.positions.values() if position.is_guarded]
    stuck = [position for position in held if is_fraction_left(s, position)]
    ours = [position for position in held if position not in stuck]
    opening = [o for o in s.book.state.orders.values() if o.role is Role.OPEN and not o.is_finished]
    if ours or opening or any(_foreign_entries(s, wanted)):
        return
    if s.snapshot.positions_asked_after < _last_entry(s, wanted) or s.snapshot.orders_asked_after < _last_entry(
        s, wanted
    ):
        yield ReadPositions(reason="flatten: nothing left?")
        yield ReadOrders(reason="flatten: nothing left?")
        return
    left = ", ".join(f"{row.quantity} {holding}" for holding, row in sorted(_rows(s).items()))
    foreign = sorted(report.broker_id for reports in s.orders_by_holding.values() for report in reports)
    if left and wanted.everything and not stuck:
        yield WakeAt(at=s.now + timedelta(seconds=1), holding=None)
        return
    detail = "flat" if not left else f"flat but for {'' if stuck else 'foreign '}{left}"
    if stuck:
        detail += "; the broker takes no order for a fraction of a share"
    if foreign:
        detail += f"; orders not ours still work: {', '.join(foreign)}"
    yield FlattenEnded(request=wanted.request, detail=detail)
    yield RequestDone(request=wanted.request, ok=not stuck, detail=detail)


def _foreign_entries(s: Situation, wanted: FlattenRequested) -> Iterator[OrderReport]:
    """What others still have working that could add, on everything that is not to be left alone."""
    for holding, reports in s.orders_by_holding.items():
        if wanted.everything or s.rules.foreign_for(holding) is not Foreign.IGNORE:
            yield from (report for report in reports if _adds(s, holding, report))


def _last_entry(s: Situation, wanted: FlattenRequested) -> int:
    return max(s.book.state.touched.values(), default=0)


def _rows(s: Situation) -> Mapping[Holding, HeldReport]:
    read = s.snapshot.positions
    return read.rows if read is not None else {}
