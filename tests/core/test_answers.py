"""Tests of `core/answers.py`: what whoever asked for an opening is told of it when it is over already."""

from datetime import datetime, timedelta

import pytest

from standfast.core.answers import finish_acts
from standfast.core.book import Book
from standfast.core.policy import HeldBy, Policy
from standfast.model import journal as j
from standfast.model.effects import ReadPositions, WakeAt
from standfast.model.order import Side
from standfast.model.position import CloseReason
from tests.core.situations import SPY, D, P, fill, folded, position, situation, the, told
from tests.core.test_acts import answered, asked

GUARD_HOLDS = Policy(name="guard", held_by=HeldBy.GUARD)


def gone(reason: CloseReason) -> list[j.Fact]:
    """All of the position sold at 50, and what settles it."""
    out = j.FillBooked(
        fill=fill("f-out", "x-out", Side.SELL, 10, 50),
        allocations=(j.Allocation(position=P, quantity=D(10), opens=False, realised=D(-500)),),
    )
    return [out, j.PositionSettled(position=P, reason=reason, proof="fills add up to 10")]


@pytest.mark.parametrize(
    ("reason", "told_so"),
    [
        (CloseReason.LIQUIDATION, "failed: p1 was opened for 10 at 100 and is gone again (liquidation) at 50: fills"),
        (CloseReason.ROLLBACK, "failed: p1 was opened for 10 at 100 and is gone again (rollback) at 50: fills"),
        (CloseReason.BROKER_EXIT, "done: p1 was opened for 10 at 100 and is gone again (broker_exit) at 50: fills"),
    ],
)
def test_whoever_opened_what_is_gone_already_is_told_so_and_never_that_it_is_open(
    reason: CloseReason, told_so: str
) -> None:
    """Found by a drill: liquidated before its stop was there, an opening was answered `done: open: 0`."""
    book = folded(asked("open", instrument="SPY", quantity="10", key="key of p1"), *position(10))
    flat, settled = gone(reason)

    told(book, flat)
    assert answered(book) is None, "flat, and not settled yet"
    told(book, settled)

    assert str(answered(book)).startswith(told_so)


def opened() -> Book:
    return folded(asked("open", instrument="SPY", quantity="10", key="key of p1"), *position(10))


def opened_for(book: Book, seconds: float) -> datetime:
    began = the(book).opened_at
    assert began is not None
    return began + timedelta(seconds=seconds)


def test_an_opening_is_answered_when_its_order_its_executions_and_the_list_say_the_same() -> None:
    book = opened()
    unlisted = situation(book, policy=GUARD_HOLDS, held={}, now=opened_for(book, 1))
    listed = situation(book, policy=GUARD_HOLDS, held={SPY: 10}, now=opened_for(book, 1))

    assert answered(book, unlisted) is None
    assert [type(each) for each in finish_acts(unlisted)] == [ReadPositions, WakeAt]
    assert str(answered(book, listed)).endswith("order filled 10, executions 10, the list of positions shows +10")


def test_a_list_that_stays_behind_holds_no_answer_up_for_more_than_ten_seconds() -> None:
    """Found at Bybit: the list lagged, one look was believed, and what was open was rolled back."""
    book = opened()
    late = situation(book, policy=GUARD_HOLDS, held={}, now=opened_for(book, 11))

    said = str(answered(book, late))
    assert said.startswith("done: p1 open: 10 at 100")
    assert said.endswith("the list of positions does not show it yet")
