"""Options and multi-leg orders in the engine: sides, prices, partial fills, what is refused."""

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

import pytest

from standfast.exchange.fills import FillAll, Scripted
from standfast.exchange.orders import Change, Intent, Order, Side, Terms, Ticket
from standfast.exchange.refusal import Cause, Refused
from standfast.exchange.rules import Rules
from tests.exchange.option_desk import (
    BTC,
    BTO,
    C600,
    C605,
    CLOSE,
    P595,
    P600,
    STC,
    STO,
    X3700,
    X3800,
    D,
    OptionDesk,
    multileg,
    open_option_desk,
)

Wish = tuple[str, Intent, int]

SPREAD = ((P600, STO, 1), (P595, BTO, 1))


def statuses(desk: OptionDesk, whole: Order) -> list[str]:
    return [desk.now(order).status.value for order in (whole, *desk.engine.legs(whole))]


def refused(desk: OptionDesk, *legs: Wish, quantity: str = "1", limit: str | None = None) -> Refused:
    with pytest.raises(Refused) as caught:
        desk.engine.submit("a", multileg(*legs, quantity=quantity, limit=limit, of="SPY"))
    return caught.value


# One contract


def test_a_contract_costs_a_hundred_times_its_price() -> None:
    desk = open_option_desk()

    order = desk.one(C600, BTO, "2")

    (position,) = desk.engine.positions("a")
    assert (order.status, order.average_price) == ("filled", D("3.10"))
    assert desk.cash == 100_000 - 620
    assert (position.cost_basis, position.average_entry_price, position.market_value) == (D(620), D("3.10"), D(610))
    assert desk.engine.account("a").equity == 100_000 - 10


def test_closing_realises_what_came_back_less_what_it_cost() -> None:
    desk = open_option_desk()
    desk.one(C600, BTO, "2")
    desk.quote(C600, "4.00", "4.10")

    desk.one(C600, STC, "2")

    assert desk.engine.truth("a").realised == 180
    assert desk.held() == {}


@pytest.mark.parametrize(
    ("before", "wanted"),
    [(None, STC), (None, BTC), (BTO, BTC), (BTO, STO), (STO, BTO), (STO, STC)],
)
def test_a_side_that_does_not_fit_what_is_held_is_refused(before: Intent | None, wanted: Intent) -> None:
    desk = open_option_desk()
    if before is not None:
        desk.one(C600, before)

    with pytest.raises(Refused) as caught:
        desk.one(C600, wanted)

    assert caught.value.cause is Cause.HELD


def test_more_cannot_be_closed_than_is_held_and_free() -> None:
    desk = open_option_desk()
    desk.one(C600, BTO, "2")
    desk.one(C600, STC, "1", limit="9.00")

    with pytest.raises(Refused, match="insufficient qty"):
        desk.one(C600, STC, "2", limit="9.00")


def test_with_nobody_bidding_a_sale_waits_and_a_purchase_goes_on() -> None:
    desk = open_option_desk()
    desk.one(P595, BTO)
    desk.quote(P595, "0", "0.05")

    sale = desk.one(P595, STC)
    assert sale.status == "new"
    desk.quote(P595, "0.05", "0.10")

    assert desk.now(sale).average_price == D("0.05")


# Multi-leg orders


def test_a_credit_spread_fills_at_its_legs_far_sides_and_is_paid_for() -> None:
    desk = open_option_desk()

    whole = desk.many(*SPREAD, quantity="3", limit="-1.00")

    assert statuses(desk, whole) == ["filled"] * 3
    assert whole.average_price == D("-1.10")  # 2.00 less 0.90
    assert desk.held() == {P600: -3, P595: 3}
    assert desk.cash == 100_000 + 330
    account = desk.engine.account("a")
    assert account.option_requirement == 1500
    assert account.option_buying_power == 100_330 - 1500


