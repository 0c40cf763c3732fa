"""The engine's four invariants over random histories, and the ways to look at it."""

import os
import subprocess
import sys
from collections.abc import Callable
from datetime import timedelta
from decimal import Decimal
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from standfast.exchange.accounts import AccountSpec
from standfast.exchange.assets import Asset
from standfast.exchange.engine import Engine
from standfast.exchange.events import Event
from standfast.exchange.fills import Scripted, SomePartly
from standfast.exchange.orders import Change, Order, OrderClass, Side, StopLoss, Terms, Ticket
from standfast.exchange.queries import Direction, Listing, OrderQuery
from standfast.exchange.refusal import Refused
from tests.exchange.desk import (
    BUY,
    SECOND,
    SELL,
    START,
    D,
    Desk,
    Rules,
    Status,
    TimeInForce,
    bracket,
    exits,
    open_desk,
    refusal,
    ticket,
)

RULES = (
    Rules(),
    Rules(limited_by_size=True),
    Rules(accept_after=2 * SECOND, cancel_after=3 * SECOND, replace_after=2 * SECOND, fill_after=SECOND),
    Rules(stop_leg_stays_held=True, fee_per_unit=D("0.003"), cancels_wait_for_open=True),
)


class Chaos:
    """A seeded crowd of calls, sensible and not. Refusals are part of the game."""

    def __init__(self, seed: int, rules: Rules) -> None:
        self.random = Random(seed)
        self.desk = open_desk(rules, seed=seed, fills=SomePartly(Random(seed), share=D("0.3")))
        self.price = 100_00
        self.refused = 0

    def run(self, steps: int) -> None:
        for _ in range(steps):
            try:
                self.step()
            except Refused:
                self.refused += 1
            check_invariants(self.desk)

    def step(self) -> None:
        draw = self.random.random()
        if draw < 0.35:
            self.move()
        elif draw < 0.75:
            self.desk.engine.submit("a", self.ticket())
        elif draw < 0.85:
            self.pick(self.desk.cancel)
        elif draw < 0.92:
            self.pick(self.change)
        elif draw < 0.96:
            self.desk.engine.close_position("a", "KO")
        elif draw < 0.98:
            is_open = not self.desk.engine.clock().is_open
            self.desk.engine.session(is_open=is_open, at=self.desk.engine.now + SECOND)
        else:
            self.desk.engine.close_all("a", cancel_orders=True)

    def move(self) -> None:
        self.price = max(10_00, self.price + self.random.randrange(-300, 301))
        bid = D(self.price) / 100
        self.desk.quote(str(bid), str(bid + D("0.02")), size=str(self.random.randrange(1, 20)))

    def pick(self, deed: Callable[[Order], None]) -> None:
        orders = self.desk.engine.orders("a")
        if orders:
            deed(self.random.choice(orders))

    def change(self, order: Order) -> None:
        near = D(self.price + self.random.randrange(-200, 201)) / 100
        limit = near if order.terms.limit_price is not None else None
        stop = near if limit is None and order.terms.stop_price is not None else None
        self.desk.engine.replace("a", order.id, Change(limit_price=limit, stop_price=stop))

    def ticket(self) -> Ticket:
        random = self.random
        side = random.choice([BUY, SELL])
        up, down = D(self.price + random.randrange(1, 300)) / 100, D(self.price - random.randrange(1, 300)) / 100
        stop = up if side is BUY else down
        quantity = D(random.randrange(1, 30))
        lasts = random.choice([TimeInForce.DAY, TimeInForce.GTC])
        match random.randrange(6):
            case 0:
                return _ticket(side, quantity, lasts)
            case 1:
                return _ticket(side, quantity, lasts, limit_price=random.choice([up, down]))
            case 2:
                return _ticket(side, quantity, lasts, stop_price=stop)
            case 3:
                return _ticket(side, quantity, lasts, trail_price=D("1.50"))
            case 4:
                legs = exits(str(up), str(down)) if side is BUY else exits(str(down), str(up))
                plain = _ticket(side, quantity, lasts)
                return Ticket(terms=plain.terms, order_class=OrderClass.BRACKET, **legs)
            case _:
                limit, loss = (up, down) if side is SELL else (down, up)
                plain = _ticket(side, quantity, lasts, limit_price=limit)
                return Ticket(terms=plain.terms, order_class=OrderClass.OCO, stop_loss=StopLoss(stop_price=loss))


