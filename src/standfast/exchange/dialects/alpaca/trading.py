"""Alpaca's trading REST interface: orders, positions, the account (brokers/README §1.2; spec/trading-api.json).

Each handler reads its request, asks the engine (or, under a `stale` fault, the past) and writes the answer. What the
engine refuses goes out through the gate.
"""

from dataclasses import replace
from datetime import datetime, timedelta

from standfast.exchange.dialects.alpaca import asking
from standfast.exchange.dialects.alpaca.manner import refusal_row
from standfast.exchange.dialects.alpaca.position_list import PositionList
from standfast.exchange.dialects.alpaca.rows import Row, account_row, activity_row, order_row, position_row
from standfast.exchange.dialects.gate import Call, Reply, Route, as_json
from standfast.exchange.faults import EmptyList, PartialList, Stale
from standfast.exchange.orders import ZERO, Order, Status
from standfast.exchange.queries import Cancelled, Closed
from standfast.exchange.refusal import not_allowed, not_found

NO_CONTENT = 204
MULTI_STATUS = 207

CONFIGURATIONS: Row = {
    "dtbp_check": "entry",
    "fractional_trading": True,
    "max_margin_multiplier": "4",
    "max_options_trading_level": 3,
    "no_shorting": False,
    "pdt_check": "entry",
    "ptp_no_exception_entry": False,
    "suspend_trade": False,
    "disable_overnight_trading": False,
    "trade_confirm_email": "all",
}


