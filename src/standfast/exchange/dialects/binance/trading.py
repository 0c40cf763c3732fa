"""Binance's plain orders over REST (brokers/README §4.2, §4.3). Conditional ones are in `algo`."""

from collections.abc import Callable
from datetime import timedelta

import msgspec

from standfast.exchange.dialects.binance import asking
from standfast.exchange.dialects.binance.codes import (
    BAD_PARAMETER,
    CANCEL_REJECTED,
    NO_MAKER,
    NO_SUCH_ORDER,
    SAID,
    BinanceRefused,
    missing,
)
from standfast.exchange.dialects.binance.order_rows import ORDER_BASE, is_order, order_row
from standfast.exchange.dialects.binance.wire import Form, Row, amount, form, moment, need, replied, whole
from standfast.exchange.dialects.gate import Reply, RouteAt
from standfast.exchange.dialects.perpetuals import PerpetualCall, Perpetuals, seen_orders
from standfast.exchange.orders import Side
from standfast.exchange.perpetual.orders import ZERO, Change, InForce, Kind, Order, Role, Status, Ticket
from standfast.exchange.perpetual.refusal import No, PerpetualRefused
from standfast.exchange.refusal import Refused

WEEK = timedelta(days=7)
FORGOTTEN_AFTER = timedelta(days=3)  # ended without a fill
BATCH_MAX = 5
DONE: Row = {"code": 200, "msg": "The operation of cancel all open order is done."}


def writes() -> tuple[RouteAt[Perpetuals], ...]:
    return (
        RouteAt("POST", "/fapi/v1/order", "submit", create),
        RouteAt("POST", "/fapi/v1/order/test", "preview", try_out),
        RouteAt("PUT", "/fapi/v1/order", "replace", modify),
        RouteAt("DELETE", "/fapi/v1/order", "cancel", cancel),
        RouteAt("POST", "/fapi/v1/batchOrders", "submit", create_batch),
        RouteAt("DELETE", "/fapi/v1/batchOrders", "cancel", cancel_batch),
        RouteAt("DELETE", "/fapi/v1/allOpenOrders", "cancel_all", cancel_all),
    )


def reads() -> tuple[RouteAt[Perpetuals], ...]:
    return (
        RouteAt("GET", "/fapi/v1/order", "order", look_up),
        RouteAt("GET", "/fapi/v1/openOrder", "order", look_up_open),
        RouteAt("GET", "/fapi/v1/openOrders", "orders", open_orders),
        RouteAt("GET", "/fapi/v1/allOrders", "orders", all_orders),
        RouteAt("GET", "/fapi/v1/forceOrders", "orders", forced_orders),
    )


# Writes


def create(call: PerpetualCall) -> Reply:
    return replied(order_row(_create_one(call, form(call)), is_ack=True))


def try_out(call: PerpetualCall) -> Reply:
    """Judged, and nothing else: the reply is of an order that there is not."""
    ticket, now = _ticket(call, form(call)), call.venue.now
    call.venue.engine.judge(call.account, ticket)
    order = Order(
        id="",
        number=0,
        account=call.account,
        ticket=ticket,
        role=Role.PLAIN,
        status=Status.NEW,
        created_at=now,
        updated_at=now,
        price_then=ZERO,
    )
    return replied(order_row(order))


def _create_one(call: PerpetualCall, given: Form) -> Order:
    return call.venue.engine.submit(call.account, _ticket(call, given))


def _ticket(call: PerpetualCall, given: Form) -> Ticket:
    engine = call.venue.engine
    is_hedged = engine.settings(call.account, need(given, "symbol")).is_hedged
    ticket = asking.plain_ticket(given, is_hedged=is_hedged)
    quote = engine.last_quote(ticket.instrument)
    if ticket.in_force is InForce.POST_ONLY and quote is not None and ticket.price is not None:
        takes = ticket.price >= quote.ask if ticket.side is Side.BUY else ticket.price <= quote.bid
        if takes:
            text = "Due to the order could not be executed as maker, the Post Only order will be rejected."
            raise BinanceRefused(NO_MAKER, text)
    return ticket


def modify(call: PerpetualCall) -> Reply:
    """Limit orders only; quantity and price are both needed, the quantity counts what is filled."""
    given = form(call)
    order = _named(call, given, NO_SUCH_ORDER)
    if order.ticket.kind is not Kind.LIMIT:
        raise BinanceRefused(-5026, "Modify operation is not supported for this order.")
    price, quantity = amount(given, "price"), amount(given, "quantity")
    if price is None or quantity is None:
        raise missing("price" if price is None else "quantity")
    changed = call.venue.engine.amend(call.account, order.id, Change(price=price, quantity=quantity))
    return replied(order_row(changed, is_ack=True) | {"modifyId": 1})


def cancel(call: PerpetualCall) -> Reply:
    return replied(order_row(_cancel_one(call, form(call)), is_ack=True))


def _cancel_one(call: PerpetualCall, given: Form) -> Order:
    return call.venue.engine.cancel(call.account, _named(call, given, CANCEL_REJECTED).id)


def cancel_all(call: PerpetualCall) -> Reply:
    """Plain orders of a symbol: conditional ones stay."""
    symbol = call.venue.engine.contract(need(form(call), "symbol")).symbol
    for order in call.venue.engine.working(call.account, symbol):
        if is_order(order):
            call.venue.engine.cancel(call.account, order.id)
    return replied(DONE)