def _ticket(side: Side, quantity: Decimal, lasts: TimeInForce, **prices: Decimal) -> Ticket:
    return ticket(side, str(quantity), time_in_force=lasts, **prices)


def check_invariants(desk: Desk) -> None:
    engine = desk.engine
    account, truth = engine.account("a"), engine.truth("a")
    spent = sum((fill.quantity * fill.price for fill in truth.fills), D(0))
    assert account.cash == 100_000 - spent - truth.fees, "money is conserved"
    net = sum((fill.quantity for fill in truth.fills), D(0))
    assert desk.net() == net, "the position is the sum of its fills"
    for position in engine.positions("a"):
        assert 0 <= position.available <= abs(position.quantity), "no more is held than there is"
        assert position.unrealised is not None
        worth = account.cash + sum((row.market_value or D(0) for row in engine.positions("a")), D(0))
        assert account.equity == worth
        gained = truth.realised + position.unrealised - truth.fees
        assert abs(account.equity - 100_000 - gained) < D("1e-9"), "equity is cash and profit"
    for order in engine.orders("a", OrderQuery(status=Listing.ALL, limit=500)):
        if order.terms.quantity is not None:
            assert 0 <= order.filled <= order.terms.quantity
        check_group(desk, order)


def check_group(desk: Desk, parent: Order) -> None:
    if parent.order_class is OrderClass.SIMPLE or parent.parent_id is not None or parent.status.value == "replaced":
        return
    legs = desk.legs(parent)
    if parent.order_class is OrderClass.BRACKET:
        live = [leg for leg in legs if leg.live_at is not None]
        assert not live or parent.status.value == "filled", "no exit lives before its entry has filled"
        pair = legs
        assert _group_filled(desk, pair) <= _group_filled(desk, (parent,)), (
            "exits never sell more than the entry bought"
        )
    else:
        pair = (parent, *legs)
    assert sum(member.status.value == "filled" for member in pair) <= 1, "of a pair one fills"
    if any(member.is_finished for member in pair):
        assert all(member.is_finished for member in pair), "a pair ends together"


def _group_filled(desk: Desk, members: tuple[Order, ...]) -> Decimal:
    """What these filled, and what the orders they replaced had filled."""
    total, queue = D(0), list(members)
    while queue:
        order = queue.pop()
        total += order.filled
        if order.replaces is not None:
            queue.append(desk.engine.order("a", order.replaces))
    return total


@settings(max_examples=150)
@given(seed=st.integers(0, 10_000), rules=st.sampled_from(RULES))
def test_money_holdings_and_groups_stay_in_order_whatever_happens(seed: int, rules: Rules) -> None:
    chaos = Chaos(seed, rules)

    chaos.run(100)

    assert [event.number for event in chaos.desk.tape] == list(range(1, len(chaos.desk.tape) + 1))


def test_the_crowd_does_trade_and_is_refused_at_times() -> None:
    """The property above is worth something only when its histories are rich."""
    crowd = [Chaos(seed, RULES[seed % len(RULES)]) for seed in range(12)]
    for chaos in crowd:
        chaos.run(80)

    kinds = {event.kind.value for chaos in crowd for event in chaos.desk.tape}
    assert {"fill", "partial_fill", "canceled", "replaced", "restated", "held", "rejected", "expired"} <= kinds
    assert min(chaos.refused for chaos in crowd) > 0


@settings(max_examples=10)
@given(seed=st.integers(0, 10_000))
def test_the_same_seed_and_calls_give_the_same_events(seed: int) -> None:
    first, second = Chaos(seed, RULES[2]), Chaos(seed, RULES[2])
    first.run(50)
    second.run(50)

    assert first.desk.tape == second.desk.tape
    assert repr(first.desk.engine.activities("a")) == repr(second.desk.engine.activities("a"))


