"""The exchange's records in Alpaca's JSON, key for key as recorded (brokers/data/alpaca). Pure.

A key that we have nothing to say about carries what a quiet account shows: null, "0", or the constant of the recording.
"""

from datetime import timedelta
from decimal import Decimal

from standfast.exchange.accounts import AccountView, PositionView
from standfast.exchange.activities import Activity, FillActivity
from standfast.exchange.assets import Asset
from standfast.exchange.calendar import ClockState
from standfast.exchange.dialects.alpaca.wire import (
    NEW_YORK,
    instant,
    instant_to_microseconds,
    local_instant,
    maybe,
    maybe_instant,
    money,
    number,
    share,
)
from standfast.exchange.events import Event
from standfast.exchange.orders import Order, OrderClass, Status

Row = dict[str, object]

ZERO = Decimal(0)
UNKNOWN_AHEAD = timedelta(days=365)  # a session steered by hand has no next opening; the reply must have one


def order_row(order: Order, asset: Asset, legs: list[Row] | None = None) -> Row:
    """`legs`: rows of the children, for a parent shown with them; null otherwise."""
    terms = order.terms
    return {
        "id": order.id,
        "client_order_id": order.client_order_id,
        "created_at": instant(order.created_at),
        "updated_at": instant(order.updated_at),
        "submitted_at": instant(order.submitted_at),
        "filled_at": maybe_instant(order.filled_at),
        "expired_at": maybe_instant(order.expired_at),
        "expires_at": instant(order.expires_at or order.created_at + UNKNOWN_AHEAD),
        "cancel_requested_at": maybe_instant(order.cancel_requested_at),
        "canceled_at": maybe_instant(order.canceled_at),
        "failed_at": maybe_instant(order.failed_at),
        "replaced_at": maybe_instant(order.replaced_at),
        "replaced_by": order.replaced_by,
        "replaces": order.replaces,
        "asset_id": asset.id,
        "symbol": terms.instrument,
        "asset_class": asset.asset_class,
        "notional": maybe(terms.notional),
        "qty": maybe(terms.quantity) if terms.notional is None else None,
        "filled_qty": number(order.filled),
        "filled_avg_price": None if order.average_price is None else money(order.average_price),
        "order_class": "" if order.order_class is OrderClass.SIMPLE else order.order_class.value,
        "order_type": terms.type.value,
        "type": terms.type.value,
        "side": terms.side.value,
        "position_intent": order.intent.value,
        "time_in_force": terms.time_in_force.value,
        "limit_price": maybe(terms.limit_price),
        "stop_price": maybe(terms.stop_price),
        "status": order.status.value,
        "extended_hours": terms.extended_hours,
        "legs": legs,
        "trail_percent": maybe(terms.trail_percent),
        "trail_price": maybe(terms.trail_price),
        "hwm": maybe(order.high_water_mark),
        "subtag": None,
        "source": None,
    }


def event_row(event: Event, asset: Asset, execution_id: str) -> Row:
    """The data of one trade update. Only fills carry price and quantities."""
    row: Row = {
        "event": event.kind.value,
        "execution_id": execution_id,
        "order": order_row(event.order, asset),
        "timestamp": instant(event.at),
    }
    if event.quantity is not None:
        row["price"] = maybe(event.price)
        row["qty"] = number(event.quantity)
        row["position_qty"] = maybe(event.position_quantity)
    return row


def position_row(view: PositionView, asset: Asset) -> Row:
    """Signed like Alpaca's: a short has negative quantity, cost and value. Unquoted yet: valued at its entry."""
    price = view.average_entry_price if view.current_price is None else view.current_price
    last_close = price if view.last_close is None else view.last_close
    value = view.cost_basis if view.market_value is None else view.market_value
    profit = ZERO if view.unrealised is None else view.unrealised
    return {
        "asset_id": view.asset_id,
        "symbol": view.instrument,
        "exchange": asset.venue,
        "asset_class": asset.asset_class,
        "asset_marginable": asset.marginable,
        "qty": number(view.quantity),
        "avg_entry_price": money(view.average_entry_price),
        "side": "long" if view.quantity > 0 else "short",
        "market_value": money(value),
        "cost_basis": money(view.cost_basis),
        "unrealized_pl": money(profit),
        "unrealized_plpc": share(profit, abs(view.cost_basis)),
        "unrealized_intraday_pl": money(profit),
        "unrealized_intraday_plpc": share(profit, abs(view.cost_basis)),
        "current_price": money(price),
        "lastday_price": money(last_close),
        "change_today": share(price - last_close, last_close),
        "qty_available": number(view.available),
    }


