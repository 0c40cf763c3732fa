"""Tests of `core/reconcile_structures.py`: when a lost ratio is one, and how soon what is sold is bought back."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from standfast.core.fills import book_fill
from standfast.core.identity import WHOLE
from standfast.core.reconcile_structures import reconcile_structure
from standfast.model import journal as j
from standfast.model.breaks import BreakKind
from standfast.model.ids import BrokerOrderId, Holding
from standfast.model.order import Side
from tests.core.situations import D, fill, of, report
from tests.core.spreads import BOUGHT, SOLD, SPREADS, TOGETHER, SpreadDesk, opened

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


def test_what_is_sold_is_bought_back_seconds_after_lists_show_that_what_bounded_it_is_gone() -> None:
    desk = after(taken(opened(), BOUGHT, Side.SELL), 4)
    assert desk.done() == []

    after(desk, 2)
    assert desk.done() == [("buy", SOLD)]
    assert desk.net[SOLD] == 0


@pytest.mark.parametrize("lag", [4, 9])
def test_a_list_of_before_a_close_whose_fills_are_half_read_proves_nothing(lag: int) -> None:
    """One order of a bot has closed both legs, the bought one's fill is read first; the list is as old as it may be."""
    desk = taken(opened(), BOUGHT, Side.SELL)
    desk.net |= {BOUGHT: D(3), SOLD: D(-3)}
    assert after(desk, lag).done() == []

    desk.net |= {BOUGHT: D(0), SOLD: D(0)}
    made = fill("y2", BrokerOrderId("theirs"), Side.BUY, 3, "4.40", holding=SOLD, at=desk.now)
    desk.tell(*book_fill(desk.book, desk.rules, made))

    assert after(desk, 30).done() == []
    assert desk.book.state.structures == {}


def test_a_list_that_shows_the_close_whole_is_not_taken_for_half_of_it() -> None:
    desk = taken(opened(), BOUGHT, Side.SELL)
    desk.net[SOLD] = D(0)

    assert after(desk, 9).done() == []


def found(desk: SpreadDesk, **began: float) -> list[BreakKind]:
    """What is found now, by lists that began so many seconds ago."""
    desk.read()
    s = desk.situation()
    reads = {name: getattr(s.snapshot, name) for name in began}
    changed = {name: replace(reads[name], began=s.now - timedelta(seconds=age)) for name, age in began.items()}
    s = replace(s, snapshot=replace(s.snapshot, **changed))
    report = reconcile_structure(s, desk.structure, SPREADS)
    return [each.kind for each in report.findings if each.kind is BreakKind.STRUCTURE]


def test_both_lists_are_of_after_what_is_gone() -> None:
    desk = taken(opened(), BOUGHT, Side.SELL)
    desk.wait(5)

    assert found(desk) == [BreakKind.STRUCTURE]
    assert found(desk, positions=2.5, orders=1) == []
    assert found(desk, positions=1, orders=2.5) == []
    assert found(desk, positions=1, orders=-1) == [], "of before the clock was put back"


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


def test_others_that_share_its_contracts_are_named_where_one_of_them_may_have_been_meant() -> None:
    desk = opened()
    desk.open(key="k2")
    desk.run()
    first, second = (structure.id for structure in desk.book.state.structures.values())
    desk.net[SOLD] = D(-6)
    taken(desk, BOUGHT, Side.SELL)
    desk.net[BOUGHT] = D(3)
    desk.read()

    after(desk, 40)

    said = {seen.finding.evidence for seen in of(j.BreakSeen, desk.facts) if seen.finding.kind is BreakKind.STRUCTURE}
    assert said
    assert all(f"legs of {first} too" in text or f"legs of {second} too" in text for text in said)
