"""Replace, cancel and close, with what Alpaca refuses of them (brokers/README §1.7, §1.9)."""

from datetime import timedelta

import pytest

from standfast.exchange.fills import Scripted
from standfast.exchange.orders import Change
from standfast.exchange.queries import Portion
from tests.exchange.desk import BUY, SECOND, SELL, D, Rules, Status, TimeInForce, bracket, open_desk, refusal


def test_a_replace_is_a_new_order_and_the_old_one_says_so() -> None:
    desk = open_desk()
    old = desk.submit(BUY, limit_price="90", client_order_id="one")

    new = desk.engine.replace("a", old.id, Change(limit_price=D(91), quantity=D(12), client_order_id="two"))

    assert new.status is Status.PENDING_NEW
    old, new = desk.now(old), desk.now(new)
    assert (old.status, old.replaced_by, old.terms.limit_price) == (Status.REPLACED, new.id, D(90))
    assert (new.status, new.replaces, new.terms.limit_price, new.terms.quantity) == (Status.NEW, old.id, D(91), D(12))
    assert desk.story(old)[-1] == "replaced"
    assert new.client_order_id == "two"


def test_a_replace_of_a_partly_filled_order_asks_for_the_rest() -> None:
    desk = open_desk(fills=Scripted({"one": [D("0.4"), D(0)]}))
    old = desk.submit(BUY, client_order_id="one", limit_price="100.02")
    assert refusal(desk.engine.replace, "a", old.id, Change(quantity=D(4))).http_status == 422

    new = desk.engine.replace("a", old.id, Change(quantity=D(9), limit_price=D(90)))

    assert (new.terms.quantity, desk.now(new).terms.quantity) == (D(5), D(5))
    assert desk.now(old).filled == 4


def test_when_the_old_order_fills_first_the_new_one_is_rejected() -> None:
    desk = open_desk(Rules(replace_after=5 * SECOND))
    old = desk.submit(BUY, limit_price="90")
    new = desk.engine.replace("a", old.id, Change(limit_price=D(85)))
    assert desk.statuses(old, new) == ["pending_replace", "pending_new"]

    desk.quote("89.00")
    desk.engine.advance(desk.engine.now + 10 * SECOND)

    assert desk.statuses(old, new) == ["filled", "rejected"]
    assert desk.story(old)[-1] == "order_replace_rejected"
    assert desk.net() == 10


def test_a_replace_in_flight_counts_what_fills_meanwhile() -> None:
    desk = open_desk(Rules(replace_after=5 * SECOND), fills=Scripted({"one": [D("0.3")]}))
    old = desk.submit(BUY, limit_price="90", client_order_id="one")
    new = desk.engine.replace("a", old.id, Change(limit_price=D(80)))

    desk.quote("89.00")
    desk.engine.advance(desk.engine.now + 10 * SECOND)

    assert desk.statuses(old, new) == ["replaced", "new"]
    assert (desk.now(old).filled, desk.now(new).terms.quantity) == (D(3), D(7))


@pytest.mark.parametrize("delay", ["accept_after", "cancel_after", "replace_after"])
def test_an_order_on_its_way_to_somewhere_cannot_be_replaced(delay: str) -> None:
    desk = open_desk(Rules(**{delay: timedelta(minutes=1)}))  # type: ignore[arg-type]  # the three delays are alike
    order = desk.submit(BUY, limit_price="90")
    if delay == "cancel_after":
        desk.cancel(order)
    if delay == "replace_after":
        desk.engine.replace("a", order.id, Change(limit_price=D(91)))

    refused = refusal(desk.engine.replace, "a", order.id, Change(limit_price=D(92)))

    assert (refused.http_status, refused.code) == (422, 42210000)


def test_an_accepted_order_waiting_for_the_open_cannot_be_replaced() -> None:
    desk = open_desk()
    desk.engine.session(is_open=False, at=desk.engine.now)
    order = desk.submit(BUY, limit_price="90")

    assert 'in "accepted" state' in refusal(desk.engine.replace, "a", order.id, Change(limit_price=D(91))).message


def test_fractional_orders_and_quantities_of_groups_cannot_be_replaced() -> None:
    desk = open_desk()
    fractional = desk.submit(BUY, "0.5", limit_price="90")
    assert refusal(desk.engine.replace, "a", fractional.id, Change(limit_price=D(91))).code == 42210000
    _, _, stop = bracket(desk)

    refused = refusal(desk.engine.replace, "a", stop.id, Change(quantity=D(5)))

    assert refused.message == "qty cannot be changed for advanced orders"


