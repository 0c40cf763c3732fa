"""The exchange's values <-> the guard's, as Alpaca's adapter would have understood them. Pure.

Written for itself, not shared with `brokers`: a mistake made in one place should not hide in the other.
"""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from decimal import Decimal

from standfast.exchange import orders as theirs
from standfast.exchange.accounts import AccountView, PositionView
from standfast.exchange.activities import Activity, FillActivity, NonTradeActivity
from standfast.exchange.assets import Asset
from standfast.exchange.calendar import ClockState
from standfast.exchange.faults import AlteredIds, Fault, NewState, NewType, OtherInstrument
from standfast.exchange.misreport import altered
from standfast.exchange.quotes_file import FileQuote
from standfast.exchange.refusal import BAD_CLIENT_ID, Refused
from standfast.model.errors import Rejected
from standfast.model.evidence import AccountRead, HeldReport, MarketClock
from standfast.model.ids import BrokerOrderId, ClientOrderId, ExecutionId, Holding, InstrumentId
from standfast.model.instrument import Instrument
from standfast.model.order import (
    STOP_TYPES,
    ZERO,
    Fill,
    Movement,
    MovementKind,
    OrderReport,
    OrderState,
    OrderType,
    Side,
    Terms,
    TimeInForce,
)
from standfast.model.quote import Quote

ALIVE_OR_OVER = {
    theirs.Status.NEW: OrderState.WORKING,
    theirs.Status.PARTIALLY_FILLED: OrderState.WORKING,
    theirs.Status.HELD: OrderState.HELD,
    theirs.Status.FILLED: OrderState.FILLED,
    theirs.Status.CANCELED: OrderState.CANCELLED,
    theirs.Status.EXPIRED: OrderState.EXPIRED,
    theirs.Status.REJECTED: OrderState.REJECTED,
    theirs.Status.REPLACED: OrderState.REPLACED,
}
"""Everything else is received and cannot fill yet, or is about to change."""

MOVEMENTS = {"SPLIT": MovementKind.SPLIT, "FEE": MovementKind.FEE, "JNLC": MovementKind.CASH, "CSD": MovementKind.CASH}
FINEST_LOT = Decimal("0.000000001")
A_DAY = timedelta(days=1)


def holding(instrument: str) -> Holding:
    return Holding(InstrumentId(instrument))


def report(order: theirs.Order, legs: Sequence[theirs.Order] = (), parent: str | None = None) -> OrderReport:
    """One order. A parent is known only where the exchange shows the order inside it."""
    terms = order.terms
    kind = OrderType(terms.type.value)
    return OrderReport(
        broker_id=BrokerOrderId(order.id),
        client_id=ClientOrderId(order.client_order_id),
        holding=holding(terms.instrument),
        side=Side(terms.side.value),
        type=kind,
        time_in_force=TimeInForce(terms.time_in_force.value),
        quantity=_quantity(order),
        filled=order.filled,
        state=ALIVE_OR_OVER.get(order.status, OrderState.PENDING),
        average_price=order.average_price,
        limit_price=terms.limit_price,
        stop_price=terms.stop_price,
        placed_at=order.submitted_at,
        updated_at=order.updated_at,
        expires_at=order.expires_at,
        parent_id=BrokerOrderId(parent) if parent is not None else None,
        replaced_by=BrokerOrderId(order.replaced_by) if order.replaced_by else None,
        replaces=BrokerOrderId(order.replaces) if order.replaces else None,
        order_class="" if order.order_class is theirs.OrderClass.SIMPLE else order.order_class.value,
        closes=not order.intent.opens,
        triggered=kind in STOP_TYPES and order.filled > 0,  # no more is shown of a trigger
        legs=tuple(report(leg, parent=order.id) for leg in legs),
    )


def _quantity(order: theirs.Order) -> Decimal:
    """An order by amount has no quantity: what filled, and while it lives at most one share a dollar more."""
    if order.terms.quantity is not None:
        return order.terms.quantity
    return order.filled if order.is_finished else max(order.filled, order.terms.notional or ZERO)


