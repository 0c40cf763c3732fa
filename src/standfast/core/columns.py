"""Net prices of many structures at once, in floats: which of them need an exact look after a tick, or after all quotes.

Like a band (`core/bands.py`), a structure's bounds may be too narrow and are never too wide: while its net price at the
worst side lies between them no price rule of it can fire. A quote that cannot be used is no number, and what has one
in it is always looked at. How wide a quote may be before a structure is judged at the mid is its contract's band to
tell (`width`). Floats only wake the exact check.

Every price has a place: the bid of a contract, and the ask with its sign turned. A net price is then a plain sum over
the places of its legs, a contract of ratio two counted twice, and a sweep adds whole columns.
"""

import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from decimal import Decimal
from itertools import repeat
from operator import add, itemgetter

from standfast.core.ladder import next_move
from standfast.core.policy import Policy
from standfast.core.shapes import entry
from standfast.core.worth import net_at, stop_distance, structure_levels
from standfast.model.ids import Holding, PositionId
from standfast.model.quote import WORTHLESS
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
    if structure.is_leaving or not (losing or winning):
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


def width(structure: Structure, policy: Policy) -> float:
    """How wide a leg's quote may be while the net price of all legs is surely no wider than what is judged by it."""
    distance = stop_distance(structure, policy)
    if distance is None:
        return math.inf
    points = sum(abs(weight(leg, structure.multiplier)) for leg in structure.shape)
    return float(distance / points)


class Columns:
    """The prices of all contracts of structures, and per structure where to find them."""

    def __init__(self) -> None:
        self.contracts: dict[Holding, int] = {}
        """The place of every contract that some structure had a leg of."""
        self._prices: list[float] = []
        self._rows: dict[PositionId, _Row] = {}
        self._touched: list[list[_Row]] = []
        self._groups: list[_Group] | None = None
        """Made when a sweep needs them; None while they are out of date."""

    @property
    def watched(self) -> tuple[Bounds, ...]:
        return tuple(row.bounds for row in self._rows.values())

    def put(self, id: PositionId, watched: Bounds | None) -> bool:
        """Watch a structure within these bounds, or no more. False: nothing is other than it was."""
        known = self._rows.get(id)
        if watched == (known.bounds if known is not None else None):
            return False
        if known is not None:
            del self._rows[id]
            for contract in known.contracts:
                self._touched[contract].remove(known)
        if watched is not None:
            for leg in watched.legs:
                self._place(leg.holding)
            row = self._rows[id] = _Row(watched, self.contracts)
            for contract in row.contracts:
                self._touched[contract].append(row)
        self._groups = None
        return True

    def _place(self, holding: Holding) -> None:
        if holding not in self.contracts:
            self.contracts[holding] = len(self.contracts)
            self._prices += [math.nan, math.nan]
            self._touched.append([])

    def note(self, contract: int, bid: float, ask: float) -> None:
        """One contract's quote: a sweep follows."""
        if not (0 < bid <= ask or _is_usable(bid, ask)):
            bid = ask = math.nan
        self._prices[2 * contract] = bid
        self._prices[2 * contract + 1] = -ask

    def take(self, contract: int, bid: float, ask: float) -> list[PositionId]:
        """One contract's quote has changed: which structures need an exact look."""
        self.note(contract, bid, ask)
        prices = self._prices
        woken = []
        for row in self._touched[contract]:
            net = 0.0
            for place in row.places:
                net += prices[place]
            if not row.low < net < row.high:
                woken.append(row.id)
        return woken

    def sweep(self) -> list[PositionId]:
        """Every contract's quote may have changed: which structures need an exact look."""
        if self._groups is None:
            self._groups = _groups(list(self._rows.values()))
        woken: list[PositionId] = []
        for group in self._groups:
            woken += group.woken(self._prices)
        return woken


def _is_usable(bid: float, ask: float) -> bool:
    """As `worth.is_usable`."""
    return 0 < bid <= ask or 0 == bid < ask <= CHEAP


class _Row:
    """One structure: the places of its prices, a contract of ratio two named twice."""

    __slots__ = ("bounds", "contracts", "high", "id", "low", "places")

    def __init__(self, each: Bounds, contracts: dict[Holding, int]) -> None:
        multiplier = multiplier_of(each.legs)
        weights = [abs(weight(leg, multiplier)) for leg in each.legs]
        is_wild = sum(weights) > PLACES_MAX or any(points != int(points) for points in weights)
        self.places: list[int] = []
        for leg, points in zip(each.legs, weights, strict=True):
            place = 2 * contracts[leg.holding] + (0 if leg.sign > 0 else 1)
            self.places += [place] * (1 if is_wild else int(points))
        self.contracts = sorted({place // 2 for place in self.places})
        self.id, self.bounds = each.id, each
        self.low, self.high = (math.inf, -math.inf) if is_wild else (each.low, each.high)


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
    sizes = sorted({len(row.places) for row in rows})
    return [_Group([row for row in rows if len(row.places) == size]) for size in sizes]