@pytest.mark.parametrize(("limit", "status"), [("-1.10", "filled"), ("-1.11", "new"), (None, "filled")])
def test_a_limit_is_kept_by_the_net_price_alone(limit: str | None, status: str) -> None:
    assert open_option_desk().many(*SPREAD, limit=limit).status == status


def test_even_pays_nothing() -> None:
    desk = open_option_desk()
    whole = desk.many((C600, BTO, 1), (C605, STO, 3), limit="0")
    assert whole.status == "new"

    desk.quote(C600, "2.90", "3.00")

    assert desk.now(whole).average_price == 0


def test_it_waits_until_every_leg_has_a_market() -> None:
    desk = open_option_desk()
    desk.engine.halt(P595)
    whole = desk.many(*SPREAD)
    assert statuses(desk, whole) == ["new"] * 3

    desk.engine.resume(P595)

    assert statuses(desk, whole) == ["filled"] * 3


def test_a_partial_fill_is_of_whole_units_in_the_ratio() -> None:
    desk = open_option_desk(rules=Rules(limited_by_size=True))
    desk.quote(C605, "1.00", "1.10", size="5")  # two short calls a unit: enough for two units

    whole = desk.many((C600, BTO, 1), (C605, STO, 2), quantity="3", limit="1.10")

    assert whole.status == "partially_filled"
    assert [leg.filled for leg in desk.engine.legs(whole)] == [2, 4]
    assert desk.held() == {C600: 2, C605: -4}
    desk.quote(C605, "1.00", "1.10", size="5")
    assert statuses(desk, whole) == ["filled"] * 3


def test_a_policy_holds_back_units() -> None:
    class OneAtATime(FillAll):
        def allowed(self, *_: object) -> Decimal:
            return D(1)

    desk = open_option_desk(fills=OneAtATime())
    whole = desk.many(*SPREAD, quantity="2")

    assert whole.filled == 1
    assert desk.held() == {P600: -1, P595: 1}


def test_closing_it_takes_both_legs_and_leaves_nothing() -> None:
    desk = open_option_desk()
    desk.many(*SPREAD, quantity="2")

    whole = desk.many((P600, BTC, 1), (P595, STC, 1), quantity="2", limit="1.50")

    assert whole.average_price == D("1.30")  # 2.10 less 0.80
    assert desk.held() == {}
    assert desk.engine.truth("a").realised == -40
    assert desk.engine.account("a").option_requirement == 0


def test_cancelling_it_or_one_leg_of_it_ends_all() -> None:
    desk = open_option_desk()
    first, second = desk.many(*SPREAD, limit="-2"), desk.many(*SPREAD, limit="-2")

    desk.engine.cancel("a", first.id)
    desk.engine.cancel("a", desk.engine.legs(second)[0].id)

    assert statuses(desk, first) == statuses(desk, second) == ["canceled"] * 3
    assert desk.engine.account("a").buying_power == 400_000


def test_a_resting_one_dies_at_the_close_with_its_legs() -> None:
    desk = open_option_desk(rules=Rules(day_orders_end_as_canceled=True))
    whole = desk.many(*SPREAD, limit="-2")

    desk.engine.advance(CLOSE)

    assert statuses(desk, whole) == ["canceled"] * 3


def test_its_price_can_be_changed_in_place() -> None:
    desk = open_option_desk()
    whole = desk.many(*SPREAD, limit="-2")

    changed = desk.engine.amend("a", whole.id, Change(limit_price=D("-1.05")))

    assert (changed.id, changed.status, changed.average_price) == (whole.id, "filled", D("-1.10"))


def test_shares_and_a_call_trade_together() -> None:
    desk = open_option_desk()

    whole = desk.many(("SPY", BTO, 100), (C605, STO, 1), limit="600.50")

    assert whole.average_price == D("600.02")  # 601.02 a share less 1.00
    assert desk.held() == {"SPY": 100, C605: -1}
    assert desk.engine.account("a").option_requirement == 0  # covered


