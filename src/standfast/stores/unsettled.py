"""The slot an intent holds from the moment it is journaled until its first outcome is.

Rule of evidence 7: never a second intent while one for the same purpose is unsettled; retry the same id.
A slot is (position, holding, role), and it is free again once anything is known of the order: accepted,
rejected, never left, never arrived, or seen at the broker. "In doubt" and "missing" free nothing. What is
known of a working order is the book's to judge; the store only refuses what no correct core would ask for,
so it can never stand between a position and its protection.
"""

from collections.abc import Iterable
from typing import NamedTuple

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
)


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


def slot_changes(facts: Iterable[Fact]) -> list[Taken | Freed | AllFreed]:
    """What the facts do to the slots, in their order."""
    return [change for fact in facts if type(fact) in _KINDS and (change := _change(fact)) is not None]


def refusal(slot: Slot, holder: str, asked: str) -> AssertionError:
    """A second unsettled intent is a bug of ours, so it ends the process: nothing was written."""
    return AssertionError(f"intent {asked} for {slot} while {holder} is unsettled")


def _change(fact: Fact) -> Taken | Freed | AllFreed | None:
    match fact:
        case OrderIntended():
            slot = Slot(fact.position, fact.holding.instrument, fact.holding.hedge, fact.role)
            return Taken(slot, fact.id)
        case OrderAccepted() | OrderRejected() | OrderNotSent() | OrderNeverArrived():
            return Freed(fact.id)
        case OrderObserved():
            return Freed(fact.report.client_id)
        case PositionSettled() | PositionWrittenOff():
            return AllFreed(fact.position)
        case _:
            return None


_KINDS = frozenset(
    {
        OrderIntended,
        OrderAccepted,
        OrderRejected,
        OrderNotSent,
        OrderNeverArrived,
        OrderObserved,
        PositionSettled,
        PositionWrittenOff,
    }
)
