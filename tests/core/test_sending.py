"""Tests of `core/sending.py`: what has waited for its turn is judged anew by the book of that moment."""

from dataclasses import replace
from typing import Any

import pytest

from standfast.core.book import Book
from standfast.core.protect import protect
from standfast.core.sending import why_not
from standfast.model import journal as j
from standfast.model.effects import ReplaceOrder
from standfast.model.ids import PositionId
from standfast.model.journal import OrderIntended
from standfast.model.order import OrderState, Role, Side
from standfast.model.position import Standing
from tests.core.situations import (
    NOW,
    SPY,
    D,
    P,
    after,
    closing_of,
    exit_intended,
    fill,
    folded,
    of,
    opening_of,
    own_id,
    position,
    report,
    resting_stop,
    situation,
    the,
    told,
)

CLOSE = exit_intended(Role.CLOSE)
STOP = exit_intended(Role.STOP, stop="98")


def reason(book: Book, intent: OrderIntended, **changes: Any) -> str:
    return why_not(situation(book, **changes), intent)


def sold(quantity: int) -> j.FillBooked:
    """A sale of somebody else that took this much of the position."""
    taken = j.Allocation(position=P, quantity=D(quantity), opens=False)
    return j.FillBooked(fill=fill("theirs", "theirs", Side.SELL, quantity, 100), allocations=(taken,))


@pytest.mark.parametrize(
    ("intent", "facts"), [(CLOSE, [closing_of(), CLOSE]), (STOP, [STOP])], ids=["a close", "a stop"]
)
def test_what_the_book_still_wants_leaves_and_what_would_take_too_much_does_not(
    intent: OrderIntended, facts: list[j.Fact]
) -> None:
    book = folded(*position(10), *facts)
    assert reason(book, intent) == ""

    assert "only 6 is left" in reason(told(book, sold(4)), intent)


def test_a_stop_is_moved_though_another_position_s_holds_more_than_that_has() -> None:
    """Found by simulation: decided and withdrawn in turn, hundreds of times a second, while a cancel was refused."""
    other = PositionId("p2")
    book = folded(*position(4, id=other), *resting_stop(10, id=other), *position(10), *resting_stop(10, "90"))
    s = situation(book)

    (moved,) = of(ReplaceOrder, protect(s, the(book)))
    assert why_not(s, moved.intent) == ""

    told(book, j.OrderObserved(report=report(f"{P}-stop-1", quantity=10, state=OrderState.CANCELLED)))
    assert reason(book, STOP) == "only 4 is left to cover"


def test_a_close_nobody_wants_any_more_does_not_leave() -> None:
    book = folded(*position(10), closing_of(), CLOSE)
    told(book, j.CloseWithdrawn(position=P, reason="undone"))
    assert "not wanted" in reason(book, CLOSE)


def test_a_close_is_held_against_the_brokers_net_where_that_can_be_compared() -> None:
    book = folded(*position(10), closing_of(), CLOSE)
    assert "holds 4" in reason(book, CLOSE, held={SPY: 4})
    assert "holds 0" in reason(book, CLOSE, held={})
    assert "holds -10" in reason(book, CLOSE, held={SPY: -10})
    assert reason(book, CLOSE, held={SPY: 4}, asked_after=book.head - 1) == "", "the read is older than the intent"


def test_two_closes_of_one_holding_do_not_leave_for_the_same_shares() -> None:
    second = PositionId("p2")
    facts = [*position(10), *position(5, id=second), closing_of(), closing_of(second), CLOSE]
    book = folded(*facts, exit_intended(Role.CLOSE, 5, id=second))
    assert reason(book, CLOSE, held={SPY: 15}) == ""
    assert "5 of it is being closed already" in reason(book, CLOSE, held={SPY: 12})


def test_out_of_session_no_close_leaves_and_a_stop_does() -> None:
    assert "session" in reason(folded(*position(10), closing_of(), CLOSE), CLOSE, is_open=False)
    assert reason(folded(*position(10), STOP), STOP, is_open=False) == ""


