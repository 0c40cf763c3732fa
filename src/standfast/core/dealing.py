"""How many units of each structure are there, where several share contracts: so many that together they hold just what
is held of every contract.

A close by somebody else names contracts and no structure. Closed were whole units of some of them: an equation for each
contract, whose unknowns are those units. As few structures as can be are taken for closed; where no whole numbers do,
nothing is dealt.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeAlias

from standfast.model.ids import Holding, PositionId
from standfast.model.structure import LEGS_MAX

Contract: TypeAlias = tuple[Holding, int]
"""A contract and which way it is held: two structures that hold it both ways share nothing."""
CHANGED_MAX = 8
TRIED_MAX = 4000
"""Choices after which no more are tried: what is mixed up so thoroughly is no mistake of booking."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Hand:
    """One structure: contracts of a unit (unsigned), whole units held, and how many there may be at most."""

    id: PositionId
    ratios: Mapping[Contract, int]
    units: int
    most: int


def dealt(hands: Sequence[Hand], beyond: Mapping[Contract, int]) -> dict[PositionId, int] | None:
    """The change in units of each structure that changes; None where no change explains what is held.

    `beyond`: contracts held beyond the units of all hands; below zero what they hold too much.
    """
    having: dict[Contract, list[Hand]] = {}
    for hand in hands:
        for contract in hand.ratios:
            having.setdefault(contract, []).append(hand)
    search = _Search(having)
    for changes in range(1, CHANGED_MAX + 1):
        found = search.within(changes, {key: count for key, count in beyond.items() if count}, {})
        if found is not None or not search.tries:
            return found
    return None


class _Search:
    def __init__(self, having: Mapping[Contract, list[Hand]]) -> None:
        self._having = having
        self.tries = TRIED_MAX

    def within(
        self, changes: int, beyond: Mapping[Contract, int], made: dict[PositionId, int]
    ) -> dict[PositionId, int] | None:
        """With at most so many more structures that change."""
        if not beyond:
            return made
        if len(beyond) > changes * LEGS_MAX:
            return None
        contract = min(beyond, key=lambda key: (len(self._having.get(key, ())), key))
        for hand, change in self._choices(contract, beyond[contract], made):
            if not self.tries:
                return None
            self.tries -= 1
            found = self.within(changes - 1, _without(beyond, hand, change), {**made, hand.id: change})
            if found is not None:
                return found
        return None

    def _choices(self, contract: Contract, count: int, made: Mapping[PositionId, int]) -> Iterator[tuple[Hand, int]]:
        """What may be done about one contract: more units of whoever has it as a leg, or fewer. What explains all of it
        at once comes first, and of that what leaves nothing of a structure, or lacks nothing of it."""
        way = 1 if count > 0 else -1
        found: list[tuple[int, bool, Hand, int]] = []
        for hand in self._having.get(contract, ()):
            if hand.id not in made:
                room = hand.most - hand.units if way > 0 else hand.units
                ratio = hand.ratios[contract]
                found += [(abs(size * ratio - abs(count)), size < room, hand, size) for size in range(1, room + 1)]
        for _, _, hand, size in sorted(found, key=lambda each: each[:2]):
            yield hand, size * way


def _without(beyond: Mapping[Contract, int], hand: Hand, change: int) -> dict[Contract, int]:
    left = dict(beyond)
    for contract, ratio in hand.ratios.items():
        left[contract] = left.get(contract, 0) - ratio * change
    return {key: count for key, count in left.items() if count}
