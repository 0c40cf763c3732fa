"""Tests of `core/moved.py`: what left by no trade leaves the books when activity and list agree."""

from datetime import datetime
from typing import Any

import pytest

from standfast.core.closing import settle
from standfast.core.moved import moved_out
from standfast.core.movements import book_movements
from standfast.core.policy import Foreign
from standfast.model import journal as j
from standfast.model.ids import PositionId
from standfast.model.order import Movement, MovementKind, Role, Side
from standfast.model.position import CloseReason
from tests.core.booking import ALERT
from tests.core.situations import (
    NOW,
    SPY,
    D,
    P,
    adopted,
    after,
    closing_of,
    exit_intended,
    fill,
    folded,
    of,
    opening_of,
    position,
    ruled,
    situation,
    the,
    told,
)
from tests.core.test_repair import LONG_AGO, Watch


def moved(id: str, quantity: int, kind: MovementKind = MovementKind.TRANSFER, status: str = "executed") -> j.Fact:
    row = Movement(id=id, kind=kind, broker_kind="ACATS", holding=SPY, quantity=D(quantity), status=status, at=NOW)
    return j.MovementBooked(movement=row)


@pytest.mark.parametrize(
    ("kind", "reason"),
    [
        (MovementKind.TRANSFER, CloseReason.FOREIGN),
        (MovementKind.OTHER, CloseReason.CORPORATE_ACTION),
        (MovementKind.RENAMED, CloseReason.CORPORATE_ACTION),
    ],
)
@pytest.mark.parametrize("held", [10, -10])
def test_what_was_moved_out_closes_its_position_without_profit(
    kind: MovementKind, reason: CloseReason, held: int
) -> None:
    watch = Watch(*position(held), moved("m1", -held, kind), held={})

    outcomes = watch.looks(15)

    assert len(of(j.MovedOut, outcomes)) == 1
    gone = the(watch.book)
    assert (gone.held, gone.pnl, gone.exit_price, gone.close_reason) == (D(0), D(0), D(100), reason)
    assert watch.book.state.costs == {}
    (settled,) = of(j.PositionSettled, settle(watch.situation(), gone))
    assert settled.reason is reason
    assert watch.book.state.moves == {}


def taken_back(execution: str, quantity: int = -10, at: datetime = NOW) -> Movement:
    kind = MovementKind.OTHER
    return Movement(
        id=execution, kind=kind, broker_kind="FILL", holding=SPY, quantity=D(quantity), status="canceled", at=at
    )


@pytest.mark.parametrize("fills", [[], [fill("x0", "theirs", Side.BUY, 10, 100)]], ids=["never read", "matched"])
def test_a_trade_that_was_adopted_from_the_list_and_is_taken_back_leaves_when_the_list_agrees(fills: list[Any]) -> None:
    """Found by simulation: its stop rested on, over nothing, because there was no fill in the books to undo."""
    watch = Watch(adopted(10), *(j.FillMatched(fill=each, position=P) for each in fills), held={})
    told(watch.book, *book_movements(watch.book, [taken_back("x0", at=LONG_AGO)]))

    outcomes = watch.looks(15)

    (out,) = of(j.MovedOut, outcomes)
    assert (out.reason, the(watch.book).held) == (CloseReason.FOREIGN, D(0))


def test_one_that_is_booked_is_undone_and_leaves_only_once() -> None:
    book = folded(*position(10))
    told(book, *book_movements(book, [taken_back("p1-fill")]))
    assert (the(book).held, book.state.moves) == (D(0), {})


def test_what_was_acknowledged_from_the_list_and_is_taken_back_leaves_too() -> None:
    watch = Watch(j.ForeignAcknowledged(holding=SPY, quantity=D(10), by="policy", bare=D(10), seen_at=NOW), held={})
    told(watch.book, *book_movements(watch.book, [taken_back("x0")]))
    watch.looks(30)
    assert watch.book.state.acknowledged == {}


