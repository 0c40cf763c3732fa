"""Tradier's way of writing lists, numbers and times (brokers/README §2.7).

Its JSON is made from XML: an empty list is the text "null", a list of one is the element itself. Numbers are JSON
floats, so `4.0`. Times are UTC to the millisecond.
"""

from collections.abc import Sequence
from datetime import UTC, datetime
from decimal import Decimal
from urllib.parse import parse_qsl
from zoneinfo import ZoneInfo

NEW_YORK = ZoneInfo("America/New_York")
NULL = "null"

Row = dict[str, object]
Form = dict[str, str]


def several(name: str, rows: Sequence[object]) -> object:
    """What stands where a list belongs: `"null"`, `{name: row}` or `{name: [rows]}`."""
    if not rows:
        return NULL
    return {name: rows[0] if len(rows) == 1 else list(rows)}


def one_or_many(rows: Sequence[object]) -> object:
    """The element itself where there is only one."""
    return rows[0] if len(rows) == 1 else list(rows)


def number(value: Decimal | None) -> float:
    """A float that prints as the amount does; zero where there is none."""
    return 0.0 if value is None else float(round(value, 6))


def money(value: Decimal) -> float:
    return float(round(value, 2))


def instant(at: datetime) -> str:
    """`2023-09-22T14:31:11.121Z`."""
    return at.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def day_of(at: datetime) -> str:
    """The New York date, as history writes it."""
    return f"{at.astimezone(NEW_YORK):%Y-%m-%d}T00:00:00Z"


def milliseconds(at: datetime) -> int:
    return int(at.timestamp() * 1000)


def form(body: bytes) -> Form:
    """A form-encoded body; of a key that comes twice the last counts."""
    return dict(parse_qsl(body.decode("utf-8", "replace"), keep_blank_values=False))
