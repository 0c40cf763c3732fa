"""Our terms -> the form Binance wants: an ordinary order, or a conditional one. Pure.

Invariants
- The side of the account (`positionSide`) is always said, from the holding: a wrong mode is refused, never guessed.
- In one-way mode an order that may only reduce says so; in a hedged account its side says it, and the flag is refused.
- Numbers travel as text, exactly as they are.
"""

from standfast.brokers.ccxt.binance.parse import SIDE_OF
from standfast.brokers.ccxt.markets import Market
from standfast.brokers.ccxt.terms import TIMES, check
from standfast.brokers.shared.writing import text
from standfast.model.ids import ClientOrderId, Holding
from standfast.model.order import Terms

Form = dict[str, object]
CONDITIONAL = "CONDITIONAL"


def submission(client_id: ClientOrderId, holding: Holding, market: Market, terms: Terms) -> Form:
    """Of POST /order, or of POST /algoOrder where it has an `algoType`. Raises Rejected for what has no form."""
    check(holding, market, terms)
    form: Form = {
        "symbol": market.id,
        "side": terms.side.value.upper(),
        "newOrderRespType": "RESULT",
        "quantity": text(terms.quantity / market.size),
        "positionSide": SIDE_OF[holding.hedge],
    }
    if terms.reduces and not holding.hedge:
        form["reduceOnly"] = "true"
    is_limit = terms.limit_price is not None
    if terms.limit_price is not None:
        form |= {"price": text(terms.limit_price), "timeInForce": TIMES[terms.time_in_force]}
    if terms.stop_price is None:
        return form | {"newClientOrderId": str(client_id), "type": "LIMIT" if is_limit else "MARKET"}
    return form | {
        "clientAlgoId": str(client_id),
        "algoType": CONDITIONAL,
        "type": "STOP" if is_limit else "STOP_MARKET",
        "triggerPrice": text(terms.stop_price),
    }
