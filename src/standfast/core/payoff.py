"""What legs are worth at expiry, at every price of the underlying, exactly: the worst and the best that can come of it.

Between two strikes the value at expiry is a straight line, so it is known everywhere by its value at no price at all,
at every strike, and by its slope beyond the last one. Where legs expire on different days the later ones are taken at
what they would be worth if exercised on the first day: what is bought is worth at least that. What is sold may be worth
any more, and goes on when what was bought with it has ended: so the worst is also figured without what ends before it.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import date
from decimal import Decimal
from functools import lru_cache

from standfast.core.shapes import cost
from standfast.model.option import OptionContract, Right
from standfast.model.order import ZERO
from standfast.model.structure import HeldLeg, Leg, Structure, multiplier_of, weight

REACHES_KEPT = 4_096
"""Shapes of structures whose bounds need not be figured again with each quote."""


@dataclass(frozen=True, slots=True)
class Stake:
    """Signed quantity of one contract, or of shares."""

    contract: OptionContract | None
    quantity: Decimal
    multiplier: Decimal

    @classmethod
    def of(cls, held: HeldLeg) -> "Stake":
        return cls(held.leg.contract, held.net, held.leg.multiplier)

    def value(self, price: Decimal) -> Decimal:
        """Money it is worth at expiry with the underlying at this price."""
        return self.quantity * self.multiplier * _intrinsic(self.contract, price)

    @property
    def slope(self) -> Decimal:
        """Money for each point by which the underlying rises beyond every strike."""
        rises = self.contract is None or self.contract.right is Right.CALL
        return self.quantity * self.multiplier if rises else ZERO


def _intrinsic(contract: OptionContract | None, price: Decimal) -> Decimal:
    if contract is None:
        return price
    worth = price - contract.strike if contract.right is Right.CALL else contract.strike - price
    return max(worth, ZERO)


@dataclass(frozen=True, slots=True)
class Extreme:
    """A result in money, and the price of the underlying it is reached at; None: without bound."""

    amount: Decimal | None
    at: Decimal | None

    def __str__(self) -> str:
        return "without bound" if self.amount is None else f"{self.amount:+.2f} at {self.at}"


UNBOUNDED = Extreme(None, None)


@dataclass(frozen=True, slots=True, kw_only=True)
class Outlook:
    worst: Extreme
    best: Extreme
    is_exact: bool
    """False where legs expire on different days: the later ones may be worth more than is counted here."""


def payoff(stakes: Iterable[Stake], price: Decimal) -> Decimal:
    """Money all of it is worth at expiry."""
    return sum((stake.value(price) for stake in stakes), ZERO)


def outlook(stakes: Sequence[Stake], paid: Decimal) -> Outlook:
    """The extremes of the result at expiry, over every price from nothing up. `paid`: money (received: negative)."""
    strikes = {stake.contract.strike for stake in stakes if stake.contract is not None}
    results = [Extreme(payoff(stakes, price) - paid, price) for price in sorted({ZERO, *strikes})]
    slope = sum((stake.slope for stake in stakes), ZERO)
    return Outlook(
        worst=UNBOUNDED if slope < 0 else min(results, key=_amount),
        best=UNBOUNDED if slope > 0 else max(results, key=_amount),
        is_exact=len({stake.contract.expiry for stake in stakes if stake.contract is not None}) <= 1,
    )


@lru_cache(maxsize=REACHES_KEPT)
def reach(legs: tuple[Leg, ...]) -> tuple[Decimal | None, Decimal | None]:
    """The least and the most that one unit can be worth at any time, in points; None: no bound, or none that is known.

    Legs of one series are worth no more now than the most they come to at expiry, discounted, and no less than the
    least. Who may exercise sooner can be paid a little more: no quote is so narrow that it shows.
    """
    multiplier = multiplier_of(legs)
    if len({leg.series for leg in legs if leg.contract is not None}) > 1:
        return None, None
    at_end = outlook([Stake(leg.contract, weight(leg, multiplier), Decimal(1)) for leg in legs], ZERO)
    least, most = at_end.worst.amount, at_end.best.amount
    return min(least, ZERO) if least is not None else None, max(most, ZERO) if most is not None else None


def _amount(result: Extreme) -> Decimal:
    assert result.amount is not None
    return result.amount


def outlook_of(structure: Structure) -> Outlook:
    """The most that can be lost and won with what is held of a structure, from what it cost; fees are not in it."""
    return outlook_together([structure])


def outlook_together(structures: Sequence[Structure]) -> Outlook:
    """Of several, all of it at one price of what lies under them."""
    paid = sum((cost(structure) for structure in structures), ZERO)
    whole = outlook([Stake.of(held) for structure in structures for held in structure.legs], paid)
    lasting = [Stake.of(held) for structure in structures for held in _lasting(structure)]
    after = outlook(lasting, paid).worst if not whole.is_exact else whole.worst
    return replace(whole, worst=_worse(whole.worst, after))


def _lasting(structure: Structure) -> list[HeldLeg]:
    """Without what is bought and ends before something that is sold: it may end worthless, and cover nothing more."""
    sold = [held.leg.contract.expiry for held in structure.legs if held.leg.contract is not None and held.net < 0]
    last = max(sold, default=date.min)
    return [
        held for held in structure.legs if held.leg.contract is None or held.net < 0 or held.leg.contract.expiry >= last
    ]


def _worse(one: Extreme, other: Extreme) -> Extreme:
    if one.amount is None or other.amount is None:
        return UNBOUNDED
    return min(one, other, key=_amount)


def first_expiry(structure: Structure) -> date | None:
    """When the first of its options ends; None without options."""
    return min((held.leg.contract.expiry for held in structure.legs if held.leg.contract is not None), default=None)
