"""Tests of `core/moved.py`: what left by no trade leaves the books when activity and list agree."""

from typing import Any

import pytest

from standfast.core.closing import settle
from standfast.core.moved import moved_out
from standfast.core.movements import book_movements
from standfast.core.policy import Foreign
from standfast.model import journal as j
from standfast.model.order import Movement, MovementKind
from standfast.model.position import CloseReason
from tests.core.situations import NOW, SPY, D, P, adopted, folded, of, position, ruled, situation, the, told
from tests.core.test_repair import Watch


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


def test_somebody_elses_leaves_before_ours() -> None:
    watch = Watch(*position(10), j.ForeignAcknowledged(holding=SPY, quantity=D(3), by="op"), held={SPY: 9})
    told(watch.book, moved("m1", -4), at=NOW)
    watch.looks(30)
    assert watch.book.state.acknowledged == {}
    assert watch.book.state.positions[P].held == D(9)


def test_movements_of_trades_and_money_move_nothing() -> None:
    book = folded(adopted(10))
    trade = Movement(
        id="x", kind=MovementKind.OTHER, broker_kind="FILL", holding=SPY, quantity=D(-1), status="canceled", at=NOW
    )
    fee = Movement(id="f", kind=MovementKind.FEE, broker_kind="FEE", holding=SPY, quantity=D(0), at=NOW)
    told(book, *book_movements(book, [trade, fee]))
    assert book.state.moves == {}
