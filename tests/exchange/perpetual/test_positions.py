"""A position's cost is exact over any path, and it dies where its margin ends."""

from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st

from standfast.exchange.perpetual.contract import perpetual
from standfast.exchange.perpetual.positions import Position
from tests.exchange.perpetual.desk import BTC, START, D

CONTRACT = perpetual(BTC, contract_size=D("0.1"))
FLAT = Position(account="a", instrument=BTC, index=0, leverage=D(10))
QUANTITIES = st.integers(-50, 50).filter(bool).map(Decimal)
PRICES = st.integers(1, 10_000).map(Decimal)


@given(st.lists(st.tuples(QUANTITIES, PRICES), min_size=1, max_size=20), PRICES)
def test_what_a_round_trip_realises_is_what_it_paid_and_got(
    trades: list[tuple[Decimal, Decimal]], last: Decimal
) -> None:
    position, realised, paid = FLAT, D(0), D(0)
    for quantity, price in trades:
        position, earned = position.traded(CONTRACT, quantity, price, START)
        realised, paid = realised + earned, paid + CONTRACT.value(quantity, price)
    if position.quantity:
        paid += CONTRACT.value(-position.quantity, last)
        position, earned = position.traded(CONTRACT, -position.quantity, last, START)
        realised += earned

    assert (position.quantity, position.value) == (D(0), D(0))
    assert abs(realised + paid) < D("1e-18")


@given(QUANTITIES, PRICES, PRICES, st.integers(-2000, 2000).map(Decimal))
def test_equity_at_the_liquidation_price_is_what_it_has_to_maintain(
    quantity: Decimal, entry: Decimal, mark: Decimal, equity: Decimal
) -> None:
    position, _ = FLAT.traded(CONTRACT, quantity, entry, START)

    dies_at = position.dies_at(CONTRACT, mark, equity, rate=CONTRACT.maintenance_rate)

    if dies_at is None:  # it could lose everything it is worth and more
        return
    there = equity + CONTRACT.value(quantity, dies_at - mark)
    assert abs(there - position.maintenance(CONTRACT, dies_at)) < D("1e-12")


def test_crossing_to_the_other_side_opens_at_the_price_of_the_crossing() -> None:
    long, _ = FLAT.traded(CONTRACT, D(10), D(100), START)
    short, earned = long.traded(CONTRACT, D(-15), D(110), START)

    assert earned == D(10)  # ten contracts of 0.1, ten higher
    assert (short.quantity, short.average(CONTRACT)) == (D(-5), D(110))
