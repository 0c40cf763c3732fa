"""Where each fill belongs: the facts that book it.

1. A fill is booked once, by its execution id, however often and by whomever it is reported.
2. Its quantity goes, in this order: to the position its order is tied to, or those; to foreign lots, oldest first; to
   acknowledged foreign quantity; to adopted and owned positions, by `core/closed_first.py`; what is left opens a lot.
3. Realised profit is figured at average cost, here and nowhere else, when a closing part is booked; a fill that comes
   late restates those after it (`core/average.py`).
   An opening whose fill met a position of the other side has opened only what is left; a leg of a structure opens
   whole, and has an average cost of its own: legs of several structures may hold one contract both ways.
4. What an order of ours did is ours, whatever is done with foreign quantity.
5. A foreign fill is booked only after its order has been read by id, so that ties (a bracket's legs) are known.
"""

from collections.abc import Iterable, Iterator
from datetime import datetime, timedelta
from decimal import Decimal
from itertools import chain

from standfast.core.acknowledge import is_in_it
from standfast.core.average import restated, restated_legs
from standfast.core.book import Book, Cost
from standfast.core.closed_first import Taken, in_turn
from standfast.core.held_before import held_before
from standfast.core.policy import Foreign, Mode, Rules
from standfast.model.alert import Severity
from standfast.model.booked import BookedOrder
from standfast.model.ids import AlertId, Holding, PositionId, digest, is_own, position_id
from standfast.model.instrument import money_of_a_point
from standfast.model.journal import (
    AlertRaised,
    Allocation,
    CloseRequested,
    Fact,
    FillBooked,
    FillMatched,
    ForeignAcknowledged,
    LotFound,
    PositionAdopted,
)
from standfast.model.order import ZERO, Fill, Role
from standfast.model.position import CloseReason, Position, Standing

CROSSING = timedelta(seconds=60)
"""How long after our close an order placed before it may still land."""
LATE = timedelta(hours=1)
"""How long after a position has closed fills that explain it may turn up."""
UNAWARE = timedelta(seconds=2)
"""How long somebody else may take to learn of our close."""
LEG_CLASSES = frozenset({"bracket", "oco", "oto"})
"""An order of such a class that closes is an exit the broker held."""
NEEDED = {
    "liquidation": "look at the account's margin first",
    "adl": "know it (a gain was set off against somebody's loss); what is left is guarded as before",
    "settlement": "know it: the contract has ended",
}
FORCED_CLASSES = frozenset(NEEDED)
"""An order of such a class the exchange made itself, to take a position away; and what a person has to do then."""


def book_fill(book: Book, rules: Rules, fill: Fill, *, is_shown: bool = False) -> Iterator[Fact]:
    """The facts for one fill; none if it is booked already or lies before we began to guard.

    `is_shown`: the broker's list shows it, and says what the books say without it (`acknowledge.is_shown`).
    """
    if fill.execution_id in book.state.executions or _is_of_before(book, fill):
        return
    order = book.order_by_broker(fill.broker_order_id)
    matched = _matched(book, fill, order, is_shown=is_shown)
    if matched is not None or (_is_theirs(order) and is_in_it(book, fill, is_shown=is_shown)):
        yield FillMatched(fill=fill, position=matched)
        return
    found: LotFound | None = None
    taken = _taken_in(book, rules, fill, order)
    if taken is not None:
        yield taken
    parts = list(_closing_parts(book, fill, order, taken))
    left = fill.quantity - sum((part.quantity for part in parts), ZERO)
    if left > 0:
        part, found = _opening_part(book, rules, fill, order, left)
        if found is not None:
            yield found
        parts.append(part)
    closes = any(not part.opens for part in parts)
    booked = FillBooked(fill=fill, allocations=tuple(parts), reason=close_reason(book, order) if closes else None)
    yield booked
    if booked.reason is CloseReason.LIQUIDATION and order is not None:
        yield from _tell_taken(book, fill, order)
    yield from restated(book, booked)
    yield from restated_legs(book, booked)
    crossed = _crossed(book, fill, order, found) if found is not None else None
    if found is not None and crossed is not None:
        yield from _put_right(book, rules, found, crossed)