def held(view: PositionView) -> HeldReport:
    return HeldReport(
        holding=holding(view.instrument),
        quantity=view.quantity,
        average_price=view.average_entry_price,
    )


def activity(row: Activity) -> Fill | Movement:
    if isinstance(row, NonTradeActivity):
        return _movement(row)
    fill = Fill(
        execution_id=ExecutionId(row.id),
        broker_order_id=BrokerOrderId(row.order_id),
        holding=holding(row.instrument),
        side=Side.BUY if row.side == "buy" else Side.SELL,
        quantity=row.quantity,
        price=row.price,
        at=row.at,
    )
    return fill if row.status == "executed" else _undone(row, fill)


def _undone(row: FillActivity, fill: Fill) -> Movement:
    """A trade that does not stand as it was told: against it where it is taken back, without quantity elsewhere."""
    return Movement(
        id=row.id,
        kind=MovementKind.OTHER,
        broker_kind=row.activity_type,
        holding=fill.holding,
        quantity=-fill.signed if row.status == "canceled" else ZERO,
        price=row.price,
        status=row.status,
        at=row.at,
    )


def _movement(row: NonTradeActivity) -> Movement:
    kind = MOVEMENTS.get(row.activity_type, MovementKind.OTHER)
    is_money = kind in (MovementKind.CASH, MovementKind.FEE)
    return Movement(
        id=row.id,
        kind=kind,
        broker_kind=row.activity_type,
        holding=holding(row.instrument) if row.instrument else None,
        quantity=ZERO if is_money or row.quantity is None else row.quantity,
        price=row.price,
        amount=row.net_amount,
        status=row.status,
        at=row.at,
        told_at=row.at,
    )


def instrument(asset: Asset) -> Instrument:
    return Instrument(
        id=InstrumentId(asset.instrument),
        lot=FINEST_LOT if asset.fractionable else Decimal(1),
        tradable=asset.tradable,
        shortable=asset.shortable,
        fractionable=asset.fractionable,
    )


def account(view: AccountView) -> AccountRead:
    return AccountRead(
        equity=view.equity,
        buying_power=view.buying_power,
        options_power=view.option_buying_power,
        currency="USD",
        blocked=False,
        number=view.id,
        cash=view.cash,
    )


def clock(state: ClockState) -> MarketClock:
    """Where the session is steered by hand nobody knows its next edge: a day from now."""
    return MarketClock(
        at=state.timestamp,
        is_open=state.is_open,
        next_open=state.next_open or state.timestamp + A_DAY,
        next_close=state.next_close or state.timestamp + A_DAY,
    )


def quote(row: FileQuote, received: datetime) -> Quote:
    """A side without a quote is shown as a price of zero."""
    return Quote(row.bid or ZERO, row.ask or ZERO, row.at, received)


# --- answers that say what is not so ------------------------------------------------------------


def misreported(fault: Fault | None, report: OrderReport) -> OrderReport:
    """An order as it arrives under this fault, its legs too."""
    match fault:
        case AlteredIds():
            changed = replace(report, client_id=ClientOrderId(altered(fault, report.client_id)))
        case OtherInstrument(instrument=name):
            changed = replace(report, holding=holding(name))
        case NewState(word=word):
            changed = replace(report, state=OrderState.UNKNOWN, reason=f"unknown status {word!r}")
        case NewType():
            changed = replace(report, type=OrderType.UNKNOWN)
        case _:
            return report
    return replace(changed, legs=tuple(misreported(fault, leg) for leg in report.legs))


# --- the other way ------------------------------------------------------------------------------


