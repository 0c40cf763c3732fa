"""Tests of `core/vanished.py`: no stop is placed for what two answers of the broker say is gone."""

from typing import Any

from standfast.core.protect import protect
from standfast.core.situation import Outcome
from standfast.model import journal as j
from standfast.model.breaks import BreakKind, Finding
from standfast.model.effects import ReadPosition, SubmitOrder, WakeAt
from standfast.model.evidence import SingleRead
from standfast.model.ids import BreakId, EntryNumber
from tests.core.situations import SPY, D, after, folded, of, position, situation, the, told

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
    assert len(of(SubmitOrder, step(60, asked={NAME: after(56)}, singles={SPY: alone(0, 40)}))) == 1
