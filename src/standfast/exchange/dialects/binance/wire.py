"""Binance's way of writing: forms in, JSON out, numbers as text, times as whole milliseconds."""

import hashlib
import hmac
from collections.abc import Mapping
from datetime import UTC, datetime
from decimal import Decimal, InvalidOperation
from urllib.parse import parse_qsl

from standfast.exchange.dialects.binance.codes import BAD_PARAMETER, BinanceRefused, missing
from standfast.exchange.dialects.gate import Reply, as_json
from standfast.exchange.dialects.perpetuals import PerpetualCall
from standfast.exchange.perpetual.orders import PriceBy

Row = dict[str, object]
Form = Mapping[str, str]
WORKING_TYPE = {PriceBy.LAST: "CONTRACT_PRICE", PriceBy.MARK: "MARK_PRICE"}
BY_TYPE = {word: by for by, word in WORKING_TYPE.items()}


def form(call: PerpetualCall) -> Form:
    """What was sent, in the query or in the body."""
    return {**call.query, **dict(parse_qsl(call.body.decode("utf-8", "replace"), keep_blank_values=True))}


def need(given: Form, name: str) -> str:
    value = given.get(name, "")
    if not value:
        raise missing(name)
    return value


def amount(given: Form, name: str) -> Decimal | None:
    """A number, None where it is absent. Refused when it is no number."""
    value = given.get(name, "")
    if not value:
        return None
    try:
        found = Decimal(value)
    except InvalidOperation:
        found = Decimal("NaN")
    if not found.is_finite():
        raise BinanceRefused(-1100, f"Illegal characters found in parameter '{name}'.")
    return found


def flag(given: Form, name: str) -> bool:
    return given.get(name, "").lower() == "true"


def whole(given: Form, name: str, usual: int, most: int) -> int:
    value = given.get(name, "")
    if not value:
        return usual
    if not value.isdigit() or not 0 < int(value) <= most:
        raise BinanceRefused(BAD_PARAMETER, f"Data sent for parameter '{name}' is not valid.")
    return int(value)


def moment(given: Form, name: str) -> datetime | None:
    value = given.get(name, "")
    if not value:
        return None
    try:
        return datetime.fromtimestamp(int(value) / 1000, UTC)
    except (ValueError, OverflowError, OSError):
        raise BinanceRefused(BAD_PARAMETER, f"Data sent for parameter '{name}' is not valid.") from None


def milliseconds(at: datetime | None) -> int:
    return 0 if at is None else int(at.timestamp()) * 1000 + at.microsecond // 1000


def text(amount: Decimal | None) -> str:
    """Plain digits; nothing is zero."""
    return f"{amount.normalize():f}" if amount else "0"


def rounded(amount: Decimal, places: int = 8) -> str:
    return f"{amount.quantize(Decimal(1).scaleb(-places)):f}"


def replied(value: object) -> Reply:
    return Reply(body=as_json(value))


def signed(secret: str, payload: str) -> str:
    return hmac.new(secret.encode(), payload.encode(), hashlib.sha256).hexdigest()
