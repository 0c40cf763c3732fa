"""A trade the broker has taken back: what its fill did to the books is undone, and its position returns.

The fill is known by its execution id. The parts it had are taken off the positions they belong to; one that had been
proven flat by it is open again, and is protected from then on like any other. Profit and average cost are figured anew
without it. What cannot be undone here (it is too long ago, or was taken in from the list before its fill was read)
leaves the books as what has left by no trade does: when the list shows just that difference (`moved.py`). What the list
showed again before the trade was booked has been adopted by then, and does not return besides.
"""

from collections.abc import Iterator
from decimal import Decimal

from standfast.core.acknowledge import acknowledging
from standfast.core.average import corrections, replayed
from standfast.core.book import Book, Earned
from standfast.model.alert import Severity
from standfast.model.ids import AlertId, ExecutionId, digest
from standfast.model.journal import AlertRaised, Allocation, Fact, FillBusted, ForeignAcknowledged
from standfast.model.order import ZERO, Movement

TRADE = "FILL"
"""What the broker calls a row about a trade; one that is not `executed` takes a trade back or corrects it."""
TAKEN_BACK = frozenset({"canceled", "cancelled"})


def busts(book: Book, movement: Movement) -> Iterator[Fact]:
    """The facts for a trade that is taken back, or corrected."""
    execution = ExecutionId(movement.id)
    if movement.broker_kind != TRADE or execution not in book.state.executions:
        return  # not about a trade, or about one that was never booked
    undone: FillBusted | ForeignAcknowledged | None = None
    if movement.status in TAKEN_BACK:
        undone = _undone(book, movement) or _left_alone(book, movement)
    if undone is not None:
        yield undone
    yield _told(book, movement, undone)


def is_left_to_the_list(book: Book, movement: Movement) -> bool:
    """Whether the books count a trade that is taken back, and nothing here undoes it."""
    at, execution = movement.holding, ExecutionId(movement.id)
    if movement.broker_kind != TRADE or movement.status not in TAKEN_BACK or at is None or not movement.quantity:
        return False
    if _is_taken_in(book, movement):
        return False
    if execution in book.state.executions:
        return _undone(book, movement) is None and _left_alone(book, movement) is None
    bare = book.state.bare.get(at)  # or an adoption: what was read from a list counts every trade before it
    until = [p.counted_until for p in book.positions_at(at) if p.sign * movement.quantity < 0]
    until += [bare.until] if bare is not None and bare.quantity * movement.quantity < 0 else []
    return any(each is not None and movement.at <= each for each in until)


def _left_alone(book: Book, movement: Movement) -> ForeignAcknowledged | None:
    """What the trade had added to quantity that is somebody else's, and no position's, is not there any more."""
    at, execution = movement.holding, ExecutionId(movement.id)
    lately = book.state.lately.get(at) if at is not None else None
    known = book.state.acknowledged.get(at, ZERO) if at is not None else ZERO
    is_anothers = lately is not None and any(each.execution == execution for each in lately.fills)
    if at is None or is_anothers or known * movement.quantity >= 0 or abs(movement.quantity) > abs(known):
        return None
    return acknowledging(book, at, known + movement.quantity, by="broker")


def _undone(book: Book, movement: Movement) -> FillBusted | None:
    """None where its parts are not known any more, where what it opened has been closed since, or where what it had
    closed came back by the list."""
    execution = ExecutionId(movement.id)
    if _is_taken_in(book, movement):
        return None
    for holding, lately in book.state.lately.items():
        parts = [each for each in lately.fills if each.execution == execution]
        if not parts:
            continue
        if any(_held_after(book, each) < 0 for each in parts):
            return None
        left = [each for each in lately.fills if each.execution != execution]
        cost, figured = replayed(holding, lately.base, left)
        return FillBusted(
            execution=execution,
            holding=holding,
            price=parts[0].price,
            at=parts[0].at,
            parts=tuple(
                Allocation(
                    position=each.position,
                    quantity=abs(each.signed),
                    opens=_opens(book, each),
                    realised=each.realised,
                )
                for each in parts
            ),
            corrections=corrections(left, figured),
            quantity=cost.quantity,
            value=cost.value,
        )
    return None


def _is_taken_in(book: Book, movement: Movement) -> bool:
    """Whether an adoption from a list read since has counted what comes back, and no fill explains that adoption."""
    if movement.holding is None:
        return False
    return any(
        position.counted_until is not None
        and movement.at <= position.counted_until
        and position.bare_adopted * position.sign * movement.quantity > 0
        and position.bare_adopted >= abs(movement.quantity)
        for position in book.positions_at(movement.holding)
    )


def _opens(book: Book, part: Earned) -> bool:
    position = book.state.positions.get(part.position) or book.state.closed.get(part.position)
    return position is not None and part.signed * position.sign > 0


def _held_after(book: Book, part: Earned) -> Decimal:
    """What its position would hold without it. Below zero: what it bought has been sold."""
    position = book.state.positions.get(part.position) or book.state.closed.get(part.position)
    return position.held - part.signed * position.sign if position is not None else -abs(part.signed)


def _told(book: Book, movement: Movement, undone: FillBusted | ForeignAcknowledged | None) -> AlertRaised:
    what = f"the broker has taken back the trade {movement.id} ({-movement.quantity:+} at {movement.price})"
    if movement.quantity == ZERO:
        what = f"the broker has corrected the trade {movement.id} (to a price of {movement.price})"
    if isinstance(undone, ForeignAcknowledged):
        done = "Done: it is taken off what is somebody else's here."
    elif undone is not None:
        names = ", ".join(sorted({str(part.position) for part in undone.parts}))
        done = f"Done: it is taken out of the books; {names} is as it was before and is guarded so."
    else:
        done = "Nothing is booked for it: what it had opened has closed since, what it had closed was taken in from "
        done += "the list, or it is too long ago. "
        done += "It leaves the books if the broker's list lacks as much."
    text = f"{movement.holding}: {what}. {done} Needed: look at the broker's own statement."
    key = digest(book.account, "busted", movement.id, movement.status)
    return AlertRaised(id=AlertId(f"a{key[:9]}"), severity=Severity.CRITICAL, text=text)
