"""Legs of two structures that a close by somebody else has mixed up, put right before anything is closed for it.

Of two spreads that share a contract a bot closes one, or some units of it, leg by leg: its first order names a contract
that both hold, and takes the older one's. The next takes what only the other one has. Then each lacks what the other
has too much of, and both are held in their ratio again as soon as they change that leg: contracts are alike, and
nothing at the broker moves.
"""

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta

from standfast.core.shapes import broken
from standfast.core.situation import Outcomes, Situation
from standfast.core.unwinding import lost_ratio
from standfast.model.effects import WakeAt
from standfast.model.journal import LegsSwapped
from standfast.model.structure import BookedStructure, Structure, TiedLeg

SOON = timedelta(milliseconds=50)


def swaps(s: Situation, booked: BookedStructure) -> Outcomes:
    """The change of one leg that makes this structure and another whole."""
    lost = lost_ratio(s, booked)
    if lost is None or not booked.is_guarded:
        return
    for leg, other in _sharing(s, booked):
        theirs = lost_ratio(s, other)
        if theirs is None or not _are_whole(lost.structure, theirs.structure, leg):
            continue
        if _has_less(lost.structure, theirs.structure, leg):
            yield LegsSwapped(structure=booked.id, other=other.id, holding=leg.holding)
        else:  # both may be looked at now, and changed twice is not changed
            yield WakeAt(at=s.now + SOON, holding=other.holding)
        return


def _sharing(s: Situation, booked: BookedStructure) -> Iterator[tuple[TiedLeg, BookedStructure]]:
    """Others with a leg of the same contract and sign."""
    for other in s.book.state.structures.values():
        if other.id == booked.id or not other.is_guarded:
            continue
        theirs = {(leg.holding, leg.sign) for leg in other.legs}
        yield from ((leg, other) for leg in booked.legs if (leg.holding, leg.sign) in theirs)


def _has_less(one: Structure, other: Structure, shared: TiedLeg) -> bool:
    """Which of the two asks for the change: the one that has less of the leg."""
    held = (
        next(each.held for each in structure.legs if each.leg.holding == shared.holding) for structure in (one, other)
    )
    here, there = held
    return (here, one.id) < (there, other.id)


def _are_whole(one: Structure, other: Structure, shared: TiedLeg) -> bool:
    """Whether both are held in their ratio once they have changed that leg."""
    here, there = (next(held for held in each.legs if held.leg.holding == shared.holding) for each in (one, other))
    changed = (
        replace(each, legs=tuple(replace(come, leg=held.leg) if held is gone else held for held in each.legs))
        for each, gone, come in ((one, here, there), (other, there, here))
    )
    return all(broken(each) is None for each in changed)
