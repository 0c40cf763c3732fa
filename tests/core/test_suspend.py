"""Tests of `core/suspend.py`: a split must not look like a crash, nor a crash for ever like a split."""

from typing import Any

import pytest

from standfast.core.situation import Situation
from standfast.core.suspend import jump, suspensions
from standfast.model import journal as j
from standfast.model.effects import ReadActivities, ReadPositions, WakeAt
from standfast.model.instrument import Instrument, Kind
from standfast.model.position import CloseReason
from tests.core.situations import SPY, D, P, after, folded, of, position, quoted, situation, told


def jumped(price: str, before: str = "100", *facts: j.Fact) -> Situation:
    book = folded(*position(10), *facts)
    return situation(book, sights={SPY: quoted(price)}, leaps={SPY: D(price) / D(before)})


@pytest.mark.parametrize("price", ["50", "33.3", "10.1", "200", "66"])
def test_a_price_that_jumps_like_a_split_suspends_its_rules_and_asks(price: str) -> None:
    outcomes = list(suspensions(jumped(price), SPY))

    assert [type(each) for each in outcomes] == [j.PricesSuspended, j.AlertRaised, ReadPositions, ReadActivities]


@pytest.mark.parametrize("price", ["100", "90", "75", "120", "45"])
def test_an_ordinary_move_is_one(price: str) -> None:
    assert jump(jumped(price), SPY) is None
    assert list(suspensions(jumped(price), SPY)) == []


def test_without_a_leap_from_one_tick_to_the_next_or_a_position_nothing_is_said() -> None:
    """A slide to half the price, tick by tick, is no split."""
    book = folded(*position(10))
    assert jump(situation(book, sights={SPY: quoted("50")}), SPY) is None
    nothing = situation(folded(), sights={SPY: quoted("50")}, leaps={SPY: D("0.5")})
    assert list(suspensions(nothing, SPY)) == []


def test_only_shares_split_like_that() -> None:
    option = {SPY.instrument: Instrument(id=SPY.instrument, kind=Kind.OPTION)}
    book = folded(*position(10))

    assert jump(situation(book, leaps={SPY: D("0.5")}, instruments=option), SPY) is None


def resuming(seconds: float, *facts: j.Fact, **changes: Any) -> list[Any]:
    book = told(folded(*position(10)), j.PricesSuspended(holding=SPY, reason="?"), *facts)
    return list(suspensions(situation(book, now=after(seconds), **changes), SPY))


def test_an_unchanged_quantity_resumes_after_a_minute_of_session() -> None:
    assert of(j.PricesResumed, resuming(59)) == []
    assert of(j.PricesResumed, resuming(120, is_open=False)) == []
    assert of(j.PricesResumed, resuming(60)) != []


def test_a_changed_quantity_does_not_resume_and_is_asked_for() -> None:
    outcomes = resuming(120, held={SPY: 20})

    assert of(j.PricesResumed, outcomes) == []
    assert {type(each) for each in outcomes} == {ReadPositions, WakeAt}


def test_what_is_no_longer_held_needs_no_explanation() -> None:
    gone = j.PositionWrittenOff(position=P, reason=CloseReason.FOREIGN, by="op", detail="gone")

    (resumed,) = resuming(120, gone, held={})

    assert isinstance(resumed, j.PricesResumed)
