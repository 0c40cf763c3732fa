"""The engine's four invariants over random histories, and the ways to look at it."""

import os
import subprocess
import sys
from datetime import timedelta
from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from standfast.exchange.accounts import AccountSpec
from standfast.exchange.assets import Asset
from standfast.exchange.engine import Engine
from standfast.exchange.events import Event
from standfast.exchange.fills import Scripted
from standfast.exchange.orders import Order, Terms, Ticket
from standfast.exchange.queries import Direction, Listing, OrderQuery
from tests.exchange.crowd import RULES, Chaos
from tests.exchange.desk import (
    BUY,
    SECOND,
    SELL,
    START,
    D,
    Rules,
    Status,
    bracket,
    open_desk,
    refusal,
    ticket,
)


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
from tests.exchange.crowd import Chaos, RULES
chaos = Chaos(7, RULES[1])
chaos.run(120)
print(hashlib.sha256(repr(chaos.desk.tape).encode()).hexdigest())
"""


def test_the_trace_does_not_depend_on_the_hash_seed() -> None:
    def trace(hash_seed: str) -> str:
        environment = {**os.environ, "PYTHONHASHSEED": hash_seed, "PYTHONPATH": os.pathsep.join(sys.path)}
        return subprocess.run(
            [sys.executable, "-c", TRACE], env=environment, check=True, capture_output=True, text=True, timeout=240
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
