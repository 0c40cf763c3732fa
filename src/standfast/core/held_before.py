"""Quantity that was held before anybody looked, and that a sale finds before it could be adopted.

The broker lists it, no fill explains it yet (a break, or what was held as guarding began), and a fill of the other
side comes. In a netted account that fill takes it: booked for itself, it would open a position the other way that
nobody holds. So the quantity is taken into the books in that moment, at what it cost by the broker, and the fill closes
it. Should the fills behind it turn up later, they are matched as those of any adopted quantity are.
"""

from collections.abc import Iterator
from datetime import datetime, timedelta
from decimal import Decimal, InvalidOperation
from typing import NamedTuple

from standfast.core.acknowledge import acknowledging
from standfast.core.book import Book
from standfast.core.policy import Foreign, Rules
from standfast.model.breaks import Break, BreakKind
from standfast.model.ids import Holding, position_id
from standfast.model.journal import ForeignAcknowledged, PositionAdopted
from standfast.model.order import ZERO, Fill
from standfast.model.position import Position, Standing

KINDS = frozenset({BreakKind.ORPHAN_POSITION, BreakKind.QUANTITY})
SIGNS = {"long": 1, "short": -1}
ENDED = timedelta(seconds=60)
BEGINNING = timedelta(minutes=10)
"""How long after guarding began what was held then may lack in the books: lists have shown it long before."""
SKEW = timedelta(seconds=2)
"""How far the broker's clock may be from ours."""


class Sight(NamedTuple):
    """What the broker listed, and when at the latest: nothing that was asked for later is in it."""

    at: datetime
    listed: Decimal
    price: Decimal | None
    is_first: bool = False
    """When guarding began: no fill behind it is ever booked, and each of later for itself."""


def held_before(book: Book, rules: Rules, fill: Fill, most: Decimal) -> PositionAdopted | ForeignAcknowledged | None:
    """The fact that takes in what this fill is about to close, at most so much; None where all is explained."""
    left = ((_unexplained(book, rules, sight, fill), sight) for sight in _sights(book, fill))
    extra, sight = max(left, key=lambda each: each[0], default=(ZERO, None))
    quantity = min(max(extra, _beyond_a_side(book, fill)), most)
    if quantity <= 0:
        return None
    signed = quantity * -fill.side.sign
    if rules.foreign_for(fill.holding) is not Foreign.ADOPT:
        whole = book.state.acknowledged.get(fill.holding, ZERO) + signed
        return acknowledging(book, fill.holding, whole, by="policy", bare=signed, seen_at=fill.at)
    return PositionAdopted(
        position=position_id(book.account, "before", fill.execution_id),
        holding=fill.holding,
        quantity=signed,
        price=(sight.price if sight is not None else None) or fill.price,
        anchor=None,
        strategy=rules.foreign_strategy(""),
        by="policy",
        seen_at=fill.at,
    )


def _beyond_a_side(book: Book, fill: Fill) -> Decimal:
    """What this fill takes off one side of a hedged account beyond the books: no such side is ever turned round, so it
    was held, whether or not a list told of it in time."""
    hedge = fill.holding.hedge
    if hedge not in SIGNS or SIGNS[hedge] == fill.side.sign:
        return ZERO
    booked = sum((p.net for p in book.positions_at(fill.holding)), book.state.acknowledged.get(fill.holding, ZERO))
    return max(fill.quantity - booked * SIGNS[hedge], ZERO)


def _sights(book: Book, fill: Fill) -> Iterator[Sight]:
    """What was told before this fill: differences, and what was held when guarding began."""
    for found in _differences(book, fill):
        finding = found.finding
        if found.first_seen > fill.at or finding.kind not in KINDS or not finding.gap:
            continue  # a later one may show it
        told_at, reported = found.told_at or found.last_seen, _number(finding.reported)
        if told_at > fill.at:  # what it says now may be what a fill of then has left of it
            reported = found.worst if reported > 0 else -found.worst
        yield Sight(told_at, reported, finding.price)
    began, began_at = book.state.began, book.state.began_at
    if began is None or began_at is None or fill.holding in book.state.split_at:
        return
    seen_at = began.held_at - SKEW if began.held_at is not None else began_at
    if seen_at <= fill.at <= began.at_broker + BEGINNING:
        held = (row for row in began.held if row.holding == fill.holding)
        yield from (Sight(seen_at, row.quantity, row.price, is_first=True) for row in held)


def _differences(book: Book, fill: Fill) -> Iterator[Break]:
    """Open breaks, and those that a list which shows the fill already has just ended."""
    yield from book.breaks_at(fill.holding)
    for each in reversed(book.state.ended_breaks.values()):
        if each.ended_at is None or fill.at - each.ended_at > ENDED:
            return
        if each.finding.holding == fill.holding:
            yield each


def _unexplained(book: Book, rules: Rules, sight: Sight, fill: Fill) -> Decimal:
    """What was listed beyond the books, of the side this fill closes, if no fill is booked that could explain it."""
    sign = -fill.side.sign
    if sight.listed * sign <= 0 or _may_be_in_it(book, rules, fill.holding, sight):
        return ZERO
    return max((sight.listed - _counted(book, fill.holding)) * sign, ZERO)


def _number(reported: str) -> Decimal:
    try:
        return Decimal(reported)
    except InvalidOperation:
        return ZERO


def _may_be_in_it(book: Book, rules: Rules, holding: Holding, sight: Sight) -> bool:
    """Whether fills explain the list, or may: those of orders of ours that were out, and any that is booked, because
    every fill is booked then and the list may be old. What came after the list was read is not in it."""
    for order in book.alive.at(holding):
        is_out = order.excess or (order.may_fill_any_moment and not order.is_finished)
        if order.is_own and is_out and order.intended_at < sight.at:
            return True
    if holding not in book.state.filled:
        return False
    if rules.foreign_for(holding) is not Foreign.ADOPT or holding in book.state.acknowledged:
        return True  # not all that strangers' fills did has left lots
    return not all(_came_after(lot, sight) for lot in _lots(book, holding))


def _came_after(lot: Position, sight: Sight) -> bool:
    """Whether it is an opening of ours that was asked for later, was taken in from that list, or bought since."""
    if lot.standing is not Standing.OWNED and not _is_from_a_list(lot):
        since = lot.opened_at  # by the broker's clock; beside a difference what explains it may be read late
        return sight.is_first and since is not None and since > sight.at + SKEW
    begun = lot.asked_at if lot.standing is Standing.OWNED else lot.adopted_at
    return begun is not None and begun >= sight.at


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
