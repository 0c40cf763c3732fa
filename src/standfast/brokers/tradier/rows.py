"""Tradier's replies as they come: only the fields we use.

Its JSON is made from XML, so a list of one is the element itself, and an empty list is the text "null". Both are
understood here and nowhere else (`each`); anything else in their place is refused while decoding.
"""

from typing import Annotated, Literal, TypeVar

import msgspec

from standfast.brokers.shared.reading import Number, Text

Nothing = Literal["null"]
Element = TypeVar("Element")

Id = Annotated[int, msgspec.Meta(ge=0, lt=10**18)] | Annotated[str, msgspec.Meta(min_length=1, max_length=64)]


def each(one_or_many: "Element | list[Element] | Nothing | None") -> "list[Element]":
    """The elements of what may be a list, a single element, or nothing."""
    if one_or_many is None or one_or_many == "null":
        return []
    if isinstance(one_or_many, list):
        return one_or_many
    return [one_or_many]


class PositionRow(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """`quantity` is signed; `cost_basis` is what was paid (negative: received) for all of it."""

    id: Id
    symbol: Text
    quantity: Number
    cost_basis: Number


class PositionList(msgspec.Struct, frozen=True):
    position: PositionRow | list[PositionRow]


class PositionsReply(msgspec.Struct, frozen=True):
    positions: PositionList | Nothing


class OrderRow(msgspec.Struct, frozen=True, kw_only=True):
    """An order, or a leg of one. Parents of pairs have nothing of their own but their legs."""

    id: Id
    status: Text
    type: Text = ""
    symbol: Text | None = None
    option_symbol: Text | None = None
    side: Text | None = None
    quantity: Number | None = None
    duration: Text = ""
    price: Number | None = None
    stop_price: Number | None = None
    avg_fill_price: Number | None = None
    exec_quantity: Number | None = None
    last_fill_price: Number | None = None
    create_date: Text | None = None
    transaction_date: Text | None = None
    class_: Text = msgspec.field(name="class", default="")
    tag: Text | None = None
    reason_description: Text | None = None
    leg: "OrderRow | list[OrderRow] | Nothing | None" = None


class OrderList(msgspec.Struct, frozen=True):
    order: OrderRow | list[OrderRow]


class OrdersReply(msgspec.Struct, frozen=True):
    orders: OrderList | Nothing


class OrderReply(msgspec.Struct, frozen=True):
    order: OrderRow


class Acceptance(msgspec.Struct, frozen=True, kw_only=True):
    """The answer to a submission, a change or a cancel: `status` is "ok", or it is none."""

    status: Text
    id: Id | None = None
    errors: msgspec.Raw = msgspec.Raw()


class AcceptanceReply(msgspec.Struct, frozen=True):
    order: Acceptance


class Detail(msgspec.Struct, frozen=True):
    errorcode: Text = ""


class Fault(msgspec.Struct, frozen=True):
    faultstring: Text = ""
    detail: Detail = Detail()


class Errors(msgspec.Struct, frozen=True):
    error: Text | list[Text]


class RefusalReply(msgspec.Struct, frozen=True, kw_only=True):
    """A `fault` is the gateway's (keys, quota), `errors` are the broker's own."""

    fault: Fault | None = None
    errors: Errors | None = None


class Buying(msgspec.Struct, frozen=True, kw_only=True):
    stock_buying_power: Number | None = None
    option_buying_power: Number | None = None
    cash_available: Number | None = None


class BalanceRow(msgspec.Struct, frozen=True, kw_only=True):
    """One of `margin`, `cash` and `pdt` is there, as the account is."""

    account_number: Text | int
    total_equity: Number
    margin: Buying | None = None
    cash: Buying | None = None
    pdt: Buying | None = None


class BalancesReply(msgspec.Struct, frozen=True):
    balances: BalanceRow


class AccountRow(msgspec.Struct, frozen=True, kw_only=True):
    account_number: Text | int
    status: Text | int = ""


class Profile(msgspec.Struct, frozen=True):
    account: AccountRow | list[AccountRow]


class ProfileReply(msgspec.Struct, frozen=True):
    profile: Profile


class ClockRow(msgspec.Struct, frozen=True, kw_only=True):
    state: Text
    timestamp: Annotated[int, msgspec.Meta(ge=0, lt=10**11)]


class ClockReply(msgspec.Struct, frozen=True):
    clock: ClockRow


class Hours(msgspec.Struct, frozen=True):
    start: Text
    end: Text


class DayRow(msgspec.Struct, frozen=True, kw_only=True):
    date: Text
    status: Text
    open: Hours | None = None


class Days(msgspec.Struct, frozen=True):
    day: DayRow | list[DayRow]


class Calendar(msgspec.Struct, frozen=True):
    days: Days


class CalendarReply(msgspec.Struct, frozen=True):
    calendar: Calendar


class GreeksRow(msgspec.Struct, frozen=True, kw_only=True):
    """Figured about once an hour; `updated_at` is UTC without saying so."""

    delta: Number | None = None
    theta: Number | None = None
    updated_at: Text | None = None


class QuoteRow(msgspec.Struct, frozen=True, kw_only=True):
    """`bid` and `ask` may be null, their dates are milliseconds of the epoch."""

    symbol: Text
    type: Text = ""
    bid: Number | None = None
    ask: Number | None = None
    bid_date: int | None = None
    ask_date: int | None = None
    last: Number | None = None
    contract_size: Number | None = None
    underlying: Text | None = None
    root_symbol: Text | None = None
    greeks: GreeksRow | None = None


class Quotes(msgspec.Struct, frozen=True, kw_only=True):
    quote: "QuoteRow | list[QuoteRow] | None" = None


class QuotesReply(msgspec.Struct, frozen=True):
    quotes: Quotes | Nothing


class Session(msgspec.Struct, frozen=True):
    sessionid: Text


class SessionReply(msgspec.Struct, frozen=True):
    stream: Session


class EventRow(msgspec.Struct, frozen=True, kw_only=True):
    """A frame of the account's stream: `event` is "order", "heartbeat", or something newer."""

    event: Text
    id: Id | None = None
    status: Text = ""
    parent_id: Id | None = None
    account: Text | None = None
    tag: Text | None = None


class MarketEvent(msgspec.Struct, frozen=True, kw_only=True):
    """A frame of the market's stream; dates are texts of milliseconds."""

    type: Text = ""
    symbol: Text | None = None
    bid: Number | None = None
    ask: Number | None = None
    biddate: Text | None = None
    askdate: Text | None = None
    error: Text = ""


class HistoryEvent(msgspec.Struct, frozen=True, kw_only=True):
    """A line of the nightly history: a date without time, and no contract's name where an option expired."""

    date: Text
    type: Text
    amount: Number
    trade: "HistoryTrade | None" = None
    option: "HistoryOption | None" = None


class HistoryTrade(msgspec.Struct, frozen=True, kw_only=True):
    symbol: Text
    quantity: Number
    price: Number


class HistoryOption(msgspec.Struct, frozen=True, kw_only=True):
    option_type: Text
    quantity: Number
    description: Text = ""


class HistoryList(msgspec.Struct, frozen=True):
    event: HistoryEvent | list[HistoryEvent]


class HistoryReply(msgspec.Struct, frozen=True):
    history: HistoryList | Nothing
