"""Tests of `core/suspend.py`: a split must not look like a crash, nor a crash for ever like a split."""

from dataclasses import replace
from typing import Any

import pytest

from standfast.core.protect import protect
from standfast.core.situation import Situation
from standfast.core.splits import is_split
from standfast.core.suspend import jump, suspensions
from standfast.model import journal as j
from standfast.model.effects import CancelOrder, ReadActivities, ReadPositions, WakeAt
from standfast.model.instrument import Instrument, Kind
from standfast.model.order import Movement, MovementKind, OrderType, Role
from standfast.model.position import CloseReason
from tests.core.situations import (
    BEGAN,
    SPY,
    D,
    P,
    after,
    folded,
    of,
    own_id,
    position,
    quoted,
    report,
    resting_stop,
    situation,
    the,
    told,
)


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


def out_of(quantity: int) -> j.MovementBooked:
    """The row of a split that takes the old shares out; the one that brings the new has not come."""
    row = Movement(id="m1", kind=MovementKind.SPLIT, broker_kind="SPLIT", holding=SPY, quantity=D(quantity), at=BEGAN)
    return j.MovementBooked(movement=row)


def test_half_a_split_suspends_and_takes_the_old_stop_away_until_the_other_half_says_the_ratio() -> None:
    book = folded(*position(10), *resting_stop(10), out_of(-10))

    assert of(j.PricesSuspended, suspensions(situation(book), SPY)) != []
    assert [each.broker_id for each in of(CancelOrder, protect(situation(book), the(book)))] == [f"{P}-stop-1"]


@pytest.mark.parametrize(
    ("quantity", "average", "split"), [(20, "50", True), (5, "200", True), (20, "75", False), (13, "76.92", False)]
)
def test_another_quantity_for_the_same_money_is_a_split(quantity: int, average: str, split: bool) -> None:  # noqa: FBT001 - a row of a table
    book = folded(*position(10), *resting_stop(10))
    s = at_average(situation(book, held={SPY: quantity}), average)

    assert is_split(s, SPY) is split
    assert bool(of(j.PricesSuspended, suspensions(s, SPY))) is split
    assert bool(of(CancelOrder, protect(s, the(book)))) is split


def test_a_stop_the_broker_has_restated_stays_and_nothing_is_adopted_while_prices_are_suspended() -> None:
    """It fits the shares of after. What else is listed meanwhile is known once the split is booked."""
    book = folded(*position(10), *resting_stop(10))
    restated = report(f"{P}-stop-1", client=own_id(Role.STOP), quantity=20, type=OrderType.STOP, stop="49")
    told(book, j.OrderObserved(report=restated, position=P, role=Role.STOP))
    s = at_average(situation(book, held={SPY: 20}), "50")

    assert is_split(s, SPY)
    assert of(CancelOrder, protect(s, the(book))) == []


def at_average(s: Situation, average: str) -> Situation:
    """The same, with what the broker says was paid on average."""
    read = s.snapshot.positions
    assert read is not None
    rows = {SPY: replace(read.rows[SPY], average_price=D(average))}
    return replace(s, snapshot=replace(s.snapshot, positions=replace(read, rows=rows)))
