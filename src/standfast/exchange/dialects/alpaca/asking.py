"""Alpaca's requests into the exchange's values. Pure; what cannot be read is `Refused`, never guessed."""

from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal, InvalidOperation
from enum import StrEnum
from typing import TypeVar

import msgspec

from standfast.exchange.dialects.alpaca.wire import parse_day, parse_instant, unreadable
from standfast.exchange.orders import (
    Change,
    Intent,
    OrderClass,
    OrderType,
    Side,
    StopLoss,
    TakeProfit,
    Terms,
    Ticket,
    TimeInForce,
)
from standfast.exchange.queries import ActivityQuery, Direction, Listing, OrderQuery, Portion
from standfast.exchange.refusal import Refused

Query = Mapping[str, str]
Word = TypeVar("Word", bound=StrEnum)
Body = TypeVar("Body")

BODY_UNREADABLE = 40010000
CLIENT_ORDER_ID_MAX = 128
ORDERS_MAX = 500
DIGITS_MAX = 12  # before or after the decimal point
WHOLE = Portion(percentage=Decimal(100))
TRUE = frozenset({"true", "1", "t"})


class _Numbers(msgspec.Struct):
    """`NaN` and `1E+999999` read as Decimals too."""

    def __post_init__(self) -> None:
        for name in self.__struct_fields__:
            value = getattr(self, name)
            if isinstance(value, Decimal) and not _is_sensible(value):
                raise ValueError(f"invalid {name}: {value}")


class _TakeProfit(_Numbers):
    limit_price: Decimal | None = None


class _StopLoss(_Numbers):
    stop_price: Decimal | None = None
    limit_price: Decimal | None = None


class _Submission(_Numbers):
    """Keys we do not know are ignored, as Alpaca does."""

    symbol: str | None = None
    side: str | None = None
    type: str | None = None
    time_in_force: str | None = None
    qty: Decimal | None = None
    notional: Decimal | None = None
    limit_price: Decimal | None = None
    stop_price: Decimal | None = None
    trail_price: Decimal | None = None
    trail_percent: Decimal | None = None
    extended_hours: bool | None = None
    client_order_id: str | None = None
    order_class: str | None = None
    position_intent: str | None = None
    take_profit: _TakeProfit | None = None
    stop_loss: _StopLoss | None = None


class _Replacement(_Numbers):
    qty: Decimal | None = None
    time_in_force: str | None = None
    limit_price: Decimal | None = None
    stop_price: Decimal | None = None
    trail: Decimal | None = None
    client_order_id: str | None = None


def ticket(body: bytes) -> Ticket:
    asked = _read(body, _Submission)
    if not asked.symbol:
        raise unreadable("symbol is required")
    return Ticket(
        terms=Terms(
            instrument=asked.symbol,
            side=_word(Side, asked.side, "side"),
            type=_word(OrderType, asked.type, "type"),
            time_in_force=_word(TimeInForce, asked.time_in_force, "time_in_force"),
            quantity=asked.qty,
            notional=asked.notional,
            limit_price=asked.limit_price,
            stop_price=asked.stop_price,
            trail_price=asked.trail_price,
            trail_percent=asked.trail_percent,
            extended_hours=bool(asked.extended_hours),
        ),
        client_order_id=_client_order_id(asked.client_order_id),
        order_class=_order_class(asked.order_class),
        take_profit=_take_profit(asked.take_profit),
        stop_loss=_stop_loss(asked.stop_loss),
        intent=None if asked.position_intent is None else _word(Intent, asked.position_intent, "position_intent"),
    )


def change(body: bytes) -> Change:
    asked = _read(body, _Replacement)
    return Change(
        quantity=asked.qty,
        limit_price=asked.limit_price,
        stop_price=asked.stop_price,
        trail=asked.trail,
        time_in_force=(
            None if asked.time_in_force is None else _word(TimeInForce, asked.time_in_force, "time_in_force")
        ),
        client_order_id=_client_order_id(asked.client_order_id),
    )


def order_query(query: Query) -> OrderQuery:
    if ("after_order_id" in query or "before_order_id" in query) and ("after" in query or "until" in query):
        raise unreadable("order ids cannot be combined with after or until")
    return OrderQuery(
        status=_word(Listing, query.get("status", "open"), "status"),
        limit=_count(query, "limit", 50, ORDERS_MAX),
        after=_time(query, "after"),
        until=_time(query, "until"),
        after_order_id=query.get("after_order_id"),
        before_order_id=query.get("before_order_id"),
        direction=_word(Direction, query.get("direction", "desc"), "direction"),
        instruments=frozenset(words(query, "symbols")),
        side=_word(Side, query["side"], "side") if query.get("side") else None,
        nested=flag(query, "nested"),
    )


