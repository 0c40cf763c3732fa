"""What holds for every order of ours on any exchange, whatever its form there. Pure.

Invariants
- In a hedged account an order that may only reduce goes against its side, and one that may add goes with it.
- Nothing is rounded here: a quantity that is no multiple of the step is refused before it leaves.
"""

from standfast.brokers.ccxt.markets import Market
from standfast.model.errors import Rejected
from standfast.model.ids import Holding
from standfast.model.order import OrderType, Side, Terms, TimeInForce

TYPES = frozenset({OrderType.MARKET, OrderType.LIMIT, OrderType.STOP, OrderType.STOP_LIMIT})
TIMES = {TimeInForce.DAY: "GTC", TimeInForce.GTC: "GTC", TimeInForce.IOC: "IOC", TimeInForce.FOK: "FOK"}
"""There are no days here: what is good for the day is until cancelled."""


def check(holding: Holding, market: Market, terms: Terms) -> None:
    """Raises Rejected for an order no exchange has a form for, or that could go another way than it says."""
    way = {"long": Side.BUY, "short": Side.SELL}.get(holding.hedge)
    if holding.hedge and way is None:
        raise local(f"{holding} is no side of a hedged account")
    if way is not None and (terms.side is way) is terms.reduces:
        does = "reduces" if terms.reduces else "adds to"
        raise local(f"a {terms.side} of {holding} is not what {does} it")
    stops = terms.type in (OrderType.STOP, OrderType.STOP_LIMIT)
    if terms.type not in TYPES or terms.time_in_force not in TIMES or stops is (terms.stop_price is None):
        raise local(f"no form for {terms.type} {terms.time_in_force}")
    if terms.attached_stop is not None or terms.target_price is not None:
        raise local("no form for a pair, or for an order that brings its stop")
    if terms.quantity <= 0 or terms.quantity % market.instrument.lot:
        raise local(f"{terms.quantity} is no multiple of {market.instrument.lot}", kind="not_fractionable")
    if market.least is not None and terms.quantity < market.least and not terms.reduces:
        raise local(f"{terms.quantity} is less than {market.least}, the least of an order")


def local(why: str, *, kind: str = "other") -> Rejected:
    return Rejected(f"{why}: it was not sent", kind=kind, code="local")
