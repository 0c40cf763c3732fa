"""Our terms -> what ccxt is told of an order, and the form it then has to leave in. Pure.

Invariant: what was not rehearsed, or what ccxt would change, is refused before it leaves.
"""

from decimal import Decimal
from typing import NamedTuple

from standfast.brokers.ccxt.markets import Market
from standfast.brokers.ccxt.terms import TIMES, check, local
from standfast.brokers.ccxt.unified.calling import Form
from standfast.brokers.ccxt.unified.parse import HEDGED
from standfast.brokers.ccxt.unified.rehearsal import Means, stop_params
from standfast.model.ids import ClientOrderId, Holding
from standfast.model.order import Terms


class Said(NamedTuple):
    type: str
    side: str
    amount: float
    price: float | None
    params: dict[str, object]
    form: Form | None
    """None for what may add in a one-way account: it has no mark."""


def said(client_id: ClientOrderId, holding: Holding, market: Market, terms: Terms, means: Means) -> Said:
    """Raises Rejected for what has no form here."""
    check(holding, market, terms)
    if not means.may_trade:
        raise local(f"no order is sent here ({'; '.join(means.lacking)})")
    params: dict[str, object] = {"clientOrderId": str(client_id)}
    if terms.reduces:
        params["reduceOnly"] = True
    if holding.hedge:
        return _of_a_side(params, holding, market, terms, means)
    kind, form = "limit" if terms.limit_price is not None else "market", None
    if terms.stop_price is not None:
        form = means.stops.get(terms.side) if kind == "market" and terms.reduces else None
        if form is None:
            raise local("no form for such a stop here, the guard holds it")
        exact(terms.stop_price)
        params |= stop_params(means.stop_params, terms.side, terms.stop_price)
    else:
        params |= {"timeInForce": TIMES[terms.time_in_force]} if kind == "limit" else {}
        form = means.closes[kind, terms.side] if terms.reduces else None
    price = exact(terms.limit_price) if terms.limit_price is not None else None
    return Said(kind, terms.side.value, exact(terms.quantity / market.size), price, params, form)


def _of_a_side(params: dict[str, object], holding: Holding, market: Market, terms: Terms, means: Means) -> Said:
    """In a hedged account: what it opens or closes is named, whatever it is."""
    sides, side = means.sides, holding.hedge
    if sides is None:
        raise local(f"{holding}: {HEDGED}")
    kind = "limit" if terms.limit_price is not None else "market"
    params["hedged"] = True
    if terms.stop_price is not None:
        if kind != "market" or not terms.reduces:
            raise local("no form for such a stop here, the guard holds it")
        exact(terms.stop_price)
        params |= stop_params(means.stop_params, terms.side, terms.stop_price)
        form = sides.stops[side]
    else:
        params |= {"timeInForce": TIMES[terms.time_in_force]} if kind == "limit" else {}
        form = (sides.closes if terms.reduces else sides.opens)[kind, side]
    price = exact(terms.limit_price) if terms.limit_price is not None else None
    return Said(kind, terms.side.value, exact(terms.quantity / market.size), price, params, form)


def exact(number: Decimal) -> float:
    """As ccxt wants it. Raises Rejected for a number it would change."""
    if Decimal(repr(float(number))) != number:
        raise local(f"{number} has more digits than ccxt keeps")
    return float(number)
