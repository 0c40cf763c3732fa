"""Bybit's rows -> the model. Pure.

Invariants
- A row of size zero is no position. A size without a side, or a negative one, is refused.
- Which side of a hedged account a row is about is read from `positionIdx`, never guessed from a side.
- A trigger is a stop only where it waits for the price to go against it; one that waits for a better price is a target.
- What has an unknown status is alive, and of an unknown type.
"""

from datetime import UTC, datetime
from decimal import Decimal

from standfast.brokers.ccxt.bybit.rows import ExecutionRow, OrderRow, PositionRow, Whole
from standfast.brokers.ccxt.markets import Markets
from standfast.brokers.ccxt.venue import UNTAGGED
from standfast.brokers.shared.reading import Number, number, shown
from standfast.model.errors import Malformed
from standfast.model.evidence import HeldReport
from standfast.model.ids import BrokerOrderId, ClientOrderId, ExecutionId, Holding
from standfast.model.order import (
    ZERO,
    Fill,
    Movement,
    MovementKind,
    OrderReport,
    OrderState,
    OrderType,
    Side,
    TimeInForce,
)

HEDGE = {0: "", 1: "long", 2: "short"}
INDEX = {hedge: index for index, hedge in HEDGE.items()}
"""`positionIdx`: one-way, the long side and the short side of a hedged account."""

STATES = {
    "Created": OrderState.PENDING,
    "New": OrderState.WORKING,
    "PartiallyFilled": OrderState.WORKING,
    "Untriggered": OrderState.WORKING,
    "Triggered": OrderState.WORKING,
    "Active": OrderState.WORKING,
    "Filled": OrderState.FILLED,
    "Cancelled": OrderState.CANCELLED,
    "PartiallyFilledCanceled": OrderState.CANCELLED,
    "Deactivated": OrderState.CANCELLED,
    "Rejected": OrderState.REJECTED,
}
TIMES = {"GTC": TimeInForce.GTC, "IOC": TimeInForce.IOC, "FOK": TimeInForce.FOK}
RISES, FALLS = 1, 2
"""`triggerDirection`."""
NO_STOP = frozenset({"", "UNKNOWN", "None"})

TRADES = frozenset({"Trade", "BlockTrade", "MovePosition"})
FORCED = {"BustTrade": "liquidation", "AdlTrade": "adl"}
"""Executions of orders the exchange made to take a position away."""
ENDS = frozenset({"Delivery", "Settle"})
"""What ends a contract, with no order."""
FORCED_CREATE = {
    "CreateByLiq": "liquidation",
    "CreateByTakeOver": "liquidation",
    "CreateByAdl": "adl",
    "CreateBySettle": "settlement",
}


def held(row: PositionRow, markets: Markets) -> HeldReport | None:
    """What a row says is held; None for one that says nothing is."""
    size = number(row.size, "size")
    if size == 0:
        return None
    if size < 0 or row.side not in SIDES:
        raise Malformed(f"position {shown(row.symbol)}: size {size} and side {shown(row.side)}")
    side, hedge = SIDES[row.side], hedge_of(row.position_idx)
    if hedge and (hedge == "long") is not (side is Side.BUY):
        raise Malformed(f"position {shown(row.symbol)}: side {row.side} under positionIdx {row.position_idx}")
    market = markets.of_id(row.symbol)
    return HeldReport(
        holding=Holding(market.name, hedge),
        quantity=size * market.size * side.sign,
        average_price=_price(row.avg_price, "avgPrice") or ZERO,
        liquidation=_price(row.liq_price, "liqPrice"),
    )


def order(row: OrderRow, markets: Markets) -> OrderReport:
    if row.side not in SIDES:
        raise Malformed(f"order {shown(row.order_id)}: side {shown(row.side)}")
    side, market = SIDES[row.side], markets.of_id(row.symbol)
    kind, limit, stop = _type(row, side)
    state = STATES.get(row.order_status, OrderState.UNKNOWN)
    hedge = hedge_of(row.position_idx)
    closes = row.reduce_only or row.close_on_trigger or (hedge != "" and (hedge == "long") is (side is Side.SELL))
    quantity, filled = number(row.qty, "qty"), _or_zero(row.cum_exec_qty, "cumExecQty")
    if quantity < 0 or filled < 0:
        raise Malformed(f"order {shown(row.order_id)}: {filled} of {quantity} is filled")
    return OrderReport(
        broker_id=BrokerOrderId(row.order_id),
        client_id=ClientOrderId(row.order_link_id or f"{UNTAGGED}{row.order_id}"),
        holding=Holding(market.name, hedge),
        side=side,
        type=kind,
        time_in_force=TIMES.get(row.time_in_force, TimeInForce.OTHER),
        quantity=max(quantity, filled) * market.size,
        filled=filled * market.size,
        state=state,
        average_price=_price(row.avg_price, "avgPrice"),
        limit_price=limit,
        stop_price=stop,
        placed_at=_moment(row.created_time, "createdTime"),
        updated_at=_moment(row.updated_time, "updatedTime"),
        order_class=forced(row.create_type or ""),
        closes=closes,
        triggered=stop is not None and row.order_status in ("New", "PartiallyFilled", "Triggered"),
        reason=_reason(row),
    )


