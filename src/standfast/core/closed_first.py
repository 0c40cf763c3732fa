"""Whose contracts a close takes that names no position: several spreads may hold the same one.

Taken from whoever was first, a close of one spread would break two, and what is left of both would be closed as broken.
So what an order asks for yet is taken, if that is possible, as whole units of the structures that share its contracts
(`core/dealing.py`). A first order of several leaves something broken whatever it takes: it takes from a leg that the
structure has too much of already, then from a structure that can give what another lacks (the order before this one was
booked there, `core/swapping.py`), then from what is no leg at all, then from a structure that is whole, last from one
that is being closed: nobody else has to close that. Among equals what is just as large as the order goes first, then
the oldest.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from decimal import Decimal
from itertools import chain
from typing import NamedTuple

from standfast.core.book import Book
from standfast.core.dealing import Contract, Hand, dealt
from standfast.core.shapes import whole_units
from standfast.core.structures import open_legs, phase_of, position_of, structure_of
from standfast.model.booked import BookedOrder
from standfast.model.ids import PositionId
from standfast.model.order import ZERO, Role
from standfast.model.position import CloseReason, Phase, Position
from standfast.model.structure import BookedStructure, TiedLeg

BY_OTHERS = frozenset({CloseReason.BOT_EXIT, CloseReason.FOREIGN})
EXCEEDING, GIVING, ALONE, WHOLE, LEAVING = range(5)
NEAR_MAX = 200
"""Structures that are asked whether they share a contract with those that do."""


class Taken(NamedTuple):
    """A position, and how much of it may be taken now."""

    position: Position
    quantity: Decimal


def in_turn(book: Book, order: BookedOrder | None, positions: Sequence[Position]) -> list[Taken]:
    """These positions of one holding, oldest first, in the order in which a close takes from them."""
    if all(position.structure is None for position in positions):
        return [Taken(position, position.held) for position in positions]
    shares = _shares(book, order) if order is not None and order.role is Role.FOREIGN else {}
    turns = sorted(positions, key=lambda position: (_rank(book, position), _differs(book, order, position)))
    meant = [Taken(each, shares[each.id]) for each in turns if each.id in shares]
    return meant + [Taken(each, each.held - shares.get(each.id, ZERO)) for each in turns]


# --- whole units ----------------------------------------------------------------------------------


def near(book: Book, contracts: Iterable[Contract], *, also: Iterable[BookedStructure] = ()) -> list[BookedStructure]:
    """The structures with a leg in one of these contracts, and those that share one with them, and so on. `also`: some
    that are among them, if they share one, though the book has them no more."""
    having: dict[Contract, list[BookedStructure]] = {}
    for booked in chain(book.state.structures.values(), also):
        for leg in booked.legs if booked.is_guarded else ():
            having.setdefault((leg.holding, leg.sign), []).append(booked)
    found: dict[PositionId, BookedStructure] = {}
    left = list(contracts)
    while left and len(found) < NEAR_MAX:
        for booked in having.pop(left.pop(0), ()):
            if booked.id not in found:
                found[booked.id] = booked
                left += [(leg.holding, leg.sign) for leg in booked.legs]
    return list(found.values())


def hand_of(book: Book, booked: BookedStructure) -> Hand | None:
    """Its units, and how many there may be if what others have closed was not its own; None while it is not at rest."""
    is_leaving = booked.closing is not None or phase_of(book, booked) is not Phase.OPEN
    if is_leaving or any(position.closing is not None for _, position in open_legs(book, booked)):
        return None
    most = [
        (position.held + _closed_by_others(book, position)) // abs(leg.ratio) if position is not None else ZERO
        for leg in booked.legs
        for position in (position_of(book, leg),)
    ]
    return Hand(
        id=booked.id,
        ratios={(leg.holding, leg.sign): abs(leg.ratio) for leg in booked.legs},
        units=int(_units(book, booked)),
        most=int(min(most)),
    )


def beyond_units(book: Book, all_booked: Iterable[BookedStructure]) -> dict[Contract, int] | None:
    """Contracts that these hold beyond their whole units; None where parts of a share do."""
    found: dict[Contract, int] = {}
    for booked in all_booked:
        units = _units(book, booked)
        for leg, position in open_legs(book, booked):
            more = position.held - units * abs(leg.ratio)
            if more != int(more):
                return None
            found[leg.holding, leg.sign] = found.get((leg.holding, leg.sign), 0) + int(more)
    return found


def _units(book: Book, booked: BookedStructure) -> Decimal:
    held = {leg.position: position.held for leg, position in open_legs(book, booked)}
    return min(held.get(leg.position, ZERO) // abs(leg.ratio) for leg in booked.legs)


def _closed_by_others(book: Book, position: Position) -> Decimal:
    if position.close_reason not in BY_OTHERS:
        return ZERO
    ours = (order for order in book.orders_for(position.id) if order.role is not Role.FOREIGN)
    return position.closed - sum((order.executed for order in ours if order.side.sign != position.sign), ZERO)


def _shares(book: Book, order: BookedOrder) -> dict[PositionId, Decimal]:
    """How much of each leg goes, if what the order asks for yet are whole units."""
    asked = _asked_yet(book, order)
    here = (order.holding, -order.side.sign)
    if asked.get(here, ZERO) <= 0 or any(count != int(count) for count in asked.values()):
        return {}
    found = [(booked, hand) for booked in near(book, asked) if (hand := hand_of(book, booked)) is not None]
    beyond = beyond_units(book, (booked for booked, _ in found))
    if beyond is None:
        return {}
    for contract, count in asked.items():
        beyond[contract] = beyond.get(contract, 0) - int(count)
    changes = dealt([hand for _, hand in found], beyond)
    return dict(_taken_from(book, found, changes, here)) if changes is not None else {}


def _asked_yet(book: Book, order: BookedOrder) -> Mapping[Contract, Decimal]:
    whole = book.state.orders.get(order.parent) if order.parent is not None else None
    legs = [order]
    if whole is not None and whole.is_together:
        legs = [each for each in book.state.orders.values() if each.parent == whole.id]
    return {(leg.holding, -leg.side.sign): leg.quantity - leg.executed for leg in legs if leg.quantity > leg.executed}


def _taken_from(
    book: Book, found: Iterable[tuple[BookedStructure, Hand]], changes: Mapping[PositionId, int], contract: Contract
) -> Iterator[tuple[PositionId, Decimal]]:
    for booked, hand in found:
        units = hand.units + changes.get(hand.id, 0)
        for leg, position in open_legs(book, booked):
            if (leg.holding, leg.sign) == contract and position.held > units * abs(leg.ratio):
                yield position.id, position.held - units * abs(leg.ratio)


# --- one order of several ---------------------------------------------------------------------------


def _rank(book: Book, position: Position) -> int:
    booked = book.state.structures.get(position.structure) if position.structure is not None else None
    if booked is None:
        return ALONE
    if _exceeds(book, booked, position):
        return EXCEEDING
    if booked.closing is not None:
        return LEAVING
    return GIVING if _can_give(book, booked, position) else WHOLE


def _differs(book: Book, order: BookedOrder | None, position: Position) -> bool:
    """Whether the order is for another quantity than this leg had when the first of its fills came. Of what is no leg
    the oldest goes first, whatever its size."""
    if order is None or position.structure is None:
        return False
    return book.held(position) + order.executed != order.quantity


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
    held = {each.position for each, position in open_legs(book, structure) if position.held}
    return here is not None and here.position not in held and bool(held)