def test_a_replaced_stop_of_a_bracket_stays_in_its_group() -> None:
    desk = open_desk()
    parent, profit, stop = bracket(desk)

    new = desk.engine.replace("a", stop.id, Change(stop_price=D(95)))

    assert desk.legs(parent)[1].id == new.id
    assert desk.available() == 0
    desk.quote("94.00")
    assert desk.statuses(stop, new, profit) == ["replaced", "filled", "canceled"]


def test_two_exits_replaced_at_once_still_end_together() -> None:
    desk = open_desk(Rules(replace_after=5 * SECOND))
    _, profit, stop = bracket(desk)
    higher = desk.engine.replace("a", profit.id, Change(limit_price=D(120)))
    tighter = desk.engine.replace("a", stop.id, Change(stop_price=D(95)))

    desk.engine.advance(desk.engine.now + 5 * SECOND)
    desk.quote("94.00")

    assert desk.statuses(profit, stop, higher, tighter) == ["replaced", "replaced", "canceled", "filled"]
    assert desk.net() == 0


def test_an_order_that_is_to_replace_another_cannot_be_cancelled_before_it_has() -> None:
    desk = open_desk(Rules(replace_after=5 * SECOND))
    old = desk.submit(BUY, limit_price="90")
    new = desk.engine.replace("a", old.id, Change(limit_price=D(91)))

    assert refusal(desk.engine.cancel, "a", new.id).http_status == 422
    assert refusal(desk.engine.cancel, "a", old.id).http_status == 422

    desk.engine.reject_working(new.id)
    desk.engine.advance(desk.engine.now + 5 * SECOND)
    assert desk.statuses(old, new) == ["new", "rejected"]
    desk.cancel(old)


def test_a_target_that_fills_in_part_while_its_stop_is_being_replaced_shrinks_the_new_stop() -> None:
    desk = open_desk(Rules(replace_after=5 * SECOND, limited_by_size=True))
    _, _, stop = bracket(desk)
    new = desk.engine.replace("a", stop.id, Change(stop_price=D(95)))

    desk.quote("110.00", size="4")
    desk.engine.advance(desk.engine.now + 5 * SECOND)

    assert (desk.now(new).status, desk.now(new).terms.quantity) == (Status.NEW, D(6))


def test_only_the_trail_of_a_trailing_stop_can_change_and_its_mark_stays() -> None:
    desk = open_desk()
    desk.submit(BUY)
    trail = desk.submit(SELL, trail_price="5")
    desk.quote("110.00")
    desk.quote("108.00")
    assert refusal(desk.engine.replace, "a", trail.id, Change(stop_price=D(90))).http_status == 422

    new = desk.engine.replace("a", trail.id, Change(trail=D(3)))

    assert (desk.now(new).high_water_mark, desk.now(new).terms.stop_price) == (D(110), D(107))


def test_a_replace_cannot_outgrow_the_position_or_the_buying_power() -> None:
    desk = open_desk(multiplier=1)
    desk.submit(BUY)
    stop = desk.submit(SELL, stop_price="90")
    assert refusal(desk.engine.replace, "a", stop.id, Change(quantity=D(11))).details["existing_qty"] == "10"
    desk.cancel(stop)
    entry = desk.submit(BUY, "900", limit_price="99")
    assert "buying power" in refusal(desk.engine.replace, "a", entry.id, Change(quantity=D(1100))).message
    assert desk.engine.replace("a", entry.id, Change(quantity=D(990))).terms.quantity == 990


def test_a_finished_order_cannot_be_cancelled_and_an_unknown_one_is_not_found() -> None:
    desk = open_desk()
    order = desk.submit(BUY)

    refused = refusal(desk.engine.cancel, "a", order.id)

    assert (refused.http_status, refused.message) == (422, 'order is already in "filled" state')
    assert refusal(desk.engine.cancel, "a", "no-such-order").http_status == 404


