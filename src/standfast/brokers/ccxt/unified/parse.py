"""ccxt's unified rows -> the model. Pure.

Ids carry the contract's own, and which list of orders one is in: `BTCUSDT:o:ID`, `BTCUSDT:t:ID` of a conditional one.

Invariants
- A row of nothing is no position. One of a side held apart from the other is refused where sides cannot be said: no
  side would be closed for it.
- A conditional order that is over without having filled has made another order: it is not told as filled.
- What has an unknown status is alive, and of an unknown type; so is what is over, nobody says how.
"""

import re
from collections.abc import Mapping
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any, NamedTuple

from standfast.brokers.ccxt.markets import Market
from standfast.brokers.ccxt.unified.sides import OPENS
from standfast.brokers.ccxt.venue import UNTAGGED
from standfast.brokers.shared.reading import number, shown
from standfast.model.errors import Malformed
from standfast.model.evidence import HeldReport
from standfast.model.ids import OWN_PREFIX, BrokerOrderId, ClientOrderId, ExecutionId, Holding
from standfast.model.order import ZERO, Fill, OrderReport, OrderState, OrderType, Side, TimeInForce

Row = Mapping[str, Any]
PLAIN, TRIGGER = "o", "t"
OURS = re.compile(f"(.+?):({PLAIN}|{TRIGGER}):(.+)")
STATES = {
    "open": OrderState.WORKING,
    "closed": OrderState.FILLED,
    "canceled": OrderState.CANCELLED,
    "expired": OrderState.EXPIRED,
    "rejected": OrderState.REJECTED,
}
TIMES = {"GTC": TimeInForce.GTC, "IOC": TimeInForce.IOC, "FOK": TimeInForce.FOK, "GTD": TimeInForce.OTHER}
SIDES = {"buy": Side.BUY, "sell": Side.SELL}
HEDGED = "the account holds the sides of a contract apart (hedge mode), which is not guarded on this exchange"


class Id(NamedTuple):
    """A broker order id of ours, taken apart."""

    symbol: str
    kind: str
    id: str


def broker_id(market: Market, kind: str, id: object) -> BrokerOrderId:
    return BrokerOrderId(f"{market.id}:{kind}:{id}")


def parsed_id(text: str) -> Id | None:
    """None for one that is not ours."""
    found = OURS.fullmatch(text)
    return Id(*found.groups()) if found is not None else None


def held(row: Row, market: Market, *, may_be_hedged: bool = False) -> HeldReport | None:
    contracts = decimal(row.get("contracts"), "contracts")
    if not contracts:
        return None
    side = row.get("side")
    if side not in ("long", "short") or contracts < 0:
        raise Malformed(f"position {shown(market.name)}: {contracts} contracts, side {shown(str(side))}")
    is_hedged = bool(row.get("hedged"))
    if is_hedged and not may_be_hedged:
        raise Malformed(f"position {shown(market.name)}: {HEDGED}")
    sign = 1 if side == "long" else -1
    return HeldReport(
        holding=Holding(market.name, side if is_hedged else ""),
        quantity=contracts * market.size * sign,
        average_price=decimal(row.get("entryPrice"), "entryPrice") or ZERO,
        liquidation=decimal(row.get("liquidationPrice"), "liquidationPrice"),
    )


