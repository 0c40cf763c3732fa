"""What the exchange refuses, and with which words: Alpaca's (brokers/README §1.9)."""

from typing import Any

import pytest

from standfast.exchange.orders import Intent
from tests.exchange.desk import (
    BUY,
    SECOND,
    SELL,
    D,
    OrderClass,
    OrderType,
    Rules,
    StopLoss,
    TimeInForce,
    bracket,
    oco,
    open_desk,
    refusal,
)


def test_a_client_order_id_is_unique_for_ever() -> None:
    desk = open_desk()
    desk.submit(BUY, client_order_id="mine")

    refused = refusal(desk.submit, BUY, client_order_id="mine")

    assert (refused.http_status, refused.code) == (422, 40010001)
    assert refused.message == "client_order_id must be unique"


def test_a_client_order_id_has_at_most_128_characters() -> None:
    desk = open_desk()
    desk.submit(BUY, client_order_id="x" * 128)

    assert refusal(desk.submit, BUY, client_order_id="x" * 129).code == 40010001


def test_quantity_held_by_a_resting_exit_cannot_be_sold_again() -> None:
    desk = open_desk()
    desk.submit(BUY)
    stop = desk.submit(SELL, "7", stop_price="90")

    refused = refusal(desk.submit, SELL, "4")

    assert (refused.http_status, refused.code) == (403, 40310000)
    assert refused.message == "insufficient qty available for order (requested: 4, available: 3)"
    assert refused.details == {
        "available": "3",
        "existing_qty": "10",
        "held_for_orders": "7",
        "related_orders": [stop.id],
        "symbol": "KO",
    }
    assert desk.submit(SELL, "3").filled == 3


def test_without_blockers_the_refusal_names_none() -> None:
    desk = open_desk()
    desk.submit(BUY, "0.557436865")

    refused = refusal(desk.submit, SELL, "1.057436865")

    assert refused.message == ("insufficient qty available for order (requested: 1.057436865, available: 0.557436865)")
    assert "related_orders" not in refused.details


def test_an_order_waiting_for_the_open_holds_its_quantity_too() -> None:
    desk = open_desk()
    desk.submit(BUY)
    desk.engine.session(is_open=False, at=desk.engine.now)
    desk.submit(SELL, time_in_force=TimeInForce.OPG)

    assert refusal(desk.submit, SELL).details["held_for_orders"] == "10"


@pytest.mark.parametrize("side", [BUY, SELL])
def test_no_order_takes_a_position_through_zero(side: Any) -> None:
    desk = open_desk()
    desk.submit(side)

    assert refusal(desk.submit, side.opposite, "11").code == 40310000


def test_an_order_meant_to_close_does_not_open_nor_the_other_way_round() -> None:
    desk = open_desk()

    refused = refusal(desk.submit, SELL, intent=Intent.SELL_TO_CLOSE)
    assert refused.message == "position intent mismatch, inferred: sell_to_open, specified: sell_to_close"
    desk.submit(BUY)
    assert refusal(desk.submit, SELL, intent=Intent.SELL_TO_OPEN).code == 42210000
    assert desk.submit(SELL, intent=Intent.SELL_TO_CLOSE).intent is Intent.SELL_TO_CLOSE


def test_the_children_of_a_waiting_entry_are_not_named_as_blockers() -> None:
    desk = open_desk()
    desk.submit(BUY)
    bracket(desk, limit_price="95")
    stop = desk.submit(SELL, stop_price="90")

    assert refusal(desk.submit, SELL).details["related_orders"] == [stop.id]


def test_a_bracket_taken_after_hours_goes_live_at_the_open() -> None:
    desk = open_desk()
    desk.engine.session(is_open=False, at=desk.engine.now)
    group = bracket(desk)
    assert desk.statuses(*group) == ["accepted", "held", "held"]

    desk.engine.session(is_open=True, at=desk.engine.now + SECOND)
    desk.quote("100.00")

    assert desk.statuses(*group) == ["filled", "new", "new"]


def test_a_stop_blocks_the_opposite_market_order() -> None:
    desk = open_desk()
    desk.submit(BUY)
    stop = desk.submit(SELL, stop_price="90")

    refused = refusal(desk.submit, BUY)

    assert (refused.http_status, refused.code) == (403, 40310000)
    assert refused.details == {
        "existing_order_id": stop.id,
        "reject_reason": "opposite side market/stop order exists",
    }
    assert refusal(desk.submit, BUY, limit_price="80").details["existing_order_id"] == stop.id


def test_limits_on_both_sides_are_a_wash_trade_only_when_they_cross() -> None:
    desk = open_desk()
    desk.submit(BUY)
    desk.submit(SELL, limit_price="105")

    assert refusal(desk.submit, BUY, limit_price="105").details["reject_reason"] == "opposite side limit order exists"
    assert refusal(desk.submit, BUY).details["reject_reason"] == "opposite side limit order exists"
    assert desk.submit(BUY, limit_price="99").remaining == 10


def test_groups_and_trailing_stops_are_no_wash_trades() -> None:
    desk = open_desk()
    desk.submit(BUY)
    desk.submit(SELL, trail_price="5")
    assert desk.submit(BUY).filled == 10
    oco(desk)
    assert desk.submit(BUY).filled == 10
    other = open_desk()
    other.submit(BUY)
    other.submit(SELL, limit_price="105")
    assert bracket(other)[0].filled == 10