def ticket(client_id: ClientOrderId, of: Holding, terms: Terms) -> theirs.Ticket:
    """Our terms as the exchange takes them. Raises Rejected for what it has no form for, which then never leaves."""
    rests = terms.type in STOP_TYPES or terms.target_price is not None
    if terms.type in (OrderType.UNKNOWN, OrderType.TRAILING_STOP) or terms.time_in_force is TimeInForce.OTHER:
        raise Rejected(f"no form for {terms.type} {terms.time_in_force}: it was not sent")
    if rests and terms.quantity != terms.quantity.to_integral_value():
        raise Rejected(f"a stop over {terms.quantity} is not whole: it was not sent", kind="not_fractionable")
    side = theirs.Side(terms.side.value)
    asked = theirs.Terms(
        instrument=of.instrument,
        side=side,
        type=theirs.OrderType(terms.type.value),
        time_in_force=theirs.TimeInForce(terms.time_in_force.value),
        quantity=terms.quantity,
        limit_price=terms.limit_price,
        stop_price=terms.stop_price,
    )
    if terms.target_price is not None:
        return _pair(client_id, asked, terms)
    if terms.attached_stop is not None:
        return theirs.Ticket(
            terms=asked,
            client_order_id=client_id,
            order_class=theirs.OrderClass.OTO,
            stop_loss=theirs.StopLoss(stop_price=terms.attached_stop),
        )
    closes = theirs.Intent.SELL_TO_CLOSE if side is theirs.Side.SELL else theirs.Intent.BUY_TO_CLOSE
    return theirs.Ticket(terms=asked, client_order_id=client_id, intent=closes if terms.reduces else None)


def _pair(client_id: ClientOrderId, asked: theirs.Terms, terms: Terms) -> theirs.Ticket:
    """Target and stop as one-cancels-other: the parent is the target, its leg the stop."""
    assert terms.stop_price is not None, "a pair has a stop"
    parent = theirs.Terms(
        instrument=asked.instrument,
        side=asked.side,
        type=theirs.OrderType.LIMIT,
        time_in_force=asked.time_in_force,
        quantity=asked.quantity,
        limit_price=terms.target_price,
    )
    return theirs.Ticket(
        terms=parent,
        client_order_id=client_id,
        order_class=theirs.OrderClass.OCO,
        stop_loss=theirs.StopLoss(stop_price=terms.stop_price, limit_price=terms.limit_price),
    )


def change(client_id: ClientOrderId, terms: Terms, standing: Decimal | None) -> theirs.Change:
    """The quantity only where it differs from the one that stands: a pair refuses any."""
    return theirs.Change(
        quantity=None if terms.quantity == standing else terms.quantity,
        limit_price=terms.limit_price,
        stop_price=terms.stop_price,
        client_order_id=client_id,
    )


# --- refusals -----------------------------------------------------------------------------------

WORDS = (
    ("not fractionable", "not_fractionable"),
    ("fractional", "not_fractionable"),
    ("not tradable", "not_tradable"),
    ("not found", "not_tradable"),
    ("sold short", "not_tradable"),
    ("allowed to short", "not_tradable"),
    ("price", "price"),
)


def rejected(operation: str, refused: Refused) -> Rejected:
    kind = _kind(operation, refused)
    return Rejected(f"{refused.message} ({refused.http_status} {refused.code})", kind=kind, code=str(refused.code))


def _kind(operation: str, refused: Refused) -> str:
    if refused.http_status == 404:
        return "not_found"
    if operation == "cancel":
        return "not_cancellable"
    if refused.code == BAD_CLIENT_ID and "unique" in refused.message:
        return "duplicate_id"
    return _kind_by_details(refused) or next((kind for word, kind in WORDS if word in refused.message.lower()), "other")


def _kind_by_details(refused: Refused) -> str:
    details = refused.details
    if "existing_order_id" in details or "reject_reason" in details:
        return "wash_trade"
    if "held_for_orders" in details:
        return "held_quantity" if Decimal(str(details["held_for_orders"])) > 0 else "other"
    return "buying_power" if "buying_power" in details else ""


__all__ = [
    "FillActivity", "account", "activity", "change", "clock", "held", "holding", "instrument", "quote", "rejected",
    "report", "ticket",
]  # fmt: skip
