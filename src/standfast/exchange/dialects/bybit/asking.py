"""What clients ask Bybit for: bodies into tickets, changes and wishes for stops (brokers/README §3.3)."""

import re
from collections.abc import Mapping
from dataclasses import replace
from decimal import Decimal
from typing import TypeVar

from standfast.exchange.dialects.bybit.codes import PARAMETER, BybitRefused
from standfast.exchange.dialects.bybit.wire import BY_PRICE, amount
from standfast.exchange.orders import Side
from standfast.exchange.perpetual.orders import (
    Attached,
    Change,
    InForce,
    Kind,
    PriceBy,
    Ticket,
    Trail,
    Trigger,
)
from standfast.exchange.perpetual.stops import Wish

Body = Mapping[str, object]
Meaning = TypeVar("Meaning")
SIDES = {"Buy": Side.BUY, "Sell": Side.SELL}
KINDS = {"Market": Kind.MARKET, "Limit": Kind.LIMIT}
IN_FORCE = {
    "": InForce.GTC,
    "GTC": InForce.GTC,
    "IOC": InForce.IOC,
    "FOK": InForce.FOK,
    "PostOnly": InForce.POST_ONLY,
}
LINK_ID = re.compile(r"[0-9A-Za-z_-]{0,36}")
RISES, FALLS = 1, 2


def word(body: Body, name: str) -> str:
    """A text field, "" where it is absent."""
    value = body.get(name)
    return "" if value is None else str(value)


def symbol_in(body: Body) -> str:
    """Refused for another category, or without a symbol."""
    check_category(word(body, "category"))
    symbol = word(body, "symbol")
    if not symbol:
        raise BybitRefused(PARAMETER, "params error: symbol invalid")
    return symbol


def check_category(category: str) -> None:
    if category != "linear":
        raise BybitRefused(PARAMETER, f"params error: category {category!r} is not traded here")


def index_in(body: Body) -> int:
    value = word(body, "positionIdx") or "0"
    if value not in ("0", "1", "2"):
        raise BybitRefused(PARAMETER, "params error: positionIdx invalid")
    return int(value)


def ticket(body: Body) -> Ticket:
    """A create. What is missing or no word of Bybit's is refused with 10001."""
    kind = _one_of(KINDS, body, "orderType")
    reduces, closes = bool(body.get("reduceOnly")), bool(body.get("closeOnTrigger"))
    link_id = word(body, "orderLinkId")
    if not LINK_ID.fullmatch(link_id):
        raise BybitRefused(PARAMETER, "params error: orderLinkId invalid")
    if reduces and (body.get("stopLoss") or body.get("takeProfit")):
        raise BybitRefused(PARAMETER, "params error: reduce-only orders cannot carry take profit or stop loss")
    quantity = amount(body, "qty")
    if quantity is None:
        raise BybitRefused(PARAMETER, "params error: qty invalid")
    if quantity == 0 and reduces and closes:
        quantity = None  # whatever is held
    made = Ticket(
        instrument=symbol_in(body),
        side=_one_of(SIDES, body, "side"),
        quantity=quantity,
        kind=kind,
        price=amount(body, "price") if kind is Kind.LIMIT else None,
        in_force=_one_of(IN_FORCE, body, "timeInForce"),
        index=index_in(body),
        reduce_only=reduces,
        close_on_trigger=closes,
        trigger=_trigger(body),
        link_id=link_id,
    )
    loss, profit = _attached(body, "sl", "stopLoss"), _attached(body, "tp", "takeProfit")
    return replace(made, stop_loss=loss, take_profit=profit)


def change(body: Body) -> Change:
    """An amendment."""
    return Change(
        quantity=amount(body, "qty"),
        price=amount(body, "price"),
        trigger_price=amount(body, "triggerPrice"),
        trigger_by=_price_by(body, "triggerBy") if body.get("triggerBy") else None,
        stop_loss=_attached(body, "sl", "stopLoss"),
        take_profit=_attached(body, "tp", "takeProfit"),
    )


def wish(body: Body) -> Wish:
    """A trading-stop: for the whole position, or with `tpslMode` Partial one more for a part of it."""
    is_partial = word(body, "tpslMode") == "Partial"
    loss, profit = _attached(body, "sl", "stopLoss"), _attached(body, "tp", "takeProfit")
    if is_partial:
        loss, profit = _sized(loss, amount(body, "slSize")), _sized(profit, amount(body, "tpSize"))
    distance = amount(body, "trailingStop")
    trail = None if distance is None else Trail(distance=distance, activates_at=amount(body, "activePrice") or None)
    made = Wish(stop_loss=loss, take_profit=profit, trail=trail)
    if not made.parts and trail is None:
        raise BybitRefused(PARAMETER, "params error: stopLoss, takeProfit or trailingStop is needed")
    return made


def _sized(attached: Attached | None, quantity: Decimal | None) -> Attached | None:
    if attached is None:
        return None
    if quantity is None:
        raise BybitRefused(PARAMETER, "params error: tpSize and slSize are needed in Partial mode")
    return replace(attached, quantity=quantity)


def _attached(body: Body, short: str, name: str) -> Attached | None:
    price = amount(body, name)
    if price is None:
        return None
    if price < 0:
        raise BybitRefused(PARAMETER, f"params error: {name} invalid")
    limit = amount(body, f"{short}LimitPrice") if word(body, f"{short}OrderType") == "Limit" else None
    part = Decimal(1) if word(body, "tpslMode") == "Partial" else None  # how much is known when it is opened
    return Attached(price=price, by=_price_by(body, f"{short}TriggerBy"), limit_price=limit, quantity=part)


def _trigger(body: Body) -> Trigger | None:
    price = amount(body, "triggerPrice")
    if not price:
        return None
    direction = word(body, "triggerDirection")
    if direction not in (str(RISES), str(FALLS)):
        raise BybitRefused(PARAMETER, "params error: triggerDirection invalid")
    return Trigger(price=price, rises=direction == str(RISES), by=_price_by(body, "triggerBy"))


def _price_by(body: Body, name: str) -> PriceBy:
    found = word(body, name)
    if found and found not in BY_PRICE:
        raise BybitRefused(PARAMETER, f"params error: {name} invalid")
    return BY_PRICE.get(found, PriceBy.LAST)


def _one_of(words: Mapping[str, Meaning], body: Body, name: str) -> Meaning:
    found = words.get(word(body, name))
    if found is None:
        raise BybitRefused(PARAMETER, f"params error: {name} invalid")
    return found
