"""What the user stream says, as Binance writes it (brokers/README §4.5)."""

from collections.abc import Sequence
from decimal import Decimal

from standfast.exchange.dialects.binance.account_rows import ASSET, TRADE_BASE
from standfast.exchange.dialects.binance.order_rows import (
    FORCED_KINDS,
    IN_FORCE,
    POSITION_SIDE,
    SIDE,
    algo_id,
    algo_status,
    algo_type,
    client_id,
    has_child,
    is_algo,
    order_id,
    order_type,
    quantity,
    status,
)
from standfast.exchange.dialects.binance.wire import WORKING_TYPE, Row, milliseconds, rounded, text
from standfast.exchange.perpetual.books import Execution, ExecutionKind
from standfast.exchange.perpetual.engine import PerpetualEngine
from standfast.exchange.perpetual.events import Event, EventKind
from standfast.exchange.perpetual.orders import ZERO, Order, PriceBy
from standfast.exchange.perpetual.positions import Position

EXECUTION_TYPE = {
    EventKind.PLACED: "NEW",
    EventKind.TRIGGERED: "NEW",
    EventKind.AMENDED: "AMENDMENT",
    EventKind.CANCELLED: "CANCELED",
    EventKind.REJECTED: "EXPIRED",
}


def order_update(event: Event, order: Order) -> Row:
    """ORDER_TRADE_UPDATE, of an order's own event or of an execution of it."""
    execution, ticket = event.execution, order.ticket
    what = EXECUTION_TYPE.get(event.kind, "TRADE")
    told = status(order)
    if execution is not None:
        forced = FORCED_KINDS.get(execution.kind)
        what = "TRADE" if forced is None else "CALCULATED"
        told = "NEW_ADL" if execution.kind is ExecutionKind.ADL else told
    elif what == "CANCELED" and told == "EXPIRED":
        what = "EXPIRED"
    at = milliseconds(event.at)
    row: Row = {
        "s": order.instrument,
        "c": client_id(order),
        "S": SIDE[order.side],
        "o": order_type(order),
        "f": IN_FORCE[ticket.in_force],
        "q": text(quantity(order)),
        "p": text(ticket.price),
        "ap": text(order.average_price and order.average_price.quantize(Decimal("1e-8"))),
        "sp": text(ticket.trigger.price) if ticket.trigger else "0",
        "x": what,
        "X": told,
        "i": order_id(order),
        "z": text(order.filled),
        "T": at,
        "b": "0",
        "a": "0",
        "R": ticket.reduce_only and not ticket.close_on_trigger,
        "wt": WORKING_TYPE[ticket.trigger.by if ticket.trigger else PriceBy.LAST],
        "ot": algo_type(order) if is_algo(order) else order_type(order),
        "ps": POSITION_SIDE[order.index],
        "cp": ticket.close_on_trigger,
        "AP": text(ticket.trail.activates_at) if ticket.trail else "0",
        "cr": text(ticket.trail.percent) if ticket.trail else "0",
        "pP": False,
        "si": 0,
        "ss": 0,
        "V": "EXPIRE_MAKER",
        "pm": "NONE",
        "gtd": 0,
        "W": at,
        **_execution(execution),
    }
    return {"e": "ORDER_TRADE_UPDATE", "E": at, "T": at, "o": row}


def _execution(execution: Execution | None) -> Row:
    """Its share of an order update; zero of one without."""
    return {
        "l": text(execution.quantity) if execution else "0",
        "L": text(execution.price) if execution else "0",
        "N": ASSET,
        "n": text(execution.fee) if execution else "0",
        "t": TRADE_BASE + execution.number if execution else 0,
        "m": execution.is_maker if execution else False,
        "rp": text(execution.realised) if execution else "0",
    }


