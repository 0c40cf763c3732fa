"""How much of an order may fill, when the exchange is in a mood: some wait, some fill in part and then wait."""

from collections import Counter
from collections.abc import Callable
from datetime import datetime, timedelta
from decimal import Decimal
from random import Random

from standfast.exchange.assets import Quote
from standfast.exchange.orders import Order
from standfast.sim.strokes import Stroke

ZERO, ONE = Decimal(0), Decimal(1)
Active = Callable[..., Stroke | None]
"""The stroke of a kind that is in force, for an instrument."""


class Fickle:
    """A fill policy: some orders wait, some fill in part and then wait, as the strokes in force say."""

    def __init__(self, active: Active, fired: Counter[int], *, seed: int, share: Decimal) -> None:
        self._active, self._fired = active, fired
        self._draw, self._share = Random(f"fills-{seed}"), share
        self._waits: dict[str, datetime] = {}

    def allowed(self, order: Order, remaining: Decimal, quote: Quote, now: datetime) -> Decimal:
        """As `FillPolicy` says."""
        until = self._waits.get(order.id)
        if until is not None:
            return ZERO if now < until else remaining
        self._waits[order.id] = now
        slow, partly = self._active(12), self._active(10, order.instrument)
        if slow is not None and self._draw.random() < slow.chance:
            self._fired[12] += 1
            self._waits[order.id] = now + timedelta(seconds=self._draw.uniform(0.5, 15))
            return ZERO
        chance = partly.chance if partly is not None else float(self._share)
        if remaining < 2 or self._draw.random() >= chance:
            return remaining
        seconds = self._draw.uniform(2, partly.seconds) if partly is not None else self._draw.uniform(0.1, 4)
        if partly is not None:
            self._fired[10] += 1
        self._waits[order.id] = now + timedelta(seconds=seconds)
        return max(ONE, (remaining * self._draw.randrange(5, 95) / 100).to_integral_value())
