"""Net prices of many structures at once, in floats: which of them need an exact look after a tick, or after all quotes.

Like a band (`core/bands.py`), a structure's bounds may be too narrow and are never too wide: while its net price at the
worst side lies between them no price rule of it can fire. A quote that cannot be used is no number, and what has one
in it is always looked at. Floats only wake the exact check.

Every price has a place: the bid of a contract, and the ask with its sign turned. A net price is then a plain sum over
the places of its legs, a contract of ratio two counted twice, and a sweep adds whole columns.
"""

import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from decimal import Decimal
from itertools import repeat
from operator import add, itemgetter, le, neg

from standfast.core.ladder import next_move
from standfast.core.policy import Policy
from standfast.core.shapes import entry
from standfast.core.worth import WORTHLESS, net_at, structure_levels
from standfast.model.ids import Holding, PositionId
from standfast.model.structure import Leg, Structure, multiplier_of, weight

EPSILON = 1e-9
CHEAP = float(WORTHLESS)
PLACES_MAX = 8
"""Places a structure may have in the columns; one with more is looked at every time."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Bounds:
    """A structure is quiet while `low < net < high`, net being of its worst side."""

    id: PositionId
    legs: tuple[Leg, ...]
    low: float
    high: float


def bounds(structure: Structure, policy: Policy) -> Bounds | None:
    """Between which net prices no price rule of a structure can fire; None where none is on."""
    at, cost = structure_levels(structure, policy), entry(structure)
    losing = [level for level in (at.stop, at.emergency) if level is not None]
    move = next_move(policy.trailing, structure.trail) if cost else None
    climbing = net_at(move, cost) if move is not None and cost else None
    winning = [level for level in (at.target, climbing) if level is not None]
    if structure.closing is not None or not (losing or winning):
        return None
    return Bounds(
        id=structure.id,
        legs=structure.shape,
        low=_inwards(max(losing, default=None), 1),
        high=_inwards(min(winning, default=None), -1),
    )


def _inwards(level: Decimal | None, sign: int) -> float:
    """A bound moved inwards by what rounding may take."""
    if level is None:
        return -math.inf * sign
    return float(level) + sign * EPSILON * max(1.0, abs(float(level)))


class Columns:
    """The prices of all contracts, and per structure where to find them. Made anew when what is watched changes."""

    def __init__(self, watched: Iterable[Bounds]) -> None:
        self.watched = tuple(watched)
        self.contracts: dict[Holding, int] = {}
        for each in self.watched:
            for leg in each.legs:
                self.contracts.setdefault(leg.holding, len(self.contracts))
        self._prices = [math.nan] * (2 * len(self.contracts))
        self._rows = [_Row(each, self.contracts) for each in self.watched]
        self._touched: list[list[_Row]] = [[] for _ in self.contracts]
        for row in self._rows:
            for contract in sorted({place // 2 for place in row.places}):
                self._touched[contract].append(row)
        self._groups = _groups(self._rows)
        self._wild = tuple(row.id for row in self._rows if row.is_wild)

    def take(self, contract: int, bid: float, ask: float) -> list[PositionId]:
        """One contract's quote has changed: which structures need an exact look."""
        prices = self._prices
        if not _is_usable(bid, ask):
            bid = ask = math.nan
        prices[2 * contract] = bid
        prices[2 * contract + 1] = -ask
        woken = []
        for row in self._touched[contract]:
            net = 0.0
            for place in row.places:
                net += prices[place]
            if not row.low < net < row.high:
                woken.append(row.id)
        return woken

    def sweep(self, bids: Sequence[float], asks: Sequence[float]) -> list[PositionId]:
        """Every contract's quote, in the order of `contracts`: which structures need an exact look, watched order."""
        self._prices[0::2] = bids
        self._prices[1::2] = map(neg, asks)
        if not (all(map(le, bids, asks)) and min(bids, default=1.0) > 0):  # no number is not below anything
            for contract, (bid, ask) in enumerate(zip(bids, asks, strict=True)):
                if not _is_usable(bid, ask):
                    self._prices[2 * contract] = self._prices[2 * contract + 1] = math.nan
        woken = list(self._wild)
        for group in self._groups:
            woken += group.woken(self._prices)
        return woken


def _is_usable(bid: float, ask: float) -> bool:
    """As `worth.is_usable`."""
    return 0 < bid <= ask or 0 == bid < ask <= CHEAP


class _Row:
    """One structure: the places of its prices, a contract of ratio two named twice."""

    __slots__ = ("high", "id", "is_wild", "low", "places")

    def __init__(self, each: Bounds, contracts: dict[Holding, int]) -> None:
        multiplier = multiplier_of(each.legs)
        weights = [abs(weight(leg, multiplier)) for leg in each.legs]
        self.is_wild = sum(weights) > PLACES_MAX or any(points != int(points) for points in weights)
        self.places: list[int] = []
        for leg, points in zip(each.legs, weights, strict=True):
            place = 2 * contracts[leg.holding] + (0 if leg.sign > 0 else 1)
            self.places += [place] * (1 if self.is_wild else int(points))
        self.id = each.id
        self.low, self.high = (math.inf, -math.inf) if self.is_wild else (each.low, each.high)


class _Group:
    """Structures with equally many places, as columns."""

    def __init__(self, rows: Sequence[_Row]) -> None:
        self.ids = [row.id for row in rows]
        self.lows = [row.low for row in rows]
        self.highs = [row.high for row in rows]
        self.columns = [_gather(places) for places in zip(*(row.places for row in rows), strict=True)]

    def woken(self, prices: list[float]) -> list[PositionId]:
        """Whose sum lies outside its bounds."""
        *others, last = [column(prices) for column in self.columns]
        sums: Iterable[float] = others[0] if others else repeat(0.0, len(self.ids))
        for column in others[1:]:
            sums = map(add, sums, column)
        rows = zip(self.ids, self.lows, sums, last, self.highs, strict=True)
        return [id for id, low, one, other, high in rows if not low < one + other < high]


def _gather(places: Sequence[int]) -> Callable[[list[float]], Sequence[float]]:
    if len(places) == 1:
        only = places[0]
        return lambda prices: (prices[only],)
    return itemgetter(*places)


def _groups(rows: Sequence[_Row]) -> list[_Group]:
    sizes = sorted({len(row.places) for row in rows if not row.is_wild})
    return [_Group([row for row in rows if not row.is_wild and len(row.places) == size]) for size in sizes]
