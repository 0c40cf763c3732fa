"""Binance's conditional orders over REST: placed, seen and cancelled nowhere else (brokers/README §4.2).

TRIGGERED and FINISHED say that an order was made; whether that filled, `actualOrderId` at /order says.
"""

from standfast.exchange.dialects.binance import asking
from standfast.exchange.dialects.binance.codes import (
    CANCEL_REJECTED,
    CLOSES_ALREADY,
    NO_SUCH_ORDER,
    SAID,
    BinanceRefused,
    missing,
)
from standfast.exchange.dialects.binance.order_rows import ALGO_BASE, algo_id, algo_row, client_id, is_algo
from standfast.exchange.dialects.binance.trading import DONE
from standfast.exchange.dialects.binance.wire import Form, form, moment, need, replied, whole
from standfast.exchange.dialects.gate import Reply, RouteAt
from standfast.exchange.dialects.perpetuals import PerpetualCall, Perpetuals, seen_orders
from standfast.exchange.perpetual.orders import ZERO, Order, Ticket
from standfast.exchange.perpetual.refusal import No


def writes() -> tuple[RouteAt[Perpetuals], ...]:
    return (
        RouteAt("POST", "/fapi/v1/algoOrder", "submit", create),
        RouteAt("DELETE", "/fapi/v1/algoOrder", "cancel", cancel),
        RouteAt("DELETE", "/fapi/v1/algoOpenOrders", "cancel_all", cancel_all),
    )


def reads() -> tuple[RouteAt[Perpetuals], ...]:
    return (
        RouteAt("GET", "/fapi/v1/algoOrder", "order", look_up),
        RouteAt("GET", "/fapi/v1/openAlgoOrders", "orders", open_orders),
        RouteAt("GET", "/fapi/v1/allAlgoOrders", "orders", all_orders),
    )


def create(call: PerpetualCall) -> Reply:
    given, engine = form(call), call.venue.engine
    symbol = need(given, "symbol")
    is_hedged = engine.settings(call.account, symbol).is_hedged
    last = engine.prices(symbol).last or ZERO
    ticket = asking.conditional_ticket(given, is_hedged=is_hedged, now=last)
    if ticket.close_on_trigger:
        _check_only_one(call, ticket)
    order = engine.submit(call.account, ticket)
    return replied(algo_row(order))


def _check_only_one(call: PerpetualCall, ticket: Ticket) -> None:
    """One stop and one profit taker may close a whole side."""
    assert ticket.trigger is not None, "a conditional order has a trigger"
    for order in call.venue.engine.working(call.account, ticket.instrument):
        other = order.ticket
        same_side = (other.side, other.index) == (ticket.side, ticket.index)
        same_kind = other.trigger is not None and other.trigger.rises == ticket.trigger.rises
        if order.is_conditional and other.close_on_trigger and same_side and same_kind:
            text = "An open stop or take profit order with GTE and closePosition in the direction is existing."
            raise BinanceRefused(CLOSES_ALREADY, text)


def cancel(call: PerpetualCall) -> Reply:
    order = _found(call, form(call))
    if order is None or not order.is_conditional:
        raise BinanceRefused(CANCEL_REJECTED, SAID[No.NOT_FOUND][1])
    call.venue.engine.cancel(call.account, order.id)
    return replied({"algoId": algo_id(order), "clientAlgoId": client_id(order), "code": "200", "msg": "success"})


def cancel_all(call: PerpetualCall) -> Reply:
    engine = call.venue.engine
    for order in engine.working(call.account, engine.contract(need(form(call), "symbol")).symbol):
        if is_algo(order) and order.is_conditional:
            engine.cancel(call.account, order.id)
    return replied(DONE)


def look_up(call: PerpetualCall) -> Reply:
    order = _found(call, form(call))
    if order is None:
        raise BinanceRefused(NO_SUCH_ORDER, "Order does not exist.")
    seen = next(iter(seen_orders(call, [order])), order)
    return replied(algo_row(seen))


def open_orders(call: PerpetualCall) -> Reply:
    given, engine = form(call), call.venue.engine
    found = seen_orders(call, engine.orders(call.account) if call.fault else engine.working(call.account))
    rows = [order for order in found if is_algo(order) and order.is_conditional]
    wanted = (given.get("symbol"), given.get("algoId"))
    return replied([algo_row(order) for order in rows if _is_asked(order, *wanted)])


def all_orders(call: PerpetualCall) -> Reply:
    given, engine = form(call), call.venue.engine
    symbol = engine.contract(need(given, "symbol")).symbol
    since, until = moment(given, "startTime"), moment(given, "endTime")
    rows = [
        order
        for order in seen_orders(call, engine.orders(call.account))
        if is_algo(order)
        and order.instrument == symbol
        and (since is None or order.created_at >= since)
        and (until is None or order.created_at <= until)
    ]
    return replied([algo_row(order) for order in rows[-whole(given, "limit", 500, 1000) :]])


def _is_asked(order: Order, symbol: str | None, number: str | None) -> bool:
    return symbol in (None, "", order.instrument) and number in (None, "", str(algo_id(order)))


def _found(call: PerpetualCall, given: Form) -> Order | None:
    engine = call.venue.engine
    if given.get("algoId"):
        number = given["algoId"]
        order = engine.order_by_number(call.account, int(number) - ALGO_BASE) if number.isdigit() else None
    elif given.get("clientAlgoId"):
        order = engine.order_by_link(call.account, asking.ALGO + given["clientAlgoId"])
    else:
        raise missing("algoId")
    return order if order is not None and is_algo(order) else None
