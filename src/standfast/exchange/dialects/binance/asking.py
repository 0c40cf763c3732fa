"""What clients ask Binance for: forms into tickets (brokers/README §4.3)."""

import re
from decimal import Decimal

from standfast.exchange.dialects.binance.codes import (
    BAD_PARAMETER,
    BAD_SIDE,
    NOT_WANTED,
    USE_ALGO,
    BinanceRefused,
    missing,
)
from standfast.exchange.dialects.binance.wire import BY_TYPE, Form, amount, flag, need
from standfast.exchange.orders import Side
from standfast.exchange.perpetual.books import LONG_SIDE, ONE_POSITION, SHORT_SIDE
from standfast.exchange.perpetual.orders import InForce, Kind, PriceBy, Ticket, Trail, Trigger
from standfast.exchange.perpetual.stops import waiting_trigger

SIDES = {"BUY": Side.BUY, "SELL": Side.SELL}
IN_FORCE = {"GTC": InForce.GTC, "IOC": InForce.IOC, "FOK": InForce.FOK, "GTX": InForce.POST_ONLY, "GTD": InForce.GTC}
POSITION_SIDE = {"BOTH": ONE_POSITION, "LONG": LONG_SIDE, "SHORT": SHORT_SIDE}
STOPS = frozenset({"STOP", "STOP_MARKET"})
PROFITS = frozenset({"TAKE_PROFIT", "TAKE_PROFIT_MARKET"})
TRAILING = "TRAILING_STOP_MARKET"
CONDITIONAL = STOPS | PROFITS | {TRAILING}
CLIENT_ID = re.compile(r"[.A-Z:/a-z0-9_-]{1,36}")
ALGO = "algo:"
"""Before the client id of a conditional order: the two kinds have ids of their own, and may use the same."""


def plain_ticket(given: Form, *, is_hedged: bool) -> Ticket:
    """A POST /order. Conditional types live elsewhere since 2025-12-09."""
    kind = need(given, "type")
    if kind in CONDITIONAL:
        text = "Order type not supported for this endpoint. Please use the Algo Order API endpoints instead."
        raise BinanceRefused(USE_ALGO, text)
    if kind not in ("LIMIT", "MARKET"):
        raise BinanceRefused(-1116, "Invalid orderType.")
    is_limit = kind == "LIMIT"
    quantity = amount(given, "quantity")
    if quantity is None:
        raise missing("quantity")
    return Ticket(
        instrument=need(given, "symbol"),
        side=_side(given),
        quantity=quantity,
        kind=Kind.LIMIT if is_limit else Kind.MARKET,
        price=_price(given) if is_limit else None,
        in_force=_in_force(given) if is_limit else InForce.GTC,
        index=_index(given),
        reduce_only=_reduces(given, is_hedged=is_hedged),
        link_id=client_id(given, "newClientOrderId"),
    )


def conditional_ticket(given: Form, *, is_hedged: bool, now: Decimal) -> Ticket:
    """A POST /algoOrder. `now`: the last price, at which a trailing stop begins."""
    if need(given, "algoType") != "CONDITIONAL":
        raise BinanceRefused(BAD_PARAMETER, "Data sent for parameter 'algoType' is not valid.")
    kind = need(given, "type")
    if kind not in CONDITIONAL:
        raise BinanceRefused(-1116, "Invalid orderType.")
    closes = flag(given, "closePosition")
    quantity = amount(given, "quantity")
    if closes and (quantity is not None or "reduceOnly" in given):
        raise BinanceRefused(-4136, "Target strategy invalid for orderType, closePosition")
    if not closes and quantity is None:
        raise missing("quantity")
    side, is_limit = _side(given), kind in ("STOP", "TAKE_PROFIT")
    trail, trigger = _trail_and_trigger(given, kind, side, now)
    return Ticket(
        instrument=need(given, "symbol"),
        side=side,
        quantity=None if closes else quantity,
        kind=Kind.LIMIT if is_limit else Kind.MARKET,
        price=_price(given) if is_limit else None,
        in_force=_in_force(given) if is_limit else InForce.GTC,
        index=_index(given),
        reduce_only=closes or _reduces(given, is_hedged=is_hedged),
        close_on_trigger=closes,
        trigger=trigger,
        trail=trail,
        link_id=ALGO + client_id(given, "clientAlgoId") if given.get("clientAlgoId") else "",
    )


def client_id(given: Form, name: str) -> str:
    """ "" where none was sent."""
    found = given.get(name, "")
    if found and not CLIENT_ID.fullmatch(found):
        raise BinanceRefused(-4015, "Client order id is not valid.")
    return found


def _trail_and_trigger(given: Form, kind: str, side: Side, now: Decimal) -> tuple[Trail | None, Trigger]:
    rises = (side is Side.BUY) == (kind not in PROFITS)
    by = _working_type(given)
    if kind != TRAILING:
        price = amount(given, "triggerPrice")
        if not price:
            raise missing("triggerPrice")
        return None, Trigger(price=price, rises=rises, by=by)
    percent = amount(given, "callbackRate")
    if percent is None or not Decimal("0.1") <= percent <= 10:
        raise BinanceRefused(-2007, "Invalid callBack rate.")
    trail = Trail(percent=percent, activates_at=amount(given, "activatePrice") or None)
    return trail, waiting_trigger(trail, trail.activates_at or now, rises=rises, by=by)


def _side(given: Form) -> Side:
    found = SIDES.get(need(given, "side"))
    if found is None:
        raise BinanceRefused(BAD_SIDE, "Invalid side.")
    return found


def _price(given: Form) -> Decimal:
    price = amount(given, "price")
    if not price:
        raise missing("price")
    return price


def _in_force(given: Form) -> InForce:
    found = IN_FORCE.get(given.get("timeInForce", "") or "GTC")
    if found is None:
        raise BinanceRefused(-1115, "Invalid timeInForce.")
    return found


def _index(given: Form) -> int:
    found = POSITION_SIDE.get(given.get("positionSide", "") or "BOTH")
    if found is None:
        raise BinanceRefused(BAD_PARAMETER, "Data sent for parameter 'positionSide' is not valid.")
    return found


def _reduces(given: Form, *, is_hedged: bool) -> bool:
    """In hedge mode the side says it, and the flag is not wanted."""
    if is_hedged and "reduceOnly" in given:
        raise BinanceRefused(NOT_WANTED, "Parameter 'reduceonly' sent when not required.")
    return flag(given, "reduceOnly")


def _working_type(given: Form) -> PriceBy:
    found = BY_TYPE.get(given.get("workingType", "") or "CONTRACT_PRICE")
    if found is None:
        raise BinanceRefused(BAD_PARAMETER, "Data sent for parameter 'workingType' is not valid.")
    return found
