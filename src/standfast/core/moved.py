"""Quantity that left by no trade: moved out, renamed, merged away. Its activity is the proof, the list the witness.

An activity alone may be older than what was adopted from the list; a list alone proves nothing. When a difference is
confirmed and the activities since explain exactly as much, the quantity leaves the books at what it cost, without any
profit. What comes in so is taken in as whatever no fill explains: as the policy for foreign quantity says.
"""

from collections.abc import Iterator
from decimal import Decimal

from standfast.core.situation import Situation
from standfast.model.ids import Holding
from standfast.model.journal import Allocation, MovedOut
from standfast.model.order import ZERO, Movement, MovementKind
from standfast.model.position import CloseReason, Position


def moved_out(s: Situation, holding: Holding) -> Iterator[MovedOut]:
    """The fact that books what has left, if activities explain the whole difference."""
    rows, booked = s.book.state.moves.get(holding, ()), s.book.net(holding)
    if not rows or not booked.is_exact or not s.is_comparable(holding):
        return
    gone = booked.low - s.reported_net(holding)
    if not gone or gone * booked.low <= 0 or sum((row.quantity for row in rows), ZERO) != -gone:
        return
    sign = 1 if gone > 0 else -1
    yield MovedOut(
        holding=holding,
        movements=tuple(row.id for row in rows),
        parts=tuple(_parts(s, holding, sign, abs(gone))),
        sign=sign,
        reason=_reason(rows[0]),
    )


def _reason(row: Movement) -> CloseReason:
    return CloseReason.FOREIGN if row.kind is MovementKind.TRANSFER else CloseReason.CORPORATE_ACTION


def _parts(s: Situation, holding: Holding, sign: int, left: Decimal) -> Iterator[Allocation]:
    """Foreign lots first, then what is acknowledged, then ours, oldest first, as for a fill."""
    lots = [p for p in s.book.positions_at(holding) if p.sign == sign]
    turns: list[Position | None] = [p for p in lots if not p.is_guarded]
    turns += [None, *(p for p in lots if p.is_guarded)]
    for position in turns:
        known = s.book.state.acknowledged.get(holding, ZERO) * sign
        take = min(left, position.held if position is not None else max(known, ZERO))
        if take > 0:
            left -= take
            yield Allocation(position=position.id if position is not None else None, quantity=take, opens=False)
