"""Quantity that left by no trade: moved out, renamed, merged away, or its trade taken back and not undone here
(`busted.py`). Its activity is the proof, the list the witness.

An activity alone may be older than what was adopted from the list; a list alone proves nothing. When a difference is
confirmed and the activities since explain exactly as much, the quantity leaves the books: at what it cost, without any
profit; an option that has ended at what it was worth then, and shares that it took along at its strike. What comes in
so is taken in as whatever no fill explains: as the policy for foreign quantity says.
"""

from collections.abc import Iterator, Sequence
from decimal import Decimal

from standfast.core.book import Cost
from standfast.core.busted import TRADE
from standfast.core.situation import Situation
from standfast.model.ids import Holding
from standfast.model.instrument import money_of_a_point
from standfast.model.journal import Allocation, MovedOut
from standfast.model.order import ZERO, Movement, MovementKind
from standfast.model.position import CloseReason, Position


def moved_out(s: Situation, holding: Holding) -> Iterator[MovedOut]:
    """The fact that books what has left, if activities explain the whole difference."""
    rows = s.book.state.moves.get(holding, ())
    if not rows or not s.is_comparable(holding):
        return
    booked = surely_held(s, holding)
    gone = booked - s.reported_net(holding)
    if not gone or gone * booked <= 0 or sum((row.quantity for row in rows), ZERO) != -gone:
        return
    sign = 1 if gone > 0 else -1
    price = _price(rows)
    yield MovedOut(
        holding=holding,
        movements=tuple(row.id for row in rows),
        parts=tuple(parts_of(s, holding, sign, abs(gone), price)),
        sign=sign,
        reason=CloseReason.FOREIGN if rows[0].broker_kind == TRADE else REASONS.get(rows[0].kind, OTHERWISE),
        price=price,
    )


def surely_held(s: Situation, holding: Holding) -> Decimal:
    """Signed; zero where an order of ours may close some of it any moment. What one may still add does not matter."""
    booked = s.book.net(holding)
    exact = sum((p.net for p in s.book.positions_at(holding)), s.book.state.acknowledged.get(holding, ZERO))
    near = booked.low if exact > 0 else booked.high
    return exact if near == exact else ZERO


OTHERWISE = CloseReason.CORPORATE_ACTION
REASONS = {
    MovementKind.TRANSFER: CloseReason.FOREIGN,
    MovementKind.EXPIRY: CloseReason.EXPIRY,
    MovementKind.ASSIGNMENT: CloseReason.ASSIGNMENT,
    MovementKind.EXERCISE: CloseReason.ASSIGNMENT,
}
ENDS = frozenset({MovementKind.EXPIRY, MovementKind.ASSIGNMENT, MovementKind.EXERCISE})


def _price(rows: Sequence[Movement]) -> Decimal | None:
    """What an end was worth, a row without a price nothing; None where nothing has ended."""
    if not all(row.kind in ENDS for row in rows):
        return None
    value = sum((row.quantity * (row.price or ZERO) for row in rows), ZERO)
    return value / sum((row.quantity for row in rows), ZERO) + ZERO  # never a negative nothing


def parts_of(s: Situation, holding: Holding, sign: int, left: Decimal, price: Decimal | None) -> Iterator[Allocation]:
    """Foreign lots first, then what is acknowledged, then ours, oldest first, as for a fill."""
    average = s.book.state.costs.get(holding, Cost()).average
    lots = [p for p in s.book.positions_at(holding) if p.sign == sign]
    turns: list[Position | None] = [p for p in lots if not p.is_guarded]
    turns += [None, *(p for p in lots if p.is_guarded)]
    for position in turns:
        known = s.book.state.acknowledged.get(holding, ZERO) * sign
        take = min(left, position.held if position is not None else max(known, ZERO))
        if take > 0:
            left -= take
            realised = ZERO
            if position is not None and price is not None:  # a leg has an average cost of its own
                paid = average if position.structure is None else position.entry_price or ZERO
                realised = take * (price - paid) * sign * money_of_a_point(holding.instrument)
            id = position.id if position is not None else None
            yield Allocation(position=id, quantity=take, opens=False, realised=realised)