def trade_lite(event: Event, order: Order, execution: Execution) -> Row:
    at = milliseconds(event.at)
    return {
        "e": "TRADE_LITE",
        "E": at,
        "T": at,
        "s": order.instrument,
        "q": text(quantity(order)),
        "p": text(order.ticket.price),
        "m": execution.is_maker,
        "c": client_id(order),
        "S": SIDE[order.side],
        "L": text(execution.price),
        "l": text(execution.quantity),
        "t": TRADE_BASE + execution.number,
        "i": order_id(order),
    }


def algo_update(event: Event, order: Order, told: str = "") -> Row:
    """ALGO_UPDATE. `told`: a status that is only a moment."""
    ticket, trigger, at = order.ticket, order.ticket.trigger, milliseconds(event.at)
    assert trigger is not None, "a conditional order has a trigger"
    child = has_child(order) and told != "TRIGGERING"
    row: Row = {
        "caid": client_id(order),
        "aid": algo_id(order),
        "at": "CONDITIONAL",
        "o": algo_type(order),
        "s": order.instrument,
        "S": SIDE[order.side],
        "ps": POSITION_SIDE[order.index],
        "f": IN_FORCE[ticket.in_force],
        "q": text(quantity(order)),
        "X": told or algo_status(order),
        "ai": str(order_id(order)) if child else "",
        "ap": rounded(order.average_price or ZERO, 5),
        "aq": text(order.filled),
        "act": order_type(order) if child else "0",
        "tp": text(trigger.price),
        "p": text(ticket.price),
        "V": "EXPIRE_MAKER",
        "wt": WORKING_TYPE[trigger.by],
        "pm": "NONE",
        "cp": ticket.close_on_trigger,
        "pP": False,
        "R": ticket.reduce_only and not ticket.close_on_trigger,
        "tt": milliseconds(order.triggered_at),
        "gtd": 0,
        "rm": order.ended.value,
    }
    return {"e": "ALGO_UPDATE", "T": at, "E": at, "o": row}


def trigger_reject(event: Event, order: Order) -> Row:
    """A stop that failed to become an order."""
    at = milliseconds(event.at)
    what: Row = {"s": order.instrument, "i": algo_id(order), "r": order.ended.value}
    return {"e": "CONDITIONAL_ORDER_TRIGGER_REJECT", "E": at, "T": at, "or": what}


def account_update(engine: PerpetualEngine, event: Event, reason: str, positions: Sequence[Position]) -> Row:
    """ACCOUNT_UPDATE: only what changed. Of funding and transfers, no position."""
    books, at = engine.books(event.account), milliseconds(event.at)
    aside = sum((position.margin or ZERO for position in books.held()), ZERO)
    money: Row = {
        "a": ASSET,
        "wb": rounded(books.wallet),
        "cw": rounded(books.wallet - aside),
        "bc": "0" if reason == "ORDER" else rounded(event.amount),
    }
    rows = [_position(engine, position) for position in positions]
    return {"e": "ACCOUNT_UPDATE", "E": at, "T": at, "a": {"m": reason, "B": [money], "P": rows}}


def _position(engine: PerpetualEngine, position: Position) -> Row:
    contract = engine.contract(position.instrument)
    average, mark = position.average(contract), engine.prices(position.instrument).mark or ZERO
    return {
        "s": position.instrument,
        "pa": text(position.quantity),
        "ep": text(average.quantize(Decimal("1e-8"))),
        "bep": rounded(average * (1 + contract.taker_fee * position.direction)),
        "cr": text(position.realised_ever),
        "up": rounded(position.unrealised(contract, mark)),
        "mt": "isolated" if engine.settings(position.account, position.instrument).is_isolated else "cross",
        "iw": rounded(position.margin or ZERO),
        "ps": POSITION_SIDE[position.index],
        "ma": ASSET,
    }


def config_update(engine: PerpetualEngine, event: Event) -> Row:
    at = milliseconds(event.at)
    leverage = int(engine.settings(event.account, event.instrument).leverage)
    return {"e": "ACCOUNT_CONFIG_UPDATE", "E": at, "T": at, "ac": {"s": event.instrument, "l": leverage}}
