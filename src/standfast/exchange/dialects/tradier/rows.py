"""The exchange's values as Tradier writes them (brokers/README §2.5, §2.6). Pure; recorded key order."""

from collections.abc import Sequence
from decimal import Decimal

from standfast.exchange.accounts import AccountSpec, AccountView, PositionView
from standfast.exchange.contracts import contract_of
from standfast.exchange.dialects.tradier.numbers import group_number, number_of
from standfast.exchange.dialects.tradier.strategies import strategy
from standfast.exchange.dialects.tradier.wire import Row, instant, money, number, one_or_many
from standfast.exchange.orders import Intent, Order, OrderClass, OrderType, Status, TimeInForce

STATUS = {
    Status.ACCEPTED: "pending",
    Status.PENDING_NEW: "pending",
    Status.NEW: "open",
    Status.HELD: "pending",
    Status.PARTIALLY_FILLED: "partially_filled",
    Status.PENDING_CANCEL: "open",
    Status.PENDING_REPLACE: "open",
    Status.DONE_FOR_DAY: "open",
    Status.FILLED: "filled",
    Status.CANCELED: "canceled",
    Status.EXPIRED: "expired",
    Status.REJECTED: "rejected",
    Status.REPLACED: "canceled",
}
DURATION = {TimeInForce.DAY: "day", TimeInForce.GTC: "gtc"}
GROUP_CLASS = {OrderClass.OCO: "oco", OrderClass.OTO: "oto", OrderClass.BRACKET: "otoco"}
ACCOUNT_TYPE = {1: "cash", 2: "margin", 4: "pdt"}
ZERO = Decimal(0)


def status(order: Order) -> str:
    if order.status is Status.HELD and order.is_live:
        return "open"
    return STATUS[order.status]


def side(order: Order) -> str:
    if contract_of(order.instrument) is not None:
        return order.intent.value
    return {
        Intent.BUY_TO_OPEN: "buy",
        Intent.BUY_TO_CLOSE: "buy_to_cover",
        Intent.SELL_TO_OPEN: "sell_short",
        Intent.SELL_TO_CLOSE: "sell",
    }[order.intent]


def duration(order: Order) -> str:
    if order.terms.extended_hours:
        return "post"
    return DURATION.get(order.terms.time_in_force, "day")


def _remaining(order: Order, quantity: Decimal, filled: Decimal) -> Decimal:
    """Zero once cancelled, expired or filled, whole for a rejected order [recorded]: nothing to compute with."""
    if order.status is Status.REJECTED:
        return quantity
    return ZERO if order.is_finished else quantity - filled


def _times(order: Order) -> Row:
    return {"create_date": instant(order.created_at), "transaction_date": instant(order.updated_at)}


def _late(order: Order, *, with_tag: bool) -> Row:
    """What is only there when there is something to say."""
    row: Row = {}
    if order.reason:
        row["reason_description"] = order.reason
    if with_tag and order.tag:
        row["tag"] = order.tag
    return row


def order_row(order: Order, legs: Sequence[Order], *, with_tag: bool) -> Row:
    """One order as the list and the order's own page have it."""
    if order.is_multileg:
        return _multileg_row(order, legs, with_tag=with_tag)
    return _single_row(order, with_tag=with_tag)


def _single_row(order: Order, *, with_tag: bool) -> Row:
    contract = contract_of(order.instrument)
    quantity = order.terms.quantity or ZERO
    row: Row = {
        "id": number_of(order),
        "type": order.terms.type.value,
        "symbol": order.instrument if contract is None else contract.underlying,
        "side": side(order),
        "quantity": number(quantity),
        "status": status(order),
        "duration": duration(order),
    }
    row |= _prices(order)
    row |= {
        "avg_fill_price": number(order.average_price),
        "exec_quantity": number(order.filled),
        "last_fill_price": number(order.last_price),
        "last_fill_quantity": number(order.last_quantity),
        "remaining_quantity": number(_remaining(order, quantity, order.filled)),
        **_times(order),
        "class": "equity" if contract is None else "option",
    }
    if contract is not None:
        row["option_symbol"] = order.instrument
    return row | _late(order, with_tag=with_tag)


def _prices(order: Order) -> Row:
    row: Row = {}
    if order.terms.limit_price is not None:
        row["price"] = number(order.terms.limit_price)
    if order.terms.stop_price is not None:
        row["stop_price"] = number(order.terms.stop_price)
    return row


def net_type(whole: Order) -> str:
    """A multi-leg order's limit, in words: the sign is in the type, the price is always positive."""
    limit = whole.terms.limit_price
    if whole.terms.type is OrderType.MARKET or limit is None:
        return "market"
    if not limit:
        return "even"
    return "debit" if limit > 0 else "credit"


