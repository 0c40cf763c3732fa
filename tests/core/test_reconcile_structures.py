"""Tests of `core/reconcile_structures.py`: when a lost ratio is one, and how soon."""

from dataclasses import replace
from typing import Any

import pytest

from standfast.core.fills import book_fill
from standfast.core.identity import WHOLE
from standfast.model import journal as j
from standfast.model.ids import BrokerOrderId, Holding
from standfast.model.order import Side
from tests.core.situations import D, fill, of, report
from tests.core.spreads import BOUGHT, SOLD, TOGETHER, SpreadDesk, opened

UNCHECKED = replace(TOGETHER, checks_closing=False)


def taken(desk: SpreadDesk, holding: Holding, side: Side) -> SpreadDesk:
    """An order that is not ours has traded all of a leg; its fill is booked, and no list need show it yet."""
    desk.fills_leg = lambda effect: True
    desk.net[holding] = D(0)
    made = fill("y1", BrokerOrderId("theirs"), side, 3, "0.75", holding=holding, at=desk.now)
    desk.tell(*book_fill(desk.book, desk.rules, made))
    desk.read()
    return desk


def after(desk: SpreadDesk, seconds: int) -> SpreadDesk:
    for _ in range(seconds):
        desk.run()
        desk.wait(1)
    return desk


def test_what_is_sold_is_bought_back_two_seconds_after_what_bounded_it_is_gone() -> None:
    desk = after(taken(opened(), BOUGHT, Side.SELL), 3)

    assert desk.done() == [("buy", SOLD)]
    assert desk.net[SOLD] == 0


@pytest.mark.parametrize(
    ("holding", "side", "contract"),
    [(SOLD, Side.BUY, TOGETHER), (BOUGHT, Side.SELL, UNCHECKED)],
    ids=["what is left is bought", "the broker does not check what a close closes"],
)
def test_anything_else_waits_until_the_lists_must_show_it(holding: Holding, side: Side, contract: Any) -> None:
    desk = taken(opened(contract), holding, side)

    assert after(desk, 8).done() == []
    assert len(after(desk, 8).done()) == 1


def test_a_bots_order_that_buys_it_back_is_waited_for() -> None:
    """One order for both legs, of which the bought one's fill is read first; or its second order, leg by leg."""
    desk = opened()
    legs = (report("z-1", side=Side.BUY, quantity=3, holding=SOLD, parent_id=BrokerOrderId("z")),)
    desk.orders[BrokerOrderId("z")] = report("z", quantity=3, holding=WHOLE, legs=legs, order_class="mleg")
    taken(desk, BOUGHT, Side.SELL)

    assert after(desk, 8).done() == []


def test_what_two_spreads_hold_of_a_contract_may_be_the_others() -> None:
    desk = opened()
    desk.open(key="k2")
    desk.run()
    desk.net[SOLD] = D(-6)
    desk.done().clear()
    taken(desk, BOUGHT, Side.SELL)
    desk.net[BOUGHT] = D(3)
    desk.read()

    after(desk, 8)

    assert [each for each in of(j.CloseRequested, desk.facts) if each.reason == "foreign"] == []
