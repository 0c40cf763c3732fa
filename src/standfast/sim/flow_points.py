"""Where in a flow something goes wrong, how such a point is named, and which points there are.

One anomaly at every effect of every flow can all be told. Two of them are told in full where that matters most, a guard
that dies again while it recovers, and are drawn otherwise: from a number, so that a sample can be told again.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import count
from random import Random

from standfast.sim.effects import Anomaly, Kind

RECOVERY = 50
"""Effects after a death among which the second one falls: a start, its first reads and its first look make no more."""
DIES_TWICE = ("open", "close", "roll-back", "restart")
"""Flows in which a guard is killed again at every effect of its recovery."""
ENGINE, ALPACA = "engine", "alpaca"


@dataclass(frozen=True, slots=True)
class Point:
    """One telling: which flow, and what goes wrong at which of its effects; `number` 0: nothing."""

    flow: str
    kind: Kind = Kind.KILL
    number: int = 0
    again: Kind = Kind.KILL
    after: int = 0
    """So many effects later something goes wrong again; 0: it does not."""
    through: str = ENGINE

    @property
    def name(self) -> str:
        """`FLOW:KIND:NUMBER`, `…+KIND:AFTER` for the second, `…@alpaca` through that adapter; as `named` reads it."""
        name = f"{self.flow}:{_word(self.kind)}:{self.number}"
        if self.after:
            name += f"+{_word(self.again)}:{self.after}"
        return name if self.through == ENGINE else f"{name}@{self.through}"

    @property
    def what(self) -> str:
        """Under what it is counted."""
        words = f"{self.kind.value}, {self.again.value}" if self.after else self.kind.value
        return words if self.through == ENGINE else f"{words} ({self.through})"

    def anomalies(self, began: int, seconds: float) -> list[Anomaly]:
        """What is planned for it, when so many effects are over; `seconds` for what fails on."""
        numbers = [(self.kind, self.number), (self.again, self.number + self.after)]
        planned = numbers[: (self.number > 0) + (self.after > 0)]
        return [Anomaly(kind, began + number, seconds) for kind, number in planned]


def _word(kind: Kind) -> str:
    return kind.value.replace(" ", "-")


KINDS: Mapping[str, Kind] = {_word(kind): kind for kind in Kind}


def named(text: str, flows: Sequence[str]) -> Point:
    """The point of this name; ValueError when there is none of that form."""
    form = "FLOW:KIND:NUMBER[+KIND:NUMBER][@alpaca]"
    wrong = ValueError(f"{text!r} is no {form}; flows are {', '.join(flows)}; kinds are {', '.join(KINDS)}")
    rest, _, through = text.partition("@")
    first, _, second = rest.partition("+")
    flow, _, first = first.partition(":")
    if flow not in flows or through not in ("", ALPACA):
        raise wrong
    kind, number = _at(first, wrong)
    again, after = _at(second, wrong) if "+" in rest else (Kind.KILL, 0)
    return Point(flow, kind, number, again, after, through or ENGINE)


def _at(text: str, wrong: ValueError) -> tuple[Kind, int]:
    word, _, number = text.partition(":")
    if word not in KINDS or not number.isdigit():
        raise wrong
    return KINDS[word], int(number)


def singles(effects: Mapping[str, int], through: str = ENGINE) -> Iterator[Point]:
    """Every kind of anomaly at every effect, kind by kind."""
    for kind in Kind:
        for flow, last in effects.items():
            for number in range(1, last + 1):
                yield Point(flow, kind, number, through=through)


def doubles(effects: Mapping[str, int]) -> Iterator[Point]:
    """Killed at every effect, and killed again at every effect of its recovery."""
    for flow in DIES_TWICE:
        for number in range(1, effects.get(flow, 0) + 1):
            for after in range(1, RECOVERY + 1):
                yield Point(flow, Kind.KILL, number, Kind.KILL, after)


def pairs(effects: Mapping[str, int], first: int) -> Iterator[Point]:
    """Two anomalies of any kinds, the second soon after the first: one pair drawn for each number from `first` on."""
    for seed in count(first):
        draw = Random(f"pair-{seed}")
        flow = draw.choice(list(effects))
        number = draw.randrange(1, effects[flow] + 1)
        yield Point(flow, draw.choice(list(Kind)), number, draw.choice(list(Kind)), draw.randrange(1, RECOVERY + 1))
