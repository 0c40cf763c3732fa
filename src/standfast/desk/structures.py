"""Structures as every interface shows them: one position with its legs, which are not listed alone.

A document has the keys of a position's, and two more: `kind` and `units`. Prices of the whole are net, of one unit, in
points: what is paid or brought in, negative for what is received or costs. `protection` counts units; the guard holds
its exits, so without a guard nothing protects it.
"""

from collections.abc import Iterator, Mapping
from datetime import datetime
from decimal import Decimal

from standfast.core.book import Book
from standfast.core.shapes import basis_of, entry, kind_of, least_loss, shares_among, sold_in, whole_units
from standfast.core.structures import phase_of, position_of, structure_of
from standfast.desk import documents
from standfast.desk.documents import Document, ShownPolicy, ShownRules, number, stop_distance, time
from standfast.model.journal import Allocation
from standfast.model.order import ZERO, Fill
from standfast.model.position import Answer, Phase, Position
from standfast.model.structure import BookedStructure, Structure, TiedLeg


def kept(book: Book, *, closed_too: bool) -> Iterator[BookedStructure]:
    if closed_too:
        yield from closed(book)
    yield from book.state.structures.values()


def closed(book: Book) -> Iterator[BookedStructure]:
    """Those that were closed as one; of one taken apart its legs are shown."""
    yield from (each for each in book.state.closed_structures.values() if each.close_reason is not None)


def is_shown_alone(book: Book, position: Position) -> bool:
    """Whether a position is no leg of a structure that is shown."""
    id = position.structure
    if id is None or id in book.state.structures:
        return id is None
    found = book.state.closed_structures.get(id)
    return found is None or found.close_reason is None


def legs_of(book: Book, booked: BookedStructure) -> list[tuple[TiedLeg, Position]]:
    return [(leg, position) for leg in booked.legs if (position := position_of(book, leg)) is not None]


def pnl(book: Book, booked: BookedStructure) -> Decimal:
    return sum((position.pnl for _, position in legs_of(book, booked)), ZERO)


def result(book: Book, booked: BookedStructure) -> Decimal | None:
    """Realised profit over what the closed units were entered for."""
    structure = structure_of(book, booked)
    cost = entry(structure)
    units = min(held.closed / abs(held.leg.ratio) for held in structure.legs)
    if not cost or not units:
        return None
    return (pnl(book, booked) / (abs(cost) * units * structure.multiplier)).quantize(Decimal("0.000001"))


def stop(structure: Structure, rules: ShownRules | None) -> Decimal | None:
    """The net price at which the guard ends its loss, as `core.worth` figures it."""
    cost = entry(structure)
    if rules is None or not cost:
        return structure.stop
    distance = stop_distance(_policy(structure, rules), structure.stop_loss)
    level = structure.stop
    if level is None and distance is not None:
        level = basis_of(structure, cost) - least_loss(structure, distance, cost)
    if structure.trail is not None:
        trailed = cost + structure.trail.stop * abs(cost)
        level = trailed if level is None else max(level, trailed)
    return level


def _policy(structure: Structure, rules: ShownRules) -> ShownPolicy:
    first, shares = structure.shape[0], shares_among(structure.shape)
    return rules.policy(structure.strategy, *((first.holding, "option") if shares is None else (shares.holding,)))


def short_delta_limit(structure: Structure, rules: ShownRules | None) -> Decimal | None:
    """The delta of something sold in it at which the guard closes it; None where nothing is, or there is no such."""
    if rules is None or not structure.is_guarded or not sold_in(structure):
        return None
    return _policy(structure, rules).short_delta_limit


def document(
    book: Book, booked: BookedStructure, *, rules: ShownRules | None, now: datetime, is_watched: bool = True
) -> Document:
    structure, phase = structure_of(book, booked), phase_of(book, booked)
    is_closed = phase is Phase.CLOSED
    cost, held = entry(structure), whole_units(structure)
    level = None if is_closed else stop(structure, rules)
    covered = held if is_watched and level is not None else ZERO
    return {
        "id": booked.id,
        "account": book.account,
        "strategy": booked.strategy,
        "phase": phase.value,
        "direction": "short" if cost is not None and cost < 0 else "long",
        "kind": kind_of(structure.shape).value,
        "units": number(booked.units if is_closed else held),
        "legs": [_leg(book, leg, position, is_closed=is_closed) for leg, position in legs_of(book, booked)],
        "opened_at": time(structure.opened_at),
        "closed_at": time(booked.closed_at),
        "close_reason": booked.close_reason.value if booked.close_reason is not None else None,
        "pnl": number(pnl(book, booked)),
        "result": number(result(book, booked)),
        "protection": {
            "held_by": "guard" if level is not None else None,
            "stop_price": number(round(level, 8)) if level is not None else None,
            "quantity": number(covered),
            "covered": covered >= held,
            "naked_seconds": "0",
        },
        "short_delta_limit": number(short_delta_limit(structure, rules)),
        "verified": _verified([position for _, position in legs_of(book, booked)]),
        "adopted": booked.adopted_at is not None,
    }


def _verified(legs: list[Position]) -> str | None:
    """What is known of an opening is what is known of each leg: the least sure of them tells it."""
    answers = {leg.verified for leg in legs}
    least = (Answer.UNKNOWN, None, Answer.REFUTED, Answer.PROVED)
    found = next((each for each in least if each in answers), None)
    return found.value if found is not None else None


def _leg(book: Book, leg: TiedLeg, position: Position, *, is_closed: bool) -> Document:
    is_open = position.id in book.state.positions
    held = position.opened if is_closed else book.held(position) if is_open else ZERO
    return {
        "instrument": leg.holding.instrument,
        "quantity": number(held * leg.sign),
        "entry_price": _price(position.entry_price),
        "exit_price": _price(position.exit_price),
        "position": position.id,
    }


def _price(price: Decimal | None) -> str | None:
    return number(round(price, 8)) if price is not None else None


def fills(found: Mapping[str, list[tuple[Fill, Allocation]]], booked: BookedStructure) -> list[Document]:
    """The fills of all its legs, each leg's in the order they were booked."""
    return [documents.fill(fill, part) for leg in booked.legs for fill, part in found.get(leg.position, ())]
