"""The slot an intent holds from the moment it is journaled until its first outcome is.

Rule of evidence 7: never a second intent while one for the same purpose is unsettled; retry the same id.
A slot is (position, holding, role), and it is free again once anything is known of the order: accepted,
rejected, never left, never arrived, or seen at the broker. "In doubt" and "missing" free nothing. What is
known of a working order is the book's to judge; the store only refuses what no correct core would ask for,
so it can never stand between a position and its protection.
"""

from collections.abc import Callable, Collection, Iterator, Sequence
from typing import Any, NamedTuple

from standfast.model.ids import ClientOrderId, PositionId
from standfast.model.journal import (
    Fact,
    OrderAccepted,
    OrderIntended,
    OrderNeverArrived,
    OrderNotSent,
    OrderObserved,
    OrderRejected,
    PositionSettled,
    PositionWrittenOff,
    TogetherIntended,
)
from standfast.model.structure import LEGS_MAX


class Slot(NamedTuple):
    """What an intent is for."""

    position: PositionId
    instrument: str
    hedge: str
    role: str


class Taken(NamedTuple):
    slot: Slot
    id: ClientOrderId


class Freed(NamedTuple):
    id: ClientOrderId


class AllFreed(NamedTuple):
    position: PositionId


def slot_changes(facts: Sequence[Fact], held: Collection[str]) -> Iterator[Taken | Freed | AllFreed]:
    """What the facts do to the slots, in their order; `held` are the ids that hold one before.

    Outcomes of orders that hold none, which is most of them, are left out.
    """
    if not held and _TAKES.isdisjoint(map(type, facts)):
        return  # nothing holds one: most commits, and the largest
    taken: set[str] = set()
    for fact in facts:
        kind = type(fact)
        if kind in _FREES:
            yield from (Freed(id_) for id_ in _FREES[kind](fact) if id_ in held or id_ in taken)
        elif isinstance(fact, OrderIntended):
            taken.add(fact.id)
            yield Taken(Slot(fact.position, fact.holding.instrument, fact.holding.hedge, fact.role), fact.id)
        elif isinstance(fact, TogetherIntended):
            for leg in fact.legs:
                taken.add(leg.id)
                yield Taken(Slot(leg.position, leg.holding.instrument, leg.holding.hedge, fact.role), leg.id)
        elif isinstance(fact, PositionSettled | PositionWrittenOff):
            yield AllFreed(fact.position)


def refusal(slot: Slot, holder: str, asked: str) -> AssertionError:
    """A second unsettled intent is a bug of ours, so it ends the process: nothing was written."""
    return AssertionError(f"intent {asked} for {slot} while {holder} is unsettled")


def _its_own(fact: Any) -> tuple[ClientOrderId, ...]:
    return (fact.id, *_legs(fact.id))


def _legs(id: ClientOrderId) -> list[ClientOrderId]:
    """What an order for a whole structure holds: a slot for each of its legs, free when its fate is known."""
    return [ClientOrderId(f"{id}.{place}") for place in range(LEGS_MAX)]


def _all_seen(fact: OrderObserved) -> tuple[ClientOrderId, ...]:
    """The order and its legs: what replaced a leg is seen inside its parent."""
    id = fact.report.client_id
    return (id, *_legs(id), *(leg.client_id for leg in fact.report.legs))


_TAKES = frozenset({OrderIntended, TogetherIntended})
_FREES: dict[type, Callable[[Any], tuple[ClientOrderId, ...]]] = {
    OrderAccepted: _its_own,
    OrderRejected: _its_own,
    OrderNotSent: _its_own,
    OrderNeverArrived: _its_own,
    OrderObserved: _all_seen,
}
