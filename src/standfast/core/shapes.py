"""What legs are together: the name of their shape, how many whole units are held, what a unit cost.

1. Every shape has one name, whatever the order of its legs and however many units are held.
2. The sum over structures, contract by contract, is what the broker holds for them: contracts may be shared.
3. Legs that are not held in their ratio are a broken structure: whole units, and what exceeds them.
4. Entry price and profit come from the fills of the legs, at average cost, fees apart.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from decimal import ROUND_FLOOR, Decimal

from standfast.model.breaks import BreakKind, Finding
from standfast.model.ids import Holding
from standfast.model.option import OptionContract, Right, listed_under, option_contract
from standfast.model.order import ZERO
from standfast.model.settlement import settlement
from standfast.model.structure import HeldLeg, Leg, Structure, StructureKind, legs_text, weight

LEGS_MAX = 4
"""Options of one named shape at most."""
STEP = Decimal("0.05")
"""What an option's price moves by at least, in the coarsest classes."""


def in_order(legs: Iterable[Leg]) -> tuple[Leg, ...]:
    """Shares first, then by expiry, right (calls, puts) and strike."""
    return tuple(sorted(legs, key=_place))


def _place(leg: Leg) -> tuple[object, ...]:
    if leg.contract is None:
        return (0, leg.holding)
    return (1, leg.contract.expiry, leg.contract.root, leg.contract.right.value, leg.contract.strike, leg.holding)


def underlying(leg: Leg) -> str:
    return underlying_of(leg.holding)


def underlying_of(holding: Holding) -> str:
    """What an option is on; of anything else itself, a class of shares as options on it name it."""
    contract = option_contract(holding.instrument)
    return settlement(contract).underlying if contract is not None else listed_under(holding.instrument)


# --- shapes -------------------------------------------------------------------------------------


def kind_of(legs: Iterable[Leg]) -> StructureKind:
    """The name of a shape; OTHER if it has none."""
    ordered = in_order(legs)
    if len({underlying(leg) for leg in ordered}) != 1 or len({leg.holding for leg in ordered}) != len(ordered):
        return StructureKind.OTHER
    options = [leg for leg in ordered if leg.contract is not None]
    shares = [leg for leg in ordered if leg.contract is None]
    if len({leg.multiplier for leg in options}) > 1 or len(shares) > 1:
        return StructureKind.OTHER
    if shares and options:
        return _with_shares(shares[0], options)
    match len(ordered):
        case 1:
            return StructureKind.SINGLE
        case 2:
            return _pair(ordered[0], ordered[1])
        case 3:
            return StructureKind.BUTTERFLY if _is_butterfly(ordered) else StructureKind.OTHER
        case 4:
            return _four(ordered)
        case _:
            return StructureKind.OTHER


def _option(leg: Leg) -> OptionContract:
    assert leg.contract is not None, leg.holding
    return leg.contract


def _pair(first: Leg, second: Leg) -> StructureKind:
    """Two options of one underlying, the one that expires first in front."""
    a, b = _option(first), _option(second)
    is_even, is_opposite = abs(first.ratio) == abs(second.ratio), first.sign != second.sign
    if a.right is not b.right:
        if first.series != second.series or is_opposite or not is_even:
            return StructureKind.OTHER
        return StructureKind.STRADDLE if a.strike == b.strike else StructureKind.STRANGLE
    if not is_opposite:
        return StructureKind.OTHER
    if first.series == second.series:
        return StructureKind.VERTICAL if is_even else StructureKind.RATIO
    if not is_even:
        return StructureKind.OTHER
    return StructureKind.CALENDAR if a.strike == b.strike else StructureKind.DIAGONAL


def _is_one_column(legs: Sequence[Leg]) -> bool:
    """Whether they differ in nothing but strike and ratio."""
    return len({(leg.series, _option(leg).right) for leg in legs}) == 1


def _is_butterfly(legs: Sequence[Leg]) -> bool:
    """Wings of one, a body of two the other way, in the order of the strikes; the wings may be of unequal width."""
    low, body, high = (leg.ratio for leg in legs)
    return _is_one_column(legs) and low == high and body == -2 * low


def _four(legs: Sequence[Leg]) -> StructureKind:
    if _is_one_column(legs):
        a, b, c, d = (leg.ratio for leg in legs)
        return StructureKind.CONDOR if a == d == -b == -c else StructureKind.OTHER
    calls = [leg for leg in legs if _option(leg).right is Right.CALL]
    puts = [leg for leg in legs if _option(leg).right is Right.PUT]
    if len(calls) != 2 or len({leg.series for leg in legs}) != 1:
        return StructureKind.OTHER
    (far_put, near_put), (near_call, far_call) = puts, calls
    inner = {near_put.ratio, near_call.ratio}
    outer = {far_put.ratio, far_call.ratio}
    if len(inner) != 1 or outer != {-near_put.ratio}:
        return StructureKind.OTHER
    gap = _option(near_call).strike - _option(near_put).strike
    if gap < 0:
        return StructureKind.OTHER
    return StructureKind.IRON_CONDOR if gap else StructureKind.IRON_BUTTERFLY


def _with_shares(shares: Leg, options: Sequence[Leg]) -> StructureKind:
    """Shares that make good every option beside them, where none of these adds to what the shares may lose or gain."""
    covered = abs(shares.ratio) * shares.multiplier
    if any(covered < abs(leg.ratio) * leg.multiplier or _follows(leg) == shares.sign for leg in options):
        return StructureKind.OTHER
    match sorted(leg.ratio for leg in options):
        case [ratio]:
            return StructureKind.COVERED_STOCK if ratio < 0 else StructureKind.PROTECTED_STOCK
        case [sold, bought] if sold == -bought:
            return StructureKind.COLLAR
        case _:
            return StructureKind.OTHER