def account_row(view: AccountView) -> Row:
    """Money to the cent, except last_equity."""
    buying_power = _cents(view.buying_power)
    without_margin = _cents(max(ZERO, view.cash + view.short_market_value))
    equity = _cents(view.equity)
    return {
        "id": view.id,
        "admin_configurations": {},
        "user_configurations": None,
        "account_number": f"PA{int(view.id.replace('-', ''), 16) % 10**10:010d}",
        "status": "ACTIVE",
        "crypto_status": "ACTIVE",
        "crypto_tier": 1,
        "options_approved_level": 3,
        "options_trading_level": 3,
        "currency": "USD",
        "buying_power": buying_power,
        "regt_buying_power": _cents(view.buying_power * min(2, view.multiplier) / view.multiplier),
        "effective_buying_power": buying_power,
        "non_marginable_buying_power": without_margin,
        "options_buying_power": without_margin,
        "cash": _cents(view.cash),
        "accrued_fees": "0",
        "pending_reg_taf_fees": "0",
        "portfolio_value": equity,
        "trading_blocked": False,
        "transfers_blocked": False,
        "account_blocked": False,
        "created_at": instant_to_microseconds(view.created_at),
        "trade_suspended_by_user": False,
        "multiplier": str(view.multiplier),
        "shorting_enabled": view.shorting_enabled,
        "equity": equity,
        "last_equity": number(view.last_equity),
        "long_market_value": _cents(view.long_market_value),
        "short_market_value": _cents(view.short_market_value),
        "position_market_value": _cents(view.long_market_value - view.short_market_value),
        "initial_margin": _cents(view.initial_margin),
        "maintenance_margin": _cents(view.maintenance_margin),
        "last_maintenance_margin": "0",
        "sma": "0",
        "balance_asof": (view.created_at.astimezone(NEW_YORK) - timedelta(days=1)).date().isoformat(),
        "intraday_adjustments": "0",
    }


def activity_row(activity: Activity) -> Row:
    if isinstance(activity, FillActivity):
        row: Row = {
            "id": activity.id,
            "activity_type": activity.activity_type,
            "transaction_time": instant_to_microseconds(activity.at),
            "type": activity.type,
            "price": number(activity.price),
            "qty": number(activity.quantity),
            "side": activity.side,
            "symbol": activity.instrument,
            "leaves_qty": number(activity.leaves),
            "order_id": activity.order_id,
            "cum_qty": number(activity.cumulative),
            "order_status": Status(activity.order_status).value,
        }
        if activity.told_at is not None:  # a trade that stands carries neither
            row |= {"status": activity.status, "created_at": instant_to_microseconds(activity.told_at)}
        return row
    row = {
        "id": activity.id,
        "activity_type": activity.activity_type,
        "activity_sub_type": activity.activity_type,
        "date": activity.date.isoformat(),
        "created_at": instant_to_microseconds(activity.at),
        "net_amount": number(activity.net_amount),
        "currency": "USD",
        "description": activity.description,
        "status": activity.status,
    }
    optional = {
        "symbol": activity.instrument,
        "qty": maybe(activity.quantity),
        "price": maybe(activity.price),
        "per_share_amount": maybe(activity.per_unit),
    }
    return row | {key: value for key, value in optional.items() if value is not None}


def asset_row(asset: Asset) -> Row:
    return {
        "id": asset.id,
        "class": asset.asset_class,
        "exchange": asset.venue,
        "symbol": asset.instrument,
        "name": asset.name or asset.instrument,
        "status": "active",
        "tradable": asset.tradable,
        "marginable": asset.marginable,
        "shortable": asset.shortable,
        "easy_to_borrow": asset.shortable,
        "borrow_status": "easy_to_borrow" if asset.shortable else "hard_to_borrow",
        "fractionable": asset.fractionable,
        "maintenance_margin_requirement": 30,
        "margin_requirement_long": "30",
        "margin_requirement_short": "30",
        "attributes": [],
    }


def clock_row(state: ClockState) -> Row:
    """/v2/clock."""
    ahead = state.timestamp + UNKNOWN_AHEAD
    return {
        "timestamp": local_instant(state.timestamp),
        "is_open": state.is_open,
        "next_open": local_instant(state.next_open or ahead),
        "next_close": local_instant(state.next_close or ahead),
    }


def _cents(amount: Decimal) -> str:
    return number(amount.quantize(Decimal("0.01")))
