"""What holds fills back: scripts and a seeded share of partial fills."""

from random import Random

from standfast.exchange.fills import Scripted, SomePartly
from tests.exchange.desk import BUY, D, open_desk


def test_a_script_says_what_each_look_may_fill_and_then_steps_aside() -> None:
    desk = open_desk(fills=Scripted({"one": [D("0.3"), D(0)]}))
    order = desk.submit(BUY, client_order_id="one")

    filled = [desk.now(order).filled]
    for _ in range(2):
        desk.quote("100.00")
        filled.append(desk.now(order).filled)

    assert filled == [D(3), D(3), D(10)]


def test_a_script_never_cuts_a_whole_quantity_into_fractions() -> None:
    desk = open_desk(fills=Scripted({"one": [D("0.3")]}))

    assert desk.submit(BUY, "5", client_order_id="one").filled == 1


def test_an_order_without_a_script_fills_freely() -> None:
    assert open_desk(fills=Scripted({})).submit(BUY).filled == 10


def test_about_the_asked_share_of_orders_fills_in_two_parts() -> None:
    desk = open_desk(cash="100000000", fills=SomePartly(Random(1), share=D("0.3")))

    orders = [desk.submit(BUY) for _ in range(200)]
    partly = [order for order in orders if order.filled < 10]
    desk.quote("100.00")

    assert 40 <= len(partly) <= 80
    assert all(order.filled % 1 == 0 and order.filled > 0 for order in partly)
    assert {desk.now(order).filled for order in orders} == {D(10)}
