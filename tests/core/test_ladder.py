"""Tests of `core/ladder.py`: rungs arm upwards and the stop only rises."""

from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st

from standfast.core.ladder import climbed, next_move
from standfast.core.policy import Rung
from standfast.model.position import Trail
from tests.core.situations import D
from tests.core.test_exits import rungs

LADDER = (Rung(D("0.1"), None), Rung(D("0.2"), D("0.08")))


def test_below_the_first_rung_nothing_trails() -> None:
    assert climbed(LADDER, None, D("0.0999")) is None
    assert climbed((), None, D(5)) is None
    assert next_move((), None) is None


def test_rungs_arm_one_by_one_beginning_with_break_even() -> None:
    first = climbed(LADDER, None, D("0.1"))
    assert first == Trail(rung=0, peak=D("0.1"), stop=D(0))

    assert climbed(LADDER, first, D("0.2")) == Trail(rung=1, peak=D("0.2"), stop=D("0.12"))


def test_the_stop_follows_by_a_tenth_of_what_its_rung_gives_back() -> None:
    armed = Trail(rung=1, peak=D("0.2"), stop=D("0.12"))

    assert next_move(LADDER, armed) == D("0.208")
    assert climbed(LADDER, armed, D("0.2079")) is None
    assert climbed(LADDER, armed, D("0.208")) == Trail(rung=1, peak=D("0.208"), stop=D("0.128"))


def test_rungs_that_the_policy_has_lowered_since_are_armed_at_the_next_look_whatever_the_result() -> None:
    climbed_by_others = Trail(rung=0, peak=D("0.25"), stop=D(0))

    assert next_move(LADDER, climbed_by_others) == D(0), "the stop itself: no result above it is quiet"
    assert climbed(LADDER, climbed_by_others, D("0.01")) == Trail(rung=1, peak=D("0.25"), stop=D("0.17"))


def test_a_ladder_that_ends_at_break_even_never_moves_again() -> None:
    assert next_move(LADDER[:1], Trail(rung=0, peak=D("0.1"), stop=D(0))) is None


results = st.lists(st.integers(-50, 200).map(lambda number: Decimal(number) / 100), max_size=25)


@given(rungs, results)
def test_the_stop_never_falls_and_the_rung_never_goes_back(ladder: tuple[Rung, ...], path: list[Decimal]) -> None:
    trail: Trail | None = None
    for result in path:
        after = climbed(ladder, trail, result)
        if after is not None and trail is not None:
            assert after.stop >= trail.stop
            assert after.rung >= trail.rung
            assert after.peak >= trail.peak
        trail = after or trail


@given(rungs, results)
def test_below_the_next_move_the_ladder_stays_as_it_is(ladder: tuple[Rung, ...], path: list[Decimal]) -> None:
    trail: Trail | None = None
    for result in path:
        nearest, after = next_move(ladder, trail), climbed(ladder, trail, result)
        assert after is None or (nearest is not None and result >= nearest)
        trail = after or trail
