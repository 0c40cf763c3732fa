"""Bracket, OCO and OTO: who lives when, and who ends with whom."""

import pytest

from standfast.exchange.fills import Scripted
from standfast.exchange.refusal import Refused
from tests.exchange.desk import (
    BUY,
    SECOND,
    SELL,
    D,
    Desk,
    OrderClass,
    OrderType,
    Rules,
    StopLoss,
    TakeProfit,
    TimeInForce,
    bracket,
    oco,
    open_desk,
)


def test_the_children_of_a_bracket_are_held_until_the_parent_is_wholly_filled() -> None:
    desk = open_desk(fills=Scripted({"entry": [D("0.3"), D("0.7")]}))

    parent, profit, stop = bracket(desk, client_order_id="entry")
    assert desk.statuses(parent, profit, stop) == ["partially_filled", "held", "held"]
    assert desk.net() == 3
    desk.quote("100.00")

    assert desk.statuses(parent, profit, stop) == ["filled", "new", "new"]
    assert desk.story(stop) == ["held", "new"]
    assert (profit.parent_id, stop.parent_id) == (parent.id, parent.id)


def test_held_children_hold_nothing_and_a_live_pair_holds_its_quantity_once() -> None:
    desk = open_desk(fills=Scripted({"entry": [D("0.3"), D("0.7")]}))
    bracket(desk, client_order_id="entry")
    assert desk.available() == 3

    desk.quote("100.00")

    assert desk.available() == 0


def test_a_pair_over_part_of_a_position_leaves_the_rest_free() -> None:
    desk = open_desk()
    desk.submit(BUY)

    oco(desk, quantity="4")

    assert desk.available() == 6
    assert desk.submit(SELL, "6").filled == 6


@pytest.mark.parametrize(("bid", "winner"), [("110.00", 0), ("90.00", 1)])
def test_when_one_exit_fills_the_other_is_cancelled(bid: str, winner: int) -> None:
    desk = open_desk()
    _, *pair = bracket(desk)

    desk.quote(bid)

    assert desk.statuses(pair[winner], pair[1 - winner]) == ["filled", "canceled"]
    assert desk.net() == 0


def test_a_shorts_bracket_works_the_other_way_round() -> None:
    desk = open_desk()
    _, profit, stop = bracket(desk, SELL)

    desk.quote("89.98", "90.00")

    assert desk.statuses(profit, stop) == ["filled", "canceled"]
    assert desk.engine.truth("a").realised == 100


def test_a_partly_filled_target_shrinks_the_stop() -> None:
    desk = open_desk(Rules(limited_by_size=True))
    _, profit, stop = bracket(desk)

    desk.quote("110.00", size="4")

    assert desk.statuses(profit, stop) == ["partially_filled", "new"]
    assert desk.now(stop).terms.quantity == 6
    assert desk.story(stop)[-1] == "restated"
    desk.quote("90.00")
    assert desk.statuses(profit, stop) == ["canceled", "filled"]
    assert desk.net() == 0


@pytest.mark.parametrize("member", [0, 1, 2])
def test_cancelling_any_member_of_a_waiting_bracket_cancels_all_of_it(member: int) -> None:
    desk = open_desk()
    group = bracket(desk, limit_price="95.00")

    desk.cancel(group[member])

    assert desk.statuses(*group) == ["canceled"] * 3


def test_cancelling_one_live_exit_cancels_the_other_and_leaves_the_position_bare() -> None:
    desk = open_desk()
    parent, profit, stop = bracket(desk)

    desk.cancel(stop)

    assert desk.statuses(parent, profit, stop) == ["filled", "canceled", "canceled"]
    assert desk.available() == 10


def test_cancelling_a_partly_filled_bracket_leaves_what_was_bought_without_exits() -> None:
    desk = open_desk(fills=Scripted({"entry": [D("0.3")]}))
    parent, profit, stop = bracket(desk, client_order_id="entry")

    desk.cancel(parent)

    assert desk.statuses(parent, profit, stop) == ["canceled"] * 3
    assert desk.now(parent).filled == 3
    assert desk.net() == 3


def test_an_oco_parent_is_the_target_and_its_child_the_stop() -> None:
    desk = open_desk()
    desk.submit(BUY)

    parent, stop = oco(desk)

    assert desk.statuses(parent, stop) == ["new", "new"]
    assert (parent.terms.limit_price, stop.terms.stop_price) == (D("110"), D("90"))
    assert desk.available() == 0
    desk.quote("89.00")
    assert desk.statuses(parent, stop) == ["canceled", "filled"]


def test_an_oco_takes_its_limit_from_take_profit_as_well() -> None:
    desk = open_desk()
    desk.submit(BUY)

    parent = desk.submit(
        SELL,
        type=OrderType.LIMIT,
        order_class=OrderClass.OCO,
        take_profit=TakeProfit(limit_price=D("110")),
        stop_loss=StopLoss(stop_price=D("90")),
    )

    assert parent.terms.limit_price == D("110")
    assert len(desk.legs(parent)) == 1


