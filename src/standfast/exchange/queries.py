"""What a client may ask for: filters as values, so that every way in means the same by them."""

from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from enum import StrEnum

from standfast.exchange.orders import Order, Side
from standfast.exchange.refusal import Refused


class Listing(StrEnum):
    OPEN = "open"
    CLOSED = "closed"
    ALL = "all"


class Direction(StrEnum):
    ASC = "asc"
    DESC = "desc"


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderQuery:
    """`after` and `until` are exclusive, on submission time. The ids are exclusive too and exclude the times."""

    status: Listing = Listing.OPEN
    limit: int = 50  # 1 to 500
    after: datetime | None = None
    until: datetime | None = None
    after_order_id: str | None = None
    before_order_id: str | None = None
    direction: Direction = Direction.DESC
    instruments: frozenset[str] = frozenset()  # empty: all
    side: Side | None = None
    nested: bool = False  # True: children only inside their parents (`engine.legs`), not as rows of their own


@dataclass(frozen=True, slots=True, kw_only=True)
class ActivityQuery:
    """`after` and `until` are exclusive, on creation time. `page_token` is the id of the last row seen."""

    types: frozenset[str] = frozenset()  # empty: all
    category: str | None = None  # trade_activity or non_trade_activity
    day: date | None = None  # New York
    after: datetime | None = None
    until: datetime | None = None
    direction: Direction = Direction.DESC
    page_size: int = 100  # 1 to 100
    page_token: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Cancelled:
    """One row of a cancel-all: 200 accepted, else why not."""

    order_id: str
    http_status: int
    refused: Refused | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Closed:
    """One row of a close-all: the closing order, or why there is none."""

    instrument: str
    http_status: int
    order: Order | None = None
    refused: Refused | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Portion:
    """How much of a position to close: exactly one of the two; percent from 0 (exclusive) to 100."""

    quantity: Decimal | None = None
    percentage: Decimal | None = None
