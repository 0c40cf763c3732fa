"""When in a long run things happen: spells of faults and deeds, and lulls between, in which positions are only kept.

Theory: what is to be found lies where faults, trades and recovery meet; more hours of nothing but polls find rules of
time, nights and what grows, and need no dense faults; an hour of real trading is nearly all lull. So a seed of many
hours crowds what half an hour or an eighth of them would bring into a few spells. What is drawn is drawn in busy
seconds, those of the spells alone, and then put in place.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from random import Random

HOUR = 3600.0
SHORTEST = 240.0
"""Seconds a spell lasts at least."""
ECHO = 180.0
"""Seconds after a spell in which its faults still last, and recovery is under way: no lull yet."""


@dataclass(frozen=True, slots=True)
class Spells:
    """Stretches (begin, end) in seconds since the start, in order, the first from 0 on."""

    stretches: tuple[tuple[float, float], ...]
    chaos: float
    """Seconds of them and of the lulls between and after them."""

    @property
    def busy(self) -> float:
        """Seconds of all of them."""
        return sum(end - begin for begin, end in self.stretches)

    def at(self, seconds: float) -> float:
        """The moment at which so many busy seconds have passed."""
        for begin, end in self.stretches:
            if seconds < end - begin:
                return begin + seconds
            seconds -= end - begin
        return self.stretches[-1][1] + seconds

    @property
    def lulls(self) -> list[tuple[float, float]]:
        """The stretches in which no spell is, and none has just been."""
        edges = [*self.stretches, (self.chaos, self.chaos)]
        return [(end + ECHO, begin) for (_, end), (begin, _) in pairwise(edges) if end + ECHO < begin]


def busy_seconds(chaos: float) -> float:
    """All of it up to half an hour; of longer ones half an hour, or an eighth where that is more.

    So eight half-hour seeds and eight of four hours meet the same faults and deeds, and the long ones 28 hours of lull
    beside them.
    """
    return min(chaos, max(HOUR / 2, chaos / 8))


def draw_spells(chance: Random, chaos: float) -> Spells:
    """`chaos`: seconds from the first to the last."""
    busy = busy_seconds(chaos)
    if busy >= chaos:
        return Spells(((0.0, chaos),), chaos)
    count = chance.choice((1, 2, 3, 4)) * max(1, round(busy / HOUR * 2))
    spells = _shares(chance, busy - count * SHORTEST, count)
    pauses = _shares(chance, chaos - busy, count)
    at, stretches = 0.0, []
    for spell, pause in zip(spells, pauses, strict=True):
        stretches.append((round(at, 3), round(at + SHORTEST + spell, 3)))
        at += SHORTEST + spell + pause
    return Spells(tuple(stretches), chaos)


def _shares(chance: Random, total: float, count: int) -> Sequence[float]:
    cuts = sorted(chance.uniform(0, total) for _ in range(count - 1))
    return [after - before for before, after in pairwise((0.0, *cuts, total))]
