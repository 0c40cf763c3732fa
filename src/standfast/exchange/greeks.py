"""A simple model of what an option is worth, and how that changes: deterministic to the bit on every platform.

The underlying's change until expiry is taken to have Student's t distribution with two degrees of freedom and a scale
that grows with the root of time. Its integral needs no logarithm, exponential or error function, only square roots:

    call = (d + sqrt(2 s^2 + d^2)) / 2     with d = spot - strike, s the scale

so call less put is spot less strike, as it must be, and the scale follows from a price as `s = sqrt(2 call put)`. The
tails are fatter than the normal's, which suits short-dated index options well enough for an exchange that is not real.
"""

from dataclasses import dataclass
from datetime import UTC, datetime, time
from decimal import Decimal
from math import sqrt
from zoneinfo import ZoneInfo

from standfast.exchange.contracts import Contract

NEW_YORK = ZoneInfo("America/New_York")
YEAR_DAYS = 365.0
LEAST_DAYS = 1.0 / (24 * 60)  # a minute
DAY_SECONDS = 86_400
CLOSES = time(16)
SCALE = 0.5657  # of the scale to volatility times spot times root of time: the price at the money is then the normal's
LEAST_SCALE = 1e-6


@dataclass(frozen=True, slots=True)
class Greeks:
    """Per unit of the underlying; theta per day, vega per point of volatility."""

    delta: float
    gamma: float
    theta: float
    vega: float
    volatility: float


def days_left(contract: Contract, at: datetime) -> float:
    """Calendar days until the close of the last day, at least a minute."""
    ends = datetime.combine(contract.expiry, CLOSES, NEW_YORK).astimezone(UTC)
    return max(LEAST_DAYS, (ends - at).total_seconds() / DAY_SECONDS)


def scale_of(volatility: float, spot: float, days: float) -> float:
    return max(LEAST_SCALE, SCALE * volatility * spot * sqrt(days / YEAR_DAYS))


def value(contract: Contract, spot: float, scale: float) -> float:
    distance = spot - float(contract.strike)
    call = (distance + sqrt(2 * scale * scale + distance * distance)) / 2
    return call if contract.right == "call" else call - distance


def greeks(contract: Contract, spot: float, scale: float, days: float) -> Greeks:
    moneyness = (spot - float(contract.strike)) / scale
    root = sqrt(2 + moneyness * moneyness)
    call_delta = (1 + moneyness / root) / 2
    root_of_time = sqrt(days / YEAR_DAYS)
    return Greeks(
        delta=call_delta if contract.right == "call" else call_delta - 1,
        gamma=1 / (scale * root * root * root),
        theta=-scale / root / (2 * days),
        vega=SCALE * spot * root_of_time / root / 100,
        volatility=scale / (SCALE * spot * root_of_time),
    )


def scale_from(contract: Contract, price: Decimal, spot: Decimal) -> float:
    """The scale at which the model gives this price; next to nothing for a price within the intrinsic value."""
    distance = spot - contract.strike
    call = price if contract.right == "call" else price + distance
    put = call - distance
    product = float(2 * call * put)
    return max(LEAST_SCALE, sqrt(product)) if product > 0 else LEAST_SCALE