def shares_among(legs: Iterable[Leg]) -> Leg | None:
    """The shares that options are held beside, if it is such a structure."""
    ordered = in_order(legs)
    return ordered[0] if len(ordered) > 1 and ordered[0].contract is None else None


def made_good(legs: Sequence[Leg]) -> frozenset[Holding]:
    """Sold options that the shares beside them deliver: what these may lose by a move, the shares make."""
    shares = shares_among(legs)
    if shares is None:
        return frozenset()
    options = (leg for leg in legs if leg.contract is not None and leg.sign < 0)
    return frozenset(leg.holding for leg in options if _follows(leg) == -shares.sign)


def sold_in(structure: Structure) -> list[Holding]:
    """Options that are held short, but for those which the shares beside them deliver."""
    return _not_delivered(structure.shape, [held.leg for held in structure.legs if held.net < 0])


def sold_by(legs: tuple[Leg, ...]) -> list[Holding]:
    """The same of legs that are to be opened."""
    return _not_delivered(legs, [leg for leg in legs if leg.sign < 0])


def _not_delivered(legs: tuple[Leg, ...], short: Iterable[Leg]) -> list[Holding]:
    delivered = made_good(legs)
    return [leg.holding for leg in short if leg.contract is not None and leg.holding not in delivered]


def _follows(leg: Leg) -> int:
    """The way an option gains: +1 when the underlying rises."""
    return leg.sign if _option(leg).right is Right.CALL else -leg.sign


# --- what is held -------------------------------------------------------------------------------


def booked(structures: Iterable[Structure]) -> dict[Holding, Decimal]:
    """Signed sum of every contract over all structures; a contract whose sum is nothing is named too."""
    nets: dict[Holding, Decimal] = {}
    for structure in structures:
        for held in structure.legs:
            nets[held.leg.holding] = nets.get(held.leg.holding, ZERO) + held.net
    return dict(sorted(nets.items()))


def whole_units(structure: Structure) -> Decimal:
    """Units of which every leg is held."""
    return min(_units_of(held) for held in structure.legs).to_integral_value(rounding=ROUND_FLOOR)


def _units_of(held: HeldLeg) -> Decimal:
    return held.held / abs(held.leg.ratio)


@dataclass(frozen=True, slots=True, kw_only=True)
class Broken:
    """A structure that is not held in its ratio: so many whole units, and legs that exceed them."""

    structure: Structure
    whole: Decimal
    excess: tuple[tuple[Leg, Decimal], ...]
    """Signed quantity of each leg beyond the whole units."""

    @property
    def is_uncovered(self) -> bool:
        """Whether something sold is left without its other legs."""
        return any(quantity < 0 for _, quantity in self.excess)

    def finding(self) -> Finding:
        held = " ".join(f"{held.leg.holding}:{held.net:+}" for held in self.structure.legs)
        lost = ", ".join(f"{quantity:+} {leg.holding}" for leg, quantity in self.excess)
        risk = "; something sold is left uncovered" if self.is_uncovered else ""
        return Finding(
            kind=BreakKind.STRUCTURE,
            holding=self.excess[0][0].holding,
            subject=self.structure.id,
            booked=f"{self.structure.units} x {legs_text(self.structure.shape)}",
            reported=held,
            evidence=f"{self.whole} whole, beyond them {lost}{risk}",
            gap=max(abs(quantity) for _, quantity in self.excess),
        )


def broken(structure: Structure) -> Broken | None:
    """What is wrong with the ratio of its legs, if anything. Ask only when nothing of it is under way."""
    whole = whole_units(structure)
    excess = tuple(
        (held.leg, held.net - whole * held.leg.ratio) for held in structure.legs if held.net != whole * held.leg.ratio
    )
    return Broken(structure=structure, whole=whole, excess=excess) if excess else None


# --- what it cost -------------------------------------------------------------------------------


def entry(structure: Structure) -> Decimal | None:
    """Net price of one unit at entry: positive was paid (a debit), negative received (a credit)."""
    total = ZERO
    for held in structure.legs:
        price = held.entry_price
        if price is None:
            return None
        total += weight(held.leg, structure.multiplier) * price
    return total


def basis_of(structure: Structure, cost: Decimal) -> Decimal:
    """The net price that stops are figured from: of what was held before it may be nothing, or less."""
    return structure.anchor if structure.anchor is not None else cost


def least_loss(structure: Structure, share: Decimal, cost: Decimal) -> Decimal:
    """How far below its basis a loss of this share ends. Of what was held before, and is worth next to nothing, a share
    is less than a quote can move by: then two steps of each leg."""
    wanted = share * abs(basis_of(structure, cost))
    if structure.anchor is None:
        return wanted
    options = (leg for leg in structure.shape if leg.contract is not None)
    return max(wanted, 2 * STEP * sum((abs(weight(leg, structure.multiplier)) for leg in options), ZERO))


def cost(structure: Structure) -> Decimal:
    """Money paid for what is still held (negative: received), at average cost."""
    return sum(
        (held.net * held.entry_price * held.leg.multiplier for held in structure.legs if held.entry_price is not None),
        ZERO,
    )


def realised(structure: Structure) -> Decimal:
    """Money made by what is closed, at average cost; fees are not in it."""
    total = ZERO
    for held in structure.legs:
        if held.closed and held.entry_price is not None:
            total += (held.exit_value - held.closed * held.entry_price) * held.leg.sign * held.leg.multiplier
    return total


def fees(structure: Structure) -> Decimal:
    return sum((held.fees for held in structure.legs), ZERO)