def test_a_stop_does_not_leave_at_a_price_that_is_not_wanted_any_more() -> None:
    book = folded(*position(10), STOP)
    moved = j.ProtectionChosen(position=P, stop=D("97"), target=None, bare=False, by="op")
    assert "97" in reason(told(book, moved), STOP)


def test_a_stop_does_not_leave_into_a_split_or_beside_a_close() -> None:
    book = folded(*position(10), STOP)
    assert reason(told(book, closing_of()), STOP) != ""
    split = folded(*position(10), STOP, j.PricesSuspended(holding=SPY, reason="its price jumped"))
    assert reason(split, STOP) == "its price jumped"


def test_a_stop_beside_others_leaves_only_for_what_they_leave() -> None:
    second = exit_intended(Role.STOP, 6, stop="98", attempt=2)
    assert reason(folded(*position(10), *resting_stop(4), second), second) == ""
    assert "only 4" in reason(folded(*position(10), *resting_stop(6), second), second)


def test_a_stop_does_not_leave_beside_a_close_of_another_position_for_more_than_that_holds() -> None:
    other = PositionId("p2")
    book = folded(
        *position(10), *position(5, id=other), closing_of(other), exit_intended(Role.CLOSE, 5, id=other), STOP
    )
    assert reason(book, STOP) == ""
    part = j.Allocation(position=other, quantity=D(2), opens=False)
    told(book, j.FillBooked(fill=fill("theirs", "theirs", Side.SELL, 2, 100), allocations=(part,)))
    assert "only 8" in reason(book, STOP)


def test_a_stop_is_held_against_the_net_only_by_reads_that_cannot_be_stale() -> None:
    book = folded(*position(10), STOP)
    assert reason(book, STOP, held={SPY: 4}) == ""
    assert "holds 4" in reason(book, STOP, held={SPY: 4}, now=after(10))


def test_a_stop_that_takes_anothers_place_is_not_counted_beside_it() -> None:
    moved = exit_intended(Role.STOP, stop="98", attempt=2, replaces=own_id(Role.STOP))
    assert reason(folded(*position(10), *resting_stop(10, "97"), moved), moved) == ""


def test_nothing_leaves_for_what_is_gone_foreign_or_turned_around() -> None:
    assert "not held" in reason(folded(), STOP)
    foreign = j.StandingChanged(position=P, standing=Standing.FOREIGN, by="op")
    assert "not held" in reason(folded(*position(10), STOP, foreign), STOP)
    assert "other side" in reason(folded(*position(-10), STOP), STOP)
    assert "halted" in reason(folded(*position(10), STOP), STOP, halted=True)


def test_an_opening_leaves_only_for_as_long_as_it_is_meant() -> None:
    asked, sent, _ = opening_of(10)
    assert isinstance(sent, OrderIntended)
    book = folded(asked, sent)
    assert reason(book, sent) == ""
    assert "30 s ago" in reason(book, sent, now=after(31))
    assert "frozen" in reason(folded(asked, sent, j.Frozen(scope="", by="op")), sent)
    assert "close was asked for" in reason(told(book, closing_of()), sent)


def test_what_is_withdrawn_is_no_refusal_and_is_decided_anew() -> None:
    book = folded(*position(10), closing_of(), CLOSE)
    told(book, j.OrderNotSent(id=CLOSE.id, reason="withdrawn, only 6 is left", withdrawn=True))
    closing = book.state.positions[P].closing
    assert closing is not None
    assert closing.refusals == 0
    assert book.state.orders[CLOSE.id].is_finished
    assert replace(CLOSE, attempt=2).attempt == book.next_attempt(P, Role.CLOSE)
    told(book, STOP, j.OrderNotSent(id=STOP.id, reason="withdrawn", withdrawn=True), at=NOW)
    assert book.state.refusals == {}
