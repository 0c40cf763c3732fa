"""The account's history as rows that are only ever appended, and the paging over them."""

from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal

from standfast.exchange.orders import Status


@dataclass(frozen=True, slots=True, kw_only=True)
class FillActivity:
    id: str  # YYYYMMDDhhmmssmmm::uuid, the time part New York local
    account: str
    order_id: str
    instrument: str
    side: str  # buy, sell, sell_short
    type: str  # fill, partial_fill
    order_status: Status
    price: Decimal
    quantity: Decimal
    cumulative: Decimal
    leaves: Decimal
    at: datetime
    execution_id: str
    activity_type: str = "FILL"


@dataclass(frozen=True, slots=True, kw_only=True)
class NonTradeActivity:
    id: str
    account: str
    activity_type: str  # SPLIT, FEE, JNLC ...
    date: date
    at: datetime  # created_at
    net_amount: Decimal = Decimal(0)
    instrument: str | None = None
    quantity: Decimal | None = None
    price: Decimal | None = None
    per_unit: Decimal | None = None
    status: str = "executed"
    description: str = ""


Activity = FillActivity | NonTradeActivity
