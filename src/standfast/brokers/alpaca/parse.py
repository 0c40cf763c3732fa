"""Alpaca's replies -> model. Pure; bytes in, values out.

Invariants
- Whatever the bytes, nothing but `Malformed` is raised, and it names the field and the value (but see `equity`).
- Nothing is guessed: an unknown status or order type becomes UNKNOWN (alive, could protect); an unknown side, a number
  that is none, a time without zone is refused.
- The sign of a position comes from `side` and the absolute quantity (brokers/README §1.11).
"""

import re
from datetime import UTC, date, datetime, time
from decimal import Decimal
from zoneinfo import ZoneInfo

import msgspec

from standfast.brokers.alpaca.rows import (
    AccountRow,
    ActivityRow,
    AssetRow,
    ClockRow,
    ContractRow,
    OrderRow,
    PositionRow,
    QuoteRow,
)
from standfast.brokers.shared.reading import Number, holding, in_utc, moment, number, shown
from standfast.model.errors import Malformed, Rejected
from standfast.model.evidence import AccountRead, HeldReport, MarketClock
from standfast.model.ids import BrokerOrderId, ClientOrderId, ExecutionId, Holding, InstrumentId
from standfast.model.instrument import Instrument, Kind
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
    TimeInForce,
)
from standfast.model.quote import Quote
from standfast.model.secret import redact

USD = "USD"

NEW_YORK = ZoneInfo("America/New_York")
"""Dates without a time are the exchange's days."""

JSON_NUMBER = re.compile(r"[0-9]{1,18}(\.[0-9]{1,30})?([eE][-+]?[0-9]{1,2})?", re.ASCII)

STATES = {
    "new": OrderState.WORKING,
    "partially_filled": OrderState.WORKING,
    "stopped": OrderState.WORKING,
    "accepted": OrderState.PENDING,
    "pending_new": OrderState.PENDING,
    "accepted_for_bidding": OrderState.PENDING,
    "pending_cancel": OrderState.PENDING,
    "pending_replace": OrderState.PENDING,
    "pending_review": OrderState.PENDING,
    "suspended": OrderState.PENDING,
    "calculated": OrderState.PENDING,
    "done_for_day": OrderState.PENDING,
    "held": OrderState.HELD,
    "filled": OrderState.FILLED,
    "canceled": OrderState.CANCELLED,
    "expired": OrderState.EXPIRED,
    "rejected": OrderState.REJECTED,
    "replaced": OrderState.REPLACED,
}

ORDER_TYPES = {kind.value: kind for kind in OrderType}
TIMES_IN_FORCE = {kind.value: kind for kind in TimeInForce}
SIDES = {"buy": Side.BUY, "sell": Side.SELL, "sell_short": Side.SELL}

MOVEMENTS = {
    "SPLIT": MovementKind.SPLIT,
    "OPEXP": MovementKind.EXPIRY,
    "OPASN": MovementKind.ASSIGNMENT,
    "OPEXC": MovementKind.EXERCISE,
    "OPTRD": MovementKind.EXERCISE,
    "JNLS": MovementKind.TRANSFER,
    "ACATS": MovementKind.TRANSFER,
    "FOPT": MovementKind.TRANSFER,
    "NC": MovementKind.RENAMED,
    "FEE": MovementKind.FEE,
    "CFEE": MovementKind.FEE,
    "DIVFEE": MovementKind.FEE,
    "PTC": MovementKind.FEE,
    "PTR": MovementKind.CASH,
    "CSD": MovementKind.CASH,
    "CSW": MovementKind.CASH,
    "JNL": MovementKind.CASH,
    "JNLC": MovementKind.CASH,
    "ACATC": MovementKind.CASH,
    "TRANS": MovementKind.CASH,
    "OPCSH": MovementKind.CASH,
    "CGD": MovementKind.CASH,
}

OPTION_SYMBOL = re.compile(r"[A-Z0-9]{1,6}[0-9]{6}[CP][0-9]{8}", re.ASCII)
FRACTION_LOT = Decimal("0.000000001")


def held(row: PositionRow) -> HeldReport:
    quantity = abs(number(row.qty, "position qty"))
    return HeldReport(
        holding=holding(row.symbol),
        quantity=quantity if row.side == "long" else -quantity,
        average_price=number(row.avg_entry_price, "position avg_entry_price"),
    )