def create_batch(call: PerpetualCall) -> Reply:
    """One after the other; one that is refused stops nobody."""
    try:
        asked = msgspec.json.decode(need(form(call), "batchOrders"), type=list[dict[str, object]])
    except msgspec.DecodeError:
        raise BinanceRefused(BAD_PARAMETER, "Data sent for parameter 'batchOrders' is not valid.") from None
    if not 0 < len(asked) <= BATCH_MAX:
        raise BinanceRefused(-4082, "Invalid number of batch place orders.")
    forms = [{name: _as_text(value) for name, value in each.items()} for each in asked]
    return replied([_tried(call, _create_one, given) for given in forms])


def cancel_batch(call: PerpetualCall) -> Reply:
    given = form(call)
    symbol = need(given, "symbol")
    listed = {name.lower(): value for name, value in given.items()}
    forms = [{"symbol": symbol, "orderId": each} for each in _texts(listed.get("orderidlist", ""))]
    forms += [{"symbol": symbol, "origClientOrderId": each} for each in _texts(listed.get("origclientorderidlist", ""))]
    return replied([_tried(call, _cancel_one, each) for each in forms])


def _texts(listed: str) -> list[str]:
    return [text for each in listed.strip("[]").split(",") if (text := each.strip().strip('"'))]


def _as_text(value: object) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def _tried(call: PerpetualCall, act: Callable[[PerpetualCall, Form], Order], given: Form) -> Row:
    try:
        return order_row(act(call, given), is_ack=True)
    except PerpetualRefused as no:
        code, message = SAID[no.why]
        return {"code": code, "msg": message or no.message}
    except Refused as no:
        return {"code": no.code, "msg": no.message}


# Reads


def look_up(call: PerpetualCall) -> Reply:
    order = _found(call, form(call))
    gone = order is not None and order.is_finished and not order.filled
    if order is None or (gone and order.updated_at < call.venue.now - FORGOTTEN_AFTER):
        raise BinanceRefused(NO_SUCH_ORDER, "Order does not exist.")
    return replied(order_row(_as_seen(call, order)))


def look_up_open(call: PerpetualCall) -> Reply:
    order = _found(call, form(call))
    if order is None or order.is_finished:
        raise BinanceRefused(NO_SUCH_ORDER, "Order does not exist.")
    return replied(order_row(_as_seen(call, order)))


def open_orders(call: PerpetualCall) -> Reply:
    """Of a symbol or of all; no conditional order is among them."""
    symbol, engine = form(call).get("symbol"), call.venue.engine
    if symbol:
        engine.contract(symbol)
    found = seen_orders(call, engine.orders(call.account) if call.fault else engine.working(call.account))
    rows = [order for order in found if not order.is_finished and is_order(order)]
    return replied([order_row(order) for order in rows if symbol in (None, "", order.instrument)])


def all_orders(call: PerpetualCall) -> Reply:
    """Of a symbol, oldest first: from an order id on, or of a week."""
    given, engine, now = form(call), call.venue.engine, call.venue.now
    symbol = engine.contract(need(given, "symbol")).symbol
    first = whole(given, "orderId", 0, 10**18) - ORDER_BASE if given.get("orderId") else 0
    since, until = moment(given, "startTime"), moment(given, "endTime") or now
    if since is not None and until - since > WEEK:
        raise BinanceRefused(-4166, "Search window is restricted to recent 7 days.")
    since = since or until - WEEK
    limit = whole(given, "limit", 500, 1000)
    rows = [
        order
        for order in seen_orders(call, engine.orders(call.account))
        if order.instrument == symbol
        and is_order(order)
        and (order.number >= first if first else since <= order.created_at <= until)
        and (order.filled or not order.is_finished or order.updated_at >= now - FORGOTTEN_AFTER)
    ]
    return replied([order_row(order) for order in (rows[:limit] if first else rows[-limit:])])


def forced_orders(call: PerpetualCall) -> Reply:
    """Liquidations and deleveragings."""
    given = form(call)
    wanted = {"LIQUIDATION": (Role.LIQUIDATION,), "ADL": (Role.ADL,)}.get(
        given.get("autoCloseType", ""), (Role.LIQUIDATION, Role.ADL)
    )
    rows = [
        order
        for order in call.venue.engine.orders(call.account)
        if order.role in wanted and given.get("symbol") in (None, "", order.instrument)
    ]
    return replied([order_row(order) for order in rows[-whole(given, "limit", 50, 100) :]])


def _found(call: PerpetualCall, given: Form) -> Order | None:
    """By number or by the client's id; None when there is none that /order knows."""
    engine, symbol = call.venue.engine, call.venue.engine.contract(need(given, "symbol")).symbol
    if given.get("orderId"):
        number = given["orderId"]
        order = engine.order_by_number(call.account, int(number) - ORDER_BASE) if number.isdigit() else None
    elif given.get("origClientOrderId"):
        order = _by_client_id(call, given["origClientOrderId"])
    else:
        raise missing("orderId")
    return order if order is not None and order.instrument == symbol and is_order(order) else None


def _by_client_id(call: PerpetualCall, client_id: str) -> Order | None:
    """The latest of that id: it may be used again. What a conditional order became bears the id of that."""
    engine = call.venue.engine
    plain = engine.order_by_link(call.account, client_id)
    return plain or engine.order_by_link(call.account, asking.ALGO + client_id)


def _named(call: PerpetualCall, given: Form, code: int) -> Order:
    order = _found(call, given)
    if order is None or order.is_finished:
        raise BinanceRefused(code, SAID[No.NOT_FOUND][1] if code == CANCEL_REJECTED else "Order does not exist.")
    return order


def _as_seen(call: PerpetualCall, order: Order) -> Order:
    return next(iter(seen_orders(call, [order])), order)
