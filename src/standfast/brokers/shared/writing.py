"""Orders on their way out, as far as brokers agree: how a number is written, what a bare acknowledgement says. Pure."""

from decimal import Decimal

from standfast.model.ids import BrokerOrderId, ClientOrderId, Holding
from standfast.model.order import ZERO, OrderReport, OrderState, Terms


def text(number: Decimal) -> str:
    """Plain digits, no exponent, no zeros that say nothing."""
    plain = f"{number:f}"
    return plain.rstrip("0").rstrip(".") if "." in plain else plain


def acknowledged(broker_id: BrokerOrderId, client_id: ClientOrderId, holding: Holding, terms: Terms) -> OrderReport:
    """All that an answer with no more than an id says: it was taken as it was sent."""
    return OrderReport(
        broker_id=broker_id,
        client_id=client_id,
        holding=holding,
        side=terms.side,
        type=terms.type,
        time_in_force=terms.time_in_force,
        quantity=terms.quantity,
        filled=ZERO,
        state=OrderState.PENDING,
        limit_price=terms.limit_price,
        stop_price=terms.stop_price,
        closes=terms.reduces,
    )
