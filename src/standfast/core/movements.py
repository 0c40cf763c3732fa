"""Changes that no order made: splits, expiries, transfers, fees; what each does to the books.

A split comes as two rows, the old quantity out and the new in. The book is rescaled once, from their ratio; until
then no price rule fires on the holding.
"""

from collections.abc import Iterator, Sequence
from decimal import Decimal

from standfast.core.book import Book
from standfast.model.ids import Holding
from standfast.model.journal import Fact, MovementBooked, PricesResumed, Rescaled
from standfast.model.order import ZERO, Movement, MovementKind


def book_movements(book: Book, movements: Sequence[Movement]) -> Iterator[Fact]:
    """The facts for what is new among these movements."""
    fresh = [m for m in movements if f"{m.id}/{m.status}" not in book.state.movements]
    for movement in fresh:
        yield MovementBooked(movement=movement)
    for holding in dict.fromkeys(m.holding for m in fresh if m.kind is MovementKind.SPLIT and m.holding is not None):
        yield from _split(book, holding, [m for m in fresh if m.holding == holding and m.kind is MovementKind.SPLIT])


def _split(book: Book, holding: Holding, rows: Sequence[Movement]) -> Iterator[Fact]:
    """Both rows must be there: half a split says nothing about its ratio."""
    out = sum((abs(row.quantity) for row in rows if row.quantity < 0), ZERO)
    into = sum((abs(row.quantity) for row in rows if row.quantity > 0), ZERO)
    held = sum((book.held(p) for p in book.positions_at(holding)), ZERO)
    before, after = (out, into) if out else (held, held + into)
    ratio = after / before if before and into else Decimal(1)
    if ratio <= 0 or ratio == 1:
        return
    yield Rescaled(holding=holding, ratio=ratio, movement=rows[0].id)
    if holding in book.state.suspended:
        yield PricesResumed(holding=holding, reason=f"split {ratio} booked")