def test_an_account_buys_no_more_than_its_multiplier_allows() -> None:
    for multiplier, most in ((1, "999"), (2, "1999"), (4, "3999")):
        desk = open_desk(multiplier=multiplier)
        refused = refusal(desk.submit, BUY, "4000" if multiplier == 4 else str(int(most) + 1))
        assert (refused.code, refused.message) == (40310000, "insufficient buying power")
        assert set(refused.details) == {"buying_power", "cost_basis"}
        assert desk.submit(BUY, most).filled == D(most)


def test_resting_openings_consume_buying_power_and_give_it_back() -> None:
    desk = open_desk(multiplier=1)
    resting = desk.submit(BUY, "900", limit_price="99")
    assert desk.engine.account("a").buying_power == D("100000") - 900 * 99
    refusal(desk.submit, BUY, "200")

    desk.cancel(resting)

    assert desk.engine.account("a").buying_power == 100_000


def test_shorts_consume_buying_power_with_a_margin_on_the_ask() -> None:
    desk = open_desk(multiplier=2)

    assert refusal(desk.submit, SELL, "1942").message == "insufficient buying power"
    assert desk.submit(SELL, "1941").filled == 1941
    assert desk.engine.account("a").buying_power < 2 * 100_000 - 1941 * 100


def test_a_cash_account_and_an_unshortable_asset_cannot_be_sold_short() -> None:
    assert refusal(open_desk(multiplier=1).submit, SELL).message == "account is not allowed to short"
    desk = open_desk()
    desk.quote("20", instrument="GME")
    assert refusal(desk.submit, SELL, instrument="GME").message == 'asset "GME" cannot be sold short'
    assert refusal(desk.submit, SELL, "0.5").message == "fractional orders cannot be sold short"


def test_assets_say_what_may_be_done_with_them() -> None:
    desk = open_desk()

    assert refusal(desk.submit, BUY, "0.5", instrument="OCGN").message == 'asset "OCGN" is not fractionable'
    assert refusal(desk.submit, BUY, "0.5", instrument="OCGN").http_status == 403
    assert refusal(desk.submit, BUY, None, notional="5", instrument="OCGN").http_status == 403
    assert refusal(desk.submit, BUY, instrument="OLD").message == 'asset "OLD" is not tradable'
    assert refusal(desk.submit, BUY, instrument="NONE").message == 'asset "NONE" not found'


def test_prices_have_two_decimals_from_a_dollar_and_four_below() -> None:
    desk = open_desk()

    refused = refusal(desk.submit, BUY, limit_price="90.123")

    assert (refused.http_status, refused.code) == (422, 42210000)
    assert (
        refused.message == "invalid limit_price 90.123. sub-penny increment does not fulfill minimum pricing criteria"
    )
    assert desk.submit(BUY, limit_price="0.9876").remaining == 10
    assert refusal(desk.submit, BUY, limit_price="0.98765").code == 42210000
    assert refusal(desk.submit, SELL, stop_price="90.005").code == 42210000


@pytest.mark.parametrize(
    ("wishes", "fragment"),
    [
        ({"quantity": "0"}, "qty must be > 0"),
        ({"quantity": "-1"}, "qty must be > 0"),
        ({"quantity": None}, "exactly one of qty and notional"),
        ({"notional": "10"}, "exactly one of qty and notional"),
        ({"quantity": None, "notional": "10.001"}, "2 decimal places"),
        ({"quantity": "0.0000000001"}, "9 decimals"),
        ({"type": OrderType.LIMIT}, "limit orders require limit_price"),
        ({"type": OrderType.MARKET, "limit_price": "90"}, "market orders must not have limit_price"),
        ({"type": OrderType.STOP}, "stop orders require stop_price"),
        ({"trail_price": "1", "trail_percent": "1"}, "one of trail_price and trail_percent"),
        ({"trail_price": "0"}, "trail must be > 0"),
        ({"limit_price": "-5"}, "limit_price must be > 0"),
        ({"quantity": "0.5", "time_in_force": TimeInForce.GTC}, "fractional orders must be DAY orders"),
        ({"quantity": None, "notional": "10", "limit_price": "90"}, "notional orders must be market orders"),
        ({"extended_hours": True}, "extended hours order must be DAY or GTC limit orders"),
        ({"trail_price": "1", "time_in_force": TimeInForce.IOC}, "invalid time_in_force ioc for trailing_stop"),
        ({"stop_loss": StopLoss(stop_price=D(90))}, "simple orders must not have"),
        ({"order_class": OrderClass.OTO}, "oto orders require exactly one"),
        ({"order_class": OrderClass.BRACKET}, "bracket orders require"),
        ({"order_class": OrderClass.OCO}, "oco orders require"),
        ({"stop_price": "100.02"}, "stop price must be greater than current price"),
    ],
)
def test_a_malformed_request_is_refused_with_422(wishes: dict[str, Any], fragment: str) -> None:
    desk = open_desk()
    quantity = wishes.pop("quantity", "10")

    refused = refusal(desk.submit, BUY, quantity, **wishes)

    assert (refused.http_status, refused.code) == (422, 42210000)
    assert fragment in refused.message
    assert desk.tape == []


def test_a_stop_the_market_has_passed_is_refused_unless_the_rules_take_it() -> None:
    desk = open_desk()
    desk.submit(BUY)
    assert "less than current price" in refusal(desk.submit, SELL, stop_price="100.00").message

    lax = open_desk(Rules(refuses_stop_beyond_market=False))
    lax.submit(BUY)
    assert lax.submit(SELL, stop_price="100.00").average_price == 100


def test_a_refusal_changes_nothing() -> None:
    desk = open_desk()
    before = desk.engine.account("a")

    refusal(desk.submit, BUY, "100000")

    assert desk.engine.account("a") == before
    assert desk.tape == []
