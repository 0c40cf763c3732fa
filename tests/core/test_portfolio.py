"""Tests of `core/portfolio.py`: structures seen together."""

from dataclasses import replace
from datetime import timedelta

from hypothesis import given
from hypothesis import strategies as st

from standfast.core.portfolio import Lean, portfolio, worst_cases
from standfast.model.greeks import Greeks
from standfast.model.ids import PositionId
from standfast.model.structure import Structure
from tests.core.situations import NOW, D
from tests.core.structures import FRIDAY, TODAY, at, leg, put_spread, shares, structure

GREEKS = {
    at("P", 3800): Greeks(delta=D("-0.40"), theta=D("-1.5"), at=NOW),
    at("P", 3700): Greeks(delta=D("-0.10"), theta=D("-0.6"), at=NOW - timedelta(minutes=30)),
    at("C", 610, root="SPY"): Greeks(delta=D("0.30"), theta=D("-0.2"), at=NOW),
}


def covered(units: int = 1) -> Structure:
    return structure((shares(100), 600), (leg(-1, "C", 610, root="SPY"), 3), units=units, id=PositionId("p2"))


def test_greeks_add_up_over_contracts_and_shares_by_underlying() -> None:
    found = portfolio([put_spread(3), covered(2)], GREEKS)

    assert found.leans == {
        "SPX": Lean(delta=D("90"), theta=D("270")),
        "SPY": Lean(delta=D("140"), theta=D("40")),
    }
    assert found.theta == D("310")
    assert found.unknown == ()
    assert found.figured_at == NOW - timedelta(minutes=30)


def test_what_greeks_are_missing_for_is_named() -> None:
    found = portfolio([put_spread(3)], {at("P", 3800): GREEKS[at("P", 3800)]})

    assert found.unknown == (at("P", 3700),)
    assert found.leans["SPX"].delta == D("120")


def test_what_is_flat_leans_nowhere() -> None:
    sold, bought = put_spread(3).legs
    gone = replace(put_spread(3), legs=(replace(sold, closed=D(3)), replace(bought, closed=D(3))))

    found = portfolio([gone], {})

    assert (found.leans, found.unknown, found.worst, found.worst_total, found.figured_at) == ({}, (), (), D(0), None)


def test_two_sides_of_a_condor_cannot_both_lose() -> None:
    calls = structure((leg(-1, "C", 3900), "2"), (leg(1, "C", 4000), "0.5"), units=3, id=PositionId("p2"))

    (found,) = worst_cases([put_spread(3), calls])

    assert (found.underlying, found.expiry) == ("SPX", TODAY)
    assert found.apart == D(-28890 - 29550)
    assert found.together.worst.amount == D(-28890 + 450)
    assert found.together.best.amount == D(1110 + 450)


def test_each_underlying_and_day_has_its_own_worst_case() -> None:
    later = structure((leg(-1, "P", 3800, FRIDAY), 9), (leg(1, "P", 3700, FRIDAY), 4), id=PositionId("p3"))

    found = portfolio([put_spread(1), later, covered()], GREEKS)

    assert [(each.underlying, each.expiry) for each in found.worst] == [("SPX", TODAY), ("SPX", FRIDAY), ("SPY", TODAY)]
    assert found.worst_total == D(-9630 - 9500 - 59700)


def test_a_loss_without_bound_has_no_total() -> None:
    found = portfolio([structure((leg(-1, "C", 3900), 2)), covered()], GREEKS)

    assert found.worst_total is None
    assert found.worst[0].apart is None


spreads = st.lists(
    st.builds(
        lambda right, low, width, sign, price, number: structure(
            (leg(sign, right, low), price + 1),
            (leg(-sign, right, low + width), price),
            id=PositionId(f"p{number}"),
        ),
        st.sampled_from("CP"),
        st.sampled_from([3600, 3700, 3800]),
        st.sampled_from([50, 100]),
        st.sampled_from([-1, 1]),
        st.decimals("0.05", "9", places=2),
        st.integers(),
    ),
    min_size=1,
    max_size=5,
)


@given(spreads)
def test_the_worst_case_together_is_never_worse_than_the_sum_of_each(found: list[Structure]) -> None:
    (case,) = worst_cases(found)

    assert case.together.worst.amount is not None
    assert case.apart is not None
    assert case.together.worst.amount >= case.apart - D("0.000001")


def test_shares_alone_are_a_case_of_their_own_and_what_is_sold_short_has_no_bound() -> None:
    held = structure((shares(1, "AAPL"), 200), units=10, id=PositionId("p4"))
    short = structure((shares(-1, "TSLA"), 300), units=5, id=PositionId("p5"))

    found = worst_cases([held, short])

    assert [(each.underlying, each.expiry, each.together.worst.amount) for each in found] == [
        ("AAPL", None, D(-2000)),
        ("TSLA", None, None),
    ]
