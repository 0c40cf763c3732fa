"""Tests of `core/held_before.py`: what was held before, and sold before it could be adopted."""

from dataclasses import replace

import pytest

from standfast.core.book import Book
from standfast.core.fills import book_fill
from standfast.core.policy import Rules
from standfast.model import journal as j
from standfast.model.breaks import BreakKind, Finding
from standfast.model.ids import BreakId, BrokerOrderId, Holding
from standfast.model.order import Role, Side
from standfast.model.position import CloseReason
from tests.core.booking import ADOPT, ALERT, IGNORE, booked, net_of
from tests.core.situations import (
    ACCOUNT,
    NOW,
    SPY,
    D,
    P,
    adopted,
    after,
    began,
    exit_intended,
    fill,
    folded,
    opening_of,
    position,
    told,
)

SEEN = j.BreakSeen(
    id=BreakId("b1"),
    finding=Finding(
        kind=BreakKind.ORPHAN_POSITION, holding=SPY, booked="0", reported="65", price=D(90), gap=D(65), evidence="list"
    ),
)
SALE = fill("x1", "theirs", Side.SELL, 65, 100)


def test_the_sale_closes_what_was_listed_at_what_the_broker_says_it_cost() -> None:
    book = folded(SEEN)

    booked(book, [SALE], ADOPT)

    assert net_of(book) == 0
    (held,) = book.state.positions.values()
    assert (held.opened, held.closed, held.pnl, held.sign) == (D(65), D(65), D(650), 1)
    assert book.state.costs == {}


def test_a_list_that_shows_already_what_the_sale_has_left_does_not_hide_what_it_said_before() -> None:
    """Found by simulation: 26 were listed, 24 sold and 2 listed; the sale took in two, and opened a short of 22."""
    book = folded(SEEN)
    left = replace(SEEN, finding=replace(SEEN.finding, reported="5", gap=D(5)))
    told(book, left, at=after(3))

    booked(book, [fill("x1", "theirs", Side.SELL, 60, 100, at=after(2))], ADOPT)

    assert net_of(book) == 0
    assert [(lot.opened, lot.closed) for lot in book.state.positions.values()] == [(D(60), D(60))]


def test_where_nothing_is_adopted_it_was_somebody_elses_and_still_is() -> None:
    for rules in (ALERT, IGNORE):
        book = folded(SEEN)
        booked(book, [SALE], rules)
        assert (book.state.positions, book.state.acknowledged) == ({}, {})


def test_a_list_that_may_show_the_sale_already_says_nothing_about_what_was_before_it() -> None:
    """Three orders fill at one open: the list has them all, and then each fill is read."""
    book = folded(SEEN)
    fills = [fill("x1", "a", Side.SELL, 53, 100, at=after(-1)), fill("x2", "b", Side.BUY, 118, 100, at=after(-1))]

    booked(book, fills, ADOPT)

    assert net_of(book) == 65


def test_only_as_much_as_was_listed_is_taken_and_the_rest_opens() -> None:
    book = folded(SEEN)
    booked(book, [fill("x1", "theirs", Side.SELL, 80, 100)], ADOPT)
    assert sorted(p.net for p in book.state.positions.values()) == [D(-15), D(0)]


def test_where_fills_were_booked_the_list_may_be_old_and_nothing_is_taken_from_it() -> None:
    book = folded(*position(10, at=after(-60)), at=after(-60))
    quantity = Finding(
        kind=BreakKind.QUANTITY, holding=SPY, booked="10", reported="75", price=D(90), gap=D(65), evidence="list"
    )
    told(book, j.BreakSeen(id=BreakId("b1"), finding=quantity))
    booked(book, [fill("x1", "theirs", Side.SELL, 4, 100)], ADOPT)
    assert book.state.positions[P].held == D(6)
    assert net_of(book) == 6