def order(row: Row, market: Market, kind: str, hedge: str = "") -> OrderReport:
    id, side = row.get("id"), SIDES.get(str(row.get("side")))
    if not id or side is None:
        raise Malformed(f"order {shown(str(id))}: side {shown(str(row.get('side')))}")
    client_id = str(row.get("clientOrderId") or f"{UNTAGGED}{broker_id(market, kind, id)}")
    filled = decimal(row.get("filled"), "filled") or ZERO
    quantity = max(decimal(row.get("amount"), "amount") or ZERO, filled)
    trigger = decimal(row.get("stopLossPrice") or row.get("triggerPrice"), "triggerPrice")
    of_type, limit, stop = _type(row, client_id, trigger)
    state = STATES.get(str(row.get("status")), OrderState.UNKNOWN)
    has_fired = kind == TRIGGER and state is OrderState.FILLED and not filled
    if state is OrderState.FILLED and filled < quantity:
        is_told = kind == TRIGGER or row.get("filled") is not None
        state = OrderState.CANCELLED if is_told else OrderState.UNKNOWN
    return OrderReport(
        broker_id=broker_id(market, kind, id),
        client_id=ClientOrderId(client_id),
        holding=Holding(market.name, hedge),
        side=side,
        type=of_type,
        time_in_force=TIMES.get(str(row.get("timeInForce") or "GTC"), TimeInForce.OTHER),
        quantity=quantity * market.size,
        filled=filled * market.size,
        state=state,
        average_price=decimal(row.get("average"), "average"),
        limit_price=limit,
        stop_price=stop,
        placed_at=_moment(row.get("timestamp")),
        updated_at=_moment(row.get("lastUpdateTimestamp")),
        closes=OPENS[hedge] is not side if hedge else True if row.get("reduceOnly") else None,
        triggered=has_fired,
        reason="it fired: what it became is an order of its own" if has_fired else "",
    )


def fill(row: Row, market: Market, order_id: BrokerOrderId, hedge: str = "") -> Fill:
    side = SIDES.get(str(row.get("side")))
    quantity = (decimal(row.get("amount"), "amount") or ZERO) * market.size
    price = decimal(row.get("price"), "price") or ZERO
    at, fee = _moment(row.get("timestamp")), row.get("fee") or {}
    if side is None or quantity <= 0 or price <= 0 or at is None or not row.get("id"):
        raise Malformed(f"trade {shown(str(row.get('id')))}: {quantity} at {price}")
    return Fill(
        execution_id=execution_id(row, market),
        broker_order_id=order_id,
        holding=Holding(market.name, hedge),
        side=side,
        quantity=quantity,
        price=price,
        fee=market.charged(decimal(fee.get("cost"), "fee") or ZERO, str(fee.get("currency") or "")),
        at=at,
    )


def execution_id(row: Row, market: Market) -> ExecutionId:
    return ExecutionId(f"{market.id}:{row.get('id')}")


def stamp(row: Row, what: str) -> int:
    """Milliseconds since 1970."""
    found = row.get("timestamp")
    if not isinstance(found, int) or found <= 0:
        raise Malformed(f"{what} {shown(str(row.get('id')))}: time is {shown(str(found))}")
    return found


def _type(row: Row, client_id: str, trigger: Decimal | None) -> tuple[OrderType, Decimal | None, Decimal | None]:
    """Type, limit price and stop price. A trigger is a stop where the exchange says so, or where it is ours."""
    limit, name = decimal(row.get("price"), "price"), str(row.get("type") or "").lower()
    takes = decimal(row.get("takeProfitPrice"), "takeProfitPrice")
    if trigger is None:
        if takes is not None:
            return OrderType.LIMIT, limit or takes, None
        known = {"limit": OrderType.LIMIT, "market": OrderType.MARKET}.get(name, OrderType.UNKNOWN)
        return known, limit if known is not OrderType.MARKET else None, None
    if "profit" in name or takes is not None:
        return OrderType.LIMIT, limit or takes or trigger, None
    is_stop = row.get("stopLossPrice") or "stop" in name or client_id.startswith(OWN_PREFIX)
    if not is_stop:
        return OrderType.UNKNOWN, limit, trigger
    return (OrderType.STOP_LIMIT if limit is not None else OrderType.STOP), limit, trigger


def decimal(value: object, field: str) -> Decimal | None:
    """None for what is not told; exchanges write that as nothing or as zero."""
    if value is None or value == "":
        return None
    text = str(value)
    return number(f"{Decimal(text):f}" if "e" in text.lower() else text, field) or None


def _moment(stamp: object) -> datetime | None:
    if not isinstance(stamp, int) or stamp <= 0:
        return None
    try:
        return datetime.fromtimestamp(stamp / 1000, UTC)
    except (ValueError, OverflowError, OSError):
        raise Malformed(f"time is {shown(str(stamp))}") from None
