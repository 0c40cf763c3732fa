"""Alpaca's way of writing numbers and times, and of reading them (brokers/README §1.1, §1.2).

Numbers are decimal strings without trailing zeros; a request may send them as strings or as JSON numbers. Times of
orders are UTC with nanoseconds. Ours are exact to the microsecond, so the last three digits are made up from it: they
keep the order of times, and keep a client honest that would only read six digits.
"""

from datetime import UTC, date, datetime
from decimal import ROUND_HALF_UP, Decimal
from zoneinfo import ZoneInfo

from standfast.exchange.refusal import BAD_CLIENT_ID, Refused

NEW_YORK = ZoneInfo("America/New_York")
MONEY = Decimal("0.000001")  # recorded: cost_basis "48.430054"
SHARE = Decimal("0.00001")  # recorded: change_today "0.01235"


def number(value: Decimal) -> str:
    """Plain notation, no trailing zeros: `10`, `86.88`, never `1E+1`."""
    text = format(value, "f")
    if "." not in text:
        return text
    text = text.rstrip("0").rstrip(".")
    return "0" if text in ("-0", "") else text


def maybe(value: Decimal | None) -> str | None:
    return None if value is None else number(value)


def money(value: Decimal) -> str:
    """Rounded as Alpaca's positions are."""
    return number(value.quantize(MONEY, rounding=ROUND_HALF_UP))


def share(part: Decimal, whole: Decimal) -> str:
    """A fraction of one; "0" where there is no whole."""
    return number((part / whole).quantize(SHARE, rounding=ROUND_HALF_UP)) if whole else "0"


def instant(at: datetime) -> str:
    """`2026-10-08T15:10:18.094153596Z`; whole seconds without a fraction."""
    text = at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S")
    return f"{text}{_fraction(at)}Z"


def maybe_instant(at: datetime | None) -> str | None:
    return None if at is None else instant(at)


def instant_to_microseconds(at: datetime) -> str:
    """The form of activities: `2026-10-08T15:10:18.097465Z`."""
    return at.astimezone(UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")


def local_instant(at: datetime) -> str:
    """The form of the clock: New York time with its offset, `2024-07-18T04:10:33.389152169-04:00`."""
    local = at.astimezone(NEW_YORK)
    offset = local.strftime("%z")
    return f"{local.strftime('%Y-%m-%dT%H:%M:%S')}{_fraction(at)}{offset[:3]}:{offset[3:]}"


def parse_instant(text: str, name: str) -> datetime:
    """RFC 3339, or a date meaning its midnight in UTC; digits below the microsecond are dropped. Refused otherwise."""
    try:
        at = datetime.fromisoformat(text.replace(" ", "+"))
    except ValueError as error:
        raise unreadable(f"invalid {name}: {text}") from error
    return at.replace(tzinfo=UTC) if at.tzinfo is None else at.astimezone(UTC)


def parse_day(text: str, name: str) -> date:
    """A date, or the date of a time. Refused otherwise."""
    try:
        return datetime.fromisoformat(text).date()
    except ValueError as error:
        raise unreadable(f"invalid {name}: {text}") from error


def unreadable(message: str) -> Refused:
    """422 for a parameter that is not what it should be."""
    return Refused(422, BAD_CLIENT_ID, message)


def _fraction(at: datetime) -> str:
    if not at.microsecond:
        return ""
    return f".{at.microsecond * 1000 + at.microsecond % 1000:09d}".rstrip("0")