def test_another_seed_gives_other_ids() -> None:
    ids = {open_desk(seed=seed).submit(BUY).id for seed in range(5)}

    assert len(ids) == 5


TRACE = """
import hashlib
from tests.exchange.test_engine import Chaos, RULES
chaos = Chaos(7, RULES[1])
chaos.run(120)
print(hashlib.sha256(repr(chaos.desk.tape).encode()).hexdigest())
"""


def test_the_trace_does_not_depend_on_the_hash_seed() -> None:
    def trace(hash_seed: str) -> str:
        environment = {**os.environ, "PYTHONHASHSEED": hash_seed, "PYTHONPATH": os.pathsep.join(sys.path)}
        return subprocess.run(
            [sys.executable, "-c", TRACE], env=environment, check=True, capture_output=True, text=True, timeout=60
        ).stdout

    assert trace("1") == trace("2")


# Listeners


def test_the_events_of_an_order_carry_its_state_at_the_time_and_the_position_after() -> None:
    desk = open_desk(fills=Scripted({"one": [D("0.3")]}))
    order = desk.submit(BUY, client_order_id="one")
    desk.quote("101.00")

    told = [(event.kind.value, event.order.status.value, event.position_quantity) for event in desk.tape]

    assert told == [
        ("pending_new", "pending_new", None),
        ("new", "new", None),
        ("partial_fill", "partially_filled", D(3)),
        ("fill", "filled", D(10)),
    ]
    assert desk.now(order).average_price == D("100.02") * 3 / 10 + D("101.02") * 7 / 10


def test_a_listener_may_call_back_and_everybody_still_hears_events_in_order() -> None:
    desk = open_desk()
    heard: list[int] = []

    def answer(event: Event) -> None:
        if event.kind.value == "fill" and event.order.side is BUY:
            desk.submit(SELL, stop_price="90")

    desk.engine.listeners.append(answer)
    desk.engine.listeners.append(lambda event: heard.append(event.number))
    desk.submit(BUY)

    assert heard == [1, 2, 3, 4, 5]
    assert desk.available() == 0


def test_time_does_not_go_back() -> None:
    desk = open_desk()

    with pytest.raises(ValueError, match="time does not go back"):
        desk.engine.advance(START - SECOND)


@pytest.mark.parametrize(("bid", "ask"), [("100", "99"), ("0", "1"), ("-1", "1")])
def test_a_crossed_or_worthless_quote_is_an_error(bid: str, ask: str) -> None:
    with pytest.raises(ValueError, match="no market"):
        open_desk().quote(bid, ask)


def test_a_fill_can_take_its_time() -> None:
    desk = open_desk(Rules(accept_after=SECOND, fill_after=2 * SECOND))
    order = desk.submit(BUY)
    assert desk.statuses(order) == ["pending_new"]
    desk.engine.advance(desk.engine.now + SECOND)
    assert desk.statuses(order) == ["new"]

    desk.engine.advance(desk.engine.now + 2 * SECOND)

    assert desk.statuses(order) == ["filled"]
    assert desk.now(order).filled_at == order.created_at + 3 * SECOND


# Looking


def test_accounts_are_found_by_both_halves_of_their_key() -> None:
    engine = open_desk().engine

    assert engine.account_for_key("KEY", "SECRET") == "a"
    assert engine.account_for_key("KEY", "WRONG") is None


def test_accounts_do_not_see_each_other() -> None:
    specs = [AccountSpec(name=name, key_id=name, secret="s") for name in ("a", "b")]
    engine = Engine([Asset(instrument="KO")], specs, start=START)
    engine.quote("KO", D(100), D(101), D(100), D(100), START)
    order = engine.submit("a", Ticket(terms=Terms(instrument="KO", side=BUY, quantity=D(1)), client_order_id="x"))

    assert engine.positions("b") == []
    assert refusal(engine.order, "b", order.id).http_status == 404
    assert refusal(engine.order_by_client_id, "b", "x").code == 40410000
    assert engine.order_by_client_id("a", "x").id == order.id
    again = Ticket(terms=Terms(instrument="KO", side=BUY, quantity=D(1)), client_order_id="x")
    assert engine.submit("b", again).status is Status.PENDING_NEW


