"""Tests of `core/first_lists.py`: what was held before the last trades, by lists that may be older than those."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta

from hypothesis import given
from hypothesis import strategies as st

from standfast.core.first_lists import Look, held_at_first
from standfast.model.order import Fill, Side
from tests.core.situations import NOW, QQQ, SPY, D, fill

S = timedelta(seconds=35)


def at(seconds: float) -> timedelta:
    return timedelta(seconds=seconds)


def look(seconds: float, listed: int) -> Look:
    """A list asked for so many seconds after the first."""
    asked = NOW + at(seconds)
    return Look(listed={SPY: D(listed)} if listed else {}, since=asked - S, until=asked + at(1))


def traded(seconds: float, quantity: int) -> Fill:
    side = Side.BUY if quantity > 0 else Side.SELL
    return fill(f"x{seconds}", f"o{seconds}", side, abs(quantity), 100, at=NOW + at(seconds))


def test_where_nothing_has_filled_lately_the_first_list_says_all() -> None:
    assert held_at_first([look(0, 7)], []) == {}


def test_one_list_leaves_open_whether_it_counts_the_last_trade() -> None:
    assert held_at_first([look(0, 0)], [traded(-3, -16)]) == {}


def test_a_list_that_changes_by_the_trade_has_not_counted_it_before() -> None:
    assert held_at_first([look(0, 0), look(4, -16)], [traded(-3, -16)]) == {SPY: 0}


def test_a_list_so_long_after_the_trade_counts_it() -> None:
    sale = [traded(-3, -16)]

    assert held_at_first([look(0, 0), look(31, 0)], sale) == {}
    assert held_at_first([look(0, 0), look(33, 0)], sale) == {SPY: 16}, "sixteen were held, and sold"


def test_what_fills_while_lists_are_read_leaves_fewer() -> None:
    looks = [look(0, -16), look(10, 16)]

    assert held_at_first(looks, [traded(-3, -16), traded(8, 32)]) == {SPY: 0}


def test_each_holding_is_for_itself() -> None:
    other = replace(traded(-3, 5), holding=QQQ)

    found = held_at_first([look(0, 0), look(4, -16)], [traded(-3, -16), other])

    assert found == {SPY: 0}, "of the other nothing has been told yet"


def test_what_no_fill_tells_makes_the_newest_lists_count_alone() -> None:
    assert held_at_first([look(0, 100), look(20, 0), look(24, -16)], [traded(-3, -16)]) == {SPY: 0}


def test_in_the_end_the_newest_list_is_believed_to_be_of_now() -> None:
    same_again = [traded(second, 5) for second in range(-30, 100, 10)]
    looks = [look(second + 1, 40 + second // 2) for second in range(0, 100, 10)]

    assert held_at_first(looks, same_again) == {}
    assert held_at_first(looks, same_again, is_last=True) == {SPY: 20}


TRADES = st.lists(st.tuples(st.integers(-34, 60), st.integers(-3, 3).filter(bool)), max_size=6)
LAGS = st.lists(st.integers(0, 35), min_size=1, max_size=8)


@given(before=st.integers(-3, 3), trades=TRADES, lags=LAGS)
def test_what_was_truly_held_fits_every_list_that_keeps_to_its_staleness(
    before: int, trades: list[tuple[int, int]], lags: Sequence[int]
) -> None:
    fills = [
        fill(f"x{n}", f"o{n}", Side.BUY if q > 0 else Side.SELL, abs(q), 100, at=NOW + at(second))
        for n, (second, q) in enumerate(trades)
    ]
    asked = [10 * n for n in range(len(lags))]
    told = [fills_of for fills_of in fills if fills_of.at <= NOW + at(asked[-1])]
    looks = [
        look(second, before + sum(q for then, q in trades if then <= second - lag))
        for second, lag in zip(asked, lags, strict=True)
    ]

    found = held_at_first(looks, told)

    assert found in ({}, {SPY: D(before)})
