"""Cash, average cost and what the exchange knows to be the truth."""

from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st

from standfast.exchange.accounts import Position
from tests.exchange.desk import BUY, SELL, D, Rules, open_desk


def test_average_cost_is_released_in_proportion_and_realised_per_fill() -> None:
    position = Position()

    assert position.trade(D(10), D("100")) == 0
    assert position.trade(D(10), D("110")) == 0
    assert position.cost / position.quantity == D(105)
    assert position.trade(D(-5), D("120")) == D(75)
    assert position.trade(D(-15), D("100")) == D(-75)
    assert (position.quantity, position.cost) == (D(0), D(0))


def test_a_short_earns_when_the_price_falls() -> None:
    position = Position()
    position.trade(D(-10), D("100"))

    assert position.trade(D(4), D("90")) == D(40)
    assert (position.quantity, position.cost) == (D(-6), D(-600))


def test_a_trade_through_zero_closes_at_cost_and_opens_at_its_price() -> None:
    position = Position()
    position.trade(D(10), D("100"))

    assert position.trade(D(-15), D("90")) == D(-100)
    assert (position.quantity, position.cost) == (D(-5), D(-450))


TRADES = st.lists(
    st.tuples(
        st.decimals("-50", "50", places=9).filter(bool),
        st.decimals("0.01", "500", places=2),
    ),
    min_size=1,
    max_size=20,
)


@given(TRADES)
def test_a_round_trip_realises_exactly_what_it_paid_and_got(trades: list[tuple[Decimal, Decimal]]) -> None:
    position, realised, paid = Position(), D(0), D(0)
    for quantity, price in [*trades, (-sum((quantity for quantity, _ in trades), D(0)), D(100))]:
        if quantity:
            realised += position.trade(quantity, price)
            paid += quantity * price

    assert position.quantity == 0
    assert abs(realised + paid) < D("1e-12")


def test_the_account_is_worth_its_cash_and_its_holdings() -> None:
    desk = open_desk()
    desk.submit(BUY)
    desk.quote("50.00", instrument="OCGN")
    desk.submit(SELL, "4", instrument="OCGN")
    desk.quote("110.00", "110.02")

    account = desk.engine.account("a")

    assert account.cash == D("100000") - D("1000.20") + 200
    assert (account.long_market_value, account.short_market_value) == (D("1100.10"), D("-200.04"))
    assert account.equity == account.cash + D("1100.10") - D("200.04")
    assert account.buying_power == account.equity * 4 - D("1300.14")


def test_a_position_is_shown_at_average_cost_and_the_middle_of_the_market() -> None:
    desk = open_desk()
    desk.submit(BUY)
    desk.quote("110.00", "110.02")
    desk.submit(BUY, "10")

    position = desk.engine.position("a", "KO")

    assert (position.quantity, position.available) == (D(20), D(20))
    assert position.average_entry_price == D("105.02")
    assert (position.cost_basis, position.market_value) == (D("2100.40"), D("2200.20"))
    assert position.unrealised == D("99.80")
    assert desk.engine.position("a", position.asset_id) == position


def test_the_truth_keeps_what_every_fill_realised_fees_apart() -> None:
    desk = open_desk(Rules(fee_per_unit=D("0.000166")))
    desk.submit(BUY)
    desk.quote("105.00")
    desk.submit(SELL, "4")
    desk.submit(SELL, "6")

    truth = desk.engine.truth("a")

    assert [fill.realised for fill in truth.fills] == [D(0), D("19.92"), D("29.88")]
    assert (truth.realised, truth.fees) == (D("49.80"), D("0.02"))
    assert truth.realised_by_instrument() == {"KO": D("49.80")}
    assert list(truth.realised_by_day().values()) == [D("49.80")]
    assert desk.engine.account("a").cash == 100_000 + truth.realised - truth.fees
