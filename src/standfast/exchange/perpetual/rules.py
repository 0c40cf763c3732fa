"""How this exchange behaves where exchanges differ, and how much of an order may fill."""

from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal
from typing import Protocol

from standfast.exchange.perpetual.orders import Order

AT_ONCE = timedelta(0)


@dataclass(frozen=True, slots=True, kw_only=True)
class PerpetualRules:
    fill_after: timedelta = AT_ONCE  # from acceptance to the first look at the market
    limited_by_size: bool = False  # a fill takes no more than the quote shows
    ids_stay_taken: bool = True  # a client order id of a finished order too (Bybit; Binance frees it)
    refuses_untimely_triggers: bool = True  # a trigger that would fire at once
    conditional_max: int = 10  # per instrument
    working_max: int = 500  # per instrument
    partial_max: int = 20  # stops for parts of one position


class FillPolicy(Protocol):
    def allowed(self, order: Order, quantity: Decimal) -> Decimal:
        """How much of `quantity` may fill on this look, 0 to all of it."""
        ...


class FillAll:
    def allowed(self, order: Order, quantity: Decimal) -> Decimal:
        return quantity


class Scripted:
    """Per client order id, the share of the order's quantity that each look may fill: `["0.3", "0", "0.7"]`.

    After its script an order fills freely, as does one that has none.
    """

    def __init__(self, shares: dict[str, list[Decimal]]) -> None:
        self._shares = {name: list(script) for name, script in shares.items()}

    def allowed(self, order: Order, quantity: Decimal) -> Decimal:
        script = self._shares.get(order.ticket.link_id)
        if not script:
            return quantity
        return min(quantity, (order.ticket.quantity or quantity) * script.pop(0))
