"""A seeded crowd of calls at the perpetual exchange, and what must be so after each of them: the engine's promises."""

from random import Random

import pytest

from standfast.exchange.perpetual.events import Event, EventKind
from standfast.exchange.perpetual.floor import is_reducing
from standfast.exchange.perpetual.orders import (
    OF_POSITION,
    Attached,
    Change,
    InForce,
    Kind,
    PriceBy,
    Role,
    Ticket,
    Trigger,
)
from standfast.exchange.perpetual.refusal import No, PerpetualRefused
from standfast.exchange.perpetual.rules import PerpetualRules
from standfast.exchange.perpetual.stops import Wish
from tests.exchange.perpetual.desk import BTC, BUY, LONG, SECOND, SELL, SHORT, D, Desk, desk

RULES = (PerpetualRules(), PerpetualRules(limited_by_size=True), PerpetualRules(fill_after=SECOND))
SEEDS = range(12)


class Crowd:
    """Calls, sensible and not. Refusals are part of the game."""

    def __init__(self, seed: int) -> None:
        self.chance = Random(seed)
        self.desk: Desk = desk(rules=RULES[seed % len(RULES)], seed=seed, cash="5000")
        self.is_hedged = bool(seed % 2)
        if self.is_hedged:
            self.desk.engine.set_mode("a", BTC, is_hedged=True)
        self.price = 50_000
        self.fills: list[Event] = []
        self.desk.engine.listeners.append(self.heard)

    def heard(self, event: Event) -> None:
        if event.kind is EventKind.EXECUTION:
            self.fills.append(event)

    def run(self, steps: int) -> None:
        for _ in range(steps):
            try:
                self.step()
            except PerpetualRefused:
                pass
            self.check()

    def step(self) -> None:
        engine, draw = self.desk.engine, self.chance.random()
        if draw < 0.4:
            self.price = max(20_000, self.price + self.chance.randrange(-900, 901))
            self.desk.wait(self.chance.randrange(0, 3))
            self.desk.quote(str(self.price), size=str(self.chance.choice(["0.02", "3"])))
        elif draw < 0.75:
            engine.submit("a", self.ticket())
        elif draw < 0.85:
            self.change()
        elif draw < 0.95:
            wish = Wish(stop_loss=self.attached(-1), take_profit=self.attached(1))
            engine.set_stops("a", BTC, self.index(), wish)
        elif draw < 0.97:
            engine.fund(BTC, D(self.chance.randrange(-5, 6)) / 10_000)
        else:
            engine.set_leverage("a", BTC, D(self.chance.choice([5, 20, 50])))

    def ticket(self) -> Ticket:
        chance = self.chance
        side = chance.choice([BUY, SELL])
        price = D(self.price + chance.randrange(-500, 501)) if chance.random() < 0.5 else None
        level = D(self.price + chance.randrange(-800, 801))
        return Ticket(
            instrument=BTC,
            side=side,
            quantity=D(chance.randrange(1, 200)) / 1000,
            price=price,
            kind=Kind.LIMIT if price else Kind.MARKET,
            in_force=chance.choice(list(InForce)) if price else InForce.GTC,
            index=self.index(),
            reduce_only=chance.random() < 0.4,
            trigger=Trigger(price=level, rises=level > self.price) if chance.random() < 0.3 else None,
            stop_loss=self.attached(-side.sign) if chance.random() < 0.2 else None,
        )

    def index(self) -> int:
        return self.chance.choice([LONG, SHORT]) if self.is_hedged else 0

    def attached(self, direction: int) -> Attached:
        quantity = D("0.01") if self.chance.random() < 0.3 else None
        return Attached(price=D(self.price + direction * self.chance.randrange(100, 900)), quantity=quantity)

    def change(self) -> None:
        orders = self.desk.engine.working("a")
        if not orders:
            return
        order = self.chance.choice(orders)
        if self.chance.random() < 0.5:
            self.desk.engine.cancel("a", order.id)
        else:
            self.desk.engine.amend("a", order.id, Change(price=D(self.price + self.chance.randrange(-400, 401))))

    def check(self) -> None:
        engine = self.desk.engine
        books = engine.books("a")
        assert books.wallet == D(5000) + sum(move.amount for move in books.movements)
        assert engine.position("a", BTC, LONG).quantity >= 0
        assert engine.position("a", BTC, SHORT).quantity <= 0
        for order in engine.working("a"):
            assert order.ticket.quantity is None or order.filled <= order.ticket.quantity
            assert order.role not in OF_POSITION or engine.position("a", BTC, order.index).quantity
        for event in self.fills:
            self.check_fill(event)
        self.fills.clear()

    def check_fill(self, event: Event) -> None:
        assert event.execution is not None
        order = self.desk.engine.order("a", event.execution.order_id)
        if order is not None and is_reducing(order):
            assert event.execution.closed == event.execution.quantity


