"""Tradier's orders -> `OrderReport`. Pure.

Theory. An order has an id, and so has each leg. What a parent says depends on its class:
- equity, option: the order itself.
- multileg, combo: its legs are what trades. Its `side` is always "buy", its quantities count the contracts of all legs,
  and only the sign of `avg_fill_price` tells what was received from what was paid. Here it counts units (the greatest
  common divisor of its legs), and its prices are signed: negative is money received.
- oco, oto, otoco: its fields are empty. The order whose fill ends or begins the rest (the target of a pair, the entry
  of a bracket) is shown under the parent's id; the others are its legs. That is what the model calls a pair.

Invariants
- `remaining_quantity` is never used: it is zero for a cancelled order and whole for a rejected one.
- An unknown status, or a type nobody knows, becomes UNKNOWN (alive, could protect); an unknown side is refused.
- No two orders have one client id: tags are not unique, so only the first order that bears one is named by it.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from decimal import Decimal
from math import gcd

import msgspec

from standfast.brokers.shared.reading import Number, holding, moment, number, rows, shown
from standfast.brokers.tradier.rows import OrderReply, OrderRow, OrdersReply, each
from standfast.model.errors import Malformed
from standfast.model.ids import BrokerOrderId, ClientOrderId, Holding, InstrumentId
from standfast.model.order import STOP_TYPES, ZERO, OrderReport, OrderState, OrderType, Side, TimeInForce
from standfast.model.secret import redact

ORDERS = msgspec.json.Decoder(OrdersReply)
ORDER = msgspec.json.Decoder(OrderReply)

NO_HOLDING = Holding(InstrumentId(""))
"""Of an order whose legs have holdings of their own."""

STATES = {
    "pending": OrderState.PENDING,
    "submitted": OrderState.PENDING,
    "calculated": OrderState.PENDING,
    "accepted_for_bidding": OrderState.PENDING,
    "pending_cancel": OrderState.PENDING,
    "held": OrderState.HELD,
    "open": OrderState.WORKING,
    "partially_filled": OrderState.WORKING,
    "filled": OrderState.FILLED,
    "canceled": OrderState.CANCELLED,
    "expired": OrderState.EXPIRED,
    "rejected": OrderState.REJECTED,
    "error": OrderState.REJECTED,
}
TYPES = {
    "market": OrderType.MARKET,
    "limit": OrderType.LIMIT,
    "stop": OrderType.STOP,
    "stop_limit": OrderType.STOP_LIMIT,
    "debit": OrderType.LIMIT,
    "credit": OrderType.LIMIT,
    "even": OrderType.LIMIT,
}
UNTAGGED, LEG, AGAIN = "untagged-", "leg-", "#"
"""In client ids that are made here, each before the order's id. No tag has a `#`."""
DURATIONS = {"day": TimeInForce.DAY, "gtc": TimeInForce.GTC}
SIDES = {
    "buy": Side.BUY,
    "buy_to_cover": Side.BUY,
    "buy_to_open": Side.BUY,
    "buy_to_close": Side.BUY,
    "sell": Side.SELL,
    "sell_short": Side.SELL,
    "sell_to_open": Side.SELL,
    "sell_to_close": Side.SELL,
}
CLOSING = frozenset({"buy_to_cover", "buy_to_close", "sell", "sell_to_close"})
OPTION_SIDES = frozenset({"buy_to_open", "buy_to_close", "sell_to_open", "sell_to_close"})
SPREADS = {"multileg": "mleg", "combo": "mleg"}
GROUPS = {"oco": "oco", "oto": "oto", "otoco": "bracket"}


def listed(body: bytes) -> list[OrderRow]:
    """Every order of a list, no id twice."""
    reply = rows(ORDERS, body, "orders").orders
    found = [] if isinstance(reply, str) else each(reply.order)
    if len({str(row.id) for row in found}) != len(found):
        raise Malformed("orders: an id is listed twice")
    return found


def one(body: bytes) -> OrderRow:
    return rows(ORDER, body, "order").order