def _is_of_before(book: Book, fill: Fill) -> bool:
    """Whether it is counted in what was held when guarding began."""
    began = book.state.began
    if began is None or fill.at >= began.at_broker:
        return False
    return began.held_at is None or fill.at < began.held_at or fill.broker_order_id not in began.orders


def bookable(book: Book, fills: Iterable[Fill]) -> Iterator[Fill]:
    """Of fills in time order, those that may be booked while the orders behind others are unknown.

    Behind such a one, on its holding, strangers' fills wait: a sale booked before the purchase it sold from would look
    like a short. What our own orders did does not wait.
    """
    waiting: set[Holding] = set()
    for fill in fills:
        order = book.order_by_broker(fill.broker_order_id)
        if not is_known(book, fill):
            waiting.add(fill.holding)
        elif fill.holding not in waiting or (order is not None and order.role is not Role.FOREIGN):
            yield fill


def is_known(book: Book, fill: Fill) -> bool:
    """Whether the order behind a fill is in the book, or was."""
    return book.order_by_broker(fill.broker_order_id) is not None or fill.broker_order_id in book.state.retired


def _crossed(book: Book, fill: Fill, order: BookedOrder | None, found: LotFound) -> Position | None:
    """The position whose close of ours this fill overshot: two closes crossed on the way, and the net has flipped.

    An order placed well after our close was meant the way it went. An order of ours that may only reduce never was.
    """
    if order is not None and order.reduces and order.position is not None:
        return book.state.positions.get(order.position) or book.state.closed.get(order.position)
    placed = order.report.placed_at if order is not None and order.report is not None else None
    if found.standing is Standing.FOREIGN:
        return None
    flat = (position for position in book.positions_at(fill.holding) if position.opened and not position.held)
    for position in chain(flat, reversed(book.state.closed.values())):
        if position.closed_at is None or fill.at - position.closed_at > CROSSING:
            return None
        if position.opened == 0 or (placed is not None and placed > position.closed_at + UNAWARE):
            continue  # nothing was closed, or whoever placed it knew
        closed_by_us = position.close_reason not in (CloseReason.BOT_EXIT, CloseReason.FOREIGN, CloseReason.BROKER_EXIT)
        if position.holding == fill.holding and position.sign == -found.sign and closed_by_us:
            return position
    return None


def _put_right(book: Book, rules: Rules, found: LotFound, crossed: Position) -> Iterator[Fact]:
    """A flip is nobody's wish: it is closed at once where orders may be sent, and somebody is told."""
    what = f"a close of {crossed.id} and another order crossed and turned {found.holding} around"
    done = f"Nothing is done: mode is {rules.mode}"
    if rules.mode is Mode.REPAIR:
        yield CloseRequested(position=found.position, reason=CloseReason.ROLLBACK, by="guard", detail=what)
        done = f"The new position {found.position} is being closed"
    text = f"{found.holding}: {what}. {done}. Needed: see who else trades it."
    key = digest(book.account, "crossed", found.position)
    yield AlertRaised(id=AlertId(f"a{key[:9]}"), severity=Severity.CRITICAL, text=text)


def _tell_taken(book: Book, fill: Fill, order: BookedOrder) -> Iterator[Fact]:
    """Nobody decided this here, and what it leaves of the margin is for a person to see."""
    key = AlertId(f"a{digest(book.account, 'taken', order.id)[:9]}")
    if key in book.state.alerts or order.report is None:
        return
    cause = order.report.order_class
    taken = f"{fill.quantity} or more away at {fill.price} ({cause})"
    needed = NEEDED.get(cause, NEEDED["liquidation"])
    text = f"{fill.holding}: the exchange took {taken}. It is booked. Needed: {needed}."
    yield AlertRaised(id=key, severity=Severity.CRITICAL, text=text)