@pytest.mark.parametrize("seed", SEEDS)
def test_whatever_is_asked_the_promises_hold(seed: int) -> None:
    crowd = Crowd(seed)
    crowd.run(400)
    kinds = {event.kind for event in crowd.desk.events}
    assert kinds >= {EventKind.EXECUTION, EventKind.TRIGGERED, EventKind.CANCELLED}


def test_the_same_seed_gives_the_same_events() -> None:
    first, second = Crowd(3), Crowd(3)
    first.run(200)
    second.run(200)
    assert repr(first.desk.events) == repr(second.desk.events)


def test_modes_are_changed_only_where_nothing_is_held_or_working() -> None:
    d = desk()
    order = d.buy("0.1", price="45000")
    for why in (No.HAS_ORDERS, No.HAS_POSITION):
        with pytest.raises(PerpetualRefused) as caught:
            d.engine.set_mode("a", BTC, is_hedged=True)
        assert caught.value.why is why
        if why is No.HAS_ORDERS:
            d.engine.cancel("a", order.id)
            d.buy("0.1")
    d.sell("0.1")
    d.engine.set_mode("a", BTC, is_hedged=True)
    with pytest.raises(PerpetualRefused) as caught:
        d.engine.set_mode("a", BTC, is_hedged=True)
    assert caught.value.why is No.MODE_UNCHANGED


def test_leverage_that_is_set_already_is_refused_as_unchanged() -> None:
    d = desk()
    d.engine.set_leverage("a", BTC, D(20))
    with pytest.raises(PerpetualRefused) as caught:
        d.engine.set_leverage("a", BTC, D(20))
    assert caught.value.why is No.LEVERAGE_UNCHANGED


def test_less_leverage_than_there_is_money_for_is_refused() -> None:
    d = desk()
    d.buy("1.5")
    with pytest.raises(PerpetualRefused) as caught:
        d.engine.set_leverage("a", BTC, D(2))
    assert caught.value.why is No.NO_MONEY
    assert d.engine.position("a", BTC).leverage == D(10)


def test_orders_are_found_by_id_by_the_clients_own_and_by_number() -> None:
    d = desk()
    order = d.buy("0.1", link_id="mine")
    assert d.engine.order("a", order.id) == d.engine.order_by_link("a", "mine") == d.engine.order_by_number("a", 1)
    assert d.engine.order("b", order.id) is None


def test_a_listener_that_calls_back_hears_events_in_their_order() -> None:
    d = desk()
    heard: list[int] = []

    def answer(event: Event) -> None:
        heard.append(event.number)
        if event.kind is EventKind.FILLED and d.net() == D("0.1"):
            d.sell("0.1", reduce_only=True)

    d.engine.listeners.insert(0, answer)
    d.buy("0.1")
    assert heard == sorted(heard)
    assert d.net() == 0


def test_the_operator_can_force_a_fill_and_a_halt() -> None:
    d = desk()
    order = d.buy("0.1", price="40000")
    d.engine.fill_now(order.id, D("0.03"), D(41_000))
    assert d.net() == D("0.03")
    d.engine.halt(BTC)
    d.quote("39000")
    assert d.net() == D("0.03")
    d.engine.resume(BTC)
    assert d.net() == D("0.1")


def test_a_price_that_is_held_does_not_move_with_quotes() -> None:
    d = desk()
    d.engine.pin(BTC, PriceBy.INDEX, D(1))
    d.quote("60000")
    assert d.engine.prices(BTC).get(PriceBy.INDEX) == D(1)


def test_roles_say_who_made_an_order() -> None:
    d = desk()
    d.buy("0.1")
    d.sell("0.1", falls_to="49000", reduce_only=True)
    assert [order.role for order in d.engine.orders("a")] == [Role.PLAIN, Role.STOP]
