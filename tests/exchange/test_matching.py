"""When orders trade and at what price: market, limit, stops, trailing stops, the collar."""

from decimal import Decimal

import pytest

from standfast.exchange.matching import collar, increment, whole_units
from tests.exchange.desk import BUY, SELL, D, OrderType, Rules, Status, TimeInForce, open_desk


def test_a_market_buy_pays_the_ask_and_a_market_sell_gets_the_bid() -> None:
    desk = open_desk()

    bought = desk.submit(BUY)
    sold = desk.submit(SELL)

    assert (bought.status, bought.average_price) == (Status.FILLED, D("100.02"))
    assert (sold.status, sold.average_price) == (Status.FILLED, D("100.00"))
    assert desk.net() == 0


def test_a_submission_is_acknowledged_as_pending_and_then_becomes_new_and_fills() -> None:
    desk = open_desk()

    order = desk.acknowledged(BUY)

    assert order.status is Status.PENDING_NEW
    assert desk.story(order) == ["pending_new", "new", "fill"]


def test_a_limit_order_waits_for_its_price_and_then_trades_at_the_better_one() -> None:
    desk = open_desk()
    order = desk.submit(BUY, limit_price="99.00")
    assert order.status is Status.NEW

    desk.quote("98.50", "98.60")

    assert desk.now(order).average_price == D("98.60")


def test_a_sell_stop_waits_for_the_bid_and_then_sells_at_the_market() -> None:
    desk = open_desk()
    desk.submit(BUY)
    stop = desk.submit(SELL, stop_price="95.00")
    desk.quote("95.01")
    assert desk.statuses(stop) == ["new"]

    desk.quote("93.00")

    assert desk.now(stop).average_price == D("93.00")


def test_a_stop_limit_that_gapped_past_its_limit_stays_unfilled_until_the_price_returns() -> None:
    desk = open_desk()
    desk.submit(BUY)
    stop = desk.submit(SELL, stop_price="95.00", limit_price="94.50")
    desk.quote("93.00")
    assert desk.statuses(stop) == ["new"]
    assert desk.now(stop).triggered_at is not None

    desk.quote("94.60")

    assert desk.now(stop).average_price == D("94.60")


@pytest.mark.parametrize(
    ("stop_price", "limit"), [("40.00", "41.60"), ("49.99", "51.98"), ("50.00", "51.25"), ("110.00", "112.75")]
)
def test_a_buy_stop_is_collared_by_its_price(stop_price: str, limit: str) -> None:
    assert collar(D(stop_price), Rules()) == D(limit)


def test_a_shorts_stop_triggers_and_stays_unfilled_when_the_market_gaps_past_its_collar() -> None:
    desk = open_desk()
    desk.submit(SELL)
    stop = desk.submit(BUY, stop_price="110.00")

    desk.quote("120.00")

    triggered = desk.now(stop)
    assert (triggered.status, triggered.collar_price) == (Status.NEW, D("112.75"))
    assert triggered.triggered_at is not None
    assert desk.net() == -10
    desk.quote("112.00")
    assert desk.statuses(stop) == ["filled"]


def test_a_trailing_stop_follows_the_price_up_and_never_down() -> None:
    desk = open_desk()
    desk.submit(BUY)
    trail = desk.submit(SELL, trail_price="2.00")
    assert (trail.high_water_mark, trail.terms.stop_price) == (D("100.00"), D("98.00"))

    desk.quote("105.00")
    desk.quote("104.00")
    assert desk.now(trail).terms.stop_price == D("103.00")
    desk.quote("102.90")

    assert desk.now(trail).average_price == D("102.90")


def test_a_trailing_buy_stop_follows_the_price_down_by_percent() -> None:
    desk = open_desk()
    desk.submit(SELL)
    trail = desk.submit(BUY, trail_percent="10")

    desk.quote("79.98", "80.00")

    moved = desk.now(trail)
    assert (moved.high_water_mark, moved.terms.stop_price) == (D("80.00"), D("88.00"))


