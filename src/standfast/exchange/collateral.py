"""What short options may cost, and what is therefore set aside: a simple rule, stated here and nowhere else.

For each underlying:

1. Every 100 shares held cover one short call, the lowest strikes first.
2. A long option protects when it lives at least as long as the last short one; the others count for nothing.
3. What is left is worth, at expiry, least at zero or at one of its strikes: that loss is set aside. A put sold alone is
   so secured to its whole strike, a spread to its width, whatever was received for it.
4. Each short call that no long call stands against has no such bound: a fifth of the underlying's price more.

The price in 4 is that of the last change of the holdings.
"""

from collections.abc import Callable, Iterable, Mapping
from datetime import date
from decimal import Decimal

from standfast.exchange.contracts import Contract

ZERO = Decimal(0)
UNBOUNDED_SHARE = Decimal("0.2")

Spot = Callable[[str, date], Decimal | None]  # of an underlying, as the options of an expiry see it
Held = tuple[Contract, Decimal]  # signed


def requirement(held: Iterable[Held], shares: Mapping[str, Decimal], spot: Spot) -> Decimal:
    """For a whole account; `shares` by underlying."""
    by_underlying: dict[str, list[Held]] = {}
    for contract, quantity in held:
        by_underlying.setdefault(contract.underlying, []).append((contract, quantity))
    return sum((_of_one(found, shares.get(name, ZERO), spot) for name, found in by_underlying.items()), ZERO)


def _of_one(held: list[Held], shares: Decimal, spot: Spot) -> Decimal:
    held = _uncovered(held, shares)
    shorts = [contract for contract, quantity in held if quantity < 0]
    if not shorts:
        return ZERO
    last = max(contract.expiry for contract in shorts)
    pool = [(contract, quantity) for contract, quantity in held if quantity < 0 or contract.expiry >= last]
    worst = _least_worth(pool)
    calls = sum((quantity * contract.multiplier for contract, quantity in pool if contract.right == "call"), ZERO)
    if calls >= 0:
        return max(ZERO, -worst)
    price = spot(shorts[0].underlying, last) or ZERO
    return max(ZERO, -worst) - calls * price * UNBOUNDED_SHARE


def _least_worth(pool: list[Held]) -> Decimal:
    """The least that the pool is worth at expiry, at zero or at a strike: between them its worth is a straight line.

    Walked upwards strike by strike with the slope carried along, so that many contracts cost no more than sorting them.
    """
    bends: dict[Decimal, Decimal] = {}
    worth = slope = at = ZERO
    for contract, quantity in pool:
        units = quantity * contract.multiplier
        bends[contract.strike] = bends.get(contract.strike, ZERO) + units
        if contract.right == "put":
            worth += units * contract.strike
            slope -= units
    least = worth
    for strike in sorted(bends):
        worth += slope * (strike - at)
        slope += bends[strike]
        at = strike
        least = min(least, worth)
    return least


def _uncovered(held: list[Held], shares: Decimal) -> list[Held]:
    """Without the short calls that shares cover."""
    left: list[Held] = []
    for contract, quantity in sorted(held, key=lambda each: each[0].strike):
        if quantity < 0 and contract.right == "call" and shares > 0:
            covered = min(-quantity, shares // contract.multiplier)
            shares -= covered * contract.multiplier
            quantity += covered
        if quantity:
            left.append((contract, quantity))
    return left