def _multileg_row(whole: Order, legs: Sequence[Order], *, with_tag: bool) -> Row:
    """The parent is always a `buy`."""
    quantity, filled = whole_amounts(whole, legs)
    is_combo = _is_combo(legs)
    limit = whole.terms.limit_price
    price: Row = {"price": number(abs(limit))} if limit else {}
    row: Row = {
        "id": number_of(whole),
        "type": net_type(whole),
        "symbol": whole.instrument,
        "side": "buy",
        "quantity": number(quantity),
        "status": status(whole),
        "duration": duration(whole),
        **price,
        "avg_fill_price": number(whole.average_price),
        "exec_quantity": number(filled),
        "last_fill_price": 0.0,
        "last_fill_quantity": number(legs[-1].last_quantity if legs else ZERO),
        "remaining_quantity": number(_remaining(whole, quantity, filled)),
        **_times(whole),
        "class": "combo" if is_combo else "multileg",
        "num_legs": len(legs),
        "strategy": strategy(legs),
        "leg": one_or_many([_leg_row(whole, leg, price) for leg in legs]),
    }
    return row | _late(whole, with_tag=with_tag)


def _is_combo(legs: Sequence[Order]) -> bool:
    return any(contract_of(leg.instrument) is None for leg in legs)


def whole_amounts(whole: Order, legs: Sequence[Order]) -> tuple[Decimal, Decimal]:
    """What a parent asks for and has: the contracts of all its legs [recorded]; of a combo units [documented]."""
    if _is_combo(legs):
        return whole.terms.quantity or ZERO, whole.filled
    each = sum((leg.ratio for leg in legs), ZERO)
    return each * (whole.terms.quantity or ZERO), each * whole.filled


def _leg_row(whole: Order, leg: Order, price: Row) -> Row:
    row = _single_row(leg, with_tag=False)
    head = {key: row[key] for key in ("id", "type", "symbol", "side", "quantity", "status", "duration")}
    return head | {"type": net_type(whole)} | price | {key: value for key, value in row.items() if key not in head}


def group_row(members: Sequence[Order], *, with_tag: bool) -> Row:
    """A group's parent: no symbol, side, type or quantity of its own. Brackets lose the tag [public bots]."""
    first = members[0]
    row: Row = {
        "id": group_number(first),
        "status": group_status(members),
        "duration": duration(first),
        "avg_fill_price": 0.0,
        "exec_quantity": 0.0,
        "last_fill_price": 0.0,
        "last_fill_quantity": 0.0,
        "remaining_quantity": 0.0,
        "create_date": instant(first.created_at),
        "transaction_date": instant(max(member.updated_at for member in members)),
        "class": GROUP_CLASS[first.order_class],
        "num_legs": len(members),
        "leg": one_or_many([_single_row(member, with_tag=False) for member in members]),
    }
    if first.order_class is OrderClass.BRACKET:
        return row
    return row | _late(first, with_tag=with_tag)


def group_status(members: Sequence[Order]) -> str:
    shown = [status(member) for member in members]
    for word in ("open", "partially_filled", "pending"):
        if word in shown:
            return "open" if word == "partially_filled" else word
    return "filled" if "filled" in shown else shown[0]


def position_row(view: PositionView, number_base: int) -> Row:
    assert view.opened_at is not None
    return {
        "cost_basis": money(view.cost_basis),
        "date_acquired": instant(view.opened_at),
        "id": number_base + view.number,
        "quantity": number(view.quantity),
        "symbol": view.instrument,
    }


def balances_row(view: AccountView, spec: AccountSpec, *, pending: int, open_profit: Decimal, closed: Decimal) -> Row:
    """The common fields, and one of `margin`, `cash` and `pdt`."""
    kind = ACCOUNT_TYPE.get(view.multiplier, "margin")
    stock_long = view.long_market_value - view.option_long_value
    stock_short = view.short_market_value - view.option_short_value
    row: Row = {
        "option_short_value": money(view.option_short_value),
        "total_equity": money(view.equity),
        "account_number": spec.key_id,
        "account_type": kind,
        "close_pl": money(closed),
        "current_requirement": money(view.maintenance_margin),
        "equity": 0,
        "long_market_value": money(view.long_market_value),
        "market_value": money(view.long_market_value + view.short_market_value),
        "open_pl": money(open_profit),
        "option_long_value": money(view.option_long_value),
        "option_requirement": money(view.option_requirement),
        "pending_orders_count": pending,
        "short_market_value": money(view.short_market_value),
        "stock_long_value": money(stock_long),
        "total_cash": money(view.cash),
        "uncleared_funds": 0,
        "pending_cash": 0,
    }
    if kind == "cash":
        own: Row = {"cash_available": money(view.option_buying_power), "sweep": 0, "unsettled_funds": 0.0}
    else:
        own = {
            "fed_call": 0,
            "maintenance_call": 0,
            "option_buying_power": money(view.option_buying_power),
            "stock_buying_power": money(view.buying_power),
            "stock_short_value": money(stock_short),
        }
        if kind == "margin":
            own["sweep"] = 0
    return row | {kind: own}


def profile_account(spec: AccountSpec) -> Row:
    return {
        "account_number": spec.key_id,
        "classification": "individual",
        "date_created": "2016-08-01T21:08:55.000Z",
        "day_trader": spec.multiplier == 4,
        "option_level": 6,
        "status": "active",
        "type": "cash" if spec.multiplier == 1 else "margin",
        "last_update_date": "2016-08-01T21:08:55.000Z",
    }
