"""Bybit's orders and positions over REST (brokers/README §3.2, §3.3).

A create, an amendment and a cancel answer with the two ids and nothing else: what became of them is to be looked up.
"""

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta

import msgspec

from standfast.exchange.dialects.bybit import asking
from standfast.exchange.dialects.bybit.codes import CODES, PARAMETER, TEXTS, BybitRefused
from standfast.exchange.dialects.bybit.rows import (
    EXEC_TYPE,
    STATUS,
    execution_row,
    order_row,
    outcome_row,
    position_row,
)
from standfast.exchange.dialects.bybit.wire import Row, instant, listed, page, replied
from standfast.exchange.dialects.gate import Reply, RouteAt
from standfast.exchange.dialects.perpetuals import PerpetualCall, Perpetuals, seen_orders, seen_positions, seen_sides
from standfast.exchange.faults import EmptyList
from standfast.exchange.perpetual.books import Execution
from standfast.exchange.perpetual.orders import Order, Role
from standfast.exchange.perpetual.refusal import No, PerpetualRefused
from standfast.exchange.refusal import Refused

Body = Mapping[str, object]
EXCHANGES_OWN = frozenset({Role.SETTLEMENT, Role.FUNDING})  # a trade without an order
OTHER_CATEGORIES = frozenset({"spot", "inverse", "option"})
EMPTY: list[object] = []
DAY = timedelta(days=1)
WEEK = timedelta(days=7)
CLOSED_KEPT = 500
BATCH_MAX = 20


def writes() -> tuple[RouteAt[Perpetuals], ...]:
    return (
        RouteAt("POST", "/v5/order/create", "submit", create),
        RouteAt("POST", "/v5/order/amend", "replace", amend),
        RouteAt("POST", "/v5/order/cancel", "cancel", cancel),
        RouteAt("POST", "/v5/order/cancel-all", "cancel_all", cancel_all),
        RouteAt("POST", "/v5/order/create-batch", "submit", _batch(_create_one)),
        RouteAt("POST", "/v5/order/amend-batch", "replace", _batch(_amend_one)),
        RouteAt("POST", "/v5/order/cancel-batch", "cancel", _batch(_cancel_one)),
        RouteAt("POST", "/v5/position/trading-stop", "stops", trading_stop),
    )


def reads() -> tuple[RouteAt[Perpetuals], ...]:
    return (
        RouteAt("GET", "/v5/order/realtime", "orders", elsewhere(realtime)),
        RouteAt("GET", "/v5/order/history", "orders", elsewhere(history)),
        RouteAt("GET", "/v5/position/list", "positions", elsewhere(positions)),
        RouteAt("GET", "/v5/execution/list", "executions", elsewhere(executions)),
        RouteAt("GET", "/v5/position/closed-pnl", "outcomes", elsewhere(closed_results)),
    )


# Writes


def create(call: PerpetualCall) -> Reply:
    return replied(_ids(_create_one(call, read(call))), call.venue.now)


def amend(call: PerpetualCall) -> Reply:
    return replied(_ids(_amend_one(call, read(call))), call.venue.now)


def cancel(call: PerpetualCall) -> Reply:
    return replied(_ids(_cancel_one(call, read(call))), call.venue.now)


def cancel_all(call: PerpetualCall) -> Reply:
    """Of a symbol, a base or a settlement coin; conditional ones by `orderFilter` StopOrder, else all."""
    body = read(call)
    asking.check_category(asking.word(body, "category"))
    given = {name: asking.word(body, name) for name in ("symbol", "baseCoin", "settleCoin", "orderFilter")}
    found = [order for order in call.venue.engine.working(call.account) if _is_asked(call, order, given)]
    rows = [_ids(call.venue.engine.cancel(call.account, order.id)) for order in found]
    return replied({"list": rows, "success": "1"}, call.venue.now)


def trading_stop(call: PerpetualCall) -> Reply:
    body = read(call)
    engine, symbol = call.venue.engine, asking.symbol_in(body)
    engine.set_stops(call.account, symbol, _side_asked(call, symbol, body), asking.wish(body))
    return replied({}, call.venue.now)


def _side_asked(call: PerpetualCall, symbol: str, body: Body) -> int:
    index = asking.index_in(body)
    if index not in call.venue.engine.settings(call.account, symbol).indices:
        raise PerpetualRefused(No.MODE, "position idx not match position mode")
    return index


def _create_one(call: PerpetualCall, body: Body) -> Order:
    return call.venue.engine.submit(call.account, asking.ticket(body))


def _amend_one(call: PerpetualCall, body: Body) -> Order:
    order = _named(call, body)
    return call.venue.engine.amend(call.account, order.id, asking.change(body))


