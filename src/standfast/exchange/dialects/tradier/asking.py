"""Tradier's forms into the exchange's values (brokers/README §2.3). Pure; what cannot be read is refused, not guessed.

Legs and the orders of a group have indexed keys (`side[0]`). The engine knows three shapes of groups, which are the
ones in use: a pair of exits (OCO), an entry with one exit (OTO), an entry with such a pair (OTOCO). Others are refused.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from decimal import Decimal, InvalidOperation
from math import gcd
from typing import TypeVar

from standfast.exchange.contracts import contract_of
from standfast.exchange.dialects.tradier.manner import bad, not_so
from standfast.exchange.dialects.tradier.wire import Form
from standfast.exchange.orders import (
    Change,
    Intent,
    Leg,
    Order,
    OrderClass,
    OrderType,
    Side,
    StopLoss,
    TakeProfit,
    Terms,
    Ticket,
    TimeInForce,
)

Word = TypeVar("Word")

INDEXED = re.compile(r"(?P<name>\w+)\[(?P<index>\d{1,2})\]")
TAG = re.compile(r"[A-Za-z0-9-]{1,255}")
DIGITS_MAX = 9
SYMBOL_LENGTH_MAX = 32
COUNT_MAX = 10_000
CLASSES = ("equity", "option", "multileg", "combo", "oco", "oto", "otoco")
EQUITY_SIDES = {
    "buy": Intent.BUY_TO_OPEN,
    "buy_to_cover": Intent.BUY_TO_CLOSE,
    "sell": Intent.SELL_TO_CLOSE,
    "sell_short": Intent.SELL_TO_OPEN,
}
OPTION_SIDES = {intent.value: intent for intent in Intent}
TYPES = {kind.value: kind for kind in (OrderType.MARKET, OrderType.LIMIT, OrderType.STOP, OrderType.STOP_LIMIT)}
NET_SIGN = {"debit": 1, "credit": -1, "even": 0}
DURATIONS = ("day", "gtc", "pre", "post")
GROUP_CLASSES = {"oco": OrderClass.OCO, "oto": OrderClass.OTO, "otoco": OrderClass.BRACKET}
GROUP_SIZES = {"oco": 2, "oto": 2, "otoco": 3}


@dataclass(frozen=True, slots=True, kw_only=True)
class Wish:
    """What a form asks for. `duration` is Tradier's own word: two of them are told apart by the clock."""

    ticket: Ticket
    asked_class: str
    duration: str
    is_preview: bool


def wish(form: Form) -> Wish:
    asked = form.get("class", "")
    if asked not in CLASSES:
        raise bad("class", f"{asked or 'empty'} is not one of {', '.join(CLASSES)}")
    ticket = _ticket(asked, form)
    ticket = replace(ticket, tag=_tag(form))
    return Wish(
        ticket=ticket,
        asked_class=asked,
        duration=form.get("duration") or form.get("duration[0]") or "",
        is_preview=form.get("preview", "").lower() == "true",
    )


def _ticket(asked: str, form: Form) -> Ticket:
    if asked in ("equity", "option"):
        return _single(form, is_option=asked == "option")
    if asked in ("multileg", "combo"):
        return _multileg(form, is_combo=asked == "combo")
    return _group(asked, form)


def _tag(form: Form) -> str:
    tag = form.get("tag", "")
    if tag and TAG.fullmatch(tag) is None:
        raise bad("tag", "at most 255 letters, digits and -")
    return tag


# One order


def _single(form: Form, *, is_option: bool) -> Ticket:
    kind = _word(TYPES, form, "type")
    intent = _word(OPTION_SIDES if is_option else EQUITY_SIDES, form, "side")
    symbol = _symbol(form, "symbol")
    if is_option:
        name = _symbol(form, "option_symbol")
        contract = contract_of(name)
        if contract is None or symbol not in (contract.underlying, contract.root):
            raise bad("option_symbol", f"{name} is no option of {symbol}")
        symbol = name
    lasts, is_extended = _duration(form)
    if is_extended and is_option:
        raise bad("duration", "options trade in the regular session only")
    return Ticket(
        terms=Terms(
            instrument=symbol,
            side=intent.side,
            type=kind,
            time_in_force=lasts,
            quantity=_quantity(form, "quantity"),
            limit_price=_price(form, "price", wanted=kind in (OrderType.LIMIT, OrderType.STOP_LIMIT)),
            stop_price=_price(form, "stop", wanted=kind in (OrderType.STOP, OrderType.STOP_LIMIT)),
            extended_hours=is_extended,
        ),
        intent=intent,
    )