class Trading:
    """The handlers of one exchange. Of the account's configurations only `suspend_trade` has an effect."""

    def __init__(self) -> None:
        self._configurations: dict[str, Row] = {}
        self._position_lists: dict[str, PositionList] = {}

    def table(self) -> tuple[Route, ...]:
        return (
            Route("GET", "/v2/account", "account", self.account),
            Route("GET", "/v2/account/configurations", "configurations", self.configurations),
            Route("PATCH", "/v2/account/configurations", "configurations", self.configure),
            Route("GET", "/v2/account/activities", "activities", self.activities),
            Route("GET", "/v2/account/activities/{activity_type}", "activities", self.activities),
            Route("GET", "/v2/wallets/whitelists", "whitelists", self.whitelists),
            Route("GET", "/v2/positions", "positions", self.positions),
            Route("DELETE", "/v2/positions", "close_all", self.close_all),
            Route("GET", "/v2/positions/{key}", "position", self.position),
            Route("DELETE", "/v2/positions/{key}", "close", self.close),
            Route("GET", "/v2/orders", "orders", self.orders),
            Route("POST", "/v2/orders", "submit", self.submit),
            Route("DELETE", "/v2/orders", "cancel_all", self.cancel_all),
            Route("GET", "/v2/orders:by_client_order_id", "order", self.order_by_client_id),
            Route("GET", "/v2/orders/{order_id}", "order", self.order),
            Route("PATCH", "/v2/orders/{order_id}", "replace", self.replace),
            Route("DELETE", "/v2/orders/{order_id}", "cancel", self.cancel),
        )

    # Account

    def account(self, call: Call) -> Reply:
        row = account_row(call.venue.engine.account(call.account))
        row["trade_suspended_by_user"] = self._is_suspended(call.account)
        return _json(row)

    def whitelists(self, call: Call) -> Reply:
        """Addresses that coins may be sent to: there are no coins."""
        return _json([])

    def configurations(self, call: Call) -> Reply:
        return _json(self._configurations.get(call.account, CONFIGURATIONS))

    def configure(self, call: Call) -> Reply:
        asked = asking.configurations(call.body)
        kept = self._configurations.get(call.account, CONFIGURATIONS)
        self._configurations[call.account] = kept | {key: asked[key] for key in CONFIGURATIONS if key in asked}
        return self.configurations(call)

    def activities(self, call: Call) -> Reply:
        query = asking.activity_query(call.query, call.path.get("activity_type"))
        then = stale_at(call)
        if then is None:
            found = call.venue.engine.activities(call.account, query)
        else:
            found = call.venue.past.activities(call.account, query, then)
        left = call.venue.faults.thin(found, call.fault, lambda row: row.instrument or "")
        return _json([activity_row(row) for row in left])

    # Positions

    def positions(self, call: Call) -> Reply:
        engine = call.venue.engine
        then = stale_at(call)
        if then is None and not isinstance(call.fault, EmptyList | PartialList):
            if call.account not in self._position_lists:
                self._position_lists[call.account] = PositionList(engine, call.account)
            return Reply(200, self._position_lists[call.account].body())
        found = engine.positions(call.account) if then is None else call.venue.past.positions(call.account, then)
        left = call.venue.faults.thin(found, call.fault, lambda row: row.instrument)
        return _json([position_row(row, engine.asset(row.instrument)) for row in left])

    def position(self, call: Call) -> Reply:
        engine = call.venue.engine
        then = stale_at(call)
        if then is None:
            row = engine.position(call.account, call.path["key"])
        else:
            found = call.venue.past.position(call.account, engine.asset(call.path["key"]).instrument, then)
            if found is None:
                raise not_found("position does not exist")
            row = found
        return _json(position_row(row, engine.asset(row.instrument)))

    def close(self, call: Call) -> Reply:
        engine = call.venue.engine
        return self._order(call, engine.close_position(call.account, call.path["key"], asking.portion(call.query)))

    def close_all(self, call: Call) -> Reply:
        rows = call.venue.engine.close_all(call.account, cancel_orders=asking.flag(call.query, "cancel_orders"))
        return _json([self._closed(call, row) for row in rows], MULTI_STATUS)

    # Orders

    def submit(self, call: Call) -> Reply:
        ticket = asking.ticket(call.body)
        if self._is_suspended(call.account):
            raise not_allowed("new orders are rejected by user request")
        engine = call.venue.engine
        order = engine.submit(call.account, ticket)
        legs = [order_row(_acknowledged(leg), engine.asset(leg.instrument)) for leg in engine.legs(order)]
        return _json(order_row(order, engine.asset(order.instrument), legs or None))

    def replace(self, call: Call) -> Reply:
        change = asking.change(call.body)
        return self._order(call, call.venue.engine.replace(call.account, call.path["order_id"], change))

    def cancel(self, call: Call) -> Reply:
        call.venue.engine.cancel(call.account, call.path["order_id"])
        return Reply(NO_CONTENT)

    def cancel_all(self, call: Call) -> Reply:
        rows = call.venue.engine.cancel_all(call.account)
        return _json([_cancelled_row(row) for row in rows], MULTI_STATUS)

    def orders(self, call: Call) -> Reply:
        query = asking.order_query(call.query)
        if not asking.wants_equities(call.query):
            return _json([])
        then = stale_at(call)
        if then is None:
            found = call.venue.engine.orders(call.account, query)
        else:
            found = call.venue.past.orders(call.account, query, then)
        left = call.venue.faults.thin(found, call.fault, lambda order: order.instrument)
        return _json([self._order_row(call, order, is_nested=query.nested) for order in left])

    def order(self, call: Call) -> Reply:
        return self._one(call, call.venue.engine.order(call.account, call.path["order_id"]))

    def order_by_client_id(self, call: Call) -> Reply:
        engine = call.venue.engine
        return self._one(call, engine.order_by_client_id(call.account, call.query.get("client_order_id", "")))

    # Rows

    def _one(self, call: Call, order: Order) -> Reply:
        then = stale_at(call)
        seen = order if then is None else call.venue.past.order(order, then)
        if seen is None:
            raise not_found(f"order not found for {order.id}")
        return self._order(call, seen, is_nested=True)

    def _order(self, call: Call, order: Order, *, is_nested: bool = False) -> Reply:
        return _json(self._order_row(call, order, is_nested=is_nested))

    def _order_row(self, call: Call, order: Order, *, is_nested: bool) -> Row:
        engine = call.venue.engine
        legs: list[Row] | None = None
        if is_nested and order.leg_ids:
            legs = [order_row(leg, engine.asset(leg.instrument)) for leg in engine.legs(order)]
        return order_row(order, engine.asset(order.instrument), legs)

    def _closed(self, call: Call, row: Closed) -> Row:
        body: Row = {}
        if row.order is not None:
            body = self._order_row(call, row.order, is_nested=False)
        elif row.refused is not None:
            body = refusal_row(row.refused)
        return {"symbol": row.instrument, "status": row.http_status, "body": body}

    def _is_suspended(self, account: str) -> bool:
        return bool(self._configurations.get(account, CONFIGURATIONS)["suspend_trade"])


def stale_at(call: Call) -> datetime | None:
    """The moment a read shall show, if not the present."""
    return call.venue.now - timedelta(seconds=call.fault.age) if isinstance(call.fault, Stale) else None


def _acknowledged(leg: Order) -> Order:
    """A child as it was when its parent was taken: held, whatever has become of it within the same instant."""
    return replace(
        leg,
        status=Status.HELD,
        updated_at=leg.created_at,
        filled=ZERO,
        average_price=None,
        filled_at=None,
        canceled_at=None,
        expired_at=None,
        failed_at=None,
    )


def _cancelled_row(row: Cancelled) -> Row:
    shown: Row = {"id": row.order_id, "status": row.http_status}
    if row.refused is not None:
        shown["body"] = refusal_row(row.refused)
    return shown


def _json(value: object, status: int = 200) -> Reply:
    return Reply(status, as_json(value))
