"""Which structures loose legs form: contracts found at the broker that nothing in the books explains.

1. Nothing is lost: what is recognised, what is left over and plain shares add up to what was found.
2. Equal findings give equal answers, in whatever order the broker lists them.
3. Every structure found has a name; legs that came from one order may form one that has none.
4. A leg that is explained in part, or stands beside structures it has no place in, is left over, and says so.

What belongs together is guessed, the surest first: orders that opened several legs; all options of an underlying as
one; all of a day; all of a day and right; then pairs, which become condors where they fit; then shares with what
is sold against them, calendars, straddles. Equal quantities come before others, and pairs keep the order of strikes.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from math import gcd

from standfast.core.shapes import LEGS_MAX, in_order, kind_of, underlying
from standfast.model.ids import Holding, InstrumentId
from standfast.model.instrument import Instrument
from standfast.model.option import Right
from standfast.model.structure import Leg, StructureKind, legs_text

Kinds = frozenset[StructureKind]

VERTICAL: Kinds = frozenset({StructureKind.VERTICAL})
IRON: Kinds = frozenset({StructureKind.IRON_BUTTERFLY, StructureKind.IRON_CONDOR})
CALENDAR: Kinds = frozenset({StructureKind.CALENDAR})
ACROSS: Kinds = CALENDAR | {StructureKind.DIAGONAL}
STRADDLE: Kinds = frozenset({StructureKind.STRADDLE})
BOTH_WAYS: Kinds = STRADDLE | {StructureKind.STRANGLE}
WITH_SHARES: Kinds = frozenset({StructureKind.COVERED_STOCK, StructureKind.PROTECTED_STOCK, StructureKind.COLLAR})
SURE: Kinds = VERTICAL | IRON | ACROSS | {StructureKind.BUTTERFLY, StructureKind.CONDOR}
"""Shapes that bound each other's loss: taken for one wherever they are the whole of a group."""

