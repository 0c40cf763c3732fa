"""Tests of `core/unwinding.py`: the way out of a structure, over the whole decision."""

from dataclasses import replace
from datetime import time, timedelta
from decimal import Decimal
from typing import Any

import pytest

from standfast.core.policy import FlatBy
from standfast.model import journal as j
from standfast.model.breaks import BreakKind, Finding
from standfast.model.contract import Contract
from standfast.model.effects import CancelOrder, SubmitTogether
from standfast.model.ids import BreakId, Holding
from standfast.model.position import CloseReason
from tests.core.situations import NEW_YORK, NOW, D, quoted, ruled
from tests.core.spreads import (
    ALONE,
    BOUGHT,
    SOLD,
    SPREADS,
    TOGETHER,
    Role,
    SpreadDesk,
    opened,
    prices,
    spread_desk,
)
from tests.core.structures import at


def test_leg_by_leg_what_is_sold_is_bought_back_before_anything_bought_is_sold() -> None:
    desk = opened(ALONE)
    desk.fills_leg = lambda effect: True

    desk.act("close", position=desk.structure.id)
    desk.run()
    desk.wait(30)
    desk.run()

    assert desk.done() == [("buy", SOLD), ("sell", BOUGHT)]
    assert desk.net == {SOLD: 0, BOUGHT: 0}
    assert desk.ended.close_reason is CloseReason.OPERATOR


def test_what_is_bought_is_kept_for_as_long_as_what_is_sold_cannot_be_bought_back() -> None:
    desk = opened(ALONE)
    desk.refuses = lambda effect: "other" if effect.intent.holding == SOLD else ""

    desk.act("close", position=desk.structure.id)
    for _ in range(5):
        desk.run()
        desk.wait(60)

    assert set(desk.done()) == {("buy", SOLD)}
    assert desk.net[BOUGHT] == 3


def test_as_one_order_it_walks_from_the_mid_to_the_worst_side_and_then_to_the_market() -> None:
    desk = opened()
    desk.fills_together = lambda effect: effect.intent.net is None

    desk.act("close", position=desk.structure.id)
    for _ in range(8):
        desk.run()
        desk.wait(5)
    desk.run()

    assert [effect.intent.net for effect in desk.together] == [D("-3.70"), D("-3.74"), D("-3.77"), D("-3.80"), None]
    assert len([effect for effect in desk.sent if isinstance(effect, CancelOrder)]) == 4
    assert desk.net == {SOLD: 0, BOUGHT: 0}
    assert desk.ended.close_reason is CloseReason.OPERATOR


def test_a_clock_put_back_by_a_day_takes_no_step_of_the_ladder_back() -> None:
    """Found by simulation: what was sent since counted as sent before the close, and each limit was the first again."""
    desk = opened()
    desk.fills_together = lambda effect: effect.intent.net is None
    desk.act("close", position=desk.structure.id)
    desk.run()

    desk.wait(5 - 24 * 3600)
    desk.act("thaw")  # an entry: from it on the book knows
    for _ in range(8):
        desk.run()
        desk.wait(5)

    assert desk.together[-1].intent.net is None
    assert desk.net == {SOLD: 0, BOUGHT: 0}


def crowd(many: int, **changes: Any) -> SpreadDesk:
    """So many of it at a broker that takes sixty orders a minute, none of which fills but at the market."""
    desk = spread_desk(replace(TOGETHER, orders_per_minute=60), **changes)
    for number in range(many):
        desk.open(key=f"k{number}")
        desk.run()
    desk.wait(30)
    desk.run()
    desk.sent.clear()
    desk.together.clear()
    desk.fills_together = lambda effect: effect.intent.net is None
    return desk


def test_the_stops_of_many_wait_for_no_budget_of_orders() -> None:
    desk = crowd(12)

    desk.sights = prices(("6.90", "7.00"))
    for _ in range(9):
        desk.run()
        desk.wait(5)

    assert not desk.book.state.structures
    assert len(desk.sent) <= 60
    assert {effect.intent.net for effect in desk.together} == {D("-6.30"), None}  # the worst side, the market