def _cancel_one(call: PerpetualCall, body: Body) -> Order:
    return call.venue.engine.cancel(call.account, _named(call, body).id)


def _named(call: PerpetualCall, body: Body) -> Order:
    """By order id, or by the client's own; any other key names nothing."""
    symbol, engine = asking.symbol_in(body), call.venue.engine
    order_id, link_id = asking.word(body, "orderId"), asking.word(body, "orderLinkId")
    if not order_id and not link_id:
        raise BybitRefused(PARAMETER, "params error: OrderId or orderLinkId is required")
    order = engine.order(call.account, order_id) if order_id else engine.order_by_link(call.account, link_id)
    if order is None or order.instrument != symbol:
        raise PerpetualRefused(No.NOT_FOUND)
    return order


def _batch(act: Callable[[PerpetualCall, Body], Order]) -> Callable[[PerpetualCall], Reply]:
    """One after the other; each has a reply of its own, and one that is refused stops nobody."""

    def handle(call: PerpetualCall) -> Reply:
        body = read(call)
        asked = body.get("request")
        if not isinstance(asked, list) or not 0 < len(asked) <= BATCH_MAX:
            raise BybitRefused(PARAMETER, "params error: request invalid")
        rows: list[Row] = []
        said: list[Row] = []
        for one in asked:
            given = {"category": body.get("category"), **(one if isinstance(one, dict) else {})}
            ids, answer = _tried(call, act, given)
            rows.append({"category": "linear", "symbol": asking.word(given, "symbol"), **ids})
            said.append(answer)
        return replied({"list": rows}, call.venue.now, {"list": said})

    return handle


def _tried(call: PerpetualCall, act: Callable[[PerpetualCall, Body], Order], body: Body) -> tuple[Row, Row]:
    try:
        order = act(call, body)
    except PerpetualRefused as no:
        code, message = CODES[no.why], TEXTS.get(no.why) or no.message
    except Refused as no:
        code, message = no.code, no.message
    else:
        at = str(int(order.created_at.timestamp() * 1000))
        return {**_ids(order), "createAt": at}, {"code": 0, "msg": "OK"}
    return {"orderId": "", "orderLinkId": asking.word(body, "orderLinkId"), "createAt": ""}, {
        "code": code,
        "msg": message,
    }


def _ids(order: Order) -> Row:
    return {"orderId": order.id, "orderLinkId": order.ticket.link_id}


def read(call: PerpetualCall) -> Body:
    """The body, an object."""
    try:
        return msgspec.json.decode(call.body, type=dict[str, object])
    except msgspec.DecodeError:
        raise BybitRefused(PARAMETER, "params error: the body is no object") from None


# Reads


def elsewhere(handler: Callable[[PerpetualCall], Reply]) -> Callable[[PerpetualCall], Reply]:
    """Nothing of any other category is traded here, which is no error to ask for."""

    def handle(call: PerpetualCall) -> Reply:
        if call.query.get("category") in OTHER_CATEGORIES:
            return replied(listed(EMPTY, call.query, ""), call.venue.now)
        asking.check_category(call.query.get("category", ""))
        return handler(call)

    return handle


def realtime(call: PerpetualCall) -> Reply:
    """Working orders, conditional ones among them, newest first; with `openOnly` the last 500 that are not."""
    query = call.query
    _check_scope(query, ("symbol", "baseCoin", "settleCoin"))
    engine = call.venue.engine
    if query.get("orderId") or query.get("orderLinkId"):
        found = [order for order in engine.orders(call.account) if _is_asked(call, order, query)]
        rows = seen_orders(call, found)
    elif query.get("openOnly", "0") == "0":
        rows = [order for order in _seen_lately(call) if not order.is_finished]
    else:
        rows = [order for order in _seen_lately(call) if order.is_finished][-CLOSED_KEPT:]
    return _order_page(call, [order for order in rows if order.role not in EXCHANGES_OWN])


def history(call: PerpetualCall) -> Reply:
    """Finished and unfinished orders of a week; cancelled ones without a fill for a day only."""
    query, now = call.query, call.venue.now
    since, until = window(query, now)
    found = [
        order
        for order in seen_orders(call, call.venue.engine.orders(call.account))
        if order.is_finished
        and order.role not in EXCHANGES_OWN
        and _is_asked(call, order, query)
        and (order.filled or order.updated_at > now - DAY)
        and (query.get("orderId") or query.get("orderLinkId") or since <= order.created_at <= until)
        and query.get("orderStatus") in (None, "", STATUS[order.status])
    ]
    return _order_page(call, found)