def _duration(form: Form) -> tuple[TimeInForce, bool]:
    text = form.get("duration", "")
    if text not in DURATIONS:
        raise bad("duration", f"{text or 'empty'} is not one of {', '.join(DURATIONS)}")
    return (TimeInForce.GTC if text == "gtc" else TimeInForce.DAY), text in ("pre", "post")


# Multi-leg


def _multileg(form: Form, *, is_combo: bool) -> Ticket:
    rows = indexed(form)
    if not 2 <= len(rows) <= (3 if is_combo else 4):
        raise not_so(f"A {'combo' if is_combo else 'multileg'} order has {len(rows)} legs.")
    legs = [_leg(row, _symbol(form, "symbol")) for row in rows]
    options = [int(quantity) for name, _, quantity in legs if contract_of(name) is not None]
    shares = len(legs) - len(options)
    if not options or shares != (1 if is_combo else 0):
        raise not_so("A combo order has one equity leg and one or two option legs, a multileg order option legs only.")
    units = gcd(*options)
    if any(quantity % units for _, _, quantity in legs):
        raise bad("quantity", "the equity leg is no multiple of the option legs")
    lasts, is_extended = _duration(form)
    if is_extended:
        raise bad("duration", "options trade in the regular session only")
    limit = net_limit(form.get("type", ""), form)
    return Ticket(
        terms=Terms(
            instrument=_symbol(form, "symbol"),
            side=Side.BUY,
            type=OrderType.MARKET if limit is None else OrderType.LIMIT,
            time_in_force=lasts,
            quantity=Decimal(units),
            limit_price=limit,
        ),
        order_class=OrderClass.MULTILEG,
        legs=tuple(Leg(instrument=name, intent=intent, ratio=quantity / units) for name, intent, quantity in legs),
    )


def _leg(row: Form, symbol: str) -> tuple[str, Intent, Decimal]:
    """Without an option symbol it is the equity leg."""
    name = row.get("option_symbol")
    intent = _word(EQUITY_SIDES if name is None else OPTION_SIDES, row, "side")
    if name is not None and contract_of(name) is None:
        raise bad("option_symbol", f"{name} is no option")
    return (name or symbol), intent, _quantity(row, "quantity")


def net_limit(kind: str, form: Form) -> Decimal | None:
    """The signed limit of a whole: paid positive, received negative; None for a market order."""
    if kind == "market":
        return None
    if kind not in NET_SIGN:
        raise bad("type", f"{kind or 'empty'} is not one of market, {', '.join(NET_SIGN)}")
    price = _price(form, "price", wanted=kind != "even")
    return Decimal(0) if price is None else NET_SIGN[kind] * price


# Groups


def _group(asked: str, form: Form) -> Ticket:
    rows = indexed(form)
    if len(rows) != GROUP_SIZES[asked]:
        raise not_so(f"An {asked} order has {GROUP_SIZES[asked]} orders, not {len(rows)}.")
    common = {key: form[key] for key in ("duration", "symbol") if key in form}
    orders = [_single(common | row, is_option="option_symbol" in row) for row in rows]
    if asked == "oco":
        return _pair(orders)
    entry, exits = orders[0], orders[1:]
    if entry.terms.type is OrderType.MARKET:
        raise not_so("The first order must be a limit, stop or stop_limit order.")
    for each in exits:
        _check_exit(entry.terms, each.terms)
    profit = [each.terms for each in exits if each.terms.type is OrderType.LIMIT]
    stops = [each.terms for each in exits if each.terms.type in (OrderType.STOP, OrderType.STOP_LIMIT)]
    if len(profit) > 1 or len(stops) > 1 or len(profit) + len(stops) != len(exits):
        raise not_so("The triggered orders must differ in type: a limit and a stop or stop_limit order.")
    return replace(
        entry,
        order_class=GROUP_CLASSES[asked],
        take_profit=TakeProfit(limit_price=_sure(profit[0].limit_price)) if profit else None,
        stop_loss=_stop_loss(stops[0]) if stops else None,
    )


def _pair(orders: list[Ticket]) -> Ticket:
    """An OCO: the limit order leads."""
    if orders[0].terms.type is orders[1].terms.type:
        raise not_so("The orders of an oco must differ in type.")
    limits = [each for each in orders if each.terms.type is OrderType.LIMIT]
    stops = [each for each in orders if each.terms.type in (OrderType.STOP, OrderType.STOP_LIMIT)]
    if len(limits) != 1 or len(stops) != 1:
        raise not_so("An oco is a limit order and a stop or stop_limit order.")
    first, second = limits[0].terms, stops[0].terms
    if (first.instrument, first.side, first.quantity) != (second.instrument, second.side, second.quantity):
        raise not_so("The orders of an oco must have the same symbol, side and quantity.")
    return replace(limits[0], order_class=OrderClass.OCO, stop_loss=_stop_loss(second))


