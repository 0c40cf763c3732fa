"""Binance's rows -> the model. Pure.

Ids are numbers that are unique for a contract only: ours carry its symbol, and an `a` before a conditional order's.

Invariants
- A row of amount zero is no position; which side of a hedged account a row is about is told (`positionSide`).
- A conditional order that has fired is not over: what it became is, or not.
- What has an unknown status is alive, and of an unknown type.
"""

from datetime import UTC, datetime
from decimal import Decimal

from standfast.brokers.ccxt.binance.rows import AlgoRow, IncomeRow, OrderRow, PositionRow, TradeRow
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

HEDGE = {"BOTH": "", "LONG": "long", "SHORT": "short"}
SIDE_OF = {hedge: side for side, hedge in HEDGE.items()}
SIDES = {"BUY": Side.BUY, "SELL": Side.SELL}
STATES = {
    "NEW": OrderState.WORKING,
    "PARTIALLY_FILLED": OrderState.WORKING,
    "FILLED": OrderState.FILLED,
    "CANCELED": OrderState.CANCELLED,
    "EXPIRED": OrderState.EXPIRED,
    "EXPIRED_IN_MATCH": OrderState.EXPIRED,
    "REJECTED": OrderState.REJECTED,
}
FIRED = frozenset({"TRIGGERING", "TRIGGERED", "FINISHED"})
ALGO_STATES = {
    "NEW": OrderState.WORKING,
    "CANCELED": OrderState.CANCELLED,
    "EXPIRED": OrderState.EXPIRED,
    "REJECTED": OrderState.REJECTED,
}
TYPES = {
    "MARKET": OrderType.MARKET,
    "LIMIT": OrderType.LIMIT,
    "STOP": OrderType.STOP_LIMIT,
    "STOP_MARKET": OrderType.STOP,
    "TRAILING_STOP_MARKET": OrderType.TRAILING_STOP,
    "TAKE_PROFIT": OrderType.LIMIT,
    "TAKE_PROFIT_MARKET": OrderType.LIMIT,
    "LIQUIDATION": OrderType.MARKET,
}
STOPS = frozenset({OrderType.STOP, OrderType.STOP_LIMIT, OrderType.TRAILING_STOP})
TIMES = {"GTC": TimeInForce.GTC, "IOC": TimeInForce.IOC, "FOK": TimeInForce.FOK}
FORCED = {
    "autoclose-": "liquidation",
    "adl_autoclose": "adl",
    "settlement_autoclose": "settlement",
    "delivery_autoclose": "settlement",
}
"""How the client ids of orders begin that the exchange made itself to take a position away."""


def plain_id(symbol: str, order_id: int) -> BrokerOrderId:
    return BrokerOrderId(f"{symbol}:{order_id}")


def algo_id(row: AlgoRow) -> BrokerOrderId:
    return BrokerOrderId(f"{row.symbol}:a{row.algo_id}")


def held(row: PositionRow, markets: Markets) -> HeldReport | None:
    amount = number(row.position_amt, "positionAmt")
    if amount == 0:
        return None
    hedge = hedge_of(row.position_side)
    if hedge and (hedge == "long") is not (amount > 0):
        raise Malformed(f"position {shown(row.symbol)}: {amount} on the side {row.position_side}")
    market = markets.of_id(row.symbol)
    return HeldReport(
        holding=Holding(market.name, hedge),
        quantity=amount * market.size,
        average_price=_price(row.entry_price, "entryPrice") or ZERO,
        liquidation=_price(row.liquidation_price, "liquidationPrice"),
    )


def order(row: OrderRow, markets: Markets) -> OrderReport:
    side, market, hedge = side_of(row.side), markets.of_id(row.symbol), hedge_of(row.position_side)
    kind = TYPES.get(row.type, OrderType.UNKNOWN)
    quantity, filled = number(row.orig_qty, "origQty"), number(row.executed_qty, "executedQty")
    if quantity < 0 or filled < 0:
        raise Malformed(f"order {row.order_id}: {filled} of {quantity} is filled")
    return OrderReport(
        broker_id=plain_id(row.symbol, row.order_id),
        client_id=ClientOrderId(row.client_order_id or f"{UNTAGGED}{row.symbol}:{row.order_id}"),
        holding=Holding(market.name, hedge),
        side=side,
        type=kind,
        time_in_force=TIMES.get(row.time_in_force, TimeInForce.OTHER),
        quantity=max(quantity, filled) * market.size,
        filled=filled * market.size,
        state=STATES.get(row.status, OrderState.UNKNOWN),
        average_price=_price(row.avg_price, "avgPrice"),
        limit_price=_price(row.price, "price"),
        stop_price=_price(row.stop_price, "stopPrice") if kind in STOPS else None,
        placed_at=_moment(row.time),
        updated_at=_moment(row.update_time),
        order_class=forced(row.client_order_id),
        closes=row.reduce_only or row.close_position or closes(hedge, side),
    )


