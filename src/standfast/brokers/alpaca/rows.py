"""Alpaca's replies as they come: only the fields we use, as text, so that two reads compare without arithmetic.

Invariants
- A field that may be absent has a default; every other absence is refused while decoding.
- Numbers stay text (or JSON numbers, where documented examples have them) until a row is known to differ.
- Nothing that is kept (a name, an id, a status) is longer than `Text`: the journal is not for whole pages.
"""

from datetime import UTC, datetime
from decimal import Decimal
from typing import Annotated, Literal

import msgspec

from standfast.brokers.shared.reading import Number, Text
from standfast.model.ids import InstrumentId
from standfast.model.quote import Quote


class PositionRow(msgspec.Struct, gc=False, frozen=True):
    """Prices and profit are left out: they change with every tick and say nothing about what is held."""

    symbol: str
    qty: str
    side: Literal["long", "short"]
    avg_entry_price: str


class OrderRow(msgspec.Struct, frozen=True, kw_only=True):
    id: Text
    client_order_id: Text
    symbol: Text
    side: Text
    status: Text
    time_in_force: Text
    type: Text = ""
    order_type: Text = ""
    order_class: Text = ""
    qty: Number | None = None
    notional: Number | None = None
    filled_qty: Number | None = None
    filled_avg_price: Number | None = None
    limit_price: Number | None = None
    stop_price: Number | None = None
    submitted_at: Text | None = None
    created_at: Text | None = None
    updated_at: Text | None = None
    expires_at: Text | None = None
    replaced_by: Text | None = None
    replaces: Text | None = None
    position_intent: Text | None = None
    legs: "list[OrderRow] | None" = None


class ActivityRow(msgspec.Struct, frozen=True, kw_only=True):
    id: Text
    activity_type: Text
    status: Text = "executed"
    order_id: Text | None = None
    symbol: Text | None = None
    side: Text | None = None
    qty: Number | None = None
    price: Number | None = None
    net_amount: Number | None = None
    currency: Text | None = None
    transaction_time: Text | None = None
    created_at: Text | None = None
    date: Text | None = None


class AccountRow(msgspec.Struct, frozen=True, kw_only=True):
    equity: Number
    buying_power: Number
    options_buying_power: Number | None = None
    status: Text
    account_number: Text = ""
    currency: Text = "USD"
    account_blocked: bool = False
    trading_blocked: bool = False
    trade_suspended_by_user: bool = False
    transfers_blocked: bool = False
    crypto_status: Text = ""
    cash: Number | None = None
    accrued_fees: Number | None = None
    pending_reg_taf_fees: Number | None = None
    pending_transfer_in: Number | None = None
    pending_transfer_out: Number | None = None
    intraday_adjustments: Number | None = None


class WhitelistedRow(msgspec.Struct, frozen=True, kw_only=True):
    """An address coins may be sent to."""

    status: Text
    asset: Text = ""


class ClockRow(msgspec.Struct, frozen=True, kw_only=True):
    timestamp: str
    is_open: bool
    next_open: str
    next_close: str


class AssetRow(msgspec.Struct, frozen=True, kw_only=True):
    symbol: Text
    status: Text
    tradable: bool
    class_: Text = msgspec.field(name="class")
    fractionable: bool = False
    shortable: bool = False


class ContractRow(msgspec.Struct, frozen=True, kw_only=True):
    symbol: Text
    status: Text
    tradable: bool
    size: Number


class QuoteRow(msgspec.Struct, frozen=True, kw_only=True):
    """JSON numbers, taken exactly as written; 0 says there is no such side."""

    bp: msgspec.Raw
    ap: msgspec.Raw
    t: datetime


class QuotesReply(msgspec.Struct, frozen=True, kw_only=True):
    quotes: dict[str, QuoteRow]


class Refusal(msgspec.Struct, frozen=True, kw_only=True):
    """The body of a 4xx. `message` is not stable; which keys there are tells more."""

    message: str
    code: int | None = None
    available: Number | None = None
    existing_qty: Number | None = None
    held_for_orders: Number | None = None
    existing_order_id: Text | None = None
    reject_reason: Text | None = None
    buying_power: Number | None = None
    options_buying_power: Number | None = None
    cost_basis: Number | None = None


class Frame(msgspec.Struct, frozen=True, kw_only=True):
    """One message of the trading stream; what `data` holds depends on `stream`."""

    stream: str
    data: msgspec.Raw


class Authorization(msgspec.Struct, frozen=True, kw_only=True):
    status: str
    action: str = ""


class Listening(msgspec.Struct, frozen=True, kw_only=True):
    streams: list[str]


class TradeUpdate(msgspec.Struct, frozen=True, kw_only=True):
    event: Text
    order: "EventOrder"


class EventOrder(msgspec.Struct, frozen=True, kw_only=True):
    id: Text
    client_order_id: Text
    symbol: Text = ""


StreamedPrice = Annotated[float, msgspec.Meta(ge=0, lt=1e12)]


class StreamedQuote(
    msgspec.Struct,
    frozen=True,
    gc=False,
    tag_field="T",
    tag="q",
    rename={"instrument": "S", "bid": "bp", "ask": "ap", "at": "t"},
):
    """One quote of a market-data frame; a `ports.Tick`.

    A price of at most fifteen digits comes back from its float exactly as it was written.
    """

    instrument: InstrumentId
    bid: StreamedPrice
    ask: StreamedPrice
    at: Annotated[datetime, msgspec.Meta(tz=True)]

    def quote(self, received: datetime) -> Quote:
        return Quote(Decimal(repr(self.bid)), Decimal(repr(self.ask)), self.at.astimezone(UTC), received)


class MarketMessage(msgspec.Struct, frozen=True, kw_only=True):
    """Any element of a market-data frame: `T` is q for a quote, success, subscription or error for the rest."""

    T: str
    msg: str = ""
    code: int | None = None