def test_the_live_stop_of_a_pair_can_be_shown_as_held_and_works_all_the_same() -> None:
    desk = open_desk(Rules(stop_leg_stays_held=True))
    desk.submit(BUY)
    parent, stop = oco(desk)
    assert desk.statuses(parent, stop) == ["new", "held"]

    desk.quote("90.00")

    assert desk.statuses(parent, stop) == ["canceled", "filled"]


def test_an_oto_child_waits_for_the_whole_entry_and_ends_with_nobody() -> None:
    desk = open_desk()
    loss = StopLoss(stop_price=D("90"))
    parent = desk.submit(BUY, limit_price="99.00", order_class=OrderClass.OTO, stop_loss=loss)
    (stop,) = desk.legs(parent)
    assert desk.statuses(parent, stop) == ["new", "held"]

    desk.quote("98.50")
    assert desk.statuses(parent, stop) == ["filled", "new"]
    desk.quote("90.00")

    assert desk.statuses(stop) == ["filled"]


def test_a_rejected_entry_takes_its_children_with_it() -> None:
    desk = open_desk()
    group = bracket(desk, limit_price="95.00")

    desk.engine.reject_working(group[0].id)

    assert desk.statuses(*group) == ["rejected", "canceled", "canceled"]


@pytest.mark.parametrize(
    ("profit", "stop", "fragment"),
    [
        ("100.02", "90", "take_profit.limit_price must be >= base_price + 0.01"),
        ("110", "100.02", "stop_loss.stop_price must be <= base_price - 0.01"),
        ("90", "95", "take_profit.limit_price must be > stop_loss.stop_price"),
    ],
)
def test_bracket_prices_lie_on_their_own_side_of_the_entry(profit: str, stop: str, fragment: str) -> None:
    desk = open_desk()

    refused = _refused_bracket(desk, profit, stop)

    assert (refused.http_status, refused.code) == (422, 42210000)
    assert fragment in refused.message


def _refused_bracket(desk: Desk, profit: str, stop: str) -> Refused:
    with pytest.raises(Refused) as caught:
        bracket(desk, take_profit=TakeProfit(limit_price=D(profit)), stop_loss=StopLoss(stop_price=D(stop)))
    return caught.value


def test_a_bracket_must_open_and_an_oco_must_close() -> None:
    desk = open_desk()
    with pytest.raises(Refused, match="oco orders must be exit orders"):
        oco(desk)
    desk.submit(SELL)
    with pytest.raises(Refused, match="bracket orders must be entry orders"):
        bracket(desk)


@pytest.mark.parametrize(
    "wishes", [{"time_in_force": TimeInForce.IOC}, {"extended_hours": True, "limit_price": "99"}, {"quantity": "1.5"}]
)
def test_groups_are_for_whole_quantities_in_regular_hours(wishes: dict[str, object]) -> None:
    desk = open_desk()
    quantity = str(wishes.pop("quantity", "10"))

    with pytest.raises(Refused) as caught:
        desk.submit(
            BUY,
            quantity,
            order_class=OrderClass.BRACKET,
            take_profit=TakeProfit(limit_price=D("110")),
            stop_loss=StopLoss(stop_price=D("90")),
            **wishes,
        )

    assert caught.value.http_status == 422


def test_no_exit_of_a_day_bracket_outlives_the_close() -> None:
    desk = open_desk()
    waiting = bracket(desk, limit_price="95.00", client_order_id="waiting")
    _, profit, stop = bracket(desk)

    desk.engine.session(is_open=False, at=desk.engine.now)

    assert desk.statuses(*waiting) == ["expired", "canceled", "canceled"]
    assert desk.statuses(profit, stop) == ["expired", "expired"]
    assert desk.net() == 10


def test_the_other_exit_may_end_late_and_fills_until_then() -> None:
    desk = open_desk(Rules(siblings_end_after=2 * SECOND))
    desk.submit(BUY, "20")
    profit, stop = oco(desk)

    desk.quote("110.00")
    assert desk.statuses(profit, stop) == ["filled", "new"]
    desk.quote("89.00", "89.02")
    assert desk.statuses(profit, stop) == ["filled", "filled"]
    assert desk.net() == 0


def test_the_other_exit_that_ends_late_ends() -> None:
    desk = open_desk(Rules(siblings_end_after=2 * SECOND))
    desk.submit(BUY, "20")
    profit, stop = oco(desk)

    desk.quote("110.00")
    desk.engine.advance(desk.engine.now + 2 * SECOND)

    assert desk.statuses(profit, stop) == ["filled", "canceled"]
    assert desk.net() == 10
