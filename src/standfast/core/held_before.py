"""Quantity that was held before anybody looked, and that a sale finds before it could be adopted.

The broker lists it, no fill explains it yet (a break), and a fill of the other side comes. In a netted account that
fill takes it: booked for itself, it would open a position the other way that nobody holds. So the quantity is taken
into the books in that moment, at what it cost by the broker, and the fill closes it. Should the fills behind it turn
up later, they are matched as those of any adopted quantity are.
"""

from collections.abc import Iterator
from datetime import datetime, timedelta
from decimal import Decimal, InvalidOperation

from standfast.core.acknowledge import acknowledging
from standfast.core.book import Book
from standfast.core.policy import Foreign, Rules
from standfast.model.breaks import Break, BreakKind
from standfast.model.ids import Holding, position_id
from standfast.model.journal import ForeignAcknowledged, PositionAdopted
from standfast.model.order import ZERO, Fill
from standfast.model.position import Position, Standing

ENDED = timedelta(seconds=60)
SKEW = timedelta(seconds=2)
"""How far the broker's clock may be from ours."""


def held_before(book: Book, rules: Rules, fill: Fill, most: Decimal) -> PositionAdopted | ForeignAcknowledged | None:
    """The fact that takes in what this fill is about to close, at most so much; None where all is explained."""
    earlier = (each for each in _differences(book, fill) if each.first_seen <= fill.at)  # a later one may show it
    left = ((each, _unexplained(book, rules, each, fill)) for each in earlier)
    found, quantity = next(((each, min(extra, most)) for each, extra in left if extra > 0), (None, ZERO))
    if found is None or quantity <= 0:
        return None
    signed = quantity * -fill.side.sign
    if rules.foreign_for(fill.holding) is not Foreign.ADOPT:
        whole = book.state.acknowledged.get(fill.holding, ZERO) + signed
        return acknowledging(book, fill.holding, whole, by="policy", bare=signed, seen_at=fill.at)
    return PositionAdopted(
        position=position_id(book.account, "before", fill.execution_id),
        holding=fill.holding,
        quantity=signed,
        price=found.finding.price or fill.price,
        anchor=None,
        strategy=rules.foreign_strategy(""),
        by="policy",
        seen_at=fill.at,
    )


def _differences(book: Book, fill: Fill) -> Iterator[Break]:
    """Open breaks, and those that a list which shows the fill already has just ended."""
    yield from book.breaks_at(fill.holding)
    for each in reversed(book.state.ended_breaks.values()):
        if each.ended_at is None or fill.at - each.ended_at > ENDED:
            return
        if each.finding.holding == fill.holding:
            yield each


def _unexplained(book: Book, rules: Rules, found: Break, fill: Fill) -> Decimal:
    """What the broker had listed beyond the books before this fill, of the side it closes, if no fill is booked that
    could explain it. What was told at first counts as well as what has been told since: the later list shows already
    what was traded in between, and nobody can say of which trade what it shows is left."""
    finding, sign = found.finding, -fill.side.sign
    if finding.kind not in (BreakKind.ORPHAN_POSITION, BreakKind.QUANTITY) or not finding.gap:
        return ZERO
    assert finding.holding is not None, finding
    told_at, reported = found.told_at or found.last_seen, _number(finding.reported)
    if told_at > fill.at:  # what it says now may be what a fill of then has left of it
        reported = found.worst if reported > 0 else -found.worst
    sights = ((told_at, reported), (found.first_seen, _number(found.first_reported)))
    counted = _counted(book, finding.holding)
    return max(
        (
            (listed - counted) * sign
            for at, listed in sights
            if listed * sign > 0 and not _may_be_in_it(book, rules, finding.holding, at)
        ),
        default=ZERO,
    )


def _number(reported: str) -> Decimal:
    try:
        return Decimal(reported)
    except InvalidOperation:
        return ZERO


def _may_be_in_it(book: Book, rules: Rules, holding: Holding, told_at: datetime) -> bool:
    """Whether fills explain the list, or may: those of orders of ours that were out, and any that is booked, because
    every fill is booked then and the list may be old. What came after the list was read is not in it."""
    for order in book.alive.at(holding):
        is_out = order.excess or (order.may_fill_any_moment and not order.is_finished)
        if order.is_own and is_out and order.intended_at < told_at:
            return True
    if holding not in book.state.filled:
        return False
    if rules.foreign_for(holding) is not Foreign.ADOPT or holding in book.state.acknowledged:
        return True  # not all that strangers' fills did has left lots
    return not all(_came_after(lot, told_at) for lot in _lots(book, holding))


def _came_after(lot: Position, told_at: datetime) -> bool:
    """Whether it is an opening of ours that was asked for later, was taken in from that list, or bought since."""
    if lot.standing is not Standing.OWNED and not _is_from_a_list(lot):
        return lot.opened_at is not None and lot.opened_at > told_at + SKEW  # by the broker's clock
    begun = lot.asked_at if lot.standing is Standing.OWNED else lot.adopted_at
    return begun is not None and begun >= told_at


def _counted(book: Book, holding: Holding) -> Decimal:
    """What of the list is in the books, signed."""
    if holding in book.state.filled:
        return sum((lot.opened * lot.sign for lot in _lots(book, holding) if _is_from_a_list(lot)), ZERO)
    return sum((p.net for p in book.positions_at(holding)), book.state.acknowledged.get(holding, ZERO))


def _is_from_a_list(lot: Position) -> bool:
    return lot.counted_until is not None


def _lots(book: Book, holding: Holding) -> Iterator[Position]:
    """All that anything has been bought for here, and are remembered."""
    yield from (lot for lot in book.positions_at(holding) if lot.opened)
    yield from (lot for lot in book.state.closed.values() if lot.holding == holding and lot.opened)
