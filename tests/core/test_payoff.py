"""Tests of `core/payoff.py`: the value at expiry, its worst and its best."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from standfast.core.payoff import UNBOUNDED, Extreme, Stake, first_expiry, outlook, outlook_of, payoff, reach
from standfast.model.structure import Leg, Structure
from tests.core.situations import D
from tests.core.structures import FRIDAY, TODAY, contract, leg, put_spread, shares, structure


def test_a_credit_spread_loses_its_width_less_the_credit_and_wins_the_credit() -> None:
    found = outlook_of(put_spread(3))

    assert found.worst == Extreme(D("-28890"), D(0))
    assert found.best == Extreme(D("1110"), D(3800))
    assert found.is_exact


CASES: list[tuple[Structure, str | None, str | None]] = [
    (structure((leg(1, "C", 3800), 5)), "-500", None),
    (structure((leg(-1, "C", 3800), 5)), None, "500"),
    (structure((leg(1, "P", 3800), 5)), "-500", "379500"),
    (structure((leg(-1, "P", 3800), 5)), "-379500", "500"),
    (structure((leg(-1, "C", 3800), 5), (leg(-1, "P", 3800), 6)), None, "1100"),
    (structure((leg(1, "C", 3800), 9), (leg(-2, "C", 3900), 4)), None, "9900"),
    (structure((leg(-1, "C", 3800), 9), (leg(2, "C", 3900), 4)), "-9900", None),
    (structure((leg(1, "P", 3700), 1), (leg(-2, "P", 3750), 3), (leg(1, "P", 3800), 7)), "-200", "4800"),
    (structure((shares(100), 600), (leg(-1, "C", 610, root="SPY"), 3)), "-59700", "1300"),
    (
        structure((shares(100), 600), (leg(-1, "C", 610, root="SPY"), 3), (leg(1, "P", 590, root="SPY"), 3)),
        "-1000",
        "1000",
    ),
    (
        structure(
            (leg(1, "P", 3600), 1), (leg(-1, "P", 3700), 3), (leg(-1, "C", 3800), 4), (leg(1, "C", 3900), 1), units=2
        ),
        "-19000",
        "1000",
    ),
]


@pytest.mark.parametrize(("one", "worst", "best"), CASES)
def test_the_most_that_can_be_lost_and_won(one: Structure, worst: str | None, best: str | None) -> None:
    found = outlook_of(one)

    assert found.worst.amount == (D(worst) if worst is not None else None)
    assert found.best.amount == (D(best) if best is not None else None)
    assert found.is_exact


def test_a_calendar_loses_what_it_cost_and_wins_what_nobody_can_say() -> None:
    found = outlook_of(structure((leg(-1, "C", 3800), 5), (leg(1, "C", 3800, FRIDAY), 8)))

    assert found.worst == Extreme(D(-300), D(0))
    assert not found.is_exact


def test_what_is_sold_goes_on_when_what_was_bought_with_it_has_ended() -> None:
    """Each looks like a credit that cannot be lost at the first expiry, and is a naked option from there on."""
    calls = structure((leg(-1, "C", 3800, FRIDAY), 9), (leg(1, "C", 3800), 5))
    puts = structure((leg(-1, "P", 3800, FRIDAY), 9), (leg(1, "P", 3800), 5))

    assert outlook_of(calls).worst == UNBOUNDED
    assert outlook_of(puts).worst == Extreme(D(-380_000 + 400), D(0))


REACHES: list[tuple[tuple[Leg, ...], str | None, str | None]] = [
    ((leg(-1, "P", 3800), leg(1, "P", 3700)), "-100", "0"),
    ((leg(1, "C", 3800),), "0", None),
    ((leg(-1, "C", 3800),), None, "0"),
    ((leg(1, "P", 3700), leg(-2, "P", 3750), leg(1, "P", 3800)), "0", "50"),
    ((shares(100), leg(-1, "C", 610, root="SPY")), "0", "610"),
    ((leg(1, "C", 3700), leg(-1, "C", 3800), leg(1, "P", 3800), leg(-1, "P", 3700)), "0", "100"),
    ((leg(-1, "C", 3800), leg(1, "C", 3800, FRIDAY)), None, None),
    ((leg(-1, "C", 3800), leg(1, "C", 3900, root="SPX")), None, None),
]


@pytest.mark.parametrize(("legs", "least", "most"), REACHES)
def test_what_legs_of_one_series_can_be_worth_is_bounded_by_their_worth_at_expiry(
    legs: tuple[Leg, ...], least: str | None, most: str | None
) -> None:
    """A box is worth its width at its end, and less before: money of then is worth less now."""
    assert reach(legs) == tuple(D(each) if each is not None else None for each in (least, most))


def test_only_what_is_held_counts() -> None:
    assert outlook_of(put_spread(0)).worst.amount == 0


def test_results_are_told_with_their_price() -> None:
    assert str(Extreme(D("-28890"), D(3700))) == "-28890.00 at 3700"
    assert str(UNBOUNDED) == "without bound"


def test_the_first_option_to_end_is_what_a_structure_waits_for() -> None:
    assert first_expiry(structure((leg(1, "C", 3800, FRIDAY), 8), (leg(-1, "C", 3800), 5))) == TODAY
    assert first_expiry(structure((shares(10), 8))) is None


strikes = st.integers(1, 400).map(lambda number: D(number) * 10)
stakes = st.lists(
    st.builds(
        Stake,
        st.none() | st.builds(contract, st.sampled_from("CP"), strikes),
        st.integers(-5, 5).map(Decimal),
        st.sampled_from([D(1), D(100)]),
    ),
    min_size=1,
    max_size=6,
)


@given(stakes, st.decimals("-1000", "1000", places=2), st.decimals("0", "100000", places=2))
def test_no_price_gives_a_worse_result_than_the_worst_or_a_better_than_the_best(
    held: list[Stake], paid: Decimal, price: Decimal
) -> None:
    found, result = outlook(held, paid), payoff(held, price) - paid

    assert found.worst.amount is None or found.worst.amount <= result
    assert found.best.amount is None or found.best.amount >= result


@given(stakes, st.decimals("-1000", "1000", places=2))
def test_both_extremes_are_reached_where_they_are_said_to_be(held: list[Stake], paid: Decimal) -> None:
    found = outlook(held, paid)

    for result in (found.worst, found.best):
        if result.amount is None:
            far = [payoff(held, D(price)) for price in (10**5, 10**6)]
            assert (far[1] < far[0]) is (result is found.worst)
        else:
            assert result.at is not None
            assert payoff(held, result.at) - paid == result.amount