def test_an_entry_that_still_works_does_not_keep_what_has_left_in_the_books() -> None:
    entry = opening_of(5, id=PositionId("p2"))
    watch = Watch(*position(10), *entry, moved("m1", -10), held={})
    assert len(of(j.MovedOut, watch.looks(15))) == 1


def test_while_a_close_may_have_sold_it_nothing_has_left() -> None:
    closing = [closing_of(), exit_intended(Role.CLOSE)]
    book = folded(*position(10), *closing, moved("m1", -10))
    assert list(moved_out(situation(book, held={}), SPY)) == []


def test_a_part_of_it_leaves_the_rest() -> None:
    watch = Watch(*position(10), moved("m1", -4), held={SPY: 6})
    watch.looks(15)
    assert the(watch.book).held == D(6)


@pytest.mark.parametrize("reported", [{SPY: 10}, {SPY: 7}, {SPY: -1}])
def test_activity_and_list_must_agree(reported: dict[Any, int]) -> None:
    """An activity may be older than what was taken from the list; a list may show something else besides."""
    book = folded(*position(10), moved("m1", -4))
    assert list(moved_out(situation(book, held=reported), SPY)) == []
    assert list(moved_out(situation(folded(*position(10)), held={SPY: 6}), SPY)) == []


def test_a_transfer_taken_back_cancels_itself_out() -> None:
    book = folded(*position(10), moved("m1", -4), moved("m1", -4, status="canceled"))
    assert list(moved_out(situation(book, held={SPY: 6}), SPY)) == []


def test_what_comes_in_is_taken_in_as_the_policy_says() -> None:
    watch = Watch(moved("m1", 5), held={SPY: 5}, rules=ruled(foreign=Foreign.ADOPT))
    watch.looks(15)
    assert [p.net for p in watch.book.state.positions.values()] == [D(5)]
    assert watch.book.state.moves == {}


@pytest.mark.parametrize("sign", [1, -1])
def test_what_takes_it_to_the_other_side_leaves_and_the_rest_is_taken_in(sign: int) -> None:
    """Found by simulation: an assignment for more shares than were held left the books on the other side for ever."""
    assigned = moved("m1", -30 * sign, MovementKind.EXERCISE)
    watch = Watch(*position(10 * sign), assigned, held={SPY: -20 * sign}, rules=ruled(foreign=Foreign.ADOPT))

    (gone,) = of(j.MovedOut, watch.looks(15))

    assert sum(part.quantity for part in gone.parts) == D(10)
    told(watch.book, *of(j.PositionSettled, settle(watch.situation(), the(watch.book))))
    watch.by_name = D(-20 * sign)
    watch.looks(30)
    assert watch.book.net(SPY).low == watch.book.net(SPY).high == D(-20 * sign)
    assert not watch.book.breaks_at(SPY)


def test_somebody_elses_leaves_before_ours() -> None:
    watch = Watch(*position(10), j.ForeignAcknowledged(holding=SPY, quantity=D(3), by="op"), held={SPY: 9})
    told(watch.book, moved("m1", -4), at=NOW)
    watch.looks(30)
    assert watch.book.state.acknowledged == {}
    assert watch.book.state.positions[P].held == D(9)


def test_movements_of_money_and_of_trades_that_nothing_here_counts_move_nothing() -> None:
    book = folded(adopted(10))
    trade = taken_back("x", -1, at=after(1))  # of after the read that it was adopted from
    fee = Movement(id="f", kind=MovementKind.FEE, broker_kind="FEE", holding=SPY, quantity=D(0), at=NOW)
    told(book, *book_movements(book, [trade, fee]))
    assert book.state.moves == {}


def test_what_came_in_by_no_trade_is_told_like_anything_the_books_do_not_explain() -> None:
    """Found by simulation: a sale was taken back; what it had sold is held again, beside what was bought since."""
    watch = Watch(*position(95), moved("m1", 27), held={SPY: 122}, rules=ALERT)

    (told_of,) = of(j.AlertRaised, watch.looks(30))

    assert "Booked 95, broker 122" in told_of.text
