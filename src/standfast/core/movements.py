"""Changes that no order made: splits, trades taken back, transfers, fees; what each does to the books.

A split comes as two rows, the old quantity out and the new in, perhaps in two reads, perhaps with its day instead of
a time. The book is rescaled once, when both are there, by their ratio, and back again when the split is taken back.
Until then no price rule fires on the holding, because its quantity is not explained. What leaves by a transfer is
booked when the list shows it (`moved.py`).
"""

from collections.abc import Iterator, Sequence
from datetime import datetime
from decimal import Decimal
from typing import TypeAlias

from standfast.core.book import Book
from standfast.core.busted import TAKEN_BACK, TRADE, busts
from standfast.model.ids import Holding
from standfast.model.journal import Fact, MovementBooked, PricesResumed, Rescaled
from standfast.model.order import ZERO, Fill, Movement, MovementKind

Turn: TypeAlias = tuple[datetime, int]
"""A place in time, and of what is there at one moment."""


def book_movements(book: Book, movements: Sequence[Movement]) -> Iterator[Fact]:
    """The facts for what is new among these movements."""
    fresh = [m for m in movements if f"{m.id}/{m.status}" not in book.state.movements]
    for movement in fresh:
        yield MovementBooked(movement=movement)
        yield from busts(book, movement)
    splits = [m for m in fresh if m.kind is MovementKind.SPLIT and m.holding is not None]
    for holding in dict.fromkeys(m.holding for m in splits):
        assert holding is not None, splits
        yield from _split(book, holding, [m for m in splits if m.holding == holding])


def turn_of(book: Book, movement: Movement, fills: Sequence[Fill], movements: Sequence[Movement]) -> Turn:
    """Its place among these fills, in their order: before those of its moment; what takes a trade back has its time,
    and follows."""
    told = movement.at, 2 if movement.broker_kind == TRADE else 0
    if movement.kind is not MovementKind.SPLIT or movement.holding is None or movement.status in TAKEN_BACK:
        return told
    return _turn_of_split(book, movement.holding, told, fills, movements)


def _turn_of_split(
    book: Book, holding: Holding, told: Turn, fills: Sequence[Fill], movements: Sequence[Movement]
) -> Turn:
    """It may be told with its day alone. It takes out all that was held, and so follows the fills that make that up."""
    rows = [*book.state.split_rows.get(holding, ()), *movements]
    all_out = {-row.quantity for row in rows if row.kind is MovementKind.SPLIT and row.holding == holding}
    here = [fill for fill in fills if fill.holding == holding]
    turns = [told, *((fill.at, 2) for fill in here if (fill.at, 1) > told)]
    for turn in turns:
        held = _held(book, holding) + sum((fill.signed for fill in here if (fill.at, 1) < turn), ZERO)
        if held in all_out:
            return turn
    return told


def _held(book: Book, holding: Holding) -> Decimal:
    return sum((p.net for p in book.positions_at(holding)), book.state.acknowledged.get(holding, ZERO))


def _split(book: Book, holding: Holding, fresh: Sequence[Movement]) -> Iterator[Fact]:
    undone = next((m for m in fresh if m.status in TAKEN_BACK and m.id in book.state.rescaled), None)
    if undone is not None:
        yield Rescaled(holding=holding, ratio=1 / book.state.rescaled[undone.id], movement=f"{undone.id} taken back")
        return
    rows = [*book.state.split_rows.get(holding, ()), *(m for m in fresh if m.status not in TAKEN_BACK)]
    held = _held(book, holding)
    sign = -1 if held < 0 else 1  # of what is held: a position that waits for its first fill may have the other one
    out = sum((abs(row.quantity) for row in rows if row.quantity * sign < 0), ZERO)
    into = sum((abs(row.quantity) for row in rows if row.quantity * sign > 0), ZERO)
    if not out or not into or out == into:
        return  # half a split says nothing about its ratio
    ratio: Decimal = into / out
    yield Rescaled(holding=holding, ratio=ratio, movement=rows[0].id)
    if holding in book.state.suspended:
        yield PricesResumed(holding=holding, reason=f"split {ratio} booked")