def order(row: OrderRow) -> OrderReport:
    """One order with its legs, named by its tag, if it has one (but see `named`)."""
    legs = each(row.leg)
    if row.class_ in GROUPS and legs:
        return _group(row, list(_flat(legs)))
    if legs:
        return _spread(row, legs)
    return _single(row)


def _flat(legs: Iterable[OrderRow]) -> Iterator[OrderRow]:
    for leg in legs:
        inner = each(leg.leg)
        if inner:
            yield from inner  # a pair inside a bracket
        else:
            yield leg


def _single(row: OrderRow) -> OrderReport:
    state = STATES.get(row.status, OrderState.UNKNOWN)
    kind = TYPES.get(row.type, OrderType.UNKNOWN)
    filled = _amount(row.exec_quantity, "exec_quantity")
    side = _side(row)
    return OrderReport(
        broker_id=BrokerOrderId(str(row.id)),
        client_id=_client_id(row),
        holding=_holding(row),
        side=side,
        type=kind,
        time_in_force=DURATIONS.get(row.duration, TimeInForce.OTHER),
        quantity=_quantity(row),
        filled=filled,
        state=state,
        average_price=_average(row) if filled else None,
        limit_price=_price(row.price, "price"),
        stop_price=_price(row.stop_price, "stop_price"),
        placed_at=_moment(row.create_date, "create_date"),
        updated_at=_moment(row.transaction_date, "transaction_date"),
        closes=None if row.side is None or row.side == "buy" else row.side in CLOSING,
        triggered=kind in STOP_TYPES and filled > 0,
        reason=_reason(row, state),
    )


def _spread(row: OrderRow, legs: list[OrderRow]) -> OrderReport:
    parent = BrokerOrderId(str(row.id))
    reports = tuple(_leg(leg, parent) for leg in legs)
    units, ratio = _units(row, reports)
    state = STATES.get(row.status, OrderState.UNKNOWN)
    filled = _amount(row.exec_quantity, "exec_quantity") / ratio
    price = _price(row.price, "price")
    return OrderReport(
        broker_id=parent,
        client_id=_client_id(row),
        holding=NO_HOLDING,
        side=Side.BUY,
        type=TYPES.get(row.type, OrderType.UNKNOWN),
        time_in_force=DURATIONS.get(row.duration, TimeInForce.OTHER),
        quantity=units,
        filled=filled,
        state=state,
        average_price=_price(row.avg_fill_price, "avg_fill_price") if filled else None,
        limit_price=-price if price is not None and row.type == "credit" else price,
        placed_at=_moment(row.create_date, "create_date"),
        updated_at=_moment(row.transaction_date, "transaction_date"),
        order_class=SPREADS.get(row.class_, row.class_),
        reason=_reason(row, state),
        legs=reports,
    )


def _units(row: OrderRow, legs: tuple[OrderReport, ...]) -> tuple[Decimal, Decimal]:
    """How many units are asked for, and how many contracts of the parent's count make one."""
    wholes = [leg.quantity for leg in legs if leg.quantity == leg.quantity.to_integral_value()]
    if len(wholes) != len(legs) or not all(wholes):
        raise Malformed(f"order {row.id}: its legs have no whole quantities")
    units = Decimal(gcd(*(int(each) for each in wholes)))
    counted = _quantity(row)
    if not counted:
        raise Malformed(f"order {row.id} has no quantity")
    return units, counted / units


def _group(row: OrderRow, legs: list[OrderRow]) -> OrderReport:
    """A pair, or an entry with its exits: the one that decides over the rest under the parent's id."""
    parent = BrokerOrderId(str(row.id))
    head = _head(row, legs)
    shown_as = _single(head)
    is_waiting = row.class_ != "oco" and shown_as.state is not OrderState.FILLED
    others = (_leg(leg, parent) for leg in legs if leg is not head)
    return replace(
        shown_as,
        broker_id=parent,
        client_id=_client_id(row),
        order_class=GROUPS[row.class_],
        placed_at=shown_as.placed_at or _moment(row.create_date, "create_date"),
        reason=shown_as.reason or row.reason_description or "",
        legs=tuple(_waiting(leg) if is_waiting else leg for leg in others),
    )


