"""What "ok" says of an order for all legs, as a report: it was taken as it was sent, and no more."""

from collections.abc import Sequence
from decimal import Decimal
from math import gcd

from standfast.brokers.tradier.order_rows import NO_HOLDING
from standfast.model.ids import BrokerOrderId, ClientOrderId
from standfast.model.order import ZERO, LegTerms, OrderReport, OrderState, OrderType, Side


def acknowledged_together(
    broker_id: BrokerOrderId, client_id: ClientOrderId, legs: Sequence[LegTerms], net: Decimal | None
) -> OrderReport:
    """Prices are signed as in every report of a spread: what is received is negative."""
    return OrderReport(
        broker_id=broker_id,
        client_id=client_id,
        holding=NO_HOLDING,
        side=Side.BUY,
        type=OrderType.MARKET if net is None else OrderType.LIMIT,
        time_in_force=legs[0].terms.time_in_force,
        quantity=Decimal(gcd(*(int(leg.terms.quantity) for leg in legs))),
        filled=ZERO,
        state=OrderState.PENDING,
        limit_price=-net if net else None,
        order_class="mleg",
    )