def test_orders_are_listed_newest_first_by_status_side_and_instrument() -> None:
    desk = open_desk()
    filled = desk.submit(BUY)
    low, lower = desk.submit(BUY, limit_price="90"), desk.submit(BUY, limit_price="80")
    other = desk.submit(BUY, limit_price="1", instrument="OCGN")
    exit_order = desk.submit(SELL, limit_price="120")

    def ids(**query: object) -> list[str]:
        return [order.id for order in desk.engine.orders("a", OrderQuery(**query))]  # type: ignore[arg-type]  # by name

    assert ids() == [exit_order.id, other.id, lower.id, low.id]
    assert ids(status=Listing.CLOSED) == [filled.id]
    assert ids(status=Listing.ALL, direction=Direction.ASC, limit=2) == [filled.id, low.id]
    assert ids(instruments=frozenset({"OCGN"})) == [other.id]
    assert ids(side=SELL) == [exit_order.id]
    assert ids(after_order_id=low.id, before_order_id=exit_order.id) == [other.id, lower.id]


def test_submission_times_in_a_query_are_exclusive() -> None:
    desk = open_desk()
    orders = []
    for _ in range(3):
        orders.append(desk.submit(BUY, limit_price="90"))
        desk.quote("100.00")

    found = desk.engine.orders("a", OrderQuery(after=orders[0].submitted_at, until=orders[2].submitted_at))

    assert [order.id for order in found] == [orders[1].id]


def test_nested_children_are_listed_with_their_parent_or_alone_when_it_is_not_listed() -> None:
    desk = open_desk()
    waiting, *_ = bracket(desk, limit_price="95")
    assert len(desk.engine.orders("a")) == 3
    assert [order.id for order in desk.engine.orders("a", OrderQuery(nested=True))] == [waiting.id]

    desk.quote("94.00")

    assert {order.id for order in desk.engine.orders("a", OrderQuery(nested=True))} == {
        leg.id for leg in desk.legs(waiting)
    }


def test_a_query_that_makes_no_sense_is_refused() -> None:
    engine = open_desk().engine

    assert refusal(engine.orders, "a", OrderQuery(limit=501)).http_status == 422
    assert refusal(engine.orders, "a", OrderQuery(after_order_id="no")).http_status == 422
    mixed = OrderQuery(after_order_id="no", after=START)
    assert "combined" in refusal(engine.orders, "a", mixed).message
    assert refusal(engine.asset, "NONE").http_status == 404


def test_a_quote_touches_only_its_own_instruments_orders() -> None:
    """Counted, not timed: ten thousand instruments with a position and a resting stop each."""
    names = [f"I{number}" for number in range(10_000)]
    looked: list[str] = []

    class Watch:
        def allowed(self, order: Order, remaining: Decimal, *_: object) -> Decimal:
            looked.append(order.instrument)
            return remaining

    engine = Engine(
        [Asset(instrument=name) for name in names],
        [AccountSpec(name="a", key_id="k", secret="s", cash=D(10_000_000))],
        start=START,
    )
    for name in names:
        engine.quote(name, D(100), D(101), D(100), D(100), START)
        engine.submit("a", Ticket(terms=Terms(instrument=name, side=BUY, quantity=D(1))))
        engine.submit("a", _stop(name))
    engine.fills = Watch()

    engine.quote("I77", D(80), D(81), D(100), D(100), START + timedelta(seconds=1))

    assert looked == ["I77"]
    assert len(engine.positions("a")) == 9_999
    assert len(engine.orders("a", OrderQuery(limit=500))) == 500


def _stop(instrument: str) -> Ticket:
    return ticket(SELL, "1", instrument=instrument, stop_price="90")