def test_many_that_are_flat_by_a_time_keep_their_ladder_and_take_minutes_for_it() -> None:
    desk = crowd(12, rules=ruled(replace(SPREADS, flat_by=FlatBy(at=time(10, 1), zone=NEW_YORK))))
    desk.now = NOW + timedelta(minutes=1)

    for _ in range(40):
        desk.run()
        desk.wait(5)

    assert not desk.book.state.structures
    one = desk.together[0].intent.structure
    nets = [effect.intent.net for effect in desk.together if effect.intent.structure == one]
    assert nets == [D("-3.70"), D("-3.74"), D("-3.77"), D("-3.80"), None]
    assert desk.now - NOW < timedelta(minutes=5)


def test_what_is_flat_by_a_time_waits_for_a_price_aloud_and_not_for_ever() -> None:
    desk = opened(rules=ruled(replace(SPREADS, flat_by=FlatBy(at=time(10, 1), zone=NEW_YORK))))
    desk.sights = prices(sold=("4.50", "4.40"))
    desk.now = NOW + timedelta(minutes=1)
    desk.run()

    (told,) = [fact.text for fact in desk.facts if isinstance(fact, j.AlertRaised) and "to be closed" in fact.text]
    assert f"{SOLD}: crossed" in told
    assert not [effect for effect in desk.sent if isinstance(effect, SubmitTogether)]

    for _ in range(38):
        desk.wait(5)
        desk.run()

    assert [each.intent.net for each in desk.sent if isinstance(each, SubmitTogether)] == [None]
    assert desk.ended.close_reason is CloseReason.FLAT_BY


def test_a_broker_that_refuses_the_one_order_gets_the_legs() -> None:
    desk = opened(refuses_together=False)
    desk.refuses_together = True

    desk.act("close", position=desk.structure.id)
    for _ in range(4):
        desk.run()
        desk.wait(30)
    desk.run()

    assert len(desk.together) == 2
    assert desk.done() == [("buy", SOLD), ("sell", BOUGHT)]
    assert desk.net == {SOLD: 0, BOUGHT: 0}


def test_part_of_it_is_closed_in_whole_units() -> None:
    desk = opened()

    desk.act("close", position=desk.structure.id, quantity="2")
    desk.run()
    desk.wait(30)
    desk.run()

    assert desk.net == {SOLD: -1, BOUGHT: 1}
    assert desk.structure.closing is None


def test_its_stop_fires_on_what_closing_costs_at_the_worst_side_and_the_profit_is_that_of_its_fills() -> None:
    desk = opened()

    desk.sights = prices(("5.90", "6.00"), ("0.50", "0.60"))  # 5.50 to close: more than half of 3.60 above it
    desk.run()
    desk.wait(30)
    desk.run()

    assert desk.ended.close_reason is CloseReason.STOP_LOSS
    legs = [desk.book.state.closed[leg.position] for leg in desk.ended.legs]
    assert sum(leg.pnl for leg in legs) == Decimal("-570")  # (3.60 - 5.50) x 3 x 100
    assert {leg.close_reason for leg in legs} == {CloseReason.STOP_LOSS}


def test_a_price_that_is_worse_for_one_leg_alone_closes_nothing() -> None:
    desk = opened()

    desk.sights = prices(("5.90", "6.00"), ("2.10", "2.20"))
    desk.run()

    assert desk.sent == []


def test_a_leg_that_somebody_sells_leaves_a_broken_structure_that_is_told_and_put_right() -> None:
    desk = opened(ALONE)
    desk.tell(
        j.PositionWrittenOff(position=desk.leg(BOUGHT), reason=CloseReason.FOREIGN, by="test", detail="sold elsewhere")
    )
    desk.net[BOUGHT] = D(0)

    for _ in range(6):
        desk.run()
        desk.wait(15)
    desk.run()

    (found,) = (each for each in desk.book.state.ended_breaks.values() if each.finding.kind.value == "structure")
    assert "uncovered" in found.finding.evidence
    assert desk.net == {SOLD: 0, BOUGHT: 0}
    assert desk.done() == [("buy", SOLD)]


