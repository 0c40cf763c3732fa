"""How options end."""

from datetime import date, time, timedelta

import pytest

from standfast.exchange.past import Past
from standfast.exchange.rules import Rules
from tests.exchange.option_desk import (
    BTC,
    BTO,
    C600,
    C605,
    CLOSE,
    P595,
    P600,
    STO,
    X3700,
    X3800,
    XC3800,
    D,
    OptionDesk,
    open_option_desk,
)


def at_the_close(desk: OptionDesk, bid: str, ask: str) -> None:
    desk.quote("SPY", bid, ask)
    desk.engine.advance(CLOSE)


def test_out_of_the_money_it_is_worthless_for_both_sides() -> None:
    desk = open_option_desk()
    desk.many((P600, STO, 1), (P595, BTO, 1), quantity="2")

    at_the_close(desk, "600.50", "600.52")

    assert desk.held() == {}
    assert desk.rows() == [("OPEXP", P595, -2, 0), ("OPEXP", P600, 2, 0)]
    assert desk.engine.truth("a").realised == 220  # the credit is kept
    assert desk.cash == 100_220


def test_in_the_money_long_calls_become_shares_at_the_strike() -> None:
    desk = open_option_desk()
    desk.one(C600, BTO)

    at_the_close(desk, "601.50", "601.52")

    assert desk.held() == {"SPY": 100}
    assert desk.rows() == [("OPEXC", C600, -1, 0), ("OPTRD", "SPY", 100, -60_000)]
    assert desk.cash == 100_000 - 310 - 60_000


def test_a_short_put_in_the_money_is_assigned() -> None:
    desk = open_option_desk()
    desk.one(P600, STO)

    at_the_close(desk, "590.00", "590.02")

    assert desk.held() == {"SPY": 100}
    assert desk.rows() == [("OPASN", P600, 1, 0), ("OPTRD", "SPY", 100, -60_000)]


def test_of_a_spread_between_its_strikes_only_one_leg_turns_into_shares() -> None:
    desk = open_option_desk()
    desk.many((P600, STO, 1), (P595, BTO, 1))

    at_the_close(desk, "597.00", "597.02")

    assert desk.held() == {"SPY": 100}


def settled(desk: OptionDesk) -> None:
    desk.quote(X3800, "3.00", "3.10")
    desk.quote(X3700, "0.10", "0.20")
    desk.many((X3800, STO, 1), (X3700, BTO, 1), quantity="3", of="SPX")


def test_an_index_option_is_paid_at_the_price_announced() -> None:
    desk = open_option_desk()
    settled(desk)
    desk.engine.announce_settlement("SPX", date(2026, 10, 9), D("3748.14"))

    desk.engine.advance(CLOSE)

    assert desk.held() == {}
    assert desk.rows() == [("OPEXP", X3700, -3, 0), ("OPCSH", X3800, 3, D("-15558.00"))]  # 51.86 x 300
    assert desk.cash == 100_000 + 840 - D("15558")


def test_without_an_announcement_the_index_stands_where_its_options_say() -> None:
    desk = open_option_desk()
    settled(desk)
    desk.quote(X3800, "20.00", "20.20")
    desk.quote(XC3800, "0.05", "0.15")

    desk.engine.advance(CLOSE)

    assert desk.rows()[1] == ("OPCSH", X3800, 3, D("-6000.00"))  # 3800 + 0.10 - 20.10 = 3780


def test_positions_may_stay_listed_for_a_while_after_the_close() -> None:
    desk = open_option_desk(rules=Rules(expiry_settles_after=timedelta(hours=1)))
    settled(desk)
    desk.engine.advance(CLOSE + timedelta(minutes=59))
    assert desk.held() == {X3800: -3, X3700: 3}
    desk.engine.announce_settlement("SPX", date(2026, 10, 9), D(3800))

    desk.engine.advance(CLOSE + timedelta(hours=1))

    assert desk.held() == {}
    assert [row[0] for row in desk.rows()] == ["OPEXP", "OPEXP"]


def test_a_short_leg_can_be_assigned_early_and_an_index_leg_cannot() -> None:
    desk = open_option_desk()
    desk.many((C600, STO, 1), (C605, BTO, 1), quantity="2")
    settled(desk)

    desk.engine.assign("a", C600, D(1))

    assert desk.held() == {C600: -1, C605: 2, "SPY": -100, X3800: -3, X3700: 3}
    assert desk.rows() == [("OPASN", C600, 1, 0), ("OPTRD", "SPY", -100, 60_000)]
    for instrument, quantity in ((C605, None), (X3800, None), (C600, D(2)), ("SPY", None)):
        with pytest.raises(ValueError, match=r"SPY|SPXW"):
            desk.engine.assign("a", instrument, quantity)


def test_a_long_option_can_be_exercised_early() -> None:
    desk = open_option_desk()
    desk.one(P600, BTO)

    desk.engine.exercise("a", P600)

    assert desk.held() == {"SPY": -100}


def test_an_exit_resting_on_an_assigned_leg_ends_with_it() -> None:
    desk = open_option_desk()
    desk.one(C600, STO)
    exit_order = desk.one(C600, BTC, limit="0.50")

    desk.engine.assign("a", C600)

    assert desk.now(exit_order).status == "canceled"


def test_the_broker_closes_expiring_options_in_the_money_before_the_close() -> None:
    desk = open_option_desk(rules=Rules(liquidates_expiring_at=time(15, 30)))
    desk.many((P600, STO, 1), (P595, BTO, 1))
    desk.quote("SPY", "597.00", "597.02")
    desk.quote(P600, "3.00", "3.20")

    desk.engine.advance(CLOSE - timedelta(minutes=31))
    assert desk.held() == {P600: -1, P595: 1}
    desk.engine.advance(CLOSE - timedelta(minutes=30))

    assert desk.held() == {P595: 1}  # the protecting leg is out of the money and stays
    assert desk.engine.orders("a") == []


def test_the_hour_of_that_may_be_set_or_put_off_during_the_day() -> None:
    desk = open_option_desk()
    desk.one(P600, STO)
    desk.quote("SPY", "597.00", "597.02")
    desk.quote(P600, "3.00", "3.20")
    desk.engine.rules = Rules(liquidates_expiring_at=time(15, 0))
    desk.engine.rules = Rules(liquidates_expiring_at=time(15, 30))

    desk.engine.advance(CLOSE - timedelta(minutes=31))
    assert desk.held() == {P600: -1}
    desk.engine.advance(CLOSE - timedelta(minutes=30))
    assert desk.held() == {}


def test_nothing_is_liquidated_where_nobody_bids() -> None:
    desk = open_option_desk()
    desk.one(P595, BTO)
    desk.quote(P595, "0", "0.05")

    with pytest.raises(LookupError, match="no quote"):
        desk.engine.liquidate("a", P595)

    assert desk.held() == {P595: 1}
    assert desk.engine.orders("a") == []


def test_what_ended_can_be_read_as_it_was_before() -> None:
    desk = open_option_desk()
    past = Past(desk.engine)
    desk.one(C605, BTO)
    before = desk.engine.now

    desk.engine.advance(CLOSE)

    assert desk.held() == {}
    assert [view.instrument for view in past.positions("a", before)] == [C605]
