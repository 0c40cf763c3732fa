"""Tests of `core/covering.py`: shares that a sold call rests on are not sold before it, by whatever closes them."""

from typing import Any

import pytest

from standfast.core.covering import covers, delivers, naked
from standfast.core.fills import book_fill
from standfast.core.handover import handing_over
from standfast.core.policy import Foreign
from standfast.model import journal as j
from standfast.model.breaks import BreakKind
from standfast.model.effects import SubmitOrder
from standfast.model.ids import BrokerOrderId, Holding, InstrumentId
from standfast.model.order import OrderState, Side
from tests.core.situations import SPY, D, P, adopted, fill, folded, of, ruled, situation
from tests.core.spreads import ALONE, SpreadDesk
from tests.core.structures import FRIDAY, at
from tests.core.test_beside_shares import CALL, OPTIONS, PUT, STOCK, R, covered, desk, naked_calls, price


def apart(**changes: Any) -> SpreadDesk:
    """The broker lists an option that is not booked: nothing is grouped while that is so."""
    found = desk(**changes)
    found.net[PUT] = D(1)
    found.rules = ruled(policies=(STOCK, OPTIONS), foreign=Foreign.ALERT)
    return found


def test_shares_that_stand_alone_are_not_sold_before_the_calls_on_them_are_bought_back() -> None:
    at = apart(contract=ALONE)
    at.run()
    assert at.book.state.structures == {}
    assert at.alive() == []  # no stop rests for them that would fill without asking

    price(at, spy=("94.00", "94.02"), call=("1.40", "1.50"))
    worst = D(0)
    for _ in range(30):
        at.wait(1)
        at.look()
        worst = max(worst, naked_calls(at))

    assert worst == 0
    assert at.done() == [("buy", CALL), ("sell", SPY)]
    assert (at.net[SPY], at.net[CALL]) == (D(0), D(0))


@pytest.mark.parametrize("shares", ["BRK/B", "BRK.B"])
def test_a_class_of_shares_makes_good_the_calls_that_are_named_without_its_mark(shares: str) -> None:
    stock, call = Holding(InstrumentId(shares)), at("C", 110, FRIDAY, "BRKB")
    s = situation(folded(adopted(200, "100", id=P, holding=stock), adopted(-1, "2.00", id=R, holding=call)))

    assert covers(s, s.book.state.positions[P])
    assert naked(s, s.book.state.positions[R]) == 0
    assert (delivers(s, call, D(1)), delivers(s, call, D(2))) == (True, False)
    other = situation(folded(adopted(200, "100", id=P, holding=SPY), adopted(-1, "2.00", id=R, holding=call)))
    assert not covers(other, other.book.state.positions[P])
    assert naked(other, other.book.state.positions[R]) == 1


def test_of_more_shares_than_calls_need_only_as_many_calls_go_as_would_be_bare() -> None:
    at = apart(shares=300, contract=ALONE)
    at.run()
    at.act("close", position=P, quantity="200", reason="some")
    for _ in range(30):
        at.wait(1)
        at.look()

    assert (at.net[SPY], at.net[CALL]) == (D(100), D(-1))


def test_the_newer_lot_that_no_call_needs_keeps_its_stop_at_the_broker() -> None:
    at = apart()
    at.tell(adopted(100, "100", id=R, holding=SPY))
    at.net[SPY] += 100
    at.read()
    at.run()

    assert [(order.holding, order.quantity) for order in at.alive()] == [(SPY, D(100))]


def test_a_call_sold_while_the_covered_position_is_closed_is_bought_back_before_its_shares_go_too() -> None:
    """The guard has bought back the calls of it, and a bot sells another against the shares that are still there."""
    at = covered(contract=ALONE, rules=ruled(policies=(STOCK, OPTIONS), foreign=Foreign.ADOPT))
    at.fills_leg = lambda effect: effect.intent.holding == CALL
    at.act("close", position=at.structure.id, reason="enough")
    for _ in range(5):
        at.wait(1)
        at.look()
    assert at.net == {SPY: D(200), CALL: D(0)}

    sold = fill("y1", BrokerOrderId("theirs"), Side.SELL, 1, "2.00", holding=CALL, at=at.now)
    at.tell(*book_fill(at.book, at.rules, sold))
    at.net[CALL] = D(-1)
    at.end(at.alive()[0].broker_id, OrderState.CANCELLED)
    at.fills_leg = lambda effect: True
    worst = D(0)
    for _ in range(60):
        at.wait(1)
        at.look()
        worst = max(worst, naked_calls(at))

    assert worst == 0
    assert at.net == {SPY: D(0), CALL: D(0)}


def test_nothing_is_asked_of_calls_where_shares_that_are_others_suffice() -> None:
    at = apart(contract=ALONE)
    at.tell(j.ForeignAcknowledged(holding=SPY, quantity=D(200), by="op"))
    at.net[SPY] += 200
    at.read()
    at.run()
    at.act("close", position=P, reason="mine")
    for _ in range(20):
        at.wait(1)
        at.look()

    assert (at.net[SPY], at.net[CALL]) == (D(200), D(-2))


def test_a_guard_that_stops_rests_no_stop_that_would_leave_a_call_naked() -> None:
    at = apart(contract=ALONE)
    at.read()

    outcomes = list(handing_over(at.situation()))

    assert [effect.intent.holding for effect in of(SubmitOrder, outcomes)] == [CALL]
    (alarm,) = of(j.AlertRaised, outcomes)
    assert "+200 SPY (nothing rests for it)" in alarm.text


def test_lots_too_small_for_a_contract_are_not_joined_and_leave_no_call_naked_all_the_same() -> None:
    """Bought in two orders, 60 and 40: no lot delivers the call alone, so they form no covered position with it."""
    at = desk(60, -1, adopted(40, "100", id=R, holding=SPY), contract=ALONE)
    at.run()
    assert at.book.state.structures == {}
    assert at.alive() == []  # of neither lot a stop rests that would fill without asking
    (said,) = {seen.finding for seen in of(j.BreakSeen, at.facts) if seen.finding.kind is BreakKind.STRUCTURE}
    assert (said.holding, said.reported) == (CALL, "-1"), "and it is told that they are judged apart"
    assert "+60 SPY" in said.booked
    assert "+40 SPY" in said.booked

    price(at, spy=("94.00", "94.02"), call=("1.40", "1.50"))
    worst = D(0)
    for _ in range(40):
        at.wait(1)
        at.look()
        worst = max(worst, naked_calls(at))

    assert worst == 0
    assert at.done()[0] == ("buy", CALL)
    assert (at.net[SPY], at.net[CALL]) == (D(0), D(0))