def test_what_we_opened_after_the_list_was_read_is_not_in_it_and_the_rest_is_taken() -> None:
    """Found by simulation: nine of ours beside 62 of before, all 71 sold by the broker, and a short in the books."""
    book = folded(SEEN)
    told(book, *position(9, at=after(2)), at=after(2))
    told(book, j.BreakEnded(id=BreakId("b1"), by="the list shows the sale already"), at=after(5))

    booked(book, [fill("x1", "theirs", Side.SELL, 74, 100, at=after(5))], ADOPT)

    assert net_of(book) == 0
    assert sorted((p.opened, p.closed) for p in book.state.positions.values()) == [(D(9), D(9)), (D(65), D(65))]


def test_what_is_sold_in_two_sales_is_taken_in_twice_and_no_more_than_was_listed() -> None:
    book = folded(SEEN)
    told(book, *position(9, at=after(2)), at=after(2))
    for number, quantity in enumerate((30, 44, 3)):
        booked(book, [fill(f"x{number}", f"theirs {number}", Side.SELL, quantity, 100, at=after(5))], ADOPT)
    assert net_of(book) == -3, "the last was nobody's"
    assert sum(p.bare_adopted for p in book.state.positions.values()) == 65


def test_an_order_of_ours_that_is_out_keeps_it_only_if_it_was_meant_before_the_list_was_read() -> None:
    out = [*opening_of(9)[:1], exit_intended(Role.STOP, 9, stop="98", target="110")]
    meant_before = told(folded(*out, at=after(-5)), SEEN)
    meant_after = told(folded(SEEN), *out, at=after(2))
    for book, net in ((meant_before, -65), (meant_after, 0)):
        booked(book, [SALE], ADOPT)
        assert net_of(book) == net


def test_where_strangers_fills_leave_no_lots_one_that_is_booked_may_explain_the_list() -> None:
    """Found by simulation: bought and sold by others and ignored, and then taken in once more for the next sale."""
    book = folded(SEEN)
    bought, sold = fill("x1", "theirs", Side.BUY, 65, 90), fill("x2", "theirs too", Side.SELL, 65, 100)
    booked(book, [bought, sold, fill("x3", "and again", Side.SELL, 65, 100, at=after(1))], IGNORE)
    assert net_of(book) == -65


def test_what_was_listed_is_acknowledged_once_and_a_later_sale_is_a_short() -> None:
    book = folded(SEEN)
    booked(book, [SALE, fill("x2", "theirs too", Side.SELL, 10, 100, at=after(1))], ALERT)
    assert net_of(book) == -10


def test_what_we_opened_before_the_list_was_read_may_be_in_it() -> None:
    book = folded(*position(9, at=after(-5)), at=after(-5))
    told(book, SEEN)
    booked(book, [fill("x1", "theirs", Side.SELL, 74, 100, at=after(5))], ADOPT)
    assert net_of(book) == -65


def test_what_a_fill_explains_is_not_taken_for_unexplained() -> None:
    book = folded(SEEN)
    bought = fill("x0", "theirs", Side.BUY, 65, 90)
    booked(book, [bought, SALE, fill("x2", "theirs", Side.SELL, 5, 100)], ADOPT)
    assert net_of(book) == -5


def test_a_difference_seen_right_after_a_fill_may_be_a_list_of_before_it() -> None:
    book = folded()
    booked(book, [fill("x0", "theirs", Side.BUY, 65, 90), fill("x1", "theirs", Side.SELL, 65, 90)], ADOPT)
    told(book, SEEN, at=after(5))
    booked(book, [fill("x2", "theirs", Side.SELL, 65, 100)], ADOPT)
    assert net_of(book) == -65, "a short is a short"


def test_fills_behind_it_that_turn_up_later_are_matched() -> None:
    book = folded(SEEN)
    booked(book, [SALE], ADOPT)
    (held,) = book.state.positions.values()
    told(book, j.PositionSettled(position=held.id, reason=CloseReason.FOREIGN, proof="fills"))

    (fact,) = book_fill(book, ADOPT, fill("x0", "theirs", Side.BUY, 65, 90, at=after(-1)))

    assert isinstance(fact, j.FillMatched)
    told(book, fact)
    assert net_of(book) == 0
    assert book.state.closed[held.id].bare_adopted == 0


def test_what_was_bought_while_the_list_was_told_may_be_in_it() -> None:
    book = folded()
    booked(book, [fill("x0", "theirs", Side.BUY, 65, 90, at=after(-1))], ADOPT)
    told(book, SEEN)
    booked(book, [fill("x1", "b", Side.SELL, 80, 100, at=after(5))], ADOPT)
    assert net_of(book) == -15