def _seen_lately(call: PerpetualCall) -> list[Order]:
    """As this call may see them: one that finished since may still be shown as working, so all are looked through."""
    engine = call.venue.engine
    orders = engine.orders(call.account) if call.fault or call.query.get("openOnly", "0") != "0" else None
    found = engine.working(call.account) if orders is None else orders
    return [order for order in seen_orders(call, found) if _is_asked(call, order, call.query)]


def _order_page(call: PerpetualCall, orders: Sequence[Order]) -> Reply:
    newest = sorted(orders, key=lambda order: order.number, reverse=True)
    rows, cursor = page(newest, call.query, usual=20, most=50)
    shown = [order_row(call.venue.engine, order) for order in rows]
    return replied(listed(shown, call.query, cursor), call.venue.now)


def positions(call: PerpetualCall) -> Reply:
    """With a symbol a row for each side even when flat; by settlement coin only what is held."""
    query = call.query
    _check_scope(query, ("symbol", "settleCoin"))
    symbol = query.get("symbol")
    if symbol:
        found = seen_sides(call, symbol)
    else:
        settles_in = query["settleCoin"]
        found = [
            position
            for position in seen_positions(call)
            if call.venue.engine.contract(position.instrument).settles_in == settles_in
        ]
    rows, cursor = page(found, query, usual=20, most=200)
    shown = [position_row(call.venue.engine, position) for position in rows]
    return replied(listed(shown, query, cursor), call.venue.now)


def executions(call: PerpetualCall) -> Reply:
    """Newest first, of a week at most."""
    query = call.query
    since, until = window(query, call.venue.now)
    found = [
        execution
        for execution in reversed(call.venue.engine.books(call.account).executions)
        if since <= execution.at <= until and _is_of(call, execution, query)
    ]
    left = call.venue.faults.thin(found, call.fault, lambda execution: execution.instrument)
    rows, cursor = page(left, query, usual=50, most=100)
    return replied(listed([execution_row(execution) for execution in rows], query, cursor), call.venue.now)


def _is_of(call: PerpetualCall, execution: Execution, query: Mapping[str, str]) -> bool:
    contract = call.venue.engine.contract(execution.instrument)
    said = {
        "symbol": execution.instrument,
        "orderId": execution.order_id,
        "orderLinkId": execution.link_id,
        "execType": EXEC_TYPE[execution.kind],
        "baseCoin": contract.base,
        "settleCoin": contract.settles_in,
    }
    return all(query.get(name) in (None, "", value) for name, value in said.items())


def closed_results(call: PerpetualCall) -> Reply:
    query = call.query
    since, until = window(query, call.venue.now)
    engine = call.venue.engine
    found = [
        outcome
        for outcome in reversed(engine.books(call.account).outcomes)
        if since <= outcome.updated_at <= until and query.get("symbol") in (None, "", outcome.instrument)
    ]
    if isinstance(call.fault, EmptyList):
        found = []
    rows, cursor = page(found, query, usual=50, most=100)
    shown = [outcome_row(outcome, engine.contract(outcome.instrument).contract_size) for outcome in rows]
    return replied(listed(shown, query, cursor), call.venue.now)


def window(query: Mapping[str, str], now: datetime) -> tuple[datetime, datetime]:
    """Of seven days: given both, one or none of its ends."""
    start, end = query.get("startTime"), query.get("endTime")
    since = instant(start) if start else None
    until = instant(end) if end else None
    if since is None:
        until = until or now
        return until - WEEK, until
    until = until or since + WEEK
    if until - since > WEEK:
        raise BybitRefused(PARAMETER, "The time range between startTime and endTime cannot exceed 7 days")
    return since, until


def _check_scope(query: Mapping[str, str], names: Sequence[str]) -> None:
    if not any(query.get(name) for name in (*names, "orderId", "orderLinkId")):
        raise BybitRefused(PARAMETER, f"Missing some parameters that must be filled in, {' or '.join(names)}")


def _is_asked(call: PerpetualCall, order: Order, query: Mapping[str, str]) -> bool:
    """An order id goes before a link id, and both before a symbol."""
    if query.get("orderId"):
        return order.id == query["orderId"]
    if query.get("orderLinkId"):
        return order.ticket.link_id == query["orderLinkId"]
    contract = call.venue.engine.contract(order.instrument)
    is_stop = order.is_conditional
    kind = {"Order": not is_stop, "StopOrder": is_stop}.get(query.get("orderFilter") or "", True)
    return (
        kind
        and query.get("symbol") in (None, "", order.instrument)
        and query.get("baseCoin") in (None, "", contract.base)
        and query.get("settleCoin") in (None, "", contract.settles_in)
    )
