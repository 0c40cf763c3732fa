"""A small perpetual exchange for tests: BTCUSDT around 50,000, one account with 10,000, time standing still."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from decimal import Decimal

from standfast.exchange.accounts import AccountSpec
from standfast.exchange.orders import Side
from standfast.exchange.perpetual.contract import perpetual
from standfast.exchange.perpetual.engine import PerpetualEngine
from standfast.exchange.perpetual.events import Event
from standfast.exchange.perpetual.orders import InForce, Kind, Order, PriceBy, Ticket, Trigger
from standfast.exchange.perpetual.rules import FillPolicy, PerpetualRules

START = datetime(2026, 1, 5, 1, tzinfo=UTC)
SECOND = timedelta(seconds=1)
D = Decimal
BTC = "BTCUSDT"
BUY, SELL = Side.BUY, Side.SELL
ONE_WAY, LONG, SHORT = 0, 1, 2
NONE = Decimal(0)


@dataclass
class Desk:
    engine: PerpetualEngine
    events: list[Event] = field(default_factory=list)

    def quote(self, price: str | Decimal, *, spread: str = "0.1", size: str = "100") -> None:
        """The bid is the price, the ask lies `spread` above."""
        bid, size_shown = D(price), D(size)
        self.engine.quote(BTC, bid, bid + D(spread), size_shown, size_shown, self.engine.now)

    def buy(self, quantity: str, **more: object) -> Order:
        return self.engine.submit("a", ticket(BUY, quantity, **more))

    def sell(self, quantity: str, **more: object) -> Order:
        return self.engine.submit("a", ticket(SELL, quantity, **more))

    def now(self, order: Order) -> Order:
        found = self.engine.order("a", order.id)
        assert found is not None
        return found

    def net(self, index: int = ONE_WAY) -> Decimal:
        return self.engine.position("a", BTC, index).quantity

    @property
    def wallet(self) -> Decimal:
        return self.engine.books("a").wallet

    def wait(self, seconds: float) -> None:
        self.engine.advance(self.engine.now + timedelta(seconds=seconds))


def desk(
    *,
    cash: str = "10000",
    rules: PerpetualRules | None = None,
    fills: FillPolicy | None = None,
    seed: int = 0,
    **contract: object,
) -> Desk:
    spec = AccountSpec(name="a", key_id="key", secret="secret", cash=D(cash))
    other = AccountSpec(name="b", key_id="other", secret="secret")
    engine = PerpetualEngine(
        [perpetual(BTC, **contract)],
        [spec, other],
        start=START,
        seed=seed,
        rules=rules or PerpetualRules(),
        fills=fills,
    )
    made = Desk(engine)
    engine.listeners.append(made.events.append)
    made.quote("50000")
    return made


def ticket(side: Side, quantity: str | None, **more: object) -> Ticket:
    """`price` makes it a limit order, `falls_to` or `rises_to` a conditional one."""
    given: dict[str, object] = dict(more)
    price = given.pop("price", None)
    trigger = trigger_of(given)
    terms: Mapping[str, object] = {
        "instrument": BTC,
        "side": side,
        "quantity": None if quantity is None else D(quantity),
        "kind": Kind.MARKET if price is None else Kind.LIMIT,
        "price": None if price is None else D(str(price)),
        "trigger": trigger,
        **given,
    }
    return Ticket(**terms)  # type: ignore[arg-type]  # fields of a ticket


def trigger_of(given: dict[str, object]) -> Trigger | None:
    by = given.pop("by", PriceBy.LAST)
    assert isinstance(by, PriceBy)
    falls, rises = given.pop("falls_to", None), given.pop("rises_to", None)
    if falls is None and rises is None:
        return None
    return Trigger(price=D(str(rises or falls)), rises=rises is not None, by=by)


__all__ = [
    "BTC",
    "BUY",
    "LONG",
    "NONE",
    "ONE_WAY",
    "SECOND",
    "SELL",
    "SHORT",
    "START",
    "D",
    "Desk",
    "InForce",
    "desk",
    "ticket",
]
