"""Our terms -> the body Alpaca wants. Pure.

Invariants
- Numbers travel as text, exactly as they are.
- An order that may only reduce says so (`position_intent`), and Alpaca refuses it when it would do anything else.
- What Alpaca cannot hold is refused here, before it leaves.
"""

from decimal import Decimal

from standfast.brokers.shared.writing import text
from standfast.model.errors import Rejected
from standfast.model.ids import ClientOrderId, Holding
from standfast.model.order import STOP_TYPES, OrderType, Side, Terms, TimeInForce

EXPRESSIBLE = frozenset({OrderType.MARKET, OrderType.LIMIT, OrderType.STOP, OrderType.STOP_LIMIT})


def submission(client_id: ClientOrderId, holding: Holding, terms: Terms) -> dict[str, object]:
    """The body of POST /v2/orders. Raises Rejected for what Alpaca has no form for."""
    _check(terms)
    body: dict[str, object] = {
        "symbol": str(holding.instrument),
        "qty": text(terms.quantity),
        "side": terms.side.value,
        "type": terms.type.value,
        "time_in_force": terms.time_in_force.value,
        "client_order_id": client_id,
    }
    if terms.target_price is not None:
        return body | _pair(terms)
    if terms.attached_stop is not None:
        stop = {"stop_price": text(terms.attached_stop)}
        return body | _prices(terms) | {"order_class": "oto", "stop_loss": stop}
    if terms.reduces:
        body["position_intent"] = "sell_to_close" if terms.side is Side.SELL else "buy_to_close"
    return body | _prices(terms)


def replacement(client_id: ClientOrderId, terms: Terms, *, standing: Decimal | None) -> dict[str, object]:
    """The body of PATCH /v2/orders/{id}: the quantity only where it differs from the one that stands.

    Members of a pair or bracket refuse any quantity (brokers/README §1.7), so an unchanged one is not sent.
    """
    _check(terms)
    body: dict[str, object] = {"client_order_id": client_id}
    if terms.quantity != standing:
        body["qty"] = text(terms.quantity)
    return body | _prices(terms)


def _pair(terms: Terms) -> dict[str, object]:
    """Target and stop as one-cancels-other: the parent is the target, its leg the stop."""
    assert terms.stop_price is not None, "a pair has a stop"
    assert terms.target_price is not None, "a pair has a target"
    stop = {"stop_price": text(terms.stop_price)}
    if terms.type is OrderType.STOP_LIMIT and terms.limit_price is not None:
        stop["limit_price"] = text(terms.limit_price)
    return {
        "type": OrderType.LIMIT.value,
        "order_class": "oco",
        "take_profit": {"limit_price": text(terms.target_price)},
        "stop_loss": stop,
    }


def _prices(terms: Terms) -> dict[str, object]:
    prices = {"limit_price": terms.limit_price, "stop_price": terms.stop_price}
    return {name: text(price) for name, price in prices.items() if price is not None}


def _check(terms: Terms) -> None:
    if terms.type not in EXPRESSIBLE or terms.time_in_force is TimeInForce.OTHER:
        raise Rejected(f"no form for {terms.type} {terms.time_in_force}: it was not sent", kind="other")
    rests = terms.type in STOP_TYPES or terms.target_price is not None
    if rests and terms.quantity != terms.quantity.to_integral_value():
        raise Rejected(
            f"a stop over {terms.quantity} is not whole: it was not sent", kind="not_fractionable", code="local"
        )
