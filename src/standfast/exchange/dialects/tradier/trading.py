"""Tradier's accounts and orders over REST (brokers/README §2.2, §2.3).

A submission is taken or refused for its form at once; whether there is money for it, and something to close, is judged
afterwards: the reply says `ok`, the order then says `rejected` and why [recorded, and public bots].
"""

from dataclasses import replace
from datetime import time, timedelta
from decimal import Decimal

import msgspec

from standfast.exchange.accounts import AccountSpec, PositionView
from standfast.exchange.contracts import contract_of
from standfast.exchange.dialects.gate import Call, Reply, Route, as_json
from standfast.exchange.dialects.tradier import asking
from standfast.exchange.dialects.tradier.manner import bad, not_so, plainly
from standfast.exchange.dialects.tradier.numbers import GROUPED, group_number, is_group_number, number_of, order_of
from standfast.exchange.dialects.tradier.preview import preview_row
from standfast.exchange.dialects.tradier.rows import (
    STATUS,
    balances_row,
    group_row,
    order_row,
    position_row,
    profile_account,
)
from standfast.exchange.dialects.tradier.wire import NEW_YORK, Row, form, one_or_many, several
from standfast.exchange.faults import Stale
from standfast.exchange.orders import ZERO, Intent, Order, Ticket
from standfast.exchange.queries import Direction, Listing, OrderQuery
from standfast.exchange.refusal import Cause, Refused

POSITION_BASE = 5_290_000
PAGE = 25
PRE = (time(4), time(9, 24))
POST = (time(16), time(19, 55))
LEAST_SHORT_PRICE = Decimal(5)
MONTH = timedelta(days=31)

NO_POWER = "You do not have enough buying power for this trade."
TOO_MANY_SOLD = (
    "Sell order is for more shares than your current long position, please review current position quantity along with"
    " open orders for security. "
)
TOO_MANY_BOUGHT = (
    "Buy order is for more shares than your current short position, please review current position quantity along with"
    " open orders for security. "
)
TRUE = "true"


