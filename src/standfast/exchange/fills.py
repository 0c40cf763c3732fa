"""How much of an order may fill on a quote. The engine settles the price; a policy may only hold back.

Deterministic: a policy with chance in it draws from the `random.Random` it is given.
"""

from datetime import datetime
from decimal import Decimal
from typing import Protocol

from standfast.exchange.assets import Quote
from standfast.exchange.orders import Order

WHOLE = Decimal(1)
ZERO = Decimal(0)


class FillPolicy(Protocol):
    def allowed(self, order: Order, remaining: Decimal, quote: Quote, now: datetime) -> Decimal:
        """Quantity of `remaining` that may fill on this look at this quote, 0 to remaining. Called once per look."""
        ...


class FillAll:
    def allowed(self, order: Order, remaining: Decimal, quote: Quote, now: datetime) -> Decimal:
        return remaining