def forced(create_type: str) -> str:
    """Why the exchange made an order itself to take a position away; empty for any other."""
    return next((why for begin, why in FORCED_CREATE.items() if create_type.startswith(begin)), "")


def fill(row: ExecutionRow, holding: Holding, size: Decimal) -> Fill:
    if row.side not in SIDES:
        raise Malformed(f"execution {shown(row.exec_id)}: side {shown(row.side)}")
    quantity, price = number(row.exec_qty, "execQty") * size, number(row.exec_price, "execPrice")
    if quantity <= 0 or price <= 0:
        raise Malformed(f"execution {shown(row.exec_id)}: {quantity} at {price}")
    return Fill(
        execution_id=ExecutionId(row.exec_id),
        broker_order_id=BrokerOrderId(row.order_id),
        holding=holding,
        side=SIDES[row.side],
        quantity=quantity,
        price=price,
        fee=_or_zero(row.exec_fee, "execFee"),
        at=moment(row.exec_time, "execTime"),
    )


def movement(row: ExecutionRow, holding: Holding, size: Decimal) -> Movement:
    """What changed money or quantity with no order: funding is a fee, settlement and delivery end a contract."""
    ends = row.exec_type in ENDS
    sign = SIDES[row.side].sign if row.side in SIDES else 0
    kind = MovementKind.EXPIRY if ends else MovementKind.FEE if row.exec_type == "Funding" else MovementKind.OTHER
    if kind is not MovementKind.FEE and not sign:
        raise Malformed(f"execution {shown(row.exec_id)}: {shown(row.exec_type)} without a side")
    quantity = ZERO if kind is MovementKind.FEE else number(row.exec_qty, "execQty") * size * sign
    return Movement(
        id=row.exec_id,
        kind=kind,
        broker_kind=row.exec_type,
        holding=holding,
        quantity=quantity,
        price=_price(row.exec_price, "execPrice") if ends else None,
        amount=-_or_zero(row.exec_fee, "execFee"),
        at=moment(row.exec_time, "execTime"),
    )


def hedge_of(index: Whole) -> str:
    found = HEDGE.get(int(index)) if str(index).isdigit() else None
    if found is None:
        raise Malformed(f"positionIdx is {shown(str(index))}")
    return found


def moment(stamp: Whole, field: str) -> datetime:
    """Milliseconds since 1970."""
    try:
        return datetime.fromtimestamp(int(stamp) / 1000, UTC)
    except (TypeError, ValueError, OverflowError, OSError):
        raise Malformed(f"{field} is {shown(str(stamp))}") from None


SIDES = {"Buy": Side.BUY, "Sell": Side.SELL}


def _type(row: OrderRow, side: Side) -> tuple[OrderType, Decimal | None, Decimal | None]:
    """Type, limit price and stop price."""
    trigger, limit = _price(row.trigger_price, "triggerPrice"), _price(row.price, "price")
    is_limit = row.order_type == "Limit"
    if row.order_type not in ("Limit", "Market"):
        return OrderType.UNKNOWN, limit, trigger
    if trigger is None or (row.stop_order_type or "") in NO_STOP:
        return (OrderType.LIMIT, limit, None) if is_limit else (OrderType.MARKET, None, None)
    if row.stop_order_type == "TrailingStop":
        return OrderType.TRAILING_STOP, None, trigger
    if not _waits_for_worse(row, side):
        return OrderType.LIMIT, limit if is_limit and limit is not None else trigger, None
    return (OrderType.STOP_LIMIT, limit, trigger) if is_limit else (OrderType.STOP, None, trigger)


def _waits_for_worse(row: OrderRow, side: Side) -> bool:
    """Whether a trigger waits for the price to go against what it would close: a stop, and no target."""
    direction = int(row.trigger_direction) if str(row.trigger_direction).isdigit() else 0
    if direction not in (RISES, FALLS):
        return "TakeProfit" not in (row.stop_order_type or "")
    return direction == (FALLS if side is Side.SELL else RISES)


def _reason(row: OrderRow) -> str:
    told = (row.reject_reason or "", row.cancel_type or "")
    return " ".join(each for each in told if each not in ("", "EC_NoError", "UNKNOWN"))


def _price(value: Number | None, field: str) -> Decimal | None:
    """None for what is not told; Bybit writes that as nothing or as zero."""
    found = _or_zero(value, field)
    return found or None


def _or_zero(value: Number | None, field: str) -> Decimal:
    return ZERO if value is None or value == "" else number(value, field)


def _moment(stamp: Whole | None, field: str) -> datetime | None:
    return None if stamp in (None, "", "0", 0) else moment(stamp, field)