def test_an_order_can_fill_while_its_cancel_is_pending() -> None:
    desk = open_desk(Rules(cancel_after=5 * SECOND))
    order = desk.submit(BUY, limit_price="90")
    desk.cancel(order)
    desk.cancel(order)
    assert desk.statuses(order) == ["pending_cancel"]

    desk.quote("89.00")
    desk.engine.advance(desk.engine.now + 10 * SECOND)

    assert desk.statuses(order) == ["filled"]
    assert desk.story(order) == ["pending_new", "new", "pending_cancel", "fill", "order_cancel_rejected"]


def test_a_cancelled_order_keeps_its_partial_fill() -> None:
    desk = open_desk(Rules(cancel_after=5 * SECOND), fills=Scripted({"one": [D("0.4"), D(0)]}))
    order = desk.submit(BUY, limit_price="90", client_order_id="one")
    desk.cancel(order)

    desk.quote("89.00")
    assert desk.statuses(order) == ["pending_cancel"]
    desk.engine.advance(desk.engine.now + 10 * SECOND)

    assert (desk.now(order).status, desk.now(order).filled) == (Status.CANCELED, D(4))


def test_outside_the_session_a_cancel_may_wait_for_the_open_and_keep_holding() -> None:
    desk = open_desk(Rules(cancels_wait_for_open=True))
    desk.submit(BUY)
    stop = desk.submit(SELL, stop_price="90", time_in_force=TimeInForce.GTC)
    desk.engine.session(is_open=False, at=desk.engine.now)

    desk.cancel(stop)
    assert desk.statuses(stop) == ["pending_cancel"]
    assert refusal(desk.submit, SELL).details["held_for_orders"] == "10"
    desk.engine.session(is_open=True, at=desk.engine.now + SECOND)

    assert desk.statuses(stop) == ["canceled"]


def test_cancel_all_lists_every_order_that_was_open() -> None:
    desk = open_desk()
    first = desk.submit(BUY, limit_price="90")
    second = desk.submit(BUY, limit_price="91")

    rows = desk.engine.cancel_all("a")

    assert {(row.order_id, row.http_status) for row in rows} == {(first.id, 200), (second.id, 200)}
    assert desk.engine.orders("a") == []


def test_a_position_is_closed_whole_by_quantity_or_by_percentage() -> None:
    desk = open_desk()
    desk.submit(BUY, "10")

    by_quantity = desk.engine.close_position("a", "KO", Portion(quantity=D(3)))
    by_percentage = desk.engine.close_position("a", "KO", Portion(percentage=D(50)))
    rest = desk.engine.close_position("a", "KO")

    assert [desk.now(order).filled for order in (by_quantity, by_percentage, rest)] == [D(3), D("3.5"), D("3.5")]
    assert refusal(desk.engine.close_position, "a", "KO").http_status == 404


def test_closing_a_percentage_rounds_down_and_may_leave_dust() -> None:
    desk = open_desk()
    desk.submit(BUY, "0.557436865")
    order = desk.engine.close_position("a", "KO", Portion(percentage=D("33.333")))
    assert desk.now(order).filled == D("0.185810430")
    desk.quote("1.00", instrument="OCGN")
    desk.submit(BUY, "10", instrument="OCGN")

    whole = desk.engine.close_position("a", "OCGN", Portion(percentage=D(55)))

    assert desk.now(whole).filled == 5


@pytest.mark.parametrize("portion", [Portion(), Portion(quantity=D(1), percentage=D(1)), Portion(percentage=D(101))])
def test_a_portion_is_one_sensible_amount(portion: Portion) -> None:
    desk = open_desk()
    desk.submit(BUY)

    assert refusal(desk.engine.close_position, "a", "KO", portion).http_status == 422


def test_a_close_is_refused_while_exits_hold_the_quantity() -> None:
    desk = open_desk()
    _, profit, stop = bracket(desk)

    refused = refusal(desk.engine.close_position, "a", "KO")

    assert refused.details["related_orders"] == [profit.id, stop.id]


def test_close_all_closes_what_it_can_and_says_what_it_could_not() -> None:
    desk = open_desk()
    bracket(desk)
    desk.quote("5.00", instrument="OCGN")
    desk.submit(SELL, instrument="OCGN")

    rows = desk.engine.close_all("a")
    assert [(row.instrument, row.http_status) for row in rows] == [("KO", 403), ("OCGN", 200)]
    desk.engine.close_all("a", cancel_orders=True)

    assert desk.engine.positions("a") == []