ALONE: Kinds = SURE - VERTICAL
"""Of one day and right: a vertical may still be half of a condor."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """So many units of a shape."""

    kind: StructureKind
    legs: tuple[Leg, ...]
    units: int

    def __str__(self) -> str:
        return f"{self.units} x {legs_text(self.legs)} ({self.kind})"


@dataclass(frozen=True, slots=True, kw_only=True)
class Leftover:
    """Signed quantity of one contract that no structure explains."""

    holding: Holding
    quantity: Decimal
    why: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Recognised:
    structures: tuple[Found, ...]
    leftover: tuple[Leftover, ...]
    plain: Mapping[Holding, Decimal]
    """What is no option and needed by none: ordinary positions."""


def recognise(
    nets: Mapping[Holding, Decimal],
    instruments: Mapping[InstrumentId, Instrument],
    *,
    orders: Iterable[Sequence[Leg]] = (),
) -> Recognised:
    """Group these signed nets. `orders`: the legs of orders known to have opened some of them, oldest first."""
    known = [tuple(order) for order in orders]
    piles: dict[str, list[Leg]] = {}
    leftover: list[Leftover] = []
    plain: dict[Holding, Decimal] = {}
    for holding in sorted(nets):
        net, whole = nets[holding], int(nets[holding])
        instrument = instruments.get(holding.instrument) or Instrument.assumed(holding.instrument)
        leg = Leg.of(instrument, whole or 1, holding.hedge)
        if whole:
            piles.setdefault(underlying(leg), []).append(leg)
        if net != whole and leg.contract is not None:
            leftover.append(Leftover(holding=holding, quantity=net - whole, why="is no whole contract"))
        elif net != whole:
            plain[holding] = net - whole
    found: list[Found] = []
    for name in sorted(piles):
        pile = _Pile(in_order(piles[name]))
        pile.sort_out(known)
        found += pile.found
        leftover += pile.leftover()
        for leg in pile.remaining(options=False):
            plain[leg.holding] = plain.get(leg.holding, Decimal(0)) + leg.ratio
    return Recognised(
        structures=tuple(found),
        leftover=tuple(sorted(leftover, key=lambda each: (each.holding, each.quantity))),
        plain=dict(sorted(plain.items())),
    )


@dataclass(slots=True)
class _Pile:
    """The legs of one underlying, and how much of each is not explained yet."""

    legs: tuple[Leg, ...]
    left: dict[Holding, int] = field(init=False)
    used: set[Holding] = field(default_factory=set)
    found: list[Found] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.left = {leg.holding: leg.ratio for leg in self.legs}

    def sort_out(self, orders: Sequence[tuple[Leg, ...]]) -> None:
        for order in orders:
            self._take(order)
        has_shares = bool(self.remaining(options=False))  # then what is sold in excess may be covered by them
        self._take_groups(lambda leg: None, SURE)
        self._take_groups(lambda leg: leg.series, SURE)
        self._take_groups(_column, ALONE if has_shares else ALONE | {StructureKind.RATIO})
        verticals = self._pairs(_column, lambda leg: leg.sign, VERTICAL)
        self._merge(verticals)
        self._take_shares()
        for kinds in (CALENDAR, ACROSS):
            self._keep(self._pairs(_right, lambda leg: leg.sign, kinds))
        for kinds in (STRADDLE, BOTH_WAYS):
            self._keep(self._pairs(lambda leg: leg.series, _right_first, kinds))
        if not self.found:
            for leg in self.remaining():
                self._take([_sized(leg, leg.sign)])

    def remaining(self, *, options: bool = True) -> list[Leg]:
        """What is not explained yet: the options, or what is none."""
        legs = (leg for leg in self.legs if (leg.contract is not None) is options)
        return [_sized(leg, self.left[leg.holding]) for leg in legs if self.left[leg.holding]]

    def leftover(self) -> list[Leftover]:
        """Options that have found no place."""
        whys = {True: "is more than its structures need", False: "has no place in the structures beside it"}
        return [
            Leftover(holding=leg.holding, quantity=Decimal(leg.ratio), why=whys[leg.holding in self.used])
            for leg in self.remaining()
        ]

    def _take(self, legs: Sequence[Leg]) -> None:
        """As many units of this shape as are left, if any."""
        ordered = in_order(legs)
        units = self._use(ordered)
        if units:
            self.found.append(Found(kind=kind_of(ordered), legs=ordered, units=units))

    def _use(self, legs: Sequence[Leg]) -> int:
        units = min(max(self.left.get(leg.holding, 0) * leg.sign, 0) // abs(leg.ratio) for leg in legs)
        for leg in legs if units else ():
            self.left[leg.holding] -= leg.ratio * units
            self.used.add(leg.holding)
        return units

    def _keep(self, found: dict[tuple[Leg, ...], int]) -> None:
        self.found += [Found(kind=kind_of(legs), legs=legs, units=units) for legs, units in found.items() if units]

    # --- steps ----------------------------------------------------------------------------------

    def _take_groups(self, key: Callable[[Leg], object], kinds: Kinds) -> None:
        """Groups whose legs, all of them, are one shape."""
        for group in _by(key, self.remaining()):
            if not 2 <= len(group) <= LEGS_MAX:
                continue
            units = gcd(*(leg.ratio for leg in group))
            shape = [_sized(leg, leg.ratio // units) for leg in group]
            kind = kind_of(shape)
            if kind in kinds and (kind is not StructureKind.RATIO or min(abs(leg.ratio) for leg in shape) == 1):
                self._take(shape)

    def _pairs(
        self, key: Callable[[Leg], object], half: Callable[[Leg], int], kinds: Kinds
    ) -> dict[tuple[Leg, ...], int]:
        """Legs of each group paired off, one half with the other: equal quantities first, in the order of strikes."""
        pairs: dict[tuple[Leg, ...], int] = {}
        for group in _by(key, self.remaining()):
            first = half(group[0])
            ones, others = [leg for leg in group if half(leg) == first], [leg for leg in group if half(leg) != first]
            for is_even in (True, False):
                for one in ones:
                    for other in others:
                        a, b = abs(self.left[one.holding]), abs(self.left[other.holding])
                        shape = in_order((_sized(one, one.sign), _sized(other, other.sign)))
                        if a and b and (a == b or not is_even) and kind_of(shape) in kinds:
                            pairs[shape] = self._use(shape)
        return pairs

    def _merge(self, verticals: dict[tuple[Leg, ...], int]) -> None:
        """Verticals of one day, one of calls and one of puts, that make a condor; the others as they are."""
        irons: dict[tuple[Leg, ...], int] = {}
        for is_even in (True, False):
            for put in verticals:
                for call in verticals:
                    a, b = verticals[put], verticals[call]
                    is_pair = _right(put[0]) is Right.PUT and _right(call[0]) is Right.CALL
                    if not (a and b and is_pair and put[0].series == call[0].series and (a == b or not is_even)):
                        continue
                    legs, units = in_order((*put, *call)), min(a, b)
                    if kind_of(legs) in IRON:
                        irons[legs] = units
                        verticals[put] -= units
                        verticals[call] -= units
        self._keep(irons)
        self._keep(verticals)

    def _take_shares(self) -> None:
        """Shares with what is sold against them; a collar before either of its halves, a sale before a purchase."""
        options = self.remaining()
        sold, bought = [leg for leg in options if leg.sign < 0], [leg for leg in options if leg.sign > 0]
        groups = [[one, other] for one in sold for other in bought] + [[leg] for leg in (*sold, *bought)]
        for shares in self.remaining(options=False):
            for group in groups:
                needed = int(group[0].multiplier / shares.multiplier) * shares.sign
                shape = [_sized(shares, needed or shares.sign), *(_sized(leg, leg.sign) for leg in group)]
                if kind_of(shape) in WITH_SHARES:
                    self._take(shape)


def _sized(leg: Leg, ratio: int) -> Leg:
    return Leg(holding=leg.holding, ratio=ratio, multiplier=leg.multiplier, contract=leg.contract)


def _right(leg: Leg) -> Right | None:
    return leg.contract.right if leg.contract is not None else None


def _right_first(leg: Leg) -> int:
    return 1 if _right(leg) is Right.CALL else -1


def _column(leg: Leg) -> object:
    return leg.series, _right(leg)


def _by(key: Callable[[Leg], object], legs: Sequence[Leg]) -> list[list[Leg]]:
    groups: dict[object, list[Leg]] = {}
    for leg in legs:
        groups.setdefault(key(leg), []).append(leg)
    return list(groups.values())
