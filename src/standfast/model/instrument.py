"""The tradable thing: tick, lot, what may be done with it; and all rounding.

Rounding says which way. A stop is rounded so that it never loosens the loss it bounds by more than one
tick; a quantity is only ever rounded down.
"""

from dataclasses import dataclass
from decimal import ROUND_CEILING, ROUND_FLOOR, ROUND_HALF_EVEN, Decimal
from enum import StrEnum
from functools import lru_cache

from standfast.model.ids import InstrumentId
from standfast.model.option import CONTRACT_SIZE, option_contract

COARSE_FROM = Decimal(3)
"""Dollars from which options step coarser, where their class does."""


class Kind(StrEnum):
    EQUITY = "equity"
    OPTION = "option"
    PERPETUAL = "perpetual"


@lru_cache(maxsize=10_000)
def money_of_a_point(name: InstrumentId) -> Decimal:
    """What a price move of one is worth for one unit, in account currency: a hundred for an option, one for a share."""
    return CONTRACT_SIZE if option_contract(name) is not None else Decimal(1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Instrument:
    id: InstrumentId
    kind: Kind = Kind.EQUITY
    lot: Decimal = Decimal(1)
    """Smallest quantity step an order may have."""
    most: Decimal | None = None
    """Largest quantity of one order at the market or of a stop, where the broker has one: more takes several."""
    tick: Decimal | None = None
    """Price step; None for US equities, whose step depends on the price."""
    coarse_tick: Decimal | None = None
    """Price step from three dollars up, where an option class has two."""
    multiplier: Decimal = Decimal(1)
    tradable: bool = True
    shortable: bool = True
    fractionable: bool = False

    @classmethod
    def assumed(cls, name: InstrumentId) -> "Instrument":
        """What the name alone says, for as long as the broker has not been asked."""
        if option_contract(name) is None:
            return cls(id=name)
        return cls(id=name, kind=Kind.OPTION, tick=Decimal("0.01"), multiplier=CONTRACT_SIZE)

    def tick_at(self, price: Decimal) -> Decimal:
        """US equities: a cent from one dollar up, a hundredth of a cent below (Regulation NMS rule 612)."""
        if self.coarse_tick is not None and price >= COARSE_FROM:
            return self.coarse_tick
        if self.tick is not None:
            return self.tick
        return Decimal("0.01") if price >= 1 else Decimal("0.0001")

    def round_down(self, price: Decimal) -> Decimal:
        return _to_step(price, self.tick_at(price), ROUND_FLOOR)

    def round_up(self, price: Decimal) -> Decimal:
        return _to_step(price, self.tick_at(price), ROUND_CEILING)

    def round_nearest(self, price: Decimal) -> Decimal:
        return _to_step(price, self.tick_at(price), ROUND_HALF_EVEN)

    def at_most(self, quantity: Decimal) -> Decimal:
        """As much of a quantity as one order may have."""
        return quantity if self.most is None else min(quantity, self.most)

    def is_whole(self, quantity: Decimal) -> bool:
        """Whether a resting order may have this quantity: a whole number of shares or contracts."""
        return quantity == quantity.to_integral_value()


def _to_step(price: Decimal, step: Decimal, rounding: str) -> Decimal:
    return (price / step).to_integral_value(rounding=rounding) * step
