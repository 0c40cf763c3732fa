"""All structures of an account seen together: how they lean, what a day costs, what they may lose at expiry.

1. What greeks are missing for is named, never counted as nothing.
2. The worst case of structures together is never worse than the sum of their own.
3. What never ends (shares, and nothing else) is a case of its own: it is held on any day.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal

from standfast.core.payoff import Extreme, Outlook, first_expiry, outlook_of, outlook_together
from standfast.core.shapes import underlying
from standfast.model.greeks import Greeks
from standfast.model.ids import Holding
from standfast.model.order import ZERO
from standfast.model.structure import HeldLeg, Structure


@dataclass(frozen=True, slots=True, kw_only=True)
class Lean:
    """What is held on one underlying, in its own terms."""

    delta: Decimal
    """Shares of the underlying that would lean as much."""
    theta: Decimal
    """Money a day: negative is what time costs."""


@dataclass(frozen=True, slots=True, kw_only=True)
class WorstCase:
    """What may come of everything on one underlying whose first option ends that day."""

    underlying: str
    expiry: date | None
    """None: of shares alone."""
    together: Outlook
    apart: Decimal | None
    """The sum of each structure's own worst, as if each met its own price; None: without bound."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Portfolio:
    leans: Mapping[str, Lean]
    """By underlying, of the contracts whose greeks are known."""
    theta: Decimal
    unknown: tuple[Holding, ...]
    """Contracts held without greeks."""
    figured_at: datetime | None
    """When the oldest greeks used were figured."""
    worst: tuple[WorstCase, ...]

    @property
    def worst_total(self) -> Decimal | None:
        """The sum over every underlying and day; None: without bound."""
        return _total(each.together.worst for each in self.worst)


def portfolio(structures: Iterable[Structure], greeks: Mapping[Holding, Greeks]) -> Portfolio:
    kept = [structure for structure in structures if not structure.is_flat]
    legs = [held for structure in kept for held in structure.legs if held.net]
    known = [greeks[held.leg.holding] for held in legs if held.leg.contract is not None and held.leg.holding in greeks]
    leans: dict[str, Lean] = {}
    for name in sorted({underlying(held.leg) for held in legs}):
        leans[name] = _lean([held for held in legs if underlying(held.leg) == name], greeks)
    return Portfolio(
        leans=leans,
        theta=sum((lean.theta for lean in leans.values()), ZERO),
        unknown=tuple(
            sorted(
                {held.leg.holding for held in legs if held.leg.contract is not None and held.leg.holding not in greeks}
            )
        ),
        figured_at=min((each.at for each in known), default=None),
        worst=worst_cases(kept),
    )


def _lean(legs: Sequence[HeldLeg], greeks: Mapping[Holding, Greeks]) -> Lean:
    delta = theta = ZERO
    for held in legs:
        size = held.net * held.leg.multiplier
        known = greeks.get(held.leg.holding)
        if held.leg.contract is None:
            delta += size
        elif known is not None:
            delta += size * known.delta
            theta += size * known.theta
    return Lean(delta=delta, theta=theta)


def worst_cases(structures: Sequence[Structure]) -> tuple[WorstCase, ...]:
    """One for each underlying and day on which an option of some structure is the first of it to end."""
    groups: dict[tuple[str, date], list[Structure]] = {}
    for structure in structures:
        group = underlying(structure.shape[0]), first_expiry(structure) or date.max
        groups.setdefault(group, []).append(structure)
    return tuple(
        _worst_case(name, expiry if expiry != date.max else None, groups[name, expiry])
        for name, expiry in sorted(groups)
    )


def _worst_case(name: str, expiry: date | None, structures: Sequence[Structure]) -> WorstCase:
    return WorstCase(
        underlying=name,
        expiry=expiry,
        together=outlook_together(structures),
        apart=_total(outlook_of(structure).worst for structure in structures),
    )


def _total(results: Iterable[Extreme]) -> Decimal | None:
    total = ZERO
    for result in results:
        if result.amount is None:
            return None
        total += result.amount
    return total
