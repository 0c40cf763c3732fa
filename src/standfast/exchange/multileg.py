"""When a multi-leg order may trade, and at what price: pure functions of its legs and their quotes.

The price of one unit is what its legs cost together at the far side of each quote, per unit of the underlying: a
spread of two options at 4.10 and 2.30 costs 1.80, a hundred shares at 50 against a call sold at 2 cost 48.
"""

from collections.abc import Sequence
from decimal import Decimal

from standfast.exchange.accounts import Account
from standfast.exchange.assets import Quote
from standfast.exchange.contracts import HUNDRED
from standfast.exchange.matching import displayed, far_side
from standfast.exchange.orders import ZERO, Order


def net_price(legs: Sequence[Order], prices: Sequence[Decimal], multipliers: Sequence[Decimal]) -> Decimal:
    """What one unit costs; negative: what it brings in."""
    money = sum(
        (
            leg.side.sign * leg.ratio * price * multiplier
            for leg, price, multiplier in zip(legs, prices, multipliers, strict=True)
        ),
        ZERO,
    )
    return money / HUNDRED


def whole_price(
    whole: Order, legs: Sequence[Order], quotes: Sequence[Quote], multipliers: Sequence[Decimal]
) -> list[Decimal] | None:
    """Each leg's price on these quotes; None when one has nobody on its far side, or the limit is not met."""
    prices = [far_side(leg.side, quote) for leg, quote in zip(legs, quotes, strict=True)]
    limit = whole.terms.limit_price
    if not all(prices) or (limit is not None and net_price(legs, prices, multipliers) > limit):
        return None
    return prices


def whole_units_left(whole: Order, legs: Sequence[Order], account: Account) -> Decimal:
    """Units that can still trade: a leg that closes never takes more than is held."""
    left = whole.remaining
    for leg in legs:
        if not leg.intent.opens:
            against = -account.net(leg.instrument) * leg.side.sign
            left = min(left, max(ZERO, against) // leg.ratio)
    return left


def net_quote(whole: Order, legs: Sequence[Order], quotes: Sequence[Quote]) -> Quote:
    """The whole's own market, for a fill policy: it buys at the ask. Sizes are in units."""
    far = [displayed(leg.side, quote) // leg.ratio for leg, quote in zip(legs, quotes, strict=True)]
    near = [displayed(leg.side.opposite, quote) // leg.ratio for leg, quote in zip(legs, quotes, strict=True)]
    ask = sum((leg.side.sign * leg.ratio * far_side(leg.side, q) for leg, q in zip(legs, quotes, strict=True)), ZERO)
    bid = sum(
        (leg.side.sign * leg.ratio * far_side(leg.side.opposite, q) for leg, q in zip(legs, quotes, strict=True)), ZERO
    )
    return Quote(whole.instrument, bid, ask, min(near), min(far), max(quote.at for quote in quotes))
