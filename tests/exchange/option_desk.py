"""A desk for the tests of options: one account, SPY shares, some SPY and SPXW contracts of one Friday."""

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

from standfast.exchange.accounts import AccountSpec
from standfast.exchange.activities import NonTradeActivity
from standfast.exchange.assets import asset_of
from standfast.exchange.engine import Engine
from standfast.exchange.events import Event
from standfast.exchange.orders import Intent, Leg, Order, OrderClass, OrderType, Side, Terms, Ticket
from standfast.exchange.rules import Rules
from standfast.exchange.sessions import USSessions

D = Decimal
FRIDAY = datetime(2026, 10, 9, 14, 0, tzinfo=UTC)  # 10:00 in New York
CLOSE = datetime(2026, 10, 9, 20, 0, tzinfo=UTC)
C600, C605, P600, P595 = (f"SPY261009{right}00{strike}000" for right, strike in (
    ("C", 600), ("C", 605), ("P", 600), ("P", 595)
))  # fmt: skip
X3800, X3700, XC3800 = "SPXW261009P03800000", "SPXW261009P03700000", "SPXW261009C03800000"
NAMES = ("SPY", "SPX", C600, C605, P600, P595, X3800, X3700, XC3800)
BTO, STO, BTC, STC = Intent.BUY_TO_OPEN, Intent.SELL_TO_OPEN, Intent.BUY_TO_CLOSE, Intent.SELL_TO_CLOSE


@dataclass
class OptionDesk:
    engine: Engine
    tape: list[Event] = field(default_factory=list)

    def quote(self, instrument: str, bid: str, ask: str, *, size: str = "100") -> None:
        at = self.engine.now + timedelta(seconds=1)
        self.engine.quote(instrument, D(bid), D(ask), D(size), D(size), at)

    def one(self, instrument: str, intent: Intent, quantity: str = "1", limit: str | None = None) -> Order:
        """A single order, as it is now."""
        terms = Terms(
            instrument=instrument,
            side=intent.side,
            type=OrderType.MARKET if limit is None else OrderType.LIMIT,
            quantity=D(quantity),
            limit_price=None if limit is None else D(limit),
        )
        return self.now(self.engine.submit("a", Ticket(terms=terms, intent=intent)))

    def many(
        self, *legs: tuple[str, Intent, int], quantity: str = "1", limit: str | None = None, of: str = "SPY"
    ) -> Order:
        """A multi-leg order, as it is now."""
        return self.now(self.engine.submit("a", multileg(*legs, quantity=quantity, limit=limit, of=of)))

    def buy_shares(self, quantity: str) -> Order:
        terms = Terms(instrument="SPY", side=Side.BUY, quantity=D(quantity))
        return self.now(self.engine.submit("a", Ticket(terms=terms)))

    def now(self, order: Order) -> Order:
        return self.engine.order("a", order.id)

    def held(self) -> dict[str, Decimal]:
        return {view.instrument: view.quantity for view in self.engine.positions("a")}

    @property
    def cash(self) -> Decimal:
        return self.engine.account("a").cash

    def rows(self) -> list[tuple[object, ...]]:
        """What ended without an order, oldest first."""
        found = [row for row in self.engine.activities("a") if isinstance(row, NonTradeActivity)]
        return [(row.activity_type, row.instrument, row.quantity, row.net_amount) for row in reversed(found)]


def multileg(*legs: tuple[str, Intent, int], quantity: str, limit: str | None, of: str) -> Ticket:
    return Ticket(
        terms=Terms(
            instrument=of,
            side=Side.BUY,
            type=OrderType.MARKET if limit is None else OrderType.LIMIT,
            quantity=D(quantity),
            limit_price=None if limit is None else D(limit),
        ),
        order_class=OrderClass.MULTILEG,
        legs=tuple(Leg(instrument=name, intent=intent, ratio=D(ratio)) for name, intent, ratio in legs),
    )


def open_option_desk(*, cash: str = "100000", rules: Rules | None = None, **engine: Any) -> OptionDesk:
    spec = AccountSpec(name="a", key_id="k", secret="s", cash=D(cash))
    assets = [asset_of(name) for name in NAMES]
    made = Engine(assets, [spec], start=FRIDAY, calendar=USSessions(), rules=rules or Rules(), **engine)
    desk = OptionDesk(made)
    made.listeners.append(desk.tape.append)
    desk.quote("SPY", "601.00", "601.02")
    desk.quote(C600, "3.00", "3.10")
    desk.quote(C605, "1.00", "1.10")
    desk.quote(P600, "2.00", "2.10")
    desk.quote(P595, "0.80", "0.90")
    return desk