def test_a_quote_with_a_limited_size_fills_no_more_than_it_displays_over_all_orders() -> None:
    desk = open_desk(Rules(limited_by_size=True), quoted=False)
    desk.quote("100.00", "100.02", size="15")

    first, second = desk.submit(BUY), desk.submit(BUY)

    assert (first.filled, second.filled) == (D(10), D(5))
    assert desk.statuses(second) == ["partially_filled"]
    desk.quote("101.00", "101.02", size="100")
    assert desk.now(second).average_price == D("100.52")


def test_an_immediate_or_cancel_order_keeps_what_it_got_and_cancels_the_rest() -> None:
    desk = open_desk(Rules(limited_by_size=True), quoted=False)
    desk.quote("100.00", "100.02", size="4")

    order = desk.submit(BUY, time_in_force=TimeInForce.IOC)

    assert (order.status, order.filled) == (Status.CANCELED, D(4))


def test_a_fill_or_kill_order_fills_wholly_or_not_at_all() -> None:
    desk = open_desk(Rules(limited_by_size=True), quoted=False)
    desk.quote("100.00", "100.02", size="9")

    killed = desk.submit(BUY, time_in_force=TimeInForce.FOK)
    desk.quote("100.00", "100.02", size="10")
    filled = desk.submit(BUY, time_in_force=TimeInForce.FOK)

    assert (killed.status, killed.filled) == (Status.CANCELED, D(0))
    assert filled.status is Status.FILLED


def test_a_notional_order_buys_at_most_its_notional_to_nine_decimals() -> None:
    desk = open_desk()

    order = desk.submit(BUY, None, notional="5")

    assert (order.status, order.filled, order.terms.quantity) == (Status.FILLED, D("0.049990001"), None)
    assert order.filled_value <= 5


def test_nothing_trades_in_a_halt_and_matching_goes_on_after_it() -> None:
    desk = open_desk()
    desk.engine.halt("KO")
    order = desk.submit(BUY)
    desk.quote("101.00")
    assert desk.statuses(order) == ["new"]

    desk.engine.resume("KO")

    assert desk.now(order).average_price == D("101.02")


def test_an_exit_larger_than_what_is_left_never_crosses_zero() -> None:
    desk = open_desk(Rules(split_adjusts_orders=False))
    desk.submit(BUY)
    stop = desk.submit(SELL, stop_price="5.00", time_in_force=TimeInForce.GTC)
    desk.engine.split("KO", D("0.5"))

    desk.quote("4.00")

    assert (desk.now(stop).status, desk.now(stop).filled, desk.net()) == (Status.CANCELED, D(5), D(0))


@pytest.mark.parametrize(("price", "step"), [("1", "0.01"), ("0.9999", "0.0001"), ("250", "0.01")])
def test_the_price_step_is_a_cent_from_a_dollar_up(price: str, step: str) -> None:
    assert increment(D(price)) == D(step)


def test_quantities_are_cut_to_nine_decimals_and_written_without_exponent() -> None:
    assert str(whole_units(Decimal("1E+2"))) == "100"
    assert whole_units(D(1) / D(3)) == D("0.333333333")


def test_stops_do_not_trigger_outside_the_session() -> None:
    desk = open_desk()
    desk.submit(BUY)
    stop = desk.submit(SELL, stop_price="95.00", time_in_force=TimeInForce.GTC)
    desk.engine.session(is_open=False, at=desk.engine.now)

    desk.quote("90.00")

    assert desk.statuses(stop) == ["new"]
    assert desk.now(stop).triggered_at is None


def test_every_order_type_can_close_what_a_market_order_opened() -> None:
    for wishes in ({}, {"limit_price": "99.00"}, {"stop_price": "99.00"}, {"trail_price": "1.00"}):
        desk = open_desk()
        desk.submit(BUY)
        order = desk.submit(SELL, **wishes)
        desk.quote("98.99", "99.01")
        desk.quote("99.00", "99.02")
        assert desk.net() == 0, order.terms.type
        assert order.terms.type in OrderType
