"""A desk at the simulated exchange for the engine's tests: one account, one liquid instrument, and a tape of events."""

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest

from standfast.exchange.accounts import AccountSpec
from standfast.exchange.assets import Asset
from standfast.exchange.engine import Engine
from standfast.exchange.events import Event
from standfast.exchange.orders import (
    Order,
    OrderClass,
    OrderType,
    Side,
    Status,
    StopLoss,
    TakeProfit,
    Terms,
    Ticket,
    TimeInForce,
)
from standfast.exchange.refusal import Refused
from standfast.exchange.rules import Rules

D = Decimal
START = datetime(2026, 10, 8, 15, 0, tzinfo=UTC)  # a Thursday, 11:00 in New York
SECOND = timedelta(seconds=1)
BUY, SELL = Side.BUY, Side.SELL
ASSETS = (
    Asset(instrument="KO", venue="NYSE"),
    Asset(instrument="OCGN", fractionable=False),
    Asset(instrument="GME", shortable=False),
    Asset(instrument="OLD", tradable=False),
)


@dataclass
class Desk:
    engine: Engine
    tape: list[Event] = field(default_factory=list)

    def quote(self, bid: str, ask: str | None = None, *, instrument: str = "KO", size: str = "1000") -> None:
        """The next second's quote; one price means a spread of two cents above it."""
        offer = D(ask) if ask is not None else D(bid) + D("0.02")
        at = self.engine.now + SECOND
        self.engine.quote(instrument, D(bid), offer, D(size), D(size), at)

    def submit(self, side: Side, quantity: str | None = "10", **wishes: Any) -> Order:
        """An order in KO; terms and ticket fields by name. Returns it as it is now, not as acknowledged."""
        return self.now(self.acknowledged(side, quantity, **wishes))

    def acknowledged(self, side: Side, quantity: str | None = "10", **wishes: Any) -> Order:
        return self.engine.submit("a", ticket(side, quantity, **wishes))

    def now(self, order: Order) -> Order:
        return self.engine.order("a", order.id)

    def cancel(self, order: Order) -> None:
        self.engine.cancel("a", order.id)

    def net(self, instrument: str = "KO") -> Decimal:
        found = [row.quantity for row in self.engine.positions("a") if row.instrument == instrument]
        return found[0] if found else D(0)

    def available(self) -> Decimal:
        return self.engine.position("a", "KO").available

    def statuses(self, *orders: Order) -> list[str]:
        return [self.now(order).status.value for order in orders]

    def story(self, order: Order) -> list[str]:
        return [event.kind.value for event in self.tape if event.order.id == order.id]

    def legs(self, order: Order) -> tuple[Order, ...]:
        return tuple(self.engine.legs(order))


def open_desk(rules: Rules | None = None, *, cash: str = "100000", quoted: bool = True, **engine: Any) -> Desk:
    account = AccountSpec(name="a", key_id="KEY", secret="SECRET", cash=D(cash), multiplier=engine.pop("multiplier", 4))
    start = engine.pop("start", START)
    desk = Desk(Engine(ASSETS, [account], start=start, rules=rules or Rules(), **engine))
    desk.engine.listeners.append(desk.tape.append)
    if quoted:
        desk.quote("100.00", "100.02")
    return desk


def ticket(side: Side, quantity: str | None = "10", **wishes: Any) -> Ticket:
    of_ticket = {"client_order_id", "order_class", "take_profit", "stop_loss", "intent"}
    terms = {name: value for name, value in wishes.items() if name not in of_ticket}
    rest = {name: value for name, value in wishes.items() if name in of_ticket}
    for name, value in terms.items():
        if isinstance(value, str) and name not in ("instrument", "type", "time_in_force"):
            terms[name] = D(value)
    terms.setdefault("instrument", "KO")
    terms.setdefault("type", _type_of(terms))
    return Ticket(terms=Terms(side=side, quantity=None if quantity is None else D(quantity), **terms), **rest)


def _type_of(terms: dict[str, Any]) -> OrderType:
    if "trail_price" in terms or "trail_percent" in terms:
        return OrderType.TRAILING_STOP
    if "stop_price" in terms:
        return OrderType.STOP_LIMIT if "limit_price" in terms else OrderType.STOP
    return OrderType.LIMIT if "limit_price" in terms else OrderType.MARKET


def exits(profit: str, stop: str, limit: str | None = None) -> dict[str, Any]:
    """The two exits of a bracket, by keyword."""
    return {
        "take_profit": TakeProfit(limit_price=D(profit)),
        "stop_loss": StopLoss(stop_price=D(stop), limit_price=None if limit is None else D(limit)),
    }


def bracket(desk: Desk, side: Side = BUY, **wishes: Any) -> tuple[Order, Order, Order]:
    """A bracket with targets at 110 and 90: the parent, its take-profit and its stop."""
    legs = exits("110", "90") if side is BUY else exits("90", "110")
    parent = desk.submit(side, order_class=OrderClass.BRACKET, **{**legs, **wishes})
    return (parent, *desk.legs(parent))  # type: ignore[return-value]  # a bracket has two legs


def oco(desk: Desk, profit: str = "110", stop: str = "90", quantity: str = "10") -> tuple[Order, Order]:
    loss = StopLoss(stop_price=D(stop))
    parent = desk.submit(SELL, quantity, limit_price=profit, order_class=OrderClass.OCO, stop_loss=loss)
    return parent, desk.legs(parent)[0]


def refusal(call: Any, *arguments: Any, **wishes: Any) -> Refused:
    with pytest.raises(Refused) as caught:
        call(*arguments, **wishes)
    return caught.value


__all__ = [
    "BUY", "SECOND", "SELL", "START", "D", "Desk", "OrderClass", "OrderType", "Rules", "Status", "StopLoss",
    "TakeProfit", "TimeInForce", "bracket", "exits", "oco", "open_desk", "refusal", "ticket",
]  # fmt: skip
