"""Options that were found and fit in no structure beside them: each is guarded alone, and told.

A contract that is left over where spreads are held is what a half-closed spread, a forgotten hedge or a mistake looks
like. It is a break until it is gone, becomes part of a structure, or an operator has chosen how it is protected: then
somebody knows of it. What is bought and may yet be joined (`forming`, which wakes for it) is none for that moment.
"""

from standfast.core.reconcile import Report
from standfast.core.shapes import kind_of, underlying_of
from standfast.core.situation import Situation
from standfast.core.structures import is_option, may_be_joined, structure_of
from standfast.model.breaks import BreakKind, Finding
from standfast.model.ids import Holding
from standfast.model.position import Phase, Position, Standing
from standfast.model.structure import BookedStructure

JUDGED = frozenset({BreakKind.STRUCTURE})


def unexplained_legs(s: Situation, holding: Holding) -> Report:
    """Lots of this contract that belong to no structure, beside some that do."""
    found = [_finding(s, each, beside) for each in s.book.guarded_at(holding) if (beside := _beside(s, each))]
    return Report(tuple(found), JUDGED)


def _beside(s: Situation, position: Position) -> list[BookedStructure]:
    """The structures of its underlying, if it is a leg that has found no place in one."""
    is_left = position.structure is None and position.standing is Standing.ADOPTED and position.phase is Phase.OPEN
    is_chosen = position.apart or position.bare or position.stop is not None or position.target is not None
    if not is_left or is_chosen or not is_option(position) or s.book.held(position) <= 0:
        return []
    if may_be_joined(position, s.broker_now) is not None:
        return []
    name = underlying_of(position.holding)
    return [each for each in s.book.state.structures.values() if _is_of(each, name)]


def _is_of(structure: BookedStructure, name: str) -> bool:
    return any(underlying_of(leg.holding) == name for leg in structure.legs)


def _finding(s: Situation, position: Position, beside: list[BookedStructure]) -> Finding:
    named = ", ".join(f"{each.id} ({_kind(s, each)})" for each in beside[:3])
    risk = "it is sold, and no leg beside it bounds what it may lose" if position.sign < 0 else "it is bought"
    return Finding(
        kind=BreakKind.STRUCTURE,
        holding=position.holding,
        subject=position.id,
        booked=f"{named}{', ...' if len(beside) > 3 else ''} of its underlying",
        reported=f"{position.net:+}",
        evidence=f"{risk}; it is guarded alone, by the rules of a single option",
        gap=position.held,
    )


def _kind(s: Situation, booked: BookedStructure) -> str:
    return kind_of(structure_of(s.book, booked).shape).value.replace("_", " ")
