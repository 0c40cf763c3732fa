"""Options that were found and fit in no structure beside them: each is guarded alone, and told.

A contract that is left over where spreads are held is what a half-closed spread, a forgotten hedge or a mistake looks
like. It is a break until it is gone, becomes part of a structure, or an operator has chosen how it is protected: then
somebody knows of it. What is bought and may yet be joined (`forming`, which wakes for it) is none for that moment.

So is an option sold against shares that were bought in orders too small for it. A lot is what one order opened, by
which its fills are told, taken back and explained: so lots are not joined. What delivers the option is there, and is
kept for it (`covering`), but the two are judged apart, and that is told.
"""

from standfast.core.covering import shares_of
from standfast.core.reconcile import Report
from standfast.core.shapes import kind_of, underlying_of
from standfast.core.situation import Situation
from standfast.core.structures import is_option, may_be_joined, structure_of
from standfast.model.breaks import BreakKind, Finding
from standfast.model.ids import Holding
from standfast.model.instrument import money_of_a_point
from standfast.model.option import Right, option_contract
from standfast.model.position import Phase, Position, Standing
from standfast.model.structure import BookedStructure

JUDGED = frozenset({BreakKind.STRUCTURE})


def unexplained_legs(s: Situation, holding: Holding) -> Report:
    """Lots of this contract that belong to no structure, beside some that do."""
    left = [each for each in s.book.guarded_at(holding) if _is_left(s, each)]
    found = [_finding(s, each, beside) for each in left if (beside := _beside(s, each))]
    named = {finding.subject for finding in found}
    small = [_of_small_lots(s, each, lots) for each in left if each.id not in named and (lots := _small_lots(s, each))]
    return Report((*found, *small), JUDGED)


def _is_left(s: Situation, position: Position) -> bool:
    """Whether it is an option that has found no place in a structure, and nobody has said how it is kept."""
    is_left = position.structure is None and position.standing is Standing.ADOPTED and position.phase is Phase.OPEN
    is_chosen = position.apart or position.bare or position.stop is not None or position.target is not None
    if not is_left or is_chosen or not is_option(position) or s.book.held(position) <= 0:
        return False
    return may_be_joined(position, s.broker_now) is None


def _beside(s: Situation, position: Position) -> list[BookedStructure]:
    """The structures of its underlying."""
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


def _small_lots(s: Situation, position: Position) -> list[Position]:
    """The lots of shares that deliver a contract of it together, and none of them alone."""
    contract, size = option_contract(position.holding.instrument), money_of_a_point(position.holding.instrument)
    if contract is None or position.sign > 0:
        return []
    way = 1 if contract.right is Right.CALL else -1
    lots = [each for each in s.book.guarded_at(shares_of(s, position.holding)) if each.structure is None]
    held = [s.book.held(each) for each in lots if each.sign == way]
    return lots if sum(held) >= size > max(held, default=size) else []


def _of_small_lots(s: Situation, position: Position, lots: list[Position]) -> Finding:
    return Finding(
        kind=BreakKind.STRUCTURE,
        holding=position.holding,
        subject=position.id,
        booked=" ".join(f"{each.net:+} {each.holding} ({each.id})" for each in lots),
        reported=f"{position.net:+}",
        evidence="the shares deliver it, and no lot of them alone: they are kept for it, but it is guarded alone, by "
        "the rules of a single option",
        gap=position.held,
    )


def _kind(s: Situation, booked: BookedStructure) -> str:
    return kind_of(structure_of(s.book, booked).shape).value.replace("_", " ")
