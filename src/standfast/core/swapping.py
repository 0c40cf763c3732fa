"""Closes by somebody else that were booked to the wrong one of several structures, put right before anything is closed
for it.

Of two spreads that share a contract a bot closes one, or some units of it, leg by leg: its first order names a contract
that both hold, and takes the older one's. The next takes what only the other one has. Then each lacks what the other
has too much of, and both are held in their ratio as soon as that close is the other one's: contracts are alike, and
nothing at the broker moves. So it is with more of them, wherever whole units of all that share a contract, and that are
at rest, are just what is held (`core/dealing.py`). One that has ended for it, and was not meant, is there again. What
was paid for each stays its own, and so do its stop and target.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import timedelta
from decimal import Decimal

from standfast.core.closed_first import BY_OTHERS, beyond_units, hand_of, near
from standfast.core.dealing import Contract, dealt
from standfast.core.situation import Outcomes, Situation
from standfast.core.structures import position_of, structure_at
from standfast.core.unwinding import is_at_rest, lost_ratio
from standfast.model.ids import STRUCTURE, ExecutionId, Holding, PositionId
from standfast.model.instrument import money_of_a_point
from standfast.model.journal import CloseMoved, Correction
from standfast.model.order import ZERO
from standfast.model.position import Position
from standfast.model.structure import BookedStructure

LATELY = timedelta(minutes=10)
"""How long ago a structure may have ended by the close of another."""


def swaps(s: Situation, holdings: Iterable[Holding]) -> Outcomes:
    """The closes to be moved for the first of the structures looked at that has lost its ratio."""
    for holding in sorted(holding for holding in holdings if holding.hedge == STRUCTURE):
        booked = structure_at(s.book, holding)
        if booked is not None and booked.is_guarded and lost_ratio(s, booked) is not None:
            moved = list(_moved(s, booked))
            yield from moved
            if moved:
                return  # others of them may be looked at now, and moved twice is not moved


@dataclass(slots=True)
class _Leg:
    """A leg, and by how much more its structure needs of it to be whole (below zero: what it has too much)."""

    position: Position
    lacks: Decimal


def _moved(s: Situation, booked: BookedStructure) -> Iterator[CloseMoved]:
    """As things are; or else with what has ended lately, which may have been the wrong one to end."""
    contracts = [(leg.holding, leg.sign) for leg in booked.legs]
    ended = list(_ended_lately(s))
    for also in ([], ended) if ended else ([],):
        near_it = near(s.book, contracts, also=also)
        group = [each for each in near_it if is_at_rest(s, each) and not _is_booking(s, each)]
        moves = list(_dealt(s, group))
        yield from moves
        if moves:
            return


def _ended_lately(s: Situation) -> Iterator[BookedStructure]:
    """As they would be if they had not."""
    for booked in reversed(s.book.state.closed_structures.values()):
        if booked.closed_at is None or s.now - booked.closed_at > LATELY:
            return
        if booked.close_reason in BY_OTHERS:
            yield replace(booked, closed_at=None, close_reason=None, proof="")


def _dealt(s: Situation, group: list[BookedStructure]) -> Iterator[CloseMoved]:
    hands = {each.id: hand for each in group if (hand := hand_of(s.book, each)) is not None}
    group = [each for each in group if each.id in hands]
    beyond = beyond_units(s.book, group)
    changes = dealt(list(hands.values()), beyond) if beyond is not None and len(group) > 1 else None
    if changes is None:
        return
    units = {id: Decimal(hand.units + changes.get(id, 0)) for id, hand in hands.items()}
    legs = list(_legs(s, group, units))
    for contract in dict.fromkeys((leg.position.holding, leg.position.sign) for leg in legs):
        yield from _evened(legs, contract)


def _is_booking(s: Situation, booked: BookedStructure) -> bool:
    return any(leg.holding in s.booking for leg in booked.legs)


def _legs(s: Situation, group: Iterable[BookedStructure], units: dict[PositionId, Decimal]) -> Iterator[_Leg]:
    for booked in group:
        for leg in booked.legs:
            position = position_of(s.book, leg)
            if position is not None:
                yield _Leg(position, units[booked.id] * abs(leg.ratio) - position.held)


def _evened(legs: Iterable[_Leg], contract: Contract) -> Iterator[CloseMoved]:
    at = [leg for leg in legs if (leg.position.holding, leg.position.sign) == contract]
    for lacking in at:
        for having in at:
            quantity = min(lacking.lacks, -having.lacks)
            if quantity > 0:
                lacking.lacks -= quantity
                having.lacks += quantity
                lacking.position, having.position, fact = _moves(lacking.position, having.position, quantity)
                yield fact


def _moves(booked: Position, belongs: Position, quantity: Decimal) -> tuple[Position, Position, CloseMoved]:
    """So much of what was booked as closed of one leg was closed of the other, at what it closed at."""
    value = booked.exit_value * quantity / booked.closed if quantity < booked.closed else booked.exit_value
    fact = CloseMoved(
        holding=booked.holding,
        booked=booked.id,
        belongs=belongs.id,
        quantity=quantity,
        value=value,
        corrections=(
            _correction(booked, -quantity, -value),
            _correction(belongs, quantity, value, like=booked),
        ),
    )
    return booked.with_closed(-quantity, -value), belongs.with_closed(quantity, value), fact


def _correction(position: Position, quantity: Decimal, value: Decimal, *, like: Position | None = None) -> Correction:
    """What this leg has earned by it, against what it cost itself."""
    points = (value - quantity * (position.entry_price or ZERO)) * position.sign
    at = (like or position).closed_at
    assert at is not None, position.id
    return Correction(
        execution=ExecutionId(f"moved {position.id}"),
        position=position.id,
        at=at,
        realised=points * money_of_a_point(position.holding.instrument),
    )
