"""The account's history as rows that are only ever appended, and the paging over them."""

from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from zoneinfo import ZoneInfo

from standfast.exchange.orders import Status
from standfast.exchange.queries import ActivityQuery, Direction
from standfast.exchange.refusal import bad_parameter

NEW_YORK = ZoneInfo("America/New_York")
PAGE_SIZE_MAX = 100


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
    status: str = "executed"  # canceled: the trade is taken back; correct: at another price
    told_at: datetime | None = None  # created_at, where that is not when it traded

    @property
    def listed_at(self) -> datetime:
        """Since when it is in the list."""
        return self.told_at or self.at


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

    @property
    def listed_at(self) -> datetime:
        """Since when it is in the list."""
        return self.at


Activity = FillActivity | NonTradeActivity


def activity_id(at: datetime, uuid: str) -> str:
    """Alpaca's form: New York local time to the millisecond, then a uuid (brokers/README §1.12)."""
    return f"{at.astimezone(NEW_YORK).strftime('%Y%m%d%H%M%S%f')[:17]}::{uuid}"


class ActivityLog:
    """One account's rows, oldest first."""

    def __init__(self) -> None:
        self._rows: list[Activity] = []
        self._place: dict[str, int] = {}

    def append(self, row: Activity) -> None:
        """A trade taken back or corrected is another row under the id it had; the id goes on naming the first."""
        self._place.setdefault(row.id, len(self._rows))
        self._rows.append(row)

    def fill(self, execution_id: str) -> FillActivity:
        """The last row about this execution. LookupError when there is none."""
        for row in reversed(self._rows):
            if isinstance(row, FillActivity) and row.execution_id == execution_id:
                return row
        raise LookupError(f"no execution {execution_id}")

    def has_split_since(self, row: FillActivity) -> bool:
        """Whether its quantity counts other units than those held now."""
        later = self._rows[self._place[row.id] :]
        return any(each.activity_type == "SPLIT" and each.instrument == row.instrument for each in later)

    def page(self, query: ActivityQuery) -> list[Activity]:
        """The next rows after `page_token` in the query's direction. Refused for a bad size or an unknown token."""
        if not 1 <= query.page_size <= PAGE_SIZE_MAX:
            raise bad_parameter(f"page_size must be between 1 and {PAGE_SIZE_MAX}")
        newest_first = query.direction is Direction.DESC
        places = range(len(self._rows))[:: -1 if newest_first else 1]
        if query.page_token is not None:
            seen = self._place.get(query.page_token)
            if seen is None:
                raise bad_parameter("page_token is invalid")
            places = range(seen - 1, -1, -1) if newest_first else range(seen + 1, len(self._rows))
        found: list[Activity] = []
        for place in places:
            if _matches(self._rows[place], query):
                found.append(self._rows[place])
                if len(found) == query.page_size:
                    break
        return found


def _matches(row: Activity, query: ActivityQuery) -> bool:
    if query.types and row.activity_type not in query.types:
        return False
    if query.category is not None and (query.category == "trade_activity") != isinstance(row, FillActivity):
        return False
    if query.day is not None and row.listed_at.astimezone(NEW_YORK).date() != query.day:
        return False
    return (query.after is None or row.listed_at > query.after) and (query.until is None or row.listed_at < query.until)