def _matched(book: Book, fill: Fill, order: BookedOrder | None, *, is_shown: bool) -> PositionId | None:
    """The bare adoption that was the first to count this fill, if one lacks fills of this side, or the list shows it.

    More may have been bought than was adopted, because some was sold again before: what then is too much
    (`bare_adopted` below zero) is explained by the sales.
    """
    if order is not None and order.position is not None and order.role is not Role.FOREIGN:
        return None
    first: tuple[datetime, PositionId] | None = None  # each was read beyond what those before it had counted
    for position in chain(book.positions_at(fill.holding), _just_closed(book, fill)):
        lacking, until = position.bare_adopted * position.sign * fill.side.sign, position.counted_until
        counts = lacking > 0 or (lacking < 0 and is_shown)
        if counts and until is not None and fill.at <= until and (first is None or until < first[0]):
            first = until, position.id
    return first[1] if first is not None else None


def _just_closed(book: Book, fill: Fill) -> Iterator[Position]:
    """Adopted positions of this holding whose fills may still turn up though they have closed."""
    for position in reversed(book.state.closed.values()):
        if position.closed_at is None or fill.at - position.closed_at > LATE:
            return
        if position.holding == fill.holding and position.bare_adopted:
            yield position


def _taken_in(
    book: Book, rules: Rules, fill: Fill, order: BookedOrder | None
) -> PositionAdopted | ForeignAcknowledged | None:
    """Unexplained quantity on the other side that this fill closes before it takes anything of ours."""
    if not _is_theirs(order):
        return None
    tied = order.position if order is not None else None
    before = [p.held for p in book.positions_at(fill.holding) if p.sign == -fill.side.sign and _goes_first(p, tied)]
    known = book.state.acknowledged.get(fill.holding, ZERO) * -fill.side.sign
    return held_before(book, rules, fill, fill.quantity - sum(before, max(known, ZERO)))


def _is_theirs(order: BookedOrder | None) -> bool:
    return order is None or order.role is Role.FOREIGN


def _goes_first(position: Position, tied: PositionId | None) -> bool:
    return position.id == tied or not position.is_guarded


def _closing_parts(
    book: Book, fill: Fill, order: BookedOrder | None, taken: PositionAdopted | ForeignAcknowledged | None = None
) -> Iterator[Allocation]:
    """What a fill takes off positions of the other side; an opening of ours as well, if one has come between.

    The account is netted: what was bought against a short is not held beside it.
    """
    if _opens_leg(book, fill, order):
        return
    left = fill.quantity
    cost = book.state.costs.get(fill.holding, Cost())
    if isinstance(taken, PositionAdopted):
        cost = Cost(cost.quantity + taken.quantity, cost.value + taken.quantity * taken.price)
    money = -fill.side.sign * money_of_a_point(fill.holding.instrument)
    gain = (fill.price - cost.average) * money
    acknowledged = book.state.acknowledged.get(fill.holding, ZERO)
    for turn in _in_turn(book, fill, order):
        if turn is None:
            known = taken.quantity if isinstance(taken, ForeignAcknowledged) else acknowledged
            take = min(left, known * -fill.side.sign)
            if take > 0:
                left -= take
                yield Allocation(position=None, quantity=take, opens=False)
            if isinstance(taken, PositionAdopted):
                take = min(left, abs(taken.quantity))
                left -= take
                yield Allocation(position=taken.position, quantity=take, opens=False, realised=take * gain)
            continue
        position, take = turn.position, min(left, turn.quantity)
        if take <= 0:
            continue
        left -= take
        earned = (fill.price - (position.entry_price or ZERO)) * money if position.structure is not None else gain
        yield Allocation(position=position.id, quantity=take, opens=False, realised=take * earned)


def _opens_leg(book: Book, fill: Fill, order: BookedOrder | None) -> bool:
    """Whether an order for a leg has opened more of it, whatever is held the other way for somebody else."""
    tied = book.state.positions.get(order.position) if order is not None and order.position is not None else None
    return tied is not None and tied.structure is not None and tied.sign == fill.side.sign


