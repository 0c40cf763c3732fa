"""What the operator is shown: the exchange's values as JSON objects."""

from standfast.exchange.accounts import TrueFill
from standfast.exchange.dialects.venue import Asked
from standfast.exchange.faults import Struck
from standfast.exchange.orders import Order


def order_row(order: Order) -> dict[str, object]:
    return {
        "id": order.id,
        "client_order_id": order.client_order_id,
        "account": order.account,
        "instrument": order.instrument,
        "side": order.side,
        "type": order.terms.type,
        "status": order.status,
        "quantity": order.terms.quantity,
        "filled": order.filled,
        "average_price": order.average_price,
        "legs": order.leg_ids,
    }


def fill_row(fill: TrueFill) -> dict[str, object]:
    return {
        "order_id": fill.order_id,
        "execution_id": fill.execution_id,
        "instrument": fill.instrument,
        "quantity": fill.quantity,
        "price": fill.price,
        "realised": fill.realised,
        "at": fill.at,
        "kind": fill.kind,
    }


def struck_row(struck: Struck) -> dict[str, object]:
    return {
        "at": struck.at,
        "operation": struck.operation,
        "instrument": struck.instrument,
        "account": struck.account,
        "fault": struck.fault,
    }


def asked_row(asked: Asked) -> dict[str, object]:
    return {
        "at": asked.at,
        "account": asked.account,
        "operation": asked.operation,
        "instrument": asked.instrument,
        "status": asked.status,
        "fault": asked.fault,
    }
