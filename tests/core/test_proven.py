"""Tests of `core/proven.py`: the three answers about an opening, and what each source says."""

import pytest

from standfast.core.book import Book
from standfast.core.fills import book_fill
from standfast.core.proven import verify_opening
from standfast.model import journal as j
from standfast.model.effects import WakeAt
from standfast.model.order import OrderState, Role, Side
from standfast.model.position import Answer, Standing
from tests.core.situations import (
    NOW,
    SPY,
    D,
    P,
    after,
    fill,
    folded,
    of,
    opening_of,
    own_id,
    position,
    report,
    ruled,
    situation,
    the,
    told,
)

INTENDED = opening_of()[:2]
MINE = own_id(Role.OPEN)


def answers(book: Book, seconds: float, listed: int = 0) -> list[tuple[Answer, str]]:
    """What is said of it so much later, and put down."""
    s = situation(book, now=after(seconds), held={SPY: listed})
    found = of(j.OpeningVerified, verify_opening(s, the(book)))
    told(book, *found, at=after(seconds))
    return [(each.answer, each.detail) for each in found]


def test_an_opening_is_proved_once_when_its_order_its_executions_and_the_list_say_the_same() -> None:
    book = folded(*position(at=NOW))

    assert answers(book, 1, listed=0) == [], "the list may be older"
    says = "order filled 10, executions 10, the list of positions shows +10"
    assert answers(book, 2, listed=10) == [(Answer.PROVED, says)]
    assert answers(book, 60, listed=0) == []
    assert the(book).verified is Answer.PROVED


def test_a_list_that_stays_behind_is_waited_for_and_named() -> None:
    book = folded(*position(at=NOW))
    s = situation(book, now=after(1), held={})

    assert of(WakeAt, verify_opening(s, the(book))) == [WakeAt(at=after(10), holding=SPY)]
    ((answer, says),) = answers(book, 10)
    assert (answer, says) == (
        Answer.PROVED,
        "order filled 10, executions 10, the list of positions does not show it yet",
    )


def test_an_opening_whose_order_is_over_without_a_fill_is_refuted() -> None:
    book = folded(*opening_of(), j.OrderRejected(id=MINE, reason="no"))
    assert answers(book, 1) == [], "it is working: a reply that came late says nothing"
    cancelled = report("p1-open", client=MINE, state=OrderState.CANCELLED)
    told(book, j.OrderObserved(report=cancelled, position=P, role=Role.OPEN))

    assert answers(book, 1) == [
        (Answer.REFUTED, "order filled 0, executions 0, the list of positions shows +0"),
    ]


@pytest.mark.parametrize("lost", [[], [j.OrderInDoubt(id=MINE, reason="timed out")]], ids=["no reply", "in doubt"])
def test_an_opening_nobody_knows_of_is_unknown_after_ten_seconds_and_then_what_it_turns_out_to_be(
    lost: list[j.Fact],
) -> None:
    book = folded(*INTENDED, *lost)

    assert answers(book, 9) == []
    ((answer, says),) = answers(book, 10, listed=10)
    assert answer is Answer.UNKNOWN
    assert says.endswith("executions 0, the list of positions shows +10")
    assert answers(book, 20) == [], "said once"
    told(book, j.OrderMissing(id=MINE), j.OrderNeverArrived(id=MINE, reason="not known to the broker"))
    assert [each for each, _ in answers(book, 60)] == [Answer.REFUTED]


def test_fills_that_are_not_told_leave_an_opening_unknown() -> None:
    filled = report("p1-open", client=MINE, filled=10, state=OrderState.FILLED)
    book = folded(*opening_of(), j.OrderObserved(report=filled, position=P, role=Role.OPEN))

    assert [each for each, _ in answers(book, 11, listed=10)] == [Answer.UNKNOWN]


def test_nothing_is_said_of_an_entry_that_rests_and_of_what_was_not_opened_here() -> None:
    assert answers(folded(*opening_of()), 600) == []
    book = folded(*position())
    found = told(book, j.StandingChanged(position=P, standing=Standing.ADOPTED, by="me", anchor=D(1)))
    assert answers(found, 600, listed=10) == []


def test_one_that_waits_for_its_turn_has_not_left_and_is_not_unknown() -> None:
    book = folded(*INTENDED)
    s = situation(book, now=after(60), held={}, busy=frozenset({SPY}))

    assert list(verify_opening(s, the(book))) == []


def test_an_opening_that_was_refuted_is_proved_by_a_fill_that_comes_all_the_same() -> None:
    """A bot that went by the first answer would have opened it twice."""
    cancelled = report("p1-open", client=MINE, state=OrderState.CANCELLED)
    book = folded(*opening_of(), j.OrderObserved(report=cancelled, position=P, role=Role.OPEN))
    assert [each for each, _ in answers(book, 60)] == [Answer.REFUTED]
    assert answers(book, 61) == []

    told(book, *book_fill(book, ruled(), fill("late", "p1-open", Side.BUY, 10, 100)), at=after(62))

    assert [each for each, _ in answers(book, 63, listed=10)] == [Answer.PROVED]