def test_a_dearer_price_is_paid_for_or_not_taken() -> None:
    desk = open_option_desk(cash="1000")
    order = desk.one(C600, BTO, "3", limit="2.00")
    assert desk.engine.account("a").option_buying_power == 400

    desk.engine.amend("a", order.id, Change(limit_price=D("3.00")))
    assert desk.engine.account("a").option_buying_power == 100
    with pytest.raises(Refused) as caught:
        desk.engine.amend("a", order.id, Change(limit_price=D("3.40")))

    assert caught.value.cause is Cause.POWER
    assert desk.now(order).terms.limit_price == D("3.00")


# What is refused


def test_a_spread_that_cannot_be_secured_is_refused_and_one_that_can_is_not() -> None:
    desk = open_option_desk(cash="900")

    assert refused(desk, *SPREAD, quantity="3").cause is Cause.POWER  # 1,500 to secure, 330 come in
    assert desk.many(*SPREAD, quantity="2").status == "filled"


def test_what_rests_counts_against_the_next_order() -> None:
    desk = open_option_desk(cash="900")
    desk.many(*SPREAD, quantity="2", limit="-1.50")

    assert refused(desk, *SPREAD, quantity="1", limit="0.50").cause is Cause.POWER


def test_selling_the_protecting_leg_alone_needs_buying_power() -> None:
    desk = open_option_desk(cash="2000")
    desk.many(*SPREAD)

    with pytest.raises(Refused) as caught:
        desk.one(P595, STC)

    assert caught.value.cause is Cause.POWER


def test_a_call_whose_shares_are_sold_has_to_be_secured() -> None:
    desk = open_option_desk(cash="70000")
    desk.many(("SPY", BTO, 100), (C605, STO, 1))
    assert desk.engine.account("a").option_requirement == 0
    sale = Ticket(terms=Terms(instrument="SPY", side=Side.SELL, quantity=D(100)))

    desk.engine.submit("a", sale)

    assert desk.held() == {C605: -1}
    assert desk.engine.account("a").option_requirement == D("0.2") * D("601.01") * 100


def test_shares_that_cover_a_call_are_kept_where_bare_it_could_not_be_borne() -> None:
    desk = open_option_desk(cash="3000")
    desk.engine.move_cash("a", D(60_000))
    desk.many(("SPY", BTO, 100), (C605, STO, 1))
    desk.engine.move_cash("a", D(-59_000))  # the shares are on margin now

    with pytest.raises(Refused) as caught:
        desk.engine.submit("a", Ticket(terms=Terms(instrument="SPY", side=Side.SELL, quantity=D(10))))

    assert caught.value.cause is Cause.POWER


def test_a_multi_leg_order_can_be_replaced_by_one_at_another_price() -> None:
    desk = open_option_desk(fills=Scripted({"mine": [D("0.5")]}))
    whole = desk.engine.submit("a", replace(multileg(*SPREAD, quantity="2", limit="-1.10", of="SPY"), tag="mine"))
    desk.quote(P600, "1.80", "1.90")

    new = desk.engine.replace("a", whole.id, Change(limit_price=D("-0.90")))

    assert desk.now(whole).status == "replaced"
    assert statuses(desk, desk.now(new)) == ["filled"] * 3
    assert desk.held() == {P600: -2, P595: 2}


def test_legs_of_another_underlying_twice_the_same_or_too_many_are_refused() -> None:
    desk = open_option_desk()

    assert "not of SPY" in refused(desk, (X3800, STO, 1), (X3700, BTO, 1)).message
    assert "another instrument" in refused(desk, (C600, STO, 1), (C600, BTO, 1)).message
    assert "2 to 4" in refused(desk, (C600, BTO, 1)).message
    assert "whole number" in refused(desk, *SPREAD, quantity="1.5").message


def test_a_contract_of_yesterday_is_refused() -> None:
    desk = open_option_desk()
    desk.engine.advance(CLOSE + timedelta(hours=1))

    assert "expired" in refused(desk, *SPREAD).message