def algo(row: AlgoRow, markets: Markets, became: OrderReport | None) -> OrderReport:
    """A conditional order with what it became, where it has fired."""
    side, market, hedge = side_of(row.side), markets.of_id(row.symbol), hedge_of(row.position_side)
    kind = TYPES.get(row.order_type, OrderType.UNKNOWN)
    trigger, limit = _price(row.trigger_price, "triggerPrice"), _price(row.price, "price")
    has_fired = row.algo_status in FIRED
    state = ALGO_STATES.get(row.algo_status, OrderState.UNKNOWN)
    if has_fired:
        state = became.state if became is not None else OrderState.WORKING
    is_stop = kind in STOPS
    return OrderReport(
        broker_id=algo_id(row),
        client_id=ClientOrderId(row.client_algo_id or f"{UNTAGGED}{row.symbol}:a{row.algo_id}"),
        holding=Holding(market.name, hedge),
        side=side,
        type=kind,
        time_in_force=TIMES.get(row.time_in_force, TimeInForce.OTHER),
        quantity=_or_zero(row.quantity, "quantity") * market.size if became is None else became.quantity,
        filled=ZERO if became is None else became.filled,
        state=state,
        average_price=None if became is None else became.average_price,
        limit_price=limit if is_stop else limit or trigger,
        stop_price=trigger if is_stop else None,
        placed_at=_moment(row.create_time),
        updated_at=_moment(row.update_time) if became is None else became.updated_at,
        closes=row.reduce_only or row.close_position or closes(hedge, side),
        triggered=has_fired,
        reason="" if became is None else became.reason,
    )


def fill(row: TradeRow, broker_id: BrokerOrderId, markets: Markets) -> Fill:
    market = markets.of_id(row.symbol)
    quantity, price = number(row.qty, "qty") * market.size, number(row.price, "price")
    if quantity <= 0 or price <= 0:
        raise Malformed(f"trade {row.id}: {quantity} at {price}")
    return Fill(
        execution_id=ExecutionId(f"{row.symbol}:{row.id}"),
        broker_order_id=broker_id,
        holding=Holding(market.name, hedge_of(row.position_side)),
        side=side_of(row.side),
        quantity=quantity,
        price=price,
        fee=market.charged(_or_zero(row.commission, "commission"), row.commission_asset),
        at=moment(row.time),
    )


def funding(row: IncomeRow, markets: Markets) -> Movement:
    """Of a contract that has ended and is listed no more it is the account's alone."""
    market = markets.by_id.get(row.symbol)
    return Movement(
        id=f"{row.tran_id}/{row.symbol}/{row.income_type}",
        kind=MovementKind.FEE,
        broker_kind=row.income_type,
        holding=Holding(market.name) if market is not None else None,
        quantity=ZERO,
        amount=number(row.income, "income"),
        at=moment(row.time),
    )


def closes(hedge: str, side: Side) -> bool:
    """In a hedged account an order against its side can do nothing else."""
    return hedge != "" and (hedge == "long") is (side is Side.SELL)


def forced(client_id: str) -> str:
    return next((why for begin, why in FORCED.items() if client_id.startswith(begin)), "")


def side_of(text: str) -> Side:
    found = SIDES.get(text)
    if found is None:
        raise Malformed(f"side is {shown(text)}")
    return found


def hedge_of(text: str) -> str:
    found = HEDGE.get(text)
    if found is None:
        raise Malformed(f"positionSide is {shown(text)}")
    return found


def moment(stamp: int) -> datetime:
    try:
        return datetime.fromtimestamp(stamp / 1000, UTC)
    except (ValueError, OverflowError, OSError):
        raise Malformed(f"time is {shown(str(stamp))}") from None


def _moment(stamp: int) -> datetime | None:
    return moment(stamp) if stamp else None


def _price(value: Number, field: str) -> Decimal | None:
    """None for what is not told; Binance writes that as nothing or as zero."""
    return _or_zero(value, field) or None


def _or_zero(value: Number, field: str) -> Decimal:
    return ZERO if value == "" else number(value, field)
