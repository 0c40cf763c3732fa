"""Tests of `core/opening_structure.py`: several legs opened as one, or rolled back to flat."""

from dataclasses import replace

from standfast.core.answers import finish_acts
from standfast.model import journal as j
from standfast.model.ids import BrokerOrderId, RequestId
from standfast.model.order import OrderState, Role
from standfast.model.position import CloseReason
from tests.core.situations import D, of
from tests.core.spreads import ALONE, BOUGHT, SOLD, SpreadDesk, opened, spread_desk


def finished(desk: SpreadDesk) -> SpreadDesk:
    for _ in range(6):
        desk.run()
        desk.wait(10)
    desk.run()
    return desk


def answers(desk: SpreadDesk, facts: list[j.Fact]) -> list[str]:
    return [fact.detail for fact in facts if isinstance(fact, j.RequestDone)]


def test_where_the_broker_takes_it_all_legs_are_opened_by_one_order() -> None:
    desk = spread_desk()

    assert answers(desk, desk.open()) == []
    finished(desk)

    (sent,) = desk.together
    assert (sent.intent.role, sent.intent.units, str(sent.intent.net)) == (Role.OPEN, D(3), "3.60")
    assert desk.done() == []
    assert desk.net == {SOLD: -3, BOUGHT: 3}
    assert desk.book.state.requests == {}


def test_leg_by_leg_nothing_is_sold_before_what_is_bought_with_it_is_held() -> None:
    desk = spread_desk(ALONE)

    desk.open()
    finished(desk)

    assert desk.done() == [("buy", BOUGHT), ("sell", SOLD)]
    assert desk.net == {SOLD: -3, BOUGHT: 3}
    assert desk.book.state.requests == {}


def test_an_opening_half_made_is_rolled_back_to_proven_flat() -> None:
    desk = spread_desk(ALONE)
    desk.refuses = lambda effect: "other" if effect.intent.holding == SOLD else ""

    desk.open()
    finished(desk)

    assert desk.done() == [("buy", BOUGHT), ("sell", SOLD), ("sell", BOUGHT)]
    assert desk.net == {BOUGHT: 0}
    assert desk.ended.close_reason is CloseReason.ROLLBACK
    assert not any(found.finding.kind.value == "structure" for found in desk.book.state.ended_breaks.values())
    again = j.RequestTaken(request=RequestId("r9"), verb="open", arguments={"key": desk.ended.key}, by="test")
    desk.tell(again)
    (done,) = of(j.RequestDone, finish_acts(desk.situation()))
    assert not done.ok
    assert "was not opened whole, what had filled is closed again" in done.detail


def test_a_leg_that_does_not_fill_in_time_is_withdrawn_and_nothing_is_sold() -> None:
    desk = spread_desk(ALONE)
    desk.fills_leg = lambda effect: False

    desk.open()
    finished(desk)

    assert desk.done() == [("buy", BOUGHT)]
    assert desk.alive() == []
    assert desk.ended.close_reason is CloseReason.ROLLBACK


def test_why_an_order_for_all_legs_was_rejected_after_it_was_taken_is_said() -> None:
    desk = spread_desk()
    desk.fills_together = lambda effect: False
    desk.open()
    desk.run()
    (sent,) = desk.together
    shown = desk.orders[BrokerOrderId(f"b-{sent.intent.id}")]
    legs = tuple(replace(leg, state=OrderState.REJECTED) for leg in shown.legs)
    why = "You do not have enough buying power for this trade."
    desk.orders[shown.broker_id] = replace(shown, state=OrderState.REJECTED, reason=why, legs=legs)
    desk.observe(shown.broker_id)
    finished(desk)

    assert desk.ended.close_reason is CloseReason.ROLLBACK
    assert f"rejected: {why}" in desk.ended.proof


def test_a_refused_order_for_all_legs_leaves_nothing_behind() -> None:
    desk = spread_desk(refuses_together=True)

    desk.open()
    finished(desk)

    assert desk.net == {}
    assert desk.ended.close_reason is CloseReason.ROLLBACK
    assert desk.book.state.positions == {}


def test_one_that_rests_is_withdrawn_when_its_close_is_asked_for() -> None:
    desk = spread_desk()
    desk.fills_together = lambda effect: False
    desk.open()
    desk.run()

    desk.act("close", position=desk.structure.id)
    finished(desk)

    assert desk.alive() == []
    assert desk.ended.close_reason is CloseReason.OPERATOR
    assert desk.net == {}


def test_the_same_key_is_the_same_opening() -> None:
    desk = opened()

    again = desk.open()

    assert not any(isinstance(fact, j.StructureRequested) for fact in again)
    other = desk.open(quantity="4")
    assert answers(desk, other) == [f"key 'k' is another opening ({desk.structure.id}) already: use another key"]