def order(row: OrderRow, parent: BrokerOrderId | None = None) -> OrderReport:
    """One order with its legs. A multi-leg parent has no symbol: its holding is empty, its side its first leg's."""
    state = STATES.get(row.status, OrderState.UNKNOWN)
    kind = order_type(row)
    filled = number(row.filled_qty, "filled_qty") if row.filled_qty is not None else ZERO
    broker_id = BrokerOrderId(row.id)
    return OrderReport(
        broker_id=broker_id,
        client_id=ClientOrderId(row.client_order_id),
        holding=holding(row.symbol) if row.symbol.strip() or not row.legs else Holding(InstrumentId("")),
        side=_order_side(row),
        type=kind,
        time_in_force=_time_in_force(row.time_in_force),
        quantity=_order_quantity(row, state, filled),
        filled=filled,
        state=state,
        average_price=_price(row.filled_avg_price, "filled_avg_price") if filled else None,
        limit_price=_price(row.limit_price, "limit_price"),
        stop_price=_price(row.stop_price, "stop_price"),
        placed_at=_optional_moment(row.submitted_at or row.created_at, "submitted_at"),
        updated_at=_optional_moment(row.updated_at, "updated_at"),
        expires_at=_optional_moment(row.expires_at, "expires_at"),
        parent_id=parent,
        replaced_by=BrokerOrderId(row.replaced_by) if row.replaced_by else None,
        replaces=BrokerOrderId(row.replaces) if row.replaces else None,
        order_class="" if row.order_class == "simple" else row.order_class,
        # Alpaca shows no trigger; a stop that began to fill has fired, and so has one whose trade is guaranteed.
        closes=_closes(row.position_intent),
        triggered=kind in STOP_TYPES and (filled > 0 or row.status == "stopped"),
        reason="" if state is not OrderState.UNKNOWN else f"unknown status {shown(row.status)}",
        legs=tuple(order(leg, broker_id) for leg in row.legs or ()),
    )


def _closes(intent: str | None) -> bool | None:
    return None if not intent else intent.endswith("_to_close")


def order_type(row: OrderRow) -> OrderType:
    text = row.type or row.order_type
    return ORDER_TYPES.get(text, OrderType.UNKNOWN)


def activity(row: ActivityRow) -> Fill | Movement:
    """A fill, or a change no order made. A fill that was taken back is a movement against it."""
    if row.activity_type != "FILL":
        return _movement(row)
    fill = Fill(
        execution_id=ExecutionId(row.id),
        broker_order_id=BrokerOrderId(_present(row.order_id, "order_id", row.id)),
        holding=holding(_present(row.symbol, "symbol", row.id)),
        side=_side(_present(row.side, "side", row.id)),
        quantity=_number(row.qty, "qty", row.id),
        price=_number(row.price, "price", row.id),
        at=moment(_present(row.transaction_time, "transaction_time", row.id), "transaction_time"),
    )
    if row.status == "executed":
        return fill
    return Movement(
        id=row.id,
        kind=MovementKind.OTHER,
        broker_kind="FILL",
        holding=fill.holding,
        quantity=-fill.signed if row.status == "canceled" else ZERO,
        price=fill.price,
        status=row.status,
        at=fill.at,
    )


def _movement(row: ActivityRow) -> Movement:
    kind = MOVEMENTS.get(row.activity_type, MovementKind.OTHER)
    if row.activity_type.startswith(("DIV", "INT")) and kind is MovementKind.OTHER:
        kind = MovementKind.CASH
    quantity = number(row.qty, "activity qty") if row.qty is not None else ZERO
    if row.side is not None and row.side.startswith("sell"):
        quantity = -abs(quantity)
    # A dividend's quantity is what it was paid for, a fee's what it was charged on; only a crypto fee takes coins.
    if kind is MovementKind.CASH or (kind is MovementKind.FEE and row.activity_type != "CFEE"):
        quantity = ZERO
    return Movement(
        id=row.id,
        kind=kind,
        broker_kind=row.activity_type,
        holding=holding(row.symbol) if row.symbol and row.symbol.strip() else None,
        quantity=quantity,
        price=_price(row.price, "activity price"),
        amount=number(row.net_amount, "net_amount") if row.net_amount is not None and not _is_foreign(row) else None,
        status=row.status,
        at=activity_moment(row),
        told_at=_optional_moment(row.created_at, "created_at"),
    )


def _is_foreign(row: ActivityRow) -> bool:
    """Whether its amount is in another money than the account's."""
    return row.currency not in {None, USD}


def activity_moment(row: ActivityRow) -> datetime:
    """When it happened: the trade's time, else the start of its day in New York, else when it was booked."""
    if row.transaction_time is not None:
        return moment(row.transaction_time, "transaction_time")
    if row.date is not None and len(row.date) == len("2024-03-01"):
        try:
            return datetime.combine(date.fromisoformat(row.date), time(), NEW_YORK).astimezone(UTC)
        except (ValueError, OverflowError):
            raise Malformed(f"activity {row.id}: date is {shown(row.date)}") from None
    return moment(_present(row.date or row.created_at, "date", row.id), "date")


def booked_at(row: ActivityRow) -> datetime:
    """When it appeared in the list, which is what `after` filters."""
    if row.created_at is not None:
        return moment(row.created_at, "created_at")
    return activity_moment(row)


