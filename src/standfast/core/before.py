"""Quantity that was held before anybody looked, and that a sale finds before it could be adopted.

The broker lists it, no fill explains it yet (a break), and a fill of the other side comes. In a netted account that
fill takes it: booked for itself, it would open a position the other way that nobody holds. So the quantity is taken
into the books in that moment, at what it cost by the broker, and the fill closes it. Should the fills behind it turn
up later, they are matched as those of any adopted quantity are.
"""

from collections.abc import Iterator
from datetime import timedelta
from decimal import Decimal, InvalidOperation

from standfast.core.acknowledge import acknowledging
from standfast.core.book import Book
from standfast.core.policy import Foreign, Rules
from standfast.model.breaks import Break, BreakKind
from standfast.model.ids import PositionId, digest
from standfast.model.journal import ForeignAcknowledged, PositionAdopted
from standfast.model.order import ZERO, Fill
from standfast.model.position import Standing

ENDED = timedelta(seconds=60)


def held_before(book: Book, rules: Rules, fill: Fill, most: Decimal) -> PositionAdopted | ForeignAcknowledged | None:
    """The fact that takes in what this fill is about to close, at most so much; None where all is explained."""
    earlier = (each for each in _differences(book, fill) if each.first_seen <= fill.at)  # a later one may show it
    found = next((each for each in earlier if _is_unexplained(book, each)), None)
    if found is None or most <= 0:
        return None
    quantity = min(_unexplained(book, found) * -fill.side.sign, most)
    if quantity <= 0:
        return None
    signed = quantity * -fill.side.sign
    if rules.foreign_for(fill.holding) is not Foreign.ADOPT:
        whole = book.state.acknowledged.get(fill.holding, ZERO) + signed
        return acknowledging(book, fill.holding, whole, by="policy", bare=signed, seen_at=fill.at)
    return PositionAdopted(
        position=PositionId(f"p{digest(book.account, 'before', fill.execution_id)[:9]}"),
        holding=fill.holding,
        quantity=signed,
        price=found.finding.price or fill.price,
        anchor=None,
        strategy=rules.foreign_strategy(""),
        by="policy",
    )


def _differences(book: Book, fill: Fill) -> Iterator[Break]:
    """Open breaks, and those that a list which shows the fill already has just ended."""
    yield from book.breaks_at(fill.holding)
    for each in reversed(book.state.ended_breaks.values()):
        if each.ended_at is None or fill.at - each.ended_at > ENDED:
            return
        if each.finding.holding == fill.holding:
            yield each


def _is_unexplained(book: Book, found: Break) -> bool:
    """Whether the broker has listed more than the books have, and no fill has been booked that could explain it."""
    finding = found.finding
    if finding.kind not in (BreakKind.ORPHAN_POSITION, BreakKind.QUANTITY) or not finding.gap:
        return False
    assert finding.holding is not None, finding
    return finding.holding not in book.state.filled or _since(book, found) is not None


def _since(book: Book, found: Break) -> Decimal | None:
    """What openings of ours have brought that were asked for after the list was read, and so cannot be in it.

    None where any other fill is booked: every fill is booked then, and the list may be old.
    """
    assert found.finding.holding is not None, found
    lately = book.state.lately.get(found.finding.holding)
    for each in lately.fills if lately is not None else ():
        position = book.state.positions.get(each.position) or book.state.closed.get(each.position)
        if position is None or position.standing is not Standing.OWNED or each.signed * position.sign < 0:
            return None
        if position.asked_at is None or position.asked_at <= found.last_seen:
            return None
    return sum((each.signed for each in lately.fills), ZERO) if lately is not None else None


def _unexplained(book: Book, found: Break) -> Decimal:
    """Signed."""
    assert found.finding.holding is not None, found
    net = book.net(found.finding.holding)
    try:
        reported = Decimal(found.finding.reported)
    except InvalidOperation:
        return ZERO
    extra = reported - net.low + (_since(book, found) or ZERO)
    return extra if net.is_exact and extra * reported > 0 else ZERO