def test_flatten_closes_it_as_a_whole() -> None:
    desk = opened(ALONE)

    desk.act("flatten")
    for _ in range(4):
        desk.run()
        desk.wait(30)

    assert desk.done() == [("buy", SOLD), ("sell", BOUGHT)]
    assert desk.net == {SOLD: 0, BOUGHT: 0}


@pytest.mark.parametrize("contract", [ALONE, TOGETHER], ids=["leg by leg", "as one"])
def test_of_a_contract_that_two_structures_hold_both_ways_each_closes_its_own(contract: Contract) -> None:
    lower = at("P", 3600)
    takes_both_ways = replace(contract, checks_closing=False)
    desk = opened(takes_both_ways, sights={**prices(), lower: quoted("0.20", "0.25")})
    first = desk.structure
    desk.open(legs=f"{BOUGHT}:-1 {lower}:+1", credit="0.40", key="another")
    desk.run()
    desk.wait(30)
    desk.run()
    assert desk.net == {SOLD: -3, BOUGHT: 0, lower: 3}

    desk.act("close", position=first.id)
    for _ in range(4):
        desk.run()
        desk.wait(30)

    assert desk.net == {SOLD: 0, BOUGHT: -3, lower: 3}
    assert desk.ended.id == first.id
    assert sum(desk.book.state.closed[leg.position].pnl for leg in desk.ended.legs) == Decimal(-60)  # 3.60 - 3.80
    assert desk.book.state.breaks == {}


# --- one close after another ----------------------------------------------------------------------


def working(desk: SpreadDesk) -> list[Decimal]:
    """Units that orders for all legs may still close."""
    return [each.remaining for each in desk.orders.values() if each.order_class == "mleg" and not each.is_finished]


def test_a_whole_close_asked_for_while_one_for_a_part_works_is_not_sent_beside_it() -> None:
    desk = opened(fills_together=lambda effect: effect.intent.role is Role.OPEN)
    desk.act("close", position=desk.structure.id, quantity="1")
    desk.run()
    desk.wait(2)

    desk.act("close", position=desk.structure.id)
    seen = []
    for _ in range(8):
        desk.run()
        seen.append(working(desk))
        desk.wait(1)

    assert seen[0] == [1], "one after another"
    assert seen[-1] == [3]
    assert all(len(each) <= 1 for each in seen)


def test_while_a_part_is_being_closed_the_rules_hold_for_all_of_it() -> None:
    """The broker refuses the operator's close of one unit, again and again; the spread runs into its stop."""
    desk = opened(refuses=lambda effect: "other")
    desk.refuses_together = True
    desk.act("close", position=desk.structure.id, quantity="1")
    for _ in range(5):
        desk.run()
        desk.wait(1)

    desk.sights = prices(("6.50", "6.60"), ("0.90", "1.00"))
    for _ in range(5):
        desk.run()
        desk.wait(1)

    closing = desk.structure.closing
    assert closing is not None
    assert (closing.reason, closing.remain) == (CloseReason.STOP_LOSS, Decimal(0))


def test_a_stop_fires_though_some_of_what_was_bought_is_gone_and_all_that_was_sold_is_bought_back() -> None:
    """Three sold, three bought; the broker lists two of these, and nothing says where the third went."""
    desk = opened()
    desk.fills_leg = lambda effect: True
    told_gone(desk, BOUGHT, 2)

    desk.sights |= prices(sold=("8.40", "8.50"))
    for _ in range(60):
        desk.wait(1)
        desk.look()

    assert desk.net == {SOLD: D(0), BOUGHT: D(0)}
    assert all(each.held == 0 or each.holding == BOUGHT for each in desk.book.state.positions.values())


def told_gone(desk: SpreadDesk, holding: Holding, left: int) -> None:
    desk.net[holding] = D(left)
    finding = Finding(kind=BreakKind.QUANTITY, holding=holding, booked="3", reported=str(left))
    desk.tell(j.BreakSeen(id=BreakId("b1"), finding=finding), j.BreakConfirmed(id=BreakId("b1")))
    desk.wait(20)
