"""Tests of `core/ties.py`: listed exits that nobody has booked, and the positions they would close."""

from dataclasses import replace
from datetime import timedelta

from standfast.core.ties import ties
from standfast.model import journal as j
from standfast.model.breaks import BreakKind, Finding
from standfast.model.ids import BreakId, PositionId
from standfast.model.order import OrderType, Role
from tests.core.situations import (
    BEGAN,
    SPY,
    P,
    adopted,
    exit_intended,
    folded,
    of,
    position,
    report,
    resting_stop,
    situation,
    told,
)

LOOSE = report("loose", type=OrderType.STOP, stop="95")
SECOND = PositionId("p2")


def seen(*facts: j.Fact) -> list[tuple[PositionId | None, Role]]:
    s = situation(folded(*facts), listed=[LOOSE])
    return [(fact.position, fact.role) for fact in of(j.OrderObserved, ties(s, SPY))]


def test_a_loose_exit_goes_to_the_oldest_position_that_lacks_one_and_is_a_stranger_s() -> None:
    assert seen(*position(10), *position(5, id=SECOND)) == [(P, Role.FOREIGN)]


def test_what_is_covered_but_for_a_fraction_needs_no_other_exit() -> None:
    """A bot's target for what it has just bought, tied to it, would drive its stop away."""
    assert seen(*position("4.065"), *resting_stop(4), *position(10, id=SECOND)) == [(SECOND, Role.FOREIGN)]


def test_nothing_is_tied_where_nothing_is_held() -> None:
    assert seen() == []


def test_nothing_is_tied_while_the_broker_lists_what_the_books_do_not_explain() -> None:
    """The bracket of a bot that held before we looked, beside a few shares of ours: it was cancelled as too much."""
    finding = Finding(kind=BreakKind.QUANTITY, holding=SPY, booked="10", reported="72")
    assert seen(*position(10), j.BreakSeen(id=BreakId("b1"), finding=finding)) == []


def test_an_exit_from_before_our_opening_is_not_of_it() -> None:
    """Found by simulation: the stop of what a bot held before filled, and took our few shares and a short besides."""
    loose = replace(LOOSE, placed_at=BEGAN - timedelta(seconds=1))
    mine, found = folded(*position(10)), folded(adopted(10))
    for book, tied in ((mine, []), (found, [P])):
        assert [fact.position for fact in of(j.OrderObserved, ties(situation(book, listed=[loose]), SPY))] == tied


def test_one_of_ours_that_is_listed_before_its_answer_comes_is_whose_it_was_meant_to_be() -> None:
    meant = exit_intended(Role.STOP, 5, stop="95", id=SECOND)
    own = report("own", client=meant.id, type=OrderType.STOP, stop="95", quantity=5)
    s = situation(folded(*position(10), *position(5, id=SECOND), meant), listed=[own])
    assert [(fact.position, fact.role) for fact in of(j.OrderObserved, ties(s, SPY))] == [(SECOND, Role.STOP)]


def test_an_exit_that_is_known_and_tied_to_nothing_is_tied_once() -> None:
    """It was read beside the entry it came with, before anything of that was held."""
    book = folded(*position(10), j.OrderObserved(report=LOOSE))
    for _ in range(2):
        for fact in ties(situation(book, listed=[LOOSE]), SPY):
            assert isinstance(fact, j.OrderObserved)
            told(book, fact)
    assert [order.broker_id for order in book.orders_for(P) if order.role is Role.FOREIGN] == [LOOSE.broker_id]
    assert list(ties(situation(book, listed=[LOOSE]), SPY)) == []