class Trading:
    """The handlers of one exchange. `lag`: seconds by which positions trail the orders. `price_lag`: seconds for which
    an order says that it is filled and not yet at what price.
    """

    def __init__(self, *, lag: float = 0.0, price_lag: float = 0.0) -> None:
        self._lag = timedelta(seconds=lag)
        self._price_lag = timedelta(seconds=price_lag)
        self._kept: dict[tuple[str, bool], tuple[list[Order], msgspec.Raw]] = {}  # rows of orders that are over

    def reads(self) -> tuple[Route, ...]:
        account = "/v1/accounts/{account_id}"
        return (
            Route("GET", "/v1/user/profile", "profile", self.profile),
            Route("GET", f"{account}/balances", "account", self.balances),
            Route("GET", f"{account}/positions", "positions", self.positions),
            Route("GET", f"{account}/orders", "orders", self.orders),
            Route("GET", f"{account}/orders/{{order_id}}", "order", self.order),
        )

    def writes(self) -> tuple[Route, ...]:
        account = "/v1/accounts/{account_id}"
        return (
            Route("POST", f"{account}/orders", "submit", self.submit),
            Route("PUT", f"{account}/orders/{{order_id}}", "replace", self.modify),
            Route("DELETE", f"{account}/orders/{{order_id}}", "cancel", self.cancel),
        )

    # The account

    def profile(self, call: Call) -> Reply:
        owned = call.venue.engine.accounts_of(_spec(call).secret)
        accounts = one_or_many([profile_account(spec) for spec in owned])
        return _json({"profile": {"account": accounts, "id": "id-simulated", "name": "Simulated Trader"}})

    def balances(self, call: Call) -> Reply:
        engine = call.venue.engine
        today = call.venue.now.astimezone(NEW_YORK).date()
        row = balances_row(
            engine.account(call.account),
            _spec(call),
            pending=sum(1 for order in _unfinished(call) if order.parent_id is None),
            open_profit=sum((view.unrealised or ZERO for view in engine.positions(call.account)), ZERO),
            closed=engine.truth(call.account).realised_by_day().get(today, ZERO),
        )
        return _json({"balances": row})

    def positions(self, call: Call) -> Reply:
        found = self._positions(call)
        left = call.venue.faults.thin(found, call.fault, lambda view: view.instrument)
        rows = [position_row(_acquired_later(view, self._lag), POSITION_BASE) for view in left]
        return _json({"positions": several("position", rows)})

    def _positions(self, call: Call) -> list[PositionView]:
        then = call.venue.now - self._lag
        if isinstance(call.fault, Stale):
            then = call.venue.now - timedelta(seconds=call.fault.age)
        if then == call.venue.now:
            return call.venue.engine.positions(call.account)
        return call.venue.past.positions(call.account, then)

    # Orders

    def orders(self, call: Call) -> Reply:
        """Of today's session and what still works; with `filter=all` up to a month, in pages."""
        found = [order for order in self._seen(call) if order.parent_id is None]
        left = call.venue.faults.thin(found, call.fault, lambda order: order.instrument)
        rows = [self._listed(call, order) for order in _page(call, left)]
        return _json({"orders": several("order", rows)})

    def _seen(self, call: Call) -> list[Order]:
        query = OrderQuery(status=Listing.ALL, limit=500, direction=Direction.ASC)
        if isinstance(call.fault, Stale):
            then = call.venue.now - timedelta(seconds=call.fault.age)
            return call.venue.past.orders(call.account, query, then)
        return _all_orders(call)

    def order(self, call: Call) -> Reply:
        order = _find(call)
        return _json({"order": self._row(call, order, text=call.path["order_id"])})

    def submit(self, call: Call) -> Reply:
        asked = asking.wish(form(call.body))
        ticket = asked.ticket
        self._check(call, asked)
        engine = call.venue.engine
        refusal = _judged(call, ticket)
        if asked.is_preview:
            if refusal is not None:
                raise not_so(reason_of(refusal, ticket))
            return _json({"order": preview_row(call, asked)})
        if refusal is None:
            order = engine.submit(call.account, ticket)
        elif refusal.cause is Cause.REQUEST:
            raise not_so(refusal.message)
        else:
            order = engine.record_rejected(call.account, ticket, reason_of(refusal, ticket))
        number = group_number(order) if order.order_class in GROUPED else number_of(order)
        return _json({"order": {"id": number, "status": "ok", "partner_id": order.client_order_id}})

    def _check(self, call: Call, asked: asking.Wish) -> None:
        """What Tradier says no to before any market does."""
        terms = asked.ticket.terms
        at = call.venue.now.astimezone(NEW_YORK).time()
        for word, (opens, closes) in (("pre", PRE), ("post", POST)):
            if asked.duration == word and not opens <= at < closes:
                raise bad("duration", f"{word} market no longer available")
        if asked.ticket.intent is not Intent.SELL_TO_OPEN or contract_of(terms.instrument) is not None:
            return
        if asked.duration == "gtc":
            raise not_so("GTC orders cannot be short sales.")
        quote = call.venue.last_quote(terms.instrument)
        price = terms.limit_price or (None if quote is None else quote.bid)
        if price is not None and price < LEAST_SHORT_PRICE:
            raise not_so("Short sales are not allowed below $5.")

    def modify(self, call: Call) -> Reply:
        order = _find(call)
        if is_group_number(call.path["order_id"]):
            raise not_so("Change the orders of a group, not the group.")
        _check_unfinished(order)
        try:
            call.venue.engine.amend(call.account, order.id, asking.change(form(call.body), order))
        except Refused as refused:
            raise refused if refused.http_status == 400 else not_so(refused.message) from refused
        return _json({"order": {"id": number_of(order), "status": "ok"}})

    def cancel(self, call: Call) -> Reply:
        """Accepted, not done."""
        order, engine = _find(call), call.venue.engine
        members = [order, *engine.legs(order)] if is_group_number(call.path["order_id"]) else [order]
        living = [member for member in members if not member.is_finished]
        if not living:
            _check_unfinished(order)
        for member in living:
            if not engine.order(call.account, member.id).is_finished:
                engine.cancel(call.account, member.id)
        return _json({"order": {"id": int(call.path["order_id"]), "status": "ok"}})

    # Rows

    def _listed(self, call: Call, order: Order) -> Row | msgspec.Raw:
        """As `_row`; what is over is written once. A list is asked for every few seconds and mostly of those."""
        members = [order, *call.venue.engine.legs(order)]
        is_over = all(
            member.is_finished and call.venue.now - member.updated_at >= self._price_lag for member in members
        )
        if not is_over or isinstance(call.fault, Stale):
            return self._row(call, order)
        key = order.id, _wants_tags(call)
        known = self._kept.get(key)
        if known is None or known[0] != members:
            known = self._kept[key] = members, msgspec.Raw(as_json(self._row(call, order)))
        return known[1]

    def _row(self, call: Call, order: Order, *, text: str = "") -> Row:
        """`text`: the number asked for: a group's, or that of one of its orders."""
        legs = [self._shown(call, leg) for leg in call.venue.engine.legs(order)]
        order, with_tag = self._shown(call, order), _wants_tags(call)
        if order.order_class in GROUPED and order.parent_id is None and (not text or is_group_number(text)):
            return group_row([order, *legs], with_tag=with_tag)
        return order_row(order, legs, with_tag=with_tag)

    def _shown(self, call: Call, order: Order) -> Order:
        """The order as the client may see it: perhaps as it was, perhaps without its price yet."""
        if isinstance(call.fault, Stale):
            return call.venue.past.order(order, call.venue.now - timedelta(seconds=call.fault.age)) or order
        if order.filled_at is not None and call.venue.now - order.filled_at < self._price_lag:
            return replace(order, average_price=None, last_price=ZERO)
        return order