def account(row: AccountRow) -> AccountRead:
    flags = {
        "account blocked": row.account_blocked,
        "trading blocked": row.trading_blocked,
        "trading suspended by the user": row.trade_suspended_by_user,
        f"status {redact(row.status)}": row.status != "ACTIVE",
    }
    reasons = [reason for reason, is_so in flags.items() if is_so]
    cash, charges = _money(row)
    return AccountRead(
        equity=number(row.equity, "equity"),
        buying_power=number(row.buying_power, "buying_power"),
        options_power=_options_power(row),
        currency=row.currency,
        blocked=bool(reasons),
        reason=", ".join(reasons),
        number=row.account_number,
        cash=cash,
        charges=charges,
    )


def _options_power(row: AccountRow) -> Decimal | None:
    told = row.options_buying_power
    return number(told, "options_buying_power") if told is not None else None


def _money(row: AccountRow) -> tuple[Decimal | None, Decimal]:
    """Cash, and the charges that are named and have no row yet.

    No cash while some is on its way in or out: nothing says whether it is in there already, or when its row comes. What
    cannot be read here is not compared, and the account is read all the same.
    """
    try:
        on_its_way = (row.pending_transfer_in, row.pending_transfer_out, row.intraday_adjustments)
        charges = _or_nothing(row.accrued_fees) + _or_nothing(row.pending_reg_taf_fees)
        if row.cash is None or row.currency != USD or any(map(_or_nothing, on_its_way)):
            return None, charges
        return number(row.cash, "cash"), charges
    except Malformed:
        return None, ZERO


def _or_nothing(text: Number | None) -> Decimal:
    return ZERO if text is None else number(text, "amount of the account")


def clock(row: ClockRow) -> MarketClock:
    return MarketClock(
        at=moment(row.timestamp, "timestamp"),
        is_open=row.is_open,
        next_open=moment(row.next_open, "next_open"),
        next_close=moment(row.next_close, "next_close"),
    )


def equity(row: AssetRow) -> Instrument:
    """Raises Rejected for what is no equity: other classes have other ticks and hours, and are not guarded here."""
    if row.class_ != "us_equity":
        raise Rejected(f"{row.symbol} is {shown(row.class_)}, not an equity", kind="not_tradable", code="local")
    return Instrument(
        id=InstrumentId(row.symbol.strip()),
        kind=Kind.EQUITY,
        lot=FRACTION_LOT if row.fractionable else Decimal(1),
        tradable=row.tradable and row.status == "active",
        shortable=row.shortable,
        fractionable=row.fractionable,
    )


def option(row: ContractRow) -> Instrument:
    return Instrument(
        id=InstrumentId(row.symbol.strip()),
        kind=Kind.OPTION,
        tick=Decimal("0.01"),
        multiplier=number(row.size, "contract size"),
        tradable=row.tradable and row.status == "active",
    )


def is_option(instrument: InstrumentId) -> bool:
    """Whether the name is an option's (OSI without padding)."""
    return OPTION_SYMBOL.fullmatch(instrument) is not None


def quote(row: QuoteRow, received: datetime) -> Quote:
    return Quote(_quoted(row.bp), _quoted(row.ap), in_utc(row.t, "quote t"), received)


def _order_quantity(row: OrderRow, state: OrderState, filled: Decimal) -> Decimal:
    """An order by amount has no quantity: what filled, and while it lives at most one share a dollar more."""
    if row.qty is not None:
        return number(row.qty, "order qty")
    amount = _number(row.notional, "notional", row.id)
    is_over = state in {OrderState.FILLED, OrderState.CANCELLED, OrderState.EXPIRED, OrderState.REJECTED}
    return filled if is_over else max(filled, amount)


def _order_side(row: OrderRow) -> Side:
    if not row.side and row.legs:
        return _side(row.legs[0].side)
    return _side(row.side)


def _side(text: str) -> Side:
    side = SIDES.get(text)
    if side is None:
        raise Malformed(f"side is {shown(text)}")
    return side


def _time_in_force(text: str) -> TimeInForce:
    return TIMES_IN_FORCE.get(text, TimeInForce.OTHER)


def _price(text: Number | None, field: str) -> Decimal | None:
    return None if text is None else number(text, field)


def _quoted(written: msgspec.Raw) -> Decimal:
    """Exactly the JSON number that is written."""
    text = bytes(written).decode(errors="replace")
    if JSON_NUMBER.fullmatch(text) is None or not -12 <= (price := Decimal(text)).adjusted() <= 12:
        raise Malformed(f"quoted price is {shown(text)}")
    return price


def _optional_moment(text: str | None, field: str) -> datetime | None:
    return None if text is None else moment(text, field)


def _present(value: str | None, field: str, row: str) -> str:
    if value is None:
        raise Malformed(f"{shown(row)} has no {field}")
    return value


def _number(value: Number | None, field: str, row: str) -> Decimal:
    if value is None:
        raise Malformed(f"{shown(row)} has no {field}")
    return number(value, field)
