"""What the operator is shown: the exchange's values as JSON objects."""

from standfast.exchange.accounts import TrueFill
from standfast.exchange.dialects.hall import Asked
from standfast.exchange.faults import Struck
from standfast.exchange.orders import Order

OF_A_FILL = ("order_id", "execution_id", "instrument", "quantity", "price", "realised", "at", "kind")
OF_A_STRUCK = ("at", "operation", "instrument", "account", "fault")
OF_AN_ASKED = ("at", "account", "operation", "instrument", "status", "fault")


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
    return _named(fill, OF_A_FILL)


def struck_row(struck: Struck) -> dict[str, object]:
    return _named(struck, OF_A_STRUCK)


def asked_row(asked: Asked) -> dict[str, object]:
    return _named(asked, OF_AN_ASKED)


def _named(value: object, names: tuple[str, ...]) -> dict[str, object]:
    """These attributes and no others: what is shown is a contract, what a value holds is not."""
    return {name: getattr(value, name) for name in names}