def wants_equities(query: Query) -> bool:
    """`asset_class` of an order list; the exchange trades nothing else yet."""
    classes = words(query, "asset_class")
    return not classes or "us_equity" in classes or "all" in classes


def activity_query(query: Query, activity_type: str | None) -> ActivityQuery:
    types = {activity_type} if activity_type else set(words(query, "activity_types"))
    category = query.get("category")
    if category is not None and category not in ("trade_activity", "non_trade_activity"):
        raise unreadable(f"invalid category: {category}")
    if types and category:
        raise unreadable("category and activity_types are mutually exclusive")
    return ActivityQuery(
        types=frozenset(types),
        category=category,
        day=parse_day(query["date"], "date") if "date" in query else None,
        after=_time(query, "after"),
        until=_time(query, "until"),
        direction=_word(Direction, query.get("direction", "desc"), "direction"),
        page_size=_count(query, "page_size", 100, 100),
        page_token=query.get("page_token") or None,
    )


def portion(query: Query) -> Portion:
    if "qty" in query and "percentage" in query:
        raise unreadable("qty and percentage are mutually exclusive")
    if "qty" in query:
        return Portion(quantity=_decimal(query["qty"], "qty"))
    if "percentage" in query:
        return Portion(percentage=_decimal(query["percentage"], "percentage"))
    return WHOLE


def configurations(body: bytes) -> dict[str, object]:
    return _read(body, dict[str, object])


def words(query: Query, name: str) -> list[str]:
    """A comma-separated list."""
    return [word for word in query.get(name, "").split(",") if word]


def flag(query: Query, name: str) -> bool:
    """alpaca-py sends `True` and `true`."""
    return query.get(name, "").lower() in TRUE


def _read(body: bytes, form: type[Body]) -> Body:
    try:
        return msgspec.json.decode(body, type=form)
    except msgspec.ValidationError as error:
        raise unreadable(str(error)) from error
    except msgspec.DecodeError as error:
        raise Refused(400, BODY_UNREADABLE, "request body format is invalid") from error


def _word(words_of: type[Word], text: str | None, name: str) -> Word:
    if not text:
        raise unreadable(f"{name} is required")
    try:
        return words_of(text.lower())
    except ValueError as error:
        raise unreadable(f"invalid {name}: {text}") from error


def _order_class(text: str | None) -> OrderClass:
    """Multi-leg orders are not among what this dialect serves."""
    found = _word(OrderClass, text or "simple", "order_class")
    if found is OrderClass.MULTILEG:
        raise unreadable(f"invalid order_class: {text}")
    return found


def _client_order_id(text: str | None) -> str | None:
    if text and len(text) > CLIENT_ORDER_ID_MAX:
        raise unreadable(f"client_order_id must be no more than {CLIENT_ORDER_ID_MAX} characters")
    return text or None


def _take_profit(asked: _TakeProfit | None) -> TakeProfit | None:
    if asked is None:
        return None
    if asked.limit_price is None:
        raise unreadable("take_profit.limit_price is required")
    return TakeProfit(limit_price=asked.limit_price)


def _stop_loss(asked: _StopLoss | None) -> StopLoss | None:
    if asked is None:
        return None
    if asked.stop_price is None:
        raise unreadable("stop_loss.stop_price is required")
    return StopLoss(stop_price=asked.stop_price, limit_price=asked.limit_price)


def _time(query: Query, name: str) -> datetime | None:
    return parse_instant(query[name], name) if query.get(name) else None


def _count(query: Query, name: str, default: int, most: int) -> int:
    text = query.get(name)
    if not text:
        return default
    if not text.isdecimal() or not 1 <= int(text) <= most:
        raise unreadable(f"{name} must be between 1 and {most}")
    return int(text)


def _decimal(text: str, name: str) -> Decimal:
    try:
        value = Decimal(text)
    except InvalidOperation as error:
        raise unreadable(f"invalid {name}: {text}") from error
    if not _is_sensible(value):
        raise unreadable(f"invalid {name}: {text}")
    return value


def _is_sensible(value: Decimal) -> bool:
    """Finite, and of a size that arithmetic and plain notation can bear."""
    return value.is_finite() and (not value or -DIGITS_MAX <= value.adjusted() <= DIGITS_MAX)
