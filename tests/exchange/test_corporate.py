"""Splits, liquidation and the operator's other hooks."""

import pytest

from standfast.exchange.activities import NonTradeActivity
from standfast.exchange.queries import ActivityQuery, Direction
from tests.exchange.desk import BUY, SELL, D, Rules, TimeInForce, bracket, open_desk


@pytest.mark.parametrize("side", [BUY, SELL])
def test_a_split_changes_quantity_and_price_and_keeps_the_cost(side: object) -> None:
    desk = open_desk()
    desk.submit(BUY if side is BUY else SELL)
    before, equity = desk.engine.position("a", "KO"), desk.engine.account("a").equity

    desk.engine.split("KO", D(4))

    after = desk.engine.position("a", "KO")
    assert (after.quantity, after.cost_basis) == (before.quantity * 4, before.cost_basis)
    assert after.average_entry_price == before.average_entry_price / 4
    assert abs(desk.engine.account("a").equity - equity) <= D("0.01")


def test_a_split_shows_as_the_old_quantity_out_and_the_new_one_in() -> None:
    desk = open_desk()
    desk.submit(BUY)

    desk.engine.split("KO", D(4))

    rows = desk.engine.activities("a", ActivityQuery(types=frozenset({"SPLIT"}), direction=Direction.ASC))
    assert [row.quantity for row in rows if isinstance(row, NonTradeActivity)] == [D(-10), D(40)]


def test_a_simple_gtc_stop_is_adjusted_for_a_split_but_a_brackets_exits_are_not() -> None:
    desk = open_desk()
    desk.submit(BUY)
    stop = desk.submit(SELL, stop_price="90", time_in_force=TimeInForce.GTC)
    _, profit, leg = bracket(desk, time_in_force=TimeInForce.GTC)

    desk.engine.split("KO", D(4))

    assert (desk.now(stop).terms.quantity, desk.now(stop).terms.stop_price) == (D(40), D("22.50"))
    assert desk.story(stop)[-1] == "restated"
    assert (desk.now(leg).terms.quantity, desk.now(leg).terms.stop_price) == (D(10), D(90))
    assert desk.now(profit).terms.limit_price == D(110)


def test_a_split_can_leave_every_order_alone_and_the_old_stop_then_fires() -> None:
    desk = open_desk(Rules(split_adjusts_orders=False))
    desk.submit(BUY)
    stop = desk.submit(SELL, stop_price="90", time_in_force=TimeInForce.GTC)

    desk.engine.split("KO", D(4))
    desk.quote("25.00")

    assert desk.statuses(stop) == ["filled"]
    assert desk.net() == 30


def test_a_forced_fill_trades_at_its_price_whatever_the_market_says() -> None:
    desk = open_desk()
    order = desk.submit(BUY, limit_price="90")

    part = desk.engine.fill_now(order.id, D(4), D("77.77"))

    assert (part.filled, part.average_price) == (D(4), D("77.77"))
    assert desk.statuses(order) == ["partially_filled"]
    with pytest.raises(ValueError, match="6 left"):
        desk.engine.fill_now(order.id, D(7), D(1))


def test_a_forced_fill_of_one_exit_cancels_the_other() -> None:
    desk = open_desk()
    _, profit, stop = bracket(desk)

    desk.engine.fill_now(stop.id, D(10), D("89.50"))

    assert desk.statuses(profit, stop) == ["canceled", "filled"]


def test_a_child_that_is_still_held_cannot_be_filled() -> None:
    desk = open_desk()
    _, _, stop = bracket(desk, limit_price="95.00")

    with pytest.raises(ValueError, match="held"):
        desk.engine.fill_now(stop.id, D(1), D(90))


@pytest.mark.parametrize("side", [BUY, SELL])
def test_a_liquidation_cancels_the_orders_and_closes_the_position(side: object) -> None:
    desk = open_desk()
    _, profit, stop = bracket(desk, BUY if side is BUY else SELL)

    order = desk.engine.liquidate("a", "KO", D("70"))

    assert (order.status.value, order.average_price) == ("filled", D(70))
    assert desk.statuses(profit, stop) == ["canceled", "canceled"]
    assert desk.net() == 0
    with pytest.raises(LookupError):
        desk.engine.liquidate("a", "KO")


def test_a_working_order_can_be_rejected_later() -> None:
    desk = open_desk()
    order = desk.submit(BUY, limit_price="90")

    desk.engine.reject_working(order.id)

    assert desk.story(order) == ["pending_new", "new", "rejected"]
    with pytest.raises(ValueError, match="rejected"):
        desk.engine.reject_working(order.id)


def test_moved_cash_is_a_row_and_changes_no_position() -> None:
    desk = open_desk()

    desk.engine.move_cash("a", D("-250.25"))

    assert desk.engine.account("a").cash == D("99749.75")
    (row,) = desk.engine.activities("a")
    assert row.activity_type == "JNLC"
