"""The options of one simulated account: which contracts there are, and what spreads somebody may make of them.

Theory: nets are told by contract, so what one spread sold another may not have bought, as brokers hold it too: every
contract is either one that is sold or one that is bought, neighbours in turn. All shapes can be made of that.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from functools import partial
from random import Random

Legs = tuple[tuple[str, int], ...]
"""Contracts with their signed quantities in one unit."""
PUT, CALL = "P", "C"
NEAR, FAR = 0, 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Chain:
    """What is listed on one underlying: these strikes of both rights in each series, the nearer one first."""

    underlying: str
    root: str
    days: tuple[str, ...]
    """Last days, as names have them (261009)."""
    strikes: tuple[int, ...]
    """From the lowest on; an odd number of them, the middle one at the money."""

    @property
    def contracts(self) -> tuple[str, ...]:
        places = range(len(self.strikes))
        return tuple(
            self.name(series, right, at) for series in range(len(self.days)) for right in (CALL, PUT) for at in places
        )

    def name(self, series: int, right: str, at: int) -> str:
        return f"{self.root}{self.days[series]}{right}{self.strikes[at] * 1000:08d}"

    def places(self, series: int, *, sold: bool) -> list[int]:
        """Which of the strikes are sold, or bought, in this series."""
        return [at for at in range(len(self.strikes)) if ((at + series) % 2 == 0) == sold]


@dataclass(frozen=True, slots=True, kw_only=True)
class Board:
    chains: tuple[Chain, ...]
    volatility: float
    """A year's."""
    every: timedelta
    """Between two quotes of a contract."""

    @property
    def contracts(self) -> tuple[str, ...]:
        return tuple(name for chain in self.chains for name in chain.contracts)

    def chain(self, underlying: str) -> Chain:
        return next(each for each in self.chains if each.underlying == underlying)


def draw_spread(chain: Chain, chance: Random) -> Legs:
    """A spread of one unit, what is sold of it listed first."""
    shape = chance.choices(list(SHAPES), list(SHAPES.values()))[0]
    legs = shape(chain, chance)
    return tuple(sorted(legs, key=lambda leg: leg[1]))


def _vertical(chain: Chain, chance: Random) -> Legs:
    series, right = chance.randrange(len(chain.days)), chance.choice((PUT, CALL))
    sold, bought = chance.choice(chain.places(series, sold=True)), chance.choice(chain.places(series, sold=False))
    return (chain.name(series, right, sold), -1), (chain.name(series, right, bought), 1)


def _condor(chain: Chain, chance: Random) -> Legs:
    """Four strikes in a row or further apart: outside bought, inside sold, the wings on either side."""
    series, middle = chance.randrange(len(chain.days)), len(chain.strikes) // 2
    sold, bought = chain.places(series, sold=True), chain.places(series, sold=False)
    put, call = chance.choice([at for at in sold if at <= middle]), chance.choice([at for at in sold if at >= middle])
    below, above = [at for at in bought if at < put], [at for at in bought if at > call]
    if not below or not above:
        return _vertical(chain, chance)
    wings = (chain.name(series, PUT, chance.choice(below)), 1), (chain.name(series, CALL, chance.choice(above)), 1)
    return (chain.name(series, PUT, put), -1), (chain.name(series, CALL, call), -1), *wings


def _butterfly(chain: Chain, chance: Random) -> Legs:
    series, right = chance.randrange(len(chain.days)), chance.choice((PUT, CALL))
    body = chance.choice([at for at in chain.places(series, sold=True) if 0 < at < len(chain.strikes) - 1])
    wings = [(chain.name(series, right, body + way), 1) for way in (-1, 1)]
    return (chain.name(series, right, body), -2), *wings


def _calendar(chain: Chain, chance: Random) -> Legs:
    right, at = chance.choice((PUT, CALL)), chance.choice(chain.places(NEAR, sold=True))
    return (chain.name(NEAR, right, at), -1), (chain.name(FAR, right, at), 1)


def _ratio(chain: Chain, chance: Random) -> Legs:
    (sold, _), bought = _vertical(chain, chance)
    return (sold, -2), bought


def _two(chain: Chain, chance: Random, *, sold: bool) -> Legs:
    """A straddle or a strangle."""
    series = chance.randrange(len(chain.days))
    places = chain.places(series, sold=sold)
    sign = -1 if sold else 1
    return tuple((chain.name(series, right, chance.choice(places)), sign) for right in (PUT, CALL))


def _single(chain: Chain, chance: Random) -> Legs:
    series, sold = chance.randrange(len(chain.days)), chance.random() < 0.3
    name = chain.name(series, chance.choice((PUT, CALL)), chance.choice(chain.places(series, sold=sold)))
    return ((name, -1 if sold else 1),)


SHAPES: dict[Callable[[Chain, Random], Legs], float] = {
    _vertical: 8,
    _condor: 3,
    _butterfly: 1.5,
    _calendar: 1.5,
    _ratio: 1,
    partial(_two, sold=True): 0.7,
    partial(_two, sold=False): 0.7,
    _single: 1,
}
"""How often each is made, against the others."""
