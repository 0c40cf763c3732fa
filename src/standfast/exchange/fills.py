"""How much of an order may fill on a quote. The engine settles the price; a policy may only hold back.

Deterministic: a policy with chance in it draws from the `random.Random` it is given.
"""

from dataclasses import dataclass, field
from datetime import datetime
from decimal import ROUND_DOWN, Decimal
from random import Random
from typing import Protocol

from standfast.exchange.assets import Quote
from standfast.exchange.orders import Order

WHOLE = Decimal(1)


class FillPolicy(Protocol):
    def allowed(self, order: Order, remaining: Decimal, quote: Quote, now: datetime) -> Decimal:
        """Quantity of `remaining` that may fill on this look at this quote, 0 to remaining. Called at every look:
        when the order goes live and at each quote on which its price allows a fill."""
        ...


class FillAll:
    def allowed(self, order: Order, remaining: Decimal, quote: Quote, now: datetime) -> Decimal:
        return remaining


@dataclass(slots=True)
class Scripted:
    """Per client order id or tag, the share of the order's own quantity that each look may fill: `["0.3", "0", "0.7"]`.

    Whole quantities are cut into whole parts. After its script an order fills freely, as does one that has none.
    """

    shares: dict[str, list[Decimal]]

    def allowed(self, order: Order, remaining: Decimal, quote: Quote, now: datetime) -> Decimal:
        script = self.shares.get(order.client_order_id) or self.shares.get(order.tag)
        if not script:
            return remaining
        whole = order.terms.quantity or remaining
        part = whole * script.pop(0)
        return min(remaining, part if whole % 1 else part // 1)


@dataclass(slots=True)
class SomePartly:
    """A seeded share of orders fills in two parts, as Alpaca's paper account does to a tenth of them (§1.12)."""

    random: Random
    share: Decimal = Decimal("0.1")
    seen: set[str] = field(default_factory=set)

    def allowed(self, order: Order, remaining: Decimal, quote: Quote, now: datetime) -> Decimal:
        if order.id in self.seen:
            return remaining
        self.seen.add(order.id)
        if Decimal(self.random.randrange(1000)) / 1000 >= self.share:
            return remaining
        part = (remaining * self.random.randrange(1, 100) / 100).quantize(WHOLE, rounding=ROUND_DOWN)
        return min(remaining, part or WHOLE)