def begun(quantity: int) -> Book:
    """A guard's book whose account held so much when it began."""
    held = j.HeldThen(holding=SPY, quantity=D(quantity), price=D(90))
    return told(Book.empty(ACCOUNT), replace(began(NOW), held=(held,)))


def test_what_was_held_when_guarding_began_is_sold_before_any_list_is_read() -> None:
    """Found by simulation: the guard was killed as soon as it began, and the sale became a short that nobody held."""
    book = begun(65)

    booked(book, [fill("x1", "theirs", Side.SELL, 60, 100, at=after(4))], ADOPT)

    assert [(lot.opened, lot.closed, lot.pnl) for lot in book.state.positions.values()] == [(D(60), D(60), D(600))]
    booked(book, [fill("x2", "theirs", Side.SELL, 15, 100, at=after(5))], ADOPT)
    assert net_of(book) == -10, "no more than was held"


def test_what_was_held_then_is_not_sold_a_second_time_after_it_was_adopted_nor_for_ever() -> None:
    for facts, seconds in (([adopted(65)], 4), ([], 601)):
        book = told(begun(65), *facts)
        booked(book, [fill("x1", "theirs", Side.SELL, 80, 100, at=after(seconds))], ADOPT)
        assert net_of(book) == -80 + 65 * len(facts)


def test_what_others_buy_and_sell_since_leaves_what_was_held_then_to_be_sold() -> None:
    """Found by simulation: of 54 a sale took 33, 20 more were bought, and the other 21 sold too: the purchase was taken
    for what had been held, and the rest of the sale for a short."""
    book = begun(65)
    fills = [
        fill("x1", "a", Side.SELL, 33, 100, at=after(1)),
        fill("x2", "b", Side.BUY, 20, 100, at=after(3)),
        fill("x3", "a", Side.SELL, 32, 100, at=after(5)),
    ]
    for each in fills:
        told(book, *book_fill(book, ADOPT, each), at=after(5))

    lots = sorted((lot.opened, lot.held) for lot in book.state.positions.values())
    assert lots == [(D(20), D(20)), (D(32), D(0)), (D(33), D(0))]


def test_what_was_held_before_trades_that_the_list_might_have_lacked_is_sold_with_what_those_bought() -> None:
    """Found by simulation: the trades of just before guarding began were in no list and in no book, and what was sold
    of them later became a short that nobody held."""
    held = j.HeldThen(holding=SPY, quantity=D(65), price=D(90))
    lately = replace(began(NOW), held=(held,), held_at=after(-35), orders=(BrokerOrderId("a"),))
    book = told(Book.empty(ACCOUNT), lately)
    of_before = fill("x0", "a", Side.BUY, 7, 100, at=after(-36))

    booked(book, [fill("x1", "a", Side.BUY, 20, 100, at=after(-3))], ADOPT)
    assert list(book_fill(book, ADOPT, of_before)) == [], "what was held then counts it"
    assert net_of(book) == 20
    booked(book, [fill("x2", "b", Side.SELL, 85, 100, at=after(2))], ADOPT)

    assert net_of(book) == 0
    assert all(lot.sign == 1 for lot in book.state.positions.values())


@pytest.mark.parametrize("foreign", [ADOPT, ALERT], ids=["adopt", "alert"])
def test_a_side_of_a_hedged_account_is_never_turned_round(foreign: Rules) -> None:
    """Found by simulation: what was held before the guard was sold with the rest, and booked as a short."""
    long = Holding(SPY.instrument, "long")
    book = folded()
    booked(book, [replace(fill("x1", "theirs", Side.BUY, 17, 100), holding=long)], foreign)

    booked(book, [replace(fill("x2", "others", Side.SELL, 22, 101, at=after(60)), holding=long)], foreign)

    lots = book.positions_at(long)
    assert all(lot.sign == 1 for lot in (*lots, *book.state.closed.values()))
    assert sum(lot.net for lot in lots) + book.state.acknowledged.get(long, D(0)) == 0
