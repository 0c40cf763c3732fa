"""Our terms -> the body Bybit wants. Pure.

Invariants
- The side of the account (`positionIdx`) is always said, from the holding: a wrong mode is refused, never guessed.
- An order that may only reduce says so (`reduceOnly`), a stop too.
- Numbers travel as text, exactly as they are.
"""

from standfast.brokers.ccxt.bybit.parse import FALLS, INDEX, RISES
from standfast.brokers.ccxt.markets import Market
from standfast.brokers.ccxt.terms import TIMES, check
from standfast.brokers.shared.writing import text
from standfast.model.ids import ClientOrderId, Holding
from standfast.model.order import Side, Terms


def submission(client_id: ClientOrderId, holding: Holding, market: Market, terms: Terms) -> dict[str, object]:
    """The body of POST /v5/order/create. Raises Rejected for what Bybit has no form for."""
    check(holding, market, terms)
    body: dict[str, object] = {
        "symbol": market.id,
        "side": terms.side.value.capitalize(),
        "orderType": "Limit" if terms.limit_price is not None else "Market",
        "orderLinkId": str(client_id),
        "category": "linear",
        "qty": text(terms.quantity / market.size),
        "positionIdx": INDEX[holding.hedge],
    }
    if terms.limit_price is not None:
        body |= {"price": text(terms.limit_price), "timeInForce": TIMES[terms.time_in_force]}
    if terms.stop_price is not None:
        direction = FALLS if terms.side is Side.SELL else RISES
        body |= {"triggerDirection": direction, "triggerPrice": text(terms.stop_price)}
    if terms.reduces:
        body["reduceOnly"] = True
    return body