def _check_exit(entry: Terms, exit_terms: Terms) -> None:
    same = (entry.instrument, entry.quantity) == (exit_terms.instrument, exit_terms.quantity)
    if not same or entry.side is exit_terms.side:
        raise not_so("A triggered order must close what the first one opens.")


def _stop_loss(terms: Terms) -> StopLoss:
    return StopLoss(stop_price=_sure(terms.stop_price), limit_price=terms.limit_price)


def _sure(price: Decimal | None) -> Decimal:
    assert price is not None, "checked when the order was read"
    return price


# Changes


def change(form: Form, order: Order) -> Change:
    """Type, duration, price and stop only."""
    if "quantity" in form or "symbol" in form or "side" in form:
        raise not_so("Only type, duration, price and stop can be changed.")
    lasts = None
    if "duration" in form:
        lasts, is_extended = _duration(form)
        if is_extended != order.terms.extended_hours:
            raise bad("duration", "an order cannot move between sessions")
    if order.is_multileg:
        return _multileg_change(form, order, lasts)
    kind = _word(TYPES, form, "type") if "type" in form else None
    return Change(
        type=kind,
        time_in_force=lasts,
        limit_price=_price(form, "price", wanted=None),
        stop_price=_price(form, "stop", wanted=None),
    )


def _multileg_change(form: Form, order: Order, lasts: TimeInForce | None) -> Change:
    limit = order.terms.limit_price
    known = "market" if limit is None else ("even", "debit", "credit")[(limit > 0) - (limit < 0)]
    asked = form.get("type", known)
    if asked == "market" or known == "market":
        raise bad("type", "a market order has no price to change")
    if "price" not in form and asked != "even":
        return Change(time_in_force=lasts)
    return Change(limit_price=net_limit(asked, form), time_in_force=lasts)


# Words and numbers


def indexed(form: Form) -> list[Form]:
    """The rows of indexed keys in order; a gap between the indices is refused."""
    rows: dict[int, Form] = {}
    for key, value in form.items():
        if (match := INDEXED.fullmatch(key)) is not None:
            rows.setdefault(int(match["index"]), {})[match["name"]] = value
    if sorted(rows) != list(range(len(rows))):
        raise bad("legs", "the indices have a gap")
    return [rows[index] for index in sorted(rows)]


def _word(words: Mapping[str, Word], form: Form, name: str) -> Word:
    text = form.get(name, "")
    if text not in words:
        raise bad(name, f"{text or 'empty'} is not one of {', '.join(words)}")
    return words[text]


def _symbol(form: Form, name: str) -> str:
    text = form.get(name, "").upper()
    if not 0 < len(text) <= SYMBOL_LENGTH_MAX:
        raise bad(name, "is required")
    return text


def _quantity(form: Form, name: str) -> Decimal:
    value = _decimal(form, name)
    if value is None or value <= 0 or value % 1 or value > 10_000_000:
        raise bad(name, "a whole number from 1 to 10000000")
    return value


def _price(form: Form, name: str, *, wanted: bool | None) -> Decimal | None:
    """Positive. `wanted` None: where there is one."""
    value = _decimal(form, name)
    if wanted is True and value is None:
        raise bad(name, "is required")
    if wanted is False:
        return None
    if value is not None and value <= 0:
        raise bad(name, "must be positive")
    return value


def _decimal(form: Form, name: str) -> Decimal | None:
    text = form.get(name)
    if text is None:
        return None
    try:
        value = Decimal(text)
    except InvalidOperation:
        raise bad(name, f"{text} is not a number") from None
    if not value.is_finite() or (value and not -DIGITS_MAX <= value.adjusted() <= DIGITS_MAX):
        raise bad(name, f"{text} is not a number")
    return value


# Queries


def day(query: Mapping[str, str], name: str) -> str | None:
    """A date, as `2026-10-09`."""
    text = query.get(name)
    if not text:
        return None
    try:
        return f"{datetime.fromisoformat(text):%Y-%m-%d}"
    except ValueError:
        raise bad(name, f"{text} is not a date") from None


def count(query: Mapping[str, str], name: str, usual: int) -> int:
    text = query.get(name)
    if not text:
        return usual
    if not text.isdecimal() or not 1 <= int(text) <= COUNT_MAX:
        raise bad(name, f"{text} is not a number of at least 1")
    return int(text)
