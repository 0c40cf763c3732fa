"""Whose contracts a close takes that names no position: several spreads may hold the same one.

Taken from whoever was first, a close of one spread would break two, and what is left of both would be closed as broken.
So an order for several legs takes from the structure of just those legs, best from one of just that many units. A
single one takes from a leg that the structure has too much of already, then from what is no leg at all. Among equals
the oldest goes first.
"""

from collections.abc import Sequence

from standfast.core.book import Book
from standfast.core.shapes import whole_units
from standfast.core.structures import structure_of
from standfast.model.booked import BookedOrder
from standfast.model.position import Position
from standfast.model.structure import BookedStructure

SAME_UNITS, SAME_LEGS, EXCEEDING, ALONE, WHOLE = range(5)


def in_turn(book: Book, order: BookedOrder | None, positions: Sequence[Position]) -> list[Position]:
    """These positions of one holding, oldest first, in the order in which a close takes from them."""
    if all(position.structure is None for position in positions):
        return list(positions)
    whole = book.state.orders.get(order.parent) if order is not None and order.parent is not None else None
    return sorted(positions, key=lambda position: _rank(book, order, whole, position))


def _rank(book: Book, order: BookedOrder | None, whole: BookedOrder | None, position: Position) -> int:
    booked = book.state.structures.get(position.structure) if position.structure is not None else None
    if booked is None:
        return ALONE
    if order is not None and whole is not None and whole.is_together and _closes_all_of(book, whole, booked):
        return SAME_UNITS if book.held(position) + order.executed == order.quantity else SAME_LEGS
    return EXCEEDING if _exceeds(book, booked, position) else WHOLE


def _closes_all_of(book: Book, whole: BookedOrder, booked: BookedStructure) -> bool:
    """Whether the order has a leg against each of the structure's. Those that are booked already are forgotten: then
    the structure has too much of the others."""
    return all(
        any(each.parent == whole.id and each.side.sign == -leg.sign for each in book.orders_on(leg.holding))
        for leg in booked.legs
    )


def _exceeds(book: Book, booked: BookedStructure, position: Position) -> bool:
    """Whether more of this leg is held than its whole units have."""
    ratio = next((abs(leg.ratio) for leg in booked.legs if leg.position == position.id), 1)
    return book.held(position) > ratio * whole_units(structure_of(book, booked))