def reason_of(refusal: Refused, ticket: Ticket) -> str:
    """A refusal in Tradier's words."""
    if refusal.cause is Cause.POWER:
        return NO_POWER
    if refusal.cause is Cause.REQUEST:
        return refusal.message
    closing = [leg.intent for leg in ticket.legs if not leg.intent.opens]
    intent = closing[0] if closing else ticket.intent
    return TOO_MANY_BOUGHT if intent is not None and intent.side.sign > 0 else TOO_MANY_SOLD


def _judged(call: Call, ticket: Ticket) -> Refused | None:
    try:
        call.venue.engine.judge(call.account, ticket)
    except Refused as refused:
        return refused
    return None


def _check_unfinished(order: Order) -> None:
    if order.is_finished:
        raise plainly(f"order already in finalized state: {STATUS[order.status]}")


def _find(call: Call) -> Order:
    order = order_of(call.venue.engine, call.account, call.path["order_id"])
    if order is None:
        raise plainly("order not found", 404)
    return order


def _wants_tags(call: Call) -> bool:
    return call.query.get("includeTags", "").lower() == TRUE


def _all_orders(call: Call) -> list[Order]:
    query = OrderQuery(status=Listing.ALL, limit=500, direction=Direction.ASC)
    found = rows = call.venue.engine.orders(call.account, query)
    while len(rows) == query.limit:
        rows = call.venue.engine.orders(call.account, replace(query, after_order_id=rows[-1].id))
        found = found + rows
    return found


def _unfinished(call: Call) -> list[Order]:
    return call.venue.engine.orders(call.account, OrderQuery(limit=500))


def _page(call: Call, orders: list[Order]) -> list[Order]:
    if call.query.get("filter") != "all":
        today = call.venue.now.astimezone(NEW_YORK).date()
        return [
            order for order in orders if not order.is_finished or order.updated_at.astimezone(NEW_YORK).date() == today
        ]
    start, end = asking.day(call.query, "start"), asking.day(call.query, "end")
    first = max(start or "", f"{(call.venue.now - MONTH).astimezone(NEW_YORK):%Y-%m-%d}")
    kept = [
        order
        for order in orders
        if first <= f"{order.created_at.astimezone(NEW_YORK):%Y-%m-%d}" <= (end or "9999-12-31")
    ]
    page, size = asking.count(call.query, "page", 1), asking.count(call.query, "limit", PAGE)
    return kept[(page - 1) * size : page * size]


def _acquired_later(view: PositionView, lag: timedelta) -> PositionView:
    assert view.opened_at is not None
    return replace(view, opened_at=view.opened_at + lag)


def _spec(call: Call) -> AccountSpec:
    return call.venue.engine.spec(call.account)


def _json(value: object, status: int = 200) -> Reply:
    return Reply(status, as_json(value))