def _waiting(leg: OrderReport) -> OrderReport:
    return leg if leg.is_finished else replace(leg, state=OrderState.HELD)


def _leg(row: OrderRow, parent: BrokerOrderId) -> OrderReport:
    return replace(_single(row), client_id=ClientOrderId(f"{LEG}{row.id}"), parent_id=parent)


def _client_id(row: OrderRow) -> ClientOrderId:
    return ClientOrderId(row.tag if row.tag else f"{UNTAGGED}{row.id}")


def named(reports: Iterable[OrderReport], first: Mapping[str, BrokerOrderId]) -> list[OrderReport]:
    """Each under a client id of its own. `first`: the orders that are known to have borne a tag first."""
    known = dict(first)
    found = []
    for report in sorted(reports, key=lambda each: id_order(each.broker_id)):
        bearer = known.setdefault(report.client_id, report.broker_id)
        same = bearer == report.broker_id
        found.append(report if same else replace(report, client_id=_second(report)))
    return found


def _second(report: OrderReport) -> ClientOrderId:
    return ClientOrderId(f"{report.client_id}{AGAIN}{report.broker_id}")


def id_order(broker_id: BrokerOrderId) -> tuple[int, str]:
    """Ids are numbers that grow."""
    return len(broker_id), broker_id


@dataclass(frozen=True, slots=True)
class Place:
    """Where an id is found: in which top-level order, and whether as a leg that stands for itself there."""

    top: BrokerOrderId
    is_leg: bool


def places(row: OrderRow) -> dict[BrokerOrderId, Place]:
    """Every id of an order. A spread's legs are read as the spread; a group's head is the group."""
    top = BrokerOrderId(str(row.id))
    legs = list(_flat(each(row.leg)))
    stand_alone = row.class_ in GROUPS
    head = _head(row, legs) if stand_alone and legs else None
    found = {BrokerOrderId(str(leg.id)): Place(top, is_leg=stand_alone and leg is not head) for leg in legs}
    return found | {top: Place(top, is_leg=False)}


def _head(row: OrderRow, legs: list[OrderRow]) -> OrderRow:
    """Of a pair the target, of anything else the entry."""
    if row.class_ == "oco":
        return next((leg for leg in legs if leg.type == "limit"), legs[0])
    return legs[0]


def _holding(row: OrderRow) -> Holding:
    """The `symbol` of an option's order is what lies under it."""
    if row.option_symbol:
        return holding(row.option_symbol)
    if row.side in OPTION_SIDES:
        raise Malformed(f"order {row.id}: {row.side} names no contract")
    return holding(row.symbol or "")


def _side(row: OrderRow) -> Side:
    side = SIDES.get(row.side or "")
    if side is None:
        raise Malformed(f"order {row.id}: side is {shown(row.side or '')}")
    return side


def _quantity(row: OrderRow) -> Decimal:
    if row.quantity is None:
        raise Malformed(f"order {row.id} has no quantity")
    return _amount(row.quantity, "quantity")


def _amount(value: Number | None, field: str) -> Decimal:
    """What is counted is never below zero; the side says which way."""
    found = ZERO if value is None else number(value, field)
    if found < 0:
        raise Malformed(f"{field} is {found}")
    return found


def _average(row: OrderRow) -> Decimal | None:
    """An order may be shown as filled before its price is set: then there is none, and nothing is booked yet."""
    return _price(row.avg_fill_price, "avg_fill_price") or _price(row.last_fill_price, "last_fill_price")


def _price(value: Number | None, field: str) -> Decimal | None:
    """None for zero: prices that are not there are shown so."""
    return None if value is None else number(value, field) or None


def _reason(row: OrderRow, state: OrderState) -> str:
    if row.reason_description:
        return redact(row.reason_description)
    return f"unknown status {shown(row.status)}" if state is OrderState.UNKNOWN else ""


def _moment(text: str | None, field: str) -> datetime | None:
    return None if text is None else moment(text, field)
