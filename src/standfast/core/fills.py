"""Where each fill belongs: the facts that book it.

1. A fill is booked once, by its execution id, however often and by whomever it is reported.
2. Its quantity goes, in this order: to the position its order is tied to; to foreign lots, oldest first; to
   acknowledged foreign quantity; to adopted and owned positions, oldest first; what is left opens a lot.
3. Realised profit is figured at average cost, here and nowhere else, when a closing part is booked.
4. A foreign fill is booked only after its order has been read by id, so that ties (a bracket's legs) are known.
"""

from collections.abc import Iterator
from decimal import Decimal

from standfast.core.book import Book
from standfast.core.policy import Foreign, Rules
from standfast.model.booked import BookedOrder
from standfast.model.ids import PositionId, digest
from standfast.model.journal import Allocation, Fact, FillBooked, FillMatched, LotFound
from standfast.model.order import ZERO, Fill, Role
from standfast.model.position import CloseReason, Phase, Position, Standing

REASON_OF_ROLE = {Role.STOP: CloseReason.STOP_LOSS, Role.TARGET: CloseReason.TAKE_PROFIT}


def book_fill(book: Book, rules: Rules, fill: Fill) -> Iterator[Fact]:
    """The facts for one fill; none if it is booked already or lies before we began to guard."""
    began = book.state.began
    if fill.execution_id in book.state.executions or (began is not None and fill.at < began.at_broker):
        return
    order = book.order_by_broker(fill.broker_order_id)
    matched = _matched(book, fill, order)
    if matched is not None:
        yield FillMatched(fill=fill, position=matched)
        return
    parts = list(_closing_parts(book, fill, order))
    left = fill.quantity - sum((part.quantity for part in parts), ZERO)
    if left > 0:
        part, found = _opening_part(book, rules, fill, order, left)
        if found is not None:
            yield found
        parts.append(part)
    closes = any(not part.opens for part in parts)
    yield FillBooked(fill=fill, allocations=tuple(parts), reason=close_reason(book, order) if closes else None)


def _matched(book: Book, fill: Fill, order: BookedOrder | None) -> PositionId | None:
    """The bare adoption that already counted this fill: same side, filled before the read that was adopted."""
    if order is not None and order.position is not None:
        return None
    for position in book.positions_at(fill.holding):
        if (
            position.bare_adopted > 0
            and position.adopted_at is not None
            and fill.at <= position.adopted_at
            and fill.side.sign == position.sign
        ):
            return position.id
    return None


def _closing_parts(book: Book, fill: Fill, order: BookedOrder | None) -> Iterator[Allocation]:
    tied = order.position if order is not None else None
    left = fill.quantity
    cost = book.state.costs.get(fill.holding)
    average = cost.average if cost is not None else ZERO
    if order is not None and order.role is Role.OPEN:
        return
    for position in _in_turn(book, fill, tied):
        take = min(left, position.held)
        if take <= 0:
            continue
        realised = take * (fill.price - average) * position.sign
        yield Allocation(position=position.id, quantity=take, opens=False, realised=realised)
        left -= take
        if position.standing is Standing.FOREIGN or position.id == tied:
            continue
    yield from _acknowledged_part(book, fill, left)


def _in_turn(book: Book, fill: Fill, tied: PositionId | None) -> list[Position]:
    opposite = [p for p in book.positions_at(fill.holding) if p.sign == -fill.side.sign]
    if book.state.acknowledged.get(fill.holding, ZERO) * fill.side.sign < 0 and tied is None:
        # Acknowledged foreign quantity is somebody else's: their sale takes from it before it takes from ours.
        opposite = [p for p in opposite if p.standing is Standing.FOREIGN]
    return sorted(opposite, key=lambda p: (p.id != tied, p.standing is not Standing.FOREIGN))


def _acknowledged_part(book: Book, fill: Fill, left: Decimal) -> Iterator[Allocation]:
    known = book.state.acknowledged.get(fill.holding, ZERO)
    if left > 0 and known * fill.side.sign < 0:
        yield Allocation(position=None, quantity=min(left, abs(known)), opens=False)


def _opening_part(
    book: Book, rules: Rules, fill: Fill, order: BookedOrder | None, left: Decimal
) -> tuple[Allocation, LotFound | None]:
    tied = book.state.positions.get(order.position) if order is not None and order.position is not None else None
    if tied is not None and tied.sign == fill.side.sign:
        return Allocation(position=tied.id, quantity=left, opens=True), None
    foreign = rules.foreign_for(fill.holding)
    if foreign is Foreign.IGNORE:
        return Allocation(position=None, quantity=left, opens=True), None
    found = LotFound(
        position=PositionId(f"p{digest(book.account, fill.broker_order_id, fill.side)[:9]}"),
        holding=fill.holding,
        sign=fill.side.sign,
        standing=Standing.ADOPTED if foreign is Foreign.ADOPT else Standing.FOREIGN,
        strategy=rules.foreign_strategy(order.id if order is not None else ""),
        order=fill.broker_order_id,
    )
    known = book.state.positions.get(found.position)
    part = Allocation(position=found.position, quantity=left, opens=True)
    return part, None if known is not None and known.phase is not Phase.CLOSED else found


def close_reason(book: Book, order: BookedOrder | None) -> CloseReason:
    """Why a closing part closed, from the order that filled."""
    if order is None:
        return CloseReason.FOREIGN
    position = book.state.positions.get(order.position) if order.position is not None else None
    if order.role is Role.FOREIGN:
        if order.parent is not None or order.position is not None:
            return CloseReason.BROKER_EXIT
        return CloseReason.BOT_EXIT
    if position is not None and position.closing is not None and order.role in (Role.CLOSE, Role.ROLLBACK):
        return position.closing.reason
    if order.role in (Role.STOP, Role.TARGET):
        return _exit_reason(order, position)
    return CloseReason.ROLLBACK if order.role is Role.ROLLBACK else CloseReason.FOREIGN


def _exit_reason(order: BookedOrder, position: Position | None) -> CloseReason:
    if not order.is_stop:
        return CloseReason.TAKE_PROFIT
    if position is not None and position.trail is not None:
        return CloseReason.TRAILING
    return CloseReason.STOP_LOSS
