"""A seeded crowd of calls at the perpetual exchange, and what must be so after each of them: the engine's promises."""

from collections.abc import Callable
from random import Random

import pytest

from standfast.exchange.perpetual.books import ExecutionKind
from standfast.exchange.perpetual.events import Event, EventKind
from standfast.exchange.perpetual.floor import is_reducing
from standfast.exchange.perpetual.orders import (
    OF_POSITION,
    Attached,
    Change,
    InForce,
    Kind,
    Order,
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

    def __init__(self, seed: int, cash: str = "5000") -> None:
        self.chance = Random(seed)
        self.desk: Desk = desk(rules=RULES[seed % len(RULES)], seed=seed, cash=cash)
        self.is_hedged = bool(seed % 2)
        if self.is_hedged:
            self.desk.engine.set_mode("a", BTC, is_hedged=True)
        self.price = 50_000
        self.fills: list[Event] = []
        self.desk.engine.listeners.append(self.heard)

    def heard(self, event: Event) -> None:
        if event.kind is EventKind.EXECUTION:
            self.fills.append(event)

    def run(self, steps: int, check: "Check | None" = None) -> None:
        for _ in range(steps):
            try:
                self.step()
            except PerpetualRefused:
                pass
            if check is not None:
                check(self)
            self.fills.clear()

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


Check = Callable[[Crowd], None]
whatever_is_asked = pytest.mark.parametrize("seed", SEEDS)


@whatever_is_asked
def test_a_wallet_changes_by_fills_fees_funding_and_what_the_operator_moves(seed: int) -> None:
    def check(crowd: Crowd) -> None:
        books = crowd.desk.engine.books("a")
        booked = [move.execution for move in books.movements if move.execution is not None]
        assert booked == books.executions
        assert books.wallet == D(5000) + sum(row.realised - row.fee for row in books.executions)

    Crowd(seed).run(300, check)


@whatever_is_asked
def test_an_order_that_may_only_reduce_never_opens_nor_turns_a_position_round(seed: int) -> None:
    def check(crowd: Crowd) -> None:
        for event in crowd.fills:
            assert event.execution is not None
            if event.order is not None and is_reducing(event.order):
                assert event.execution.closed == event.execution.quantity

    Crowd(seed).run(300, check)


@whatever_is_asked
def test_in_hedge_mode_the_long_side_is_never_short_nor_the_short_side_long(seed: int) -> None:
    def check(crowd: Crowd) -> None:
        assert crowd.desk.net(LONG) >= 0
        assert crowd.desk.net(SHORT) <= 0

    Crowd(seed).run(300, check)


@whatever_is_asked
def test_no_stop_of_a_positions_own_outlives_it(seed: int) -> None:
    def check(crowd: Crowd) -> None:
        for order in crowd.desk.engine.working("a"):
            assert order.role not in OF_POSITION or crowd.desk.net(order.index)

    Crowd(seed).run(300, check)


@whatever_is_asked
def test_filled_is_never_more_than_asked_and_a_finished_order_never_changes(seed: int) -> None:
    finished: dict[str, Order] = {}

    def check(crowd: Crowd) -> None:
        for order in crowd.desk.engine.orders("a"):
            assert order.ticket.quantity is None or order.filled <= order.ticket.quantity
            assert finished.get(order.id, order) == order
            if order.is_finished:
                finished[order.id] = order

    Crowd(seed).run(300, check)
    assert finished


@whatever_is_asked
def test_an_account_is_liquidated_when_its_equity_is_no_more_than_it_has_to_maintain_and_not_before(seed: int) -> None:
    def check(crowd: Crowd) -> None:
        engine = crowd.desk.engine
        if engine.positions("a"):
            assert engine.equity("a") > engine.maintenance("a")
        for event in crowd.fills:
            assert event.execution is not None
            if event.execution.kind is ExecutionKind.LIQUIDATION:
                assert 0 <= engine.books("a").wallet < D(1)  # it has taken everything there was

    crowd = Crowd(seed, cash="300")
    crowd.run(300, check)


def test_a_crowd_does_everything_at_least_once() -> None:
    kinds = set[EventKind]()
    executions = set[ExecutionKind]()
    for seed in SEEDS:
        crowd = Crowd(seed, cash="300" if seed % 3 else "5000")
        crowd.run(300)
        kinds |= {event.kind for event in crowd.desk.events}
        executions |= {event.execution.kind for event in crowd.desk.events if event.execution is not None}
    assert kinds == set(EventKind)
    assert executions == {ExecutionKind.TRADE, ExecutionKind.FUNDING, ExecutionKind.LIQUIDATION}


def test_same_seed_same_calls_give_the_same_events_byte_for_byte() -> None:
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
