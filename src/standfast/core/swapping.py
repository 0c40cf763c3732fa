"""Legs of two structures that a close by somebody else has mixed up, put right before anything is closed for it.

Of two spreads that share a contract a bot closes one, leg by leg: its first order names a contract that both hold, and
takes the older one's. The next takes what only the other one has. Then each lacks what the other has too much of, and
one of them is whole again as soon as they change that leg: contracts are alike, and nothing at the broker moves.
"""

from decimal import Decimal

from standfast.core.situation import Outcomes, Situation
from standfast.core.unwinding import lost_ratio
from standfast.model.journal import LegsSwapped
from standfast.model.structure import BookedStructure, Leg


def swaps(s: Situation, booked: BookedStructure) -> Outcomes:
    """The change that makes this structure whole, if it lacks one leg and another has that left over."""
    lost = lost_ratio(s, booked)
    if lost is None or not booked.is_guarded:
        return
    lacking = [held.leg for held in lost.structure.legs if not held.held]
    sizes = {held.held / abs(held.leg.ratio) for held in lost.structure.legs if held.held}
    if len(lacking) != 1 or len(sizes) != 1:
        return
    other = _with_too_much(s, booked, lacking[0], sizes.pop())
    if other is not None:
        yield LegsSwapped(structure=booked.id, other=other.id, holding=lacking[0].holding)


def _with_too_much(s: Situation, booked: BookedStructure, leg: Leg, units: Decimal) -> BookedStructure | None:
    """Another that has nothing whole, and of this contract just what is lacking here."""
    for other in s.book.state.structures.values():
        tied = next((each for each in other.legs if each.holding == leg.holding and each.sign == leg.sign), None)
        position = s.book.state.positions.get(tied.position) if tied is not None else None
        if other.id == booked.id or not other.is_guarded or position is None:
            continue
        lost = lost_ratio(s, other) if s.book.held(position) == units * abs(leg.ratio) else None
        if lost is not None and not lost.whole:
            return other
    return None
