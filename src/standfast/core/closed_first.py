"""Whose contracts a close takes that names no position: several spreads may hold the same one.

Taken from whoever was first, a close of one spread would break two, and what is left of both would be closed as broken.
So an order for several legs takes from the structure of just those legs. A single one takes from a leg that the
structure has too much of already, then from a structure that can give what another lacks (the order before this one was
booked there, `core/swapping.py`), then from what is no leg at all, then from a structure that is whole. Among equals
what is just as large as the order goes first, then the oldest.
"""

from collections.abc import Sequence

from standfast.core.book import Book
from standfast.core.shapes import whole_units
from standfast.core.structures import structure_of
from standfast.model.booked import BookedOrder
from standfast.model.position import Position
from standfast.model.structure import BookedStructure, TiedLeg

SAME_LEGS, EXCEEDING, GIVING, ALONE, WHOLE = range(5)


def in_turn(book: Book, order: BookedOrder | None, positions: Sequence[Position]) -> list[Position]:
    """These positions of one holding, oldest first, in the order in which a close takes from them."""
    if all(position.structure is None for position in positions):
        return list(positions)
    whole = book.state.orders.get(order.parent) if order is not None and order.parent is not None else None
    return sorted(positions, key=lambda position: (_rank(book, whole, position), _differs(book, order, position)))


def _rank(book: Book, whole: BookedOrder | None, position: Position) -> int:
    booked = book.state.structures.get(position.structure) if position.structure is not None else None
    if booked is None:
        return ALONE
    if whole is not None and whole.is_together and _closes_all_of(book, whole, booked):
        return SAME_LEGS
    if _exceeds(book, booked, position):
        return EXCEEDING
    return GIVING if _can_give(book, booked, position) else WHOLE


def _differs(book: Book, order: BookedOrder | None, position: Position) -> bool:
    """Whether the order is for another quantity than this leg had when the first of its fills came. Of what is no leg
    the oldest goes first, whatever its size."""
    if order is None or position.structure is None:
        return False
    return book.held(position) + order.executed != order.quantity


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


def _can_give(book: Book, booked: BookedStructure, position: Position) -> bool:
    """Whether another structure has lost just that leg which would be left of this one."""
    others = [each for each in booked.legs if each.position != position.id]
    return any(_lacks(book, structure, leg) for structure in book.state.structures.values() for leg in others)


def _lacks(book: Book, structure: BookedStructure, leg: TiedLeg) -> bool:
    here = next((each for each in structure.legs if (each.holding, each.sign) == (leg.holding, leg.sign)), None)
    if here is None or here.position in book.state.positions:
        return False
    return any(each.position in book.state.positions for each in structure.legs)
