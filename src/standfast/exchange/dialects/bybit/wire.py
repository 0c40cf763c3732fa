"""Bybit's way of writing: an envelope around everything, numbers and times as text, lists in pages."""

import hashlib
import hmac
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from decimal import Decimal, InvalidOperation
from typing import TypeVar
from urllib.parse import quote, unquote

from standfast.exchange.dialects.bybit.codes import PARAMETER, BybitRefused
from standfast.exchange.dialects.gate import Reply, as_json
from standfast.exchange.perpetual.orders import PriceBy

Row = dict[str, object]
Item = TypeVar("Item")
PRICE_BY = {PriceBy.LAST: "LastPrice", PriceBy.MARK: "MarkPrice", PriceBy.INDEX: "IndexPrice"}
BY_PRICE = {word: by for by, word in PRICE_BY.items()}


def milliseconds(at: datetime) -> int:
    return int(at.timestamp()) * 1000 + at.microsecond // 1000


def stamp(at: datetime | None) -> str:
    return "" if at is None else str(milliseconds(at))


def instant(text: str) -> datetime:
    """From milliseconds. Refused when they are none."""
    try:
        return datetime.fromtimestamp(int(text) / 1000, UTC)
    except (ValueError, OverflowError, OSError):
        raise BybitRefused(PARAMETER, f"params error: {text[:30]} is no timestamp") from None


def text(amount: Decimal | None) -> str:
    """Plain digits without trailing zeros; nothing is empty."""
    if amount is None:
        return ""
    return f"{amount.normalize():f}" if amount else "0"


def rounded(amount: Decimal, places: int = 8) -> str:
    return text(amount.quantize(Decimal(1).scaleb(-places)))


def amount(given: Mapping[str, object], name: str) -> Decimal | None:
    """A number from a body, text or bare; None where it is absent or empty. Refused when it is no number."""
    value = given.get(name)
    if value is None or value == "":
        return None
    try:
        found = Decimal(str(value))
    except InvalidOperation:
        found = Decimal("NaN")
    if not found.is_finite() or isinstance(value, bool):
        raise BybitRefused(PARAMETER, f"params error: {name} invalid")
    return found


def envelope(result: object, now: datetime, *, code: int = 0, message: str = "OK", extra: object = None) -> Row:
    return {
        "retCode": code,
        "retMsg": message,
        "result": result,
        "retExtInfo": extra if extra is not None else {},
        "time": milliseconds(now),
    }


def replied(result: object, now: datetime, extra: object = None) -> Reply:
    return Reply(body=as_json(envelope(result, now, extra=extra)))


def page(items: Sequence[Item], query: Mapping[str, str], *, usual: int, most: int) -> tuple[Sequence[Item], str]:
    """A page of the items and the cursor of the next one, "" after the last."""
    try:
        size = min(int(query.get("limit") or usual), most)
        start = int(unquote(query.get("cursor") or "").removeprefix("after:") or 0)
    except ValueError:
        raise BybitRefused(PARAMETER, "params error: limit or cursor invalid") from None
    if size < 1 or start < 0:
        raise BybitRefused(PARAMETER, "params error: limit or cursor invalid")
    end = start + size
    return items[start:end], quote(f"after:{end}", safe="") if end < len(items) else ""


def listed(rows: object, query: Mapping[str, str], cursor: str) -> Row:
    return {"nextPageCursor": cursor, "category": query.get("category", "linear"), "list": rows}


def signed(secret: str, payload: str) -> str:
    return hmac.new(secret.encode(), payload.encode(), hashlib.sha256).hexdigest()
