"""Tests of `core/vanished.py`: no stop is placed for what two answers of the broker say is gone."""

from typing import Any

import pytest

from standfast.core.protect import protect
from standfast.core.situation import Outcome
from standfast.model import journal as j
from standfast.model.breaks import BreakKind, Finding
from standfast.model.effects import ReadPosition, SubmitOrder, WakeAt
from standfast.model.evidence import SingleRead
from standfast.model.ids import BreakId, EntryNumber
from tests.core.situations import SPY, D, after, folded, of, position, situation, the, told, with_contract

GHOST = j.BreakSeen(
    id=BreakId("b1"),
    finding=Finding(kind=BreakKind.GHOST_POSITION, holding=SPY, booked="10", reported="0", gap=D(10)),
)
NAME = f"read position {SPY}"


def step(seconds: float, **changes: Any) -> list[Outcome]:
    book = told(folded(*position(10)), GHOST, at=after(0))
    s = situation(book, held={}, now=after(seconds), asked_after=book.head - 1, **changes)
    return list(protect(s, the(book)))


def alone(net: int, began: float) -> SingleRead:
    return SingleRead(net=D(net), asked_after=EntryNumber(99), began=after(began))


def test_what_the_list_no_longer_shows_gets_no_stop_until_its_fills_had_time_to_say_why() -> None:
    assert of(SubmitOrder, step(1, asked={NAME: after(0)})) == []
    assert of(WakeAt, step(1, asked={NAME: after(0)})) == [WakeAt(at=after(3), holding=SPY)]
    assert len(of(SubmitOrder, step(3, asked={NAME: after(0)}))) == 1


def test_it_is_asked_for_by_its_name_and_given_time_to_answer() -> None:
    assert len(of(ReadPosition, step(1))) == 1
    assert of(WakeAt, step(20)) == [WakeAt(at=after(23), holding=SPY)]
    assert of(WakeAt, step(22, asked={NAME: after(20)})) == [WakeAt(at=after(23), holding=SPY)]
    assert len(of(SubmitOrder, step(24, asked={NAME: after(20)}))) == 1, "no answer: the list alone proves nothing"


def test_nothing_is_placed_for_as_long_as_both_say_that_it_is_gone() -> None:
    """Found by simulation: sold in an outage, activities minutes old, and a stop sent again and again over nothing."""
    for seconds in (4, 60, 3600):
        waiting = step(seconds, asked={NAME: after(seconds - 1)}, singles={SPY: alone(0, seconds - 1)})
        assert of(SubmitOrder, waiting) == []
        assert of(WakeAt, waiting) == [WakeAt(at=after(seconds + 3), holding=SPY)]


def test_where_the_two_differ_it_is_protected() -> None:
    assert len(of(SubmitOrder, step(60, asked={NAME: after(59)}, singles={SPY: alone(10, 59)}))) == 1


def test_an_answer_that_may_be_of_before_the_position_says_nothing() -> None:
    book = told(folded(*position(10, at=after(50))), GHOST, at=after(51))
    for began, is_placed in ((59, True), (60, False)):
        asked = {NAME: after(began)}
        s = situation(
            book, held={}, now=after(63), asked_after=book.head - 1, asked=asked, singles={SPY: alone(0, began)}
        )
        assert bool(of(SubmitOrder, list(protect(s, the(book))))) is is_placed


def test_what_was_said_holds_while_nothing_can_be_read() -> None:
    assert of(SubmitOrder, step(900, asked={NAME: after(896)}, singles={SPY: alone(0, 60)})) == []


@pytest.mark.parametrize(("seconds_ago", "is_placed"), [(60, False), (3, True)])
def test_a_purchase_read_after_a_list_that_does_not_show_it_any_more_waits_too(
    seconds_ago: float, *, is_placed: bool
) -> None:
    """Found by simulation: bought, six minutes blind, sold; of the activities the purchase is read first."""
    book = folded(*position(10, at=after(-seconds_ago)), at=after(0))
    s = situation(book, held={}, now=after(0), asked_after=0)

    outcomes = list(protect(s, the(book)))

    assert bool(of(SubmitOrder, outcomes)) is is_placed
    assert (WakeAt(at=after(3), holding=SPY) in outcomes) is not is_placed


@pytest.mark.parametrize(("seconds", "is_placed"), [(1, True), (9, True), (10, False)])
def test_a_stop_that_may_only_reduce_does_not_wait_for_a_list_that_need_not_show_the_fill_yet(
    seconds: float, *, is_placed: bool
) -> None:
    """Found by a drill: three seconds bare after each opening at an exchange whose positions are seconds late."""
    book = told(folded(*position(10, at=after(0)), at=after(0)), GHOST, at=after(0))
    s = situation(
        book, held={}, now=after(seconds), asked_after=book.head - 1, contract=with_contract(reduce_only=True)
    )

    outcomes = list(protect(s, the(book)))

    assert bool(of(SubmitOrder, outcomes)) is is_placed
    assert bool(of(WakeAt, outcomes)) is not is_placed