def _in_turn(book: Book, fill: Fill, order: BookedOrder | None) -> list[Taken | None]:
    """Whom a closing fill takes from; None stands for acknowledged foreign quantity, which is somebody else's too."""
    tied = _closes(order)
    opposite = in_turn(book, order, [p for p in book.positions_at(fill.holding) if p.sign == -fill.side.sign])
    own = [each for id in tied for each in opposite if each.position.id == id]
    foreign = [each for each in opposite if each.position.id not in tied and not each.position.is_guarded]
    ours = [each for each in opposite if each.position.id not in tied and each.position.is_guarded]
    return [*own, *foreign, None, *ours]


def _closes(order: BookedOrder | None) -> tuple[PositionId, ...]:
    """The positions an order is tied to, in the order in which it closes them."""
    if order is None or order.position is None:
        return ()
    return order.bounds or (order.position,)


def _opening_part(
    book: Book, rules: Rules, fill: Fill, order: BookedOrder | None, left: Decimal
) -> tuple[Allocation, LotFound | None]:
    tied = book.state.positions.get(order.position) if order is not None and order.position is not None else None
    if tied is not None and tied.sign == fill.side.sign:
        return Allocation(position=tied.id, quantity=left, opens=True), None
    mine = order is not None and (order.role is not Role.FOREIGN or is_own(order.id, book.account))
    foreign = Foreign.ADOPT if mine else rules.foreign_for(fill.holding)
    if foreign is Foreign.IGNORE:
        return Allocation(position=None, quantity=left, opens=True), None
    id = _lot_id(book, fill)
    part = Allocation(position=id, quantity=left, opens=True)
    if id in book.state.positions:
        return part, None
    return part, LotFound(
        position=id,
        holding=fill.holding,
        sign=fill.side.sign,
        standing=Standing.ADOPTED if foreign is Foreign.ADOPT else Standing.FOREIGN,
        strategy=rules.foreign_strategy(_sent_as(book, order)),
        order=fill.broker_order_id,
    )


def _sent_as(book: Book, order: BookedOrder | None) -> str:
    """The id under which somebody sent it: a leg has at best one of the broker's."""
    if order is None:
        return ""
    whole = book.state.orders.get(order.parent) if order.parent is not None else None
    return whole.id if whole is not None else order.id


def _lot_id(book: Book, fill: Fill) -> PositionId:
    """One lot an order and side; another one once that has closed, because what is closed stays as it was."""
    id = position_id(book.account, fill.broker_order_id, fill.side)
    if id not in book.state.closed:
        return id
    return position_id(book.account, fill.broker_order_id, fill.side, fill.execution_id)


def close_reason(book: Book, order: BookedOrder | None) -> CloseReason:
    """Why a closing part closed, from the order that filled."""
    if order is None:
        return CloseReason.FOREIGN
    position = book.state.positions.get(order.position) if order.position is not None else None
    if order.role is Role.FOREIGN:
        if order.report is not None and order.report.order_class in FORCED_CLASSES:
            return CloseReason.LIQUIDATION
        parent = book.state.orders.get(order.parent) if order.parent is not None else None
        is_leg = (order.parent is not None and not (parent is not None and parent.is_together)) or (
            order.report is not None and order.report.order_class in LEG_CLASSES
        )
        return CloseReason.BROKER_EXIT if is_leg or order.position is not None else CloseReason.BOT_EXIT
    if position is not None and order.role in (Role.CLOSE, Role.ROLLBACK):
        whole = book.state.structures.get(position.structure) if position.structure is not None else None
        closing = position.closing or (whole.closing if whole is not None else None)
        if closing is not None:
            return closing.reason
    if order.role in (Role.STOP, Role.TARGET):
        return _exit_reason(book, order, position)
    return CloseReason.ROLLBACK if order.role is Role.ROLLBACK else CloseReason.FOREIGN


def _exit_reason(book: Book, order: BookedOrder, position: Position | None) -> CloseReason:
    """Of a pair the order that was sent is the target, and its leg the stop: it knows what the stop was figured for."""
    if not order.is_stop:
        return CloseReason.TAKE_PROFIT
    sent = book.state.orders.get(order.parent, order) if order.parent is not None else order
    if sent.closes_as is not None:
        return sent.closes_as
    if position is not None and position.trail is not None:
        return CloseReason.TRAILING
    return CloseReason.STOP_LOSS
