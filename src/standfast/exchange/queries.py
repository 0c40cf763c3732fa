"""What a client may ask for: filters as values, so that every way in means the same by them."""

from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from enum import StrEnum

from standfast.exchange.book import OrderBook
from standfast.exchange.orders import Order, Side
from standfast.exchange.refusal import Refused, bad_parameter


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
    nested: bool = False  # True: children whose parent is listed are not rows of their own (see `engine.legs`)


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


LIMIT_MAX = 500


def select(book: OrderBook, account: str, query: OrderQuery) -> list[Order]:
    """The orders a query asks for. Refused for a bad limit, an unknown id, or ids together with times."""
    if not 1 <= query.limit <= LIMIT_MAX:
        raise bad_parameter(f"limit must be between 1 and {LIMIT_MAX}")
    has_ids = query.after_order_id is not None or query.before_order_id is not None
    if has_ids and (query.after is not None or query.until is not None):
        raise bad_parameter("after_order_id and before_order_id cannot be combined with after and until")
    first, last = _number(book, account, query.after_order_id), _number(book, account, query.before_order_id)
    only_open = query.status is Listing.OPEN
    found: list[Order] = []
    for order in book.walk(account, unfinished_only=only_open, newest_first=query.direction is Direction.DESC):
        if (first is not None and order.number <= first) or (last is not None and order.number >= last):
            continue
        if _matches(book, order, query):
            found.append(order)
            if len(found) == query.limit:
                break
    return found


def _number(book: OrderBook, account: str, order_id: str | None) -> int | None:
    if order_id is None:
        return None
    order = book.get(order_id)
    if order is None or order.account != account:
        raise bad_parameter(f"order not found for {order_id}")
    return order.number


def _matches(book: OrderBook, order: Order, query: OrderQuery) -> bool:
    if query.status is Listing.CLOSED and not order.is_finished:
        return False
    if query.instruments and order.instrument not in query.instruments:
        return False
    if query.side is not None and order.side is not query.side:
        return False
    if query.after is not None and order.submitted_at <= query.after:
        return False
    if query.until is not None and order.submitted_at >= query.until:
        return False
    return not (query.nested and order.parent_id is not None and _is_listed(book[order.parent_id], query))


def _is_listed(parent: Order, query: OrderQuery) -> bool:
    """Whether the parent is itself in the list, so that the child need not be."""
    if query.status is Listing.ALL:
        return True
    return parent.is_finished == (query.status is Listing.CLOSED)
