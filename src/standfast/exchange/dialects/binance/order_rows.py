"""Orders as Binance writes them: plain ones, and conditional ones with the order they become (brokers/README §4.3).

One order of the engine has two numbers here: as a conditional order an algo id, and as what it has become, or has been
all along, an order id.
"""

from decimal import Decimal

from standfast.exchange.dialects.binance.asking import ALGO
from standfast.exchange.dialects.binance.wire import WORKING_TYPE, Row, milliseconds, rounded, text
from standfast.exchange.orders import Side
from standfast.exchange.perpetual.books import ExecutionKind
from standfast.exchange.perpetual.orders import ZERO, Ended, InForce, Kind, Order, PriceBy, Role, Status

SIDE = {Side.BUY: "BUY", Side.SELL: "SELL"}
POSITION_SIDE = {0: "BOTH", 1: "LONG", 2: "SHORT"}
IN_FORCE = {InForce.GTC: "GTC", InForce.IOC: "IOC", InForce.FOK: "FOK", InForce.POST_ONLY: "GTX"}
STATUS = {
    Status.UNTRIGGERED: "NEW",
    Status.NEW: "NEW",
    Status.PARTIALLY_FILLED: "PARTIALLY_FILLED",
    Status.FILLED: "FILLED",
    Status.CANCELLED: "CANCELED",
    Status.REJECTED: "REJECTED",
}
EXPIRES = frozenset(
    {Ended.NO_MARKET, Ended.NOT_WHOLE, Ended.WOULD_TAKE, Ended.REDUCE_ONLY, Ended.SETTLEMENT, Ended.BEFORE_LIQUIDATION}
)
"""What ends an order that nobody cancelled."""
FORCED = {Role.LIQUIDATION: "autoclose-", Role.ADL: "adl_autoclose", Role.SETTLEMENT: "settlement_autoclose-"}
FORCED_KINDS = {ExecutionKind.LIQUIDATION: "NEW", ExecutionKind.ADL: "NEW_ADL"}
ORDER_BASE = 8_886_000_000
ALGO_BASE = 1_000_000_000_000


def is_algo(order: Order) -> bool:
    return order.role is Role.STOP


def has_child(order: Order) -> bool:
    """Whether a conditional order has become an order."""
    return order.triggered_at is not None and order.status is not Status.REJECTED


def is_order(order: Order) -> bool:
    """Whether /order knows it: conditional ones only once they have become one."""
    return not is_algo(order) or has_child(order)


def order_id(order: Order) -> int:
    return ORDER_BASE + order.number


def algo_id(order: Order) -> int:
    return ALGO_BASE + order.number


def client_id(order: Order) -> str:
    prefix = FORCED.get(order.role)
    if prefix is not None:
        return f"{prefix}{order.number}"
    return order.ticket.link_id.removeprefix(ALGO) or f"sim{order.number}"


def status(order: Order) -> str:
    if order.status is Status.CANCELLED and order.ended in EXPIRES:
        return "EXPIRED"
    return STATUS[order.status]


def algo_status(order: Order) -> str:
    """TRIGGERED and FINISHED say that an order was made of it, and nothing of what became of that."""
    if has_child(order):
        return "FINISHED" if order.is_finished else "TRIGGERED"
    if order.status is Status.REJECTED:
        return "REJECTED"
    if order.is_finished:
        return "CANCELED" if order.ended in (Ended.BY_CLIENT, Ended.DISCONNECTED) else "EXPIRED"
    return "NEW"


def algo_type(order: Order) -> str:
    ticket = order.ticket
    if ticket.trail is not None:
        return "TRAILING_STOP_MARKET"
    assert ticket.trigger is not None, "a conditional order has a trigger"
    is_stop = ticket.trigger.rises == (ticket.side is Side.BUY)
    name = "STOP" if is_stop else "TAKE_PROFIT"
    return name if ticket.kind is Kind.LIMIT else f"{name}_MARKET"


def order_type(order: Order) -> str:
    return "LIMIT" if order.ticket.kind is Kind.LIMIT else "MARKET"


def quantity(order: Order) -> Decimal:
    return order.filled if order.ticket.quantity is None else order.ticket.quantity


def order_row(order: Order, *, is_ack: bool = False) -> Row:
    """As it is looked up. `is_ack`: as create, change and cancel answer since 2026-07-15, without average and cost."""
    ticket = order.ticket
    row: Row = {
        "orderId": order_id(order),
        "symbol": order.instrument,
        "pair": order.instrument,
        "status": status(order),
        "clientOrderId": client_id(order),
        "price": text(ticket.price),
        "origQty": text(quantity(order)),
        "executedQty": text(order.filled),
        "cumQty": text(order.filled),
        "timeInForce": IN_FORCE[ticket.in_force],
        "type": order_type(order),
        "reduceOnly": ticket.reduce_only and not ticket.close_on_trigger,
        "closePosition": ticket.close_on_trigger,
        "side": SIDE[order.side],
        "positionSide": POSITION_SIDE[order.index],
        "stopPrice": text(ticket.trigger.price) if ticket.trigger else "0",
        "workingType": WORKING_TYPE[ticket.trigger.by if ticket.trigger else PriceBy.LAST],
        "priceProtect": False,
        "origType": algo_type(order) if is_algo(order) else order_type(order),
        "priceMatch": "NONE",
        "selfTradePreventionMode": "EXPIRE_MAKER",
        "goodTillDate": 0,
        "updateTime": milliseconds(order.updated_at),
    }
    if is_ack:
        return row
    return row | {
        "avgPrice": rounded(order.average_price or ZERO),
        "cumQuote": rounded(order.filled_value),
        "cumBase": text(order.filled),
        "time": milliseconds(order.triggered_at or order.created_at),
    }


def algo_row(order: Order) -> Row:
    ticket, trigger, trail = order.ticket, order.ticket.trigger, order.ticket.trail
    assert trigger is not None, "a conditional order has a trigger"
    return {
        "algoId": algo_id(order),
        "clientAlgoId": client_id(order),
        "algoType": "CONDITIONAL",
        "orderType": algo_type(order),
        "type": algo_type(order),
        "symbol": order.instrument,
        "side": SIDE[order.side],
        "positionSide": POSITION_SIDE[order.index],
        "timeInForce": IN_FORCE[ticket.in_force],
        "quantity": text(quantity(order)),
        "algoStatus": algo_status(order),
        "actualOrderId": str(order_id(order)) if has_child(order) else "",
        "actualPrice": rounded(order.average_price or ZERO, 5),
        "actualType": order_type(order) if has_child(order) else "",
        "actualQty": text(order.filled),
        "triggerPrice": text(trigger.price),
        "price": text(ticket.price),
        "icebergQuantity": "None",
        "tpTriggerPrice": "0.000",
        "tpPrice": "0.000",
        "slTriggerPrice": "0.000",
        "slPrice": "0.000",
        "tpOrderType": "",
        "selfTradePreventionMode": "EXPIRE_MAKER",
        "workingType": WORKING_TYPE[trigger.by],
        "priceMatch": "NONE",
        "closePosition": ticket.close_on_trigger,
        "priceProtect": False,
        "reduceOnly": ticket.reduce_only and not ticket.close_on_trigger,
        "activatePrice": "" if trail is None else text(trail.activates_at),
        "callbackRate": "" if trail is None else text(trail.percent),
        "createTime": milliseconds(order.created_at),
        "updateTime": milliseconds(order.updated_at),
        "triggerTime": milliseconds(order.triggered_at),
        "goodTillDate": 0,
    }
