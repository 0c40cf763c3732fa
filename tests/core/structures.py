"""Structures built from values: legs by their short name, what their fills made of them."""

from datetime import date, datetime
from decimal import Decimal
from typing import Any

from standfast.model.ids import Holding, InstrumentId, PositionId
from standfast.model.instrument import Instrument, Kind
from standfast.model.option import OptionContract, Right
from standfast.model.structure import HeldLeg, Leg, Structure
from tests.core.situations import BEGAN, D, P

TODAY, FRIDAY = date(2026, 3, 4), date(2026, 3, 6)
"""The day of `situations.NOW`, and the end of its week."""


def contract(right: str, strike: str | int, expiry: date = TODAY, root: str = "SPXW") -> OptionContract:
    return OptionContract(root, expiry, Right.CALL if right == "C" else Right.PUT, D(strike))


def option(right: str, strike: str | int, expiry: date = TODAY, root: str = "SPXW") -> Instrument:
    name = contract(right, strike, expiry, root).instrument
    return Instrument(id=name, kind=Kind.OPTION, multiplier=Decimal(100), tick=D("0.05"))


def leg(ratio: int, right: str, strike: str | int, expiry: date = TODAY, root: str = "SPXW") -> Leg:
    return Leg.of(option(right, strike, expiry, root), ratio)


def shares(ratio: int, name: str = "SPY") -> Leg:
    return Leg.of(Instrument(id=InstrumentId(name)), ratio)


def at(right: str, strike: str | int, expiry: date = TODAY, root: str = "SPXW") -> Holding:
    return leg(1, right, strike, expiry, root).holding


def held(shape: Leg, price: str | int | Decimal, units: str | int = 1, closed: str | int = 0) -> HeldLeg:
    quantity = D(units) * abs(shape.ratio)
    return HeldLeg(leg=shape, opened=quantity, entry_value=quantity * D(price), closed=D(closed))


def structure(
    *legs: tuple[Leg, str | int | Decimal],
    units: str | int = 1,
    id: PositionId = P,
    at: datetime = BEGAN,
    **changes: Any,
) -> Structure:
    """So many units, every leg opened whole at its price."""
    return Structure(
        id=id,
        strategy="spreads",
        legs=tuple(held(shape, price, units) for shape, price in legs),
        units=D(units),
        **{"opened_at": at, **changes},
    )


def put_spread(units: str | int = 3, **changes: Any) -> Structure:
    """Sold for 3.70: short the 3800 put, long the 3700 put, of today."""
    return structure((leg(-1, "P", 3800), "4.50"), (leg(1, "P", 3700), "0.80"), units=units, **changes)
