"""Tests of `core/clearing.py`: the close a bot has resting gives way to the close that is due."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

from standfast.core.clearing import clearing
from standfast.core.identity import WHOLE
from standfast.core.situation import Situation
from standfast.model import journal as j
from standfast.model.effects import CancelOrder, ReadOrders, WakeAt
from standfast.model.ids import BrokerOrderId, Holding, PositionId
from standfast.model.order import OrderReport, OrderType, Side
from standfast.model.position import CloseReason, Closing
from tests.core.situations import NOW, D, adopted, exit_intended, of, report
from tests.core.spreads import BOUGHT, SOLD, TOGETHER, Role, SpreadDesk, opened
from tests.core.structures import at

LOWER = at("P", 3600)
RESERVES = replace(TOGETHER, reserves_quantity=True)


def part(number: int, side: Side, holding: Holding, quantity: int, *, closes: bool | None = True) -> OrderReport:
    return report(
        f"b-{number}", side=side, quantity=quantity, holding=holding, parent_id=BrokerOrderId("b-0"), closes=closes
    )


def resting(*legs: OrderReport, id: str = "b-0") -> OrderReport:
    """A bot's close for all legs, at a price that may come."""
    return report(
        id,
        side=Side.BUY,
        quantity=3,
        holding=WHOLE,
        type=OrderType.LIMIT,
        legs=legs,
        order_class="mleg",
        client="bot-1",
    )


CLOSE = resting(part(1, Side.BUY, SOLD, 3), part(2, Side.SELL, BOUGHT, 3))


def desk(**changes: Any) -> SpreadDesk:
    return opened(RESERVES, **changes)


def seen(at: SpreadDesk, *orders: OrderReport, remain: int = 0, age: float = 0, **changes: Any) -> list[Any]:
    at.orders = {each.broker_id: each for each in orders}
    at.read()
    s: Situation = replace(at.situation(), **changes)
    closing = Closing(
        reason=CloseReason.STOP_LOSS, by="guard", detail="", remain=D(remain), at=s.now - timedelta(seconds=age)
    )
    return list(clearing(s, at.structure, closing))


def test_a_bots_resting_close_of_all_legs_is_cancelled_and_waited_for() -> None:
    found = seen(desk(), CLOSE)

    assert [effect.broker_id for effect in of(CancelOrder, found)] == ["b-0"]
    assert of(ReadOrders, found)
    assert of(WakeAt, found)


def test_what_was_asked_to_go_is_not_asked_again_at_once_and_not_waited_for_for_ever() -> None:
    asked = {"cancel b-0": NOW + timedelta(minutes=1)}
    at = desk()
    asked = {"cancel b-0": at.now}

    assert of(CancelOrder, seen(at, CLOSE, asked=asked)) == []
    assert of(WakeAt, seen(at, CLOSE, asked=asked)) != []
    assert of(WakeAt, seen(at, CLOSE, age=5)) == [], "the close is tried all the same"


def test_where_enough_is_left_beside_it_it_stays() -> None:
    half = resting(part(1, Side.BUY, SOLD, 1), part(2, Side.SELL, BOUGHT, 1))

    assert seen(desk(), half, remain=1) == []
    assert of(CancelOrder, seen(desk(), half)) != []


def test_what_closes_or_opens_anything_else_is_left_alone() -> None:
    roll = resting(part(1, Side.BUY, SOLD, 3), part(2, Side.SELL, LOWER, 3))
    opens = resting(part(1, Side.BUY, SOLD, 3, closes=False), part(2, Side.SELL, BOUGHT, 3, closes=False))
    more = resting(part(1, Side.SELL, SOLD, 3), part(2, Side.BUY, BOUGHT, 3))

    for order in (roll, opens, more):
        assert seen(desk(), order) == []


def test_one_order_that_closes_two_spreads_of_ours_gives_way_to_the_close_of_either() -> None:
    at = desk()
    at.tell(adopted(-3, "0.30", id=PositionId("p9"), holding=LOWER))
    both = resting(part(1, Side.BUY, SOLD, 3), part(2, Side.SELL, BOUGHT, 3), part(3, Side.BUY, LOWER, 3))

    assert [effect.broker_id for effect in of(CancelOrder, seen(at, both))] == ["b-0"]
    others = desk()
    others.tell(j.ForeignAcknowledged(holding=LOWER, quantity=D(-3), by="op", before=D(0)))
    assert seen(others, both) == []


def test_where_others_hold_of_a_leg_or_nothing_is_reserved_nothing_is_cancelled() -> None:
    at = desk()
    at.tell(j.ForeignAcknowledged(holding=SOLD, quantity=D(-3), by="op", before=D(0)))

    assert seen(at, CLOSE) == []
    assert seen(opened(replace(RESERVES, reserves_quantity=False)), CLOSE) == []


def test_an_exit_that_rests_for_one_leg_gives_way_too() -> None:
    at = desk()
    leg = at.leg(SOLD)
    stop = exit_intended(Role.STOP, 3, id=leg, holding=SOLD, stop="9")
    stop = replace(stop, terms=replace(stop.terms, side=Side.BUY))
    placed = report("b-stop", client=stop.id, side=Side.BUY, quantity=3, holding=SOLD, type=OrderType.STOP)
    at.tell(
        stop,
        j.OrderAccepted(id=stop.id, broker_id=BrokerOrderId("b-stop")),
        j.OrderObserved(report=placed, position=leg, role=Role.STOP),
    )

    (cancel,) = of(CancelOrder, seen(at, placed))

    assert (cancel.broker_id, cancel.holding) == ("b-stop", SOLD)
