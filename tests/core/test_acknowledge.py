"""Tests of `core/acknowledge.py`: foreign quantity that was read before its fills were known."""

from datetime import datetime, timedelta

import pytest

from standfast.core.acknowledge import bare_of, is_shown
from standfast.core.book import Book
from standfast.core.fills import book_fill
from standfast.core.reconcile import reconcile
from standfast.model import journal as j
from standfast.model.breaks import BreakKind
from standfast.model.evidence import HeldReport, PositionsRead
from standfast.model.order import Fill, OrderReport, OrderState, OrderType, Side
from tests.core.booking import ADOPT, ALERT, IGNORE, booked, foreign_lot, net_of
from tests.core.situations import NOW, SPY, D, adopted, after, fill, folded, position, report, situation, told
from tests.core.test_acts import acted, broken
from tests.core.test_repair import Watch
from tests.core.test_undo import take_back


def bare(added: int, quantity: int | None = None) -> j.ForeignAcknowledged:
    """Read at the broker, no fill behind it, and left alone."""
    whole = D(added if quantity is None else quantity)
    return j.ForeignAcknowledged(
        holding=SPY, quantity=whole, by="policy", before=whole - D(added), bare=D(added), seen_at=NOW
    )


def test_fills_behind_it_are_matched_and_not_counted_again() -> None:
    """Found by simulation: a purchase read from the list twice, and its fills minutes later."""
    watch = Watch(held={SPY: 1}, rules=IGNORE)
    watch.looks(5)
    watch.reported = {"held": {SPY: 11}}
    watch.looks(5)
    assert net_of(watch.book) == 11

    late = [fill("x1", "theirs", Side.BUY, 1, 100), fill("x2", "theirs", Side.BUY, 10, 100)]

    assert booked(watch.book, late, IGNORE) == []
    assert net_of(watch.book) == 11


def test_buys_and_sales_behind_it_are_all_matched() -> None:
    book = folded(bare(6))

    late = [fill("x1", "o1", Side.BUY, 10, 100), fill("x2", "o2", Side.SELL, 4, 101)]

    assert booked(book, late, IGNORE) == []
    assert net_of(book) == 6


def test_what_is_filled_after_it_was_read_is_added_and_what_it_does_not_explain_is_too() -> None:
    book = folded(bare(6))

    made = booked(book, [fill("x1", "o1", Side.BUY, 6, 100), fill("x2", "o1", Side.BUY, 2, 100)], IGNORE)
    made += booked(folded(bare(6)), [fill("x3", "o2", Side.BUY, 6, 100, at=after(1))], IGNORE)

    assert [fact.fill.execution_id for fact in made] == ["x2", "x3"]
    assert net_of(book) == 8


def test_what_fills_have_put_there_is_matched_with_none() -> None:
    book = folded()
    booked(book, [fill("x1", "o1", Side.BUY, 5, 100), fill("x2", "o2", Side.BUY, 5, 100)], IGNORE)
    assert net_of(book) == 10


def test_sold_since_its_late_fills_are_still_matched() -> None:
    book = folded(bare(6))
    booked(book, [fill("x2", "o2", Side.SELL, 6, 101, at=after(60))], IGNORE)

    (fact,) = book_fill(book, IGNORE, fill("x1", "o1", Side.BUY, 6, 100))

    told(book, fact)
    assert fact == j.FillMatched(fill=fill("x1", "o1", Side.BUY, 6, 100), position=None)
    assert net_of(book) == 0


def test_a_split_cuts_what_its_fills_are_matched_with() -> None:
    book = folded(bare(6))
    told(book, j.Rescaled(holding=SPY, ratio=D(2), movement="split"))

    made = booked(book, [fill(f"x{n}", "o1", Side.BUY, 6, 50) for n in range(3)], IGNORE)

    assert [fact.fill.execution_id for fact in made] == ["x2"]


def test_an_operators_word_counts_as_bare_only_what_no_fill_explains() -> None:
    """Five are known by their fill; of the twelve in the list seven are not."""
    book = folded(*foreign_lot(5), *broken(BreakKind.QUANTITY))
    acted(book, "ignore", s=situation(book, held={SPY: 12}), **{"break": "b1"})

    made = booked(book, [fill("x1", "o1", Side.BUY, 7, 100), fill("x2", "o2", Side.BUY, 1, 100, at=after(1))], IGNORE)

    assert [fact.fill.execution_id for fact in made] == ["x2"]
    assert net_of(book) == 13


def test_taken_back_its_fills_count_again() -> None:
    book = folded(bare(6))
    booked(book, [fill("x1", "o1", Side.BUY, 2, 100)], IGNORE)

    take_back(book, bare(6))

    assert [fact.fill.execution_id for fact in booked(book, [fill("x2", "o1", Side.BUY, 4, 100)], IGNORE)] == ["x2"]


def test_what_the_operator_says_is_gone_waits_for_no_fill() -> None:
    book = folded(bare(6), *broken(BreakKind.GHOST_POSITION))
    acted(book, "ignore", s=situation(book, held={}), **{"break": "b1"})

    assert (book.state.acknowledged, book.state.bare) == ({}, {})


def test_a_purchase_behind_an_adopted_short_is_in_it_when_the_list_has_shown_the_same_since() -> None:
    """Bought and sold, and sold again, before anybody could read a fill. Found by simulation."""
    book = folded(adopted(-6))
    late = [
        fill("x1", "o1", Side.BUY, 10, 100, at=NOW),
        fill("x2", "o2", Side.SELL, 10, 101, at=NOW),
        fill("x3", "o2", Side.SELL, 6, 101, at=NOW),
    ]

    for each in late:
        assert shown(book, each, "-6", after(10))
        told(book, *book_fill(book, ADOPT, each, is_shown=True))

    assert net_of(book) == D(-6)


def shown(book: Book, each: Fill, quantity: str, asked: datetime) -> bool:
    """With ten seconds for a list to be old."""
    row = HeldReport(holding=SPY, quantity=D(quantity), average_price=D(100))
    read = PositionsRead(rows={SPY: row}, changed=frozenset(), began=asked, ended=asked)
    return is_shown(book, each, read, later=timedelta(seconds=-10))


def test_a_list_shows_a_fill_when_it_was_asked_for_well_after_it_and_agrees_with_the_books() -> None:
    bought = fill("x1", "o1", Side.BUY, 10, 100, at=NOW)
    book = folded(adopted(-6))

    assert shown(book, bought, "-6", after(10))
    assert not shown(book, bought, "-6", after(9))
    assert not shown(book, bought, "4", after(10))
    assert not is_shown(book, bought, None, later=timedelta(0))


@pytest.mark.parametrize(("left", "kept"), [(18, 18), (0, 0)])
def test_what_was_acknowledged_from_a_list_is_given_back_to_it(left: int, kept: int) -> None:
    """Found by simulation: a list minutes old was accepted, and the difference stayed a break for ever."""
    watch = Watch(bare(44), held={SPY: left} if left else {})
    watch.looks(15)
    assert watch.book.state.acknowledged == {SPY: D(44)}, "not before it is asked for by its name"

    watch.by_name = D(left)
    watch.looks(5)

    assert watch.book.state.acknowledged.get(SPY, D(0)) == kept
    assert bare_of(watch.book, SPY) == kept
    assert watch.book.state.breaks == {}


def test_nothing_is_given_back_of_what_fills_explain_nor_of_ours() -> None:
    bought = fill("x1", "theirs", Side.BUY, 30, 100)
    by_fill = j.FillBooked(fill=bought, allocations=(j.Allocation(position=None, quantity=D(30), opens=True),))
    for facts, held in (([by_fill], 18), ([*position(10), bare(10)], 5)):
        watch = Watch(*facts, held={SPY: held})
        before = watch.book.booked(SPY)
        watch.by_name = D(held)
        watch.looks(30)
        assert watch.book.booked(SPY) == before


def test_the_bracket_of_what_is_ignored_is_its_owners_as_long_as_it_is_held() -> None:
    """Found by simulation: told to leave a bot's position alone, the guard cancelled its stop."""
    leg = report("leg", side=Side.SELL, type=OrderType.STOP, stop="95", order_class="bracket")
    parent = report("parent", side=Side.BUY, filled=10, state=OrderState.FILLED, legs=(leg,), order_class="bracket")
    book = folded(j.OrderObserved(report=parent), *broken(BreakKind.ORPHAN_POSITION))
    booked(book, [fill("x", "parent", Side.BUY, 10, 100)], ALERT)
    acted(book, "ignore", s=situation(book, held={SPY: 10}), **{"break": "b1"})

    assert outlived(book, leg, 10) == []

    booked(book, [fill("y", "theirs", Side.SELL, 10, 101, at=after(1))], ALERT)
    assert outlived(book, leg, 0) == [BreakKind.STRAY_EXIT]


def outlived(book: Book, order: OrderReport, held: int) -> list[BreakKind]:
    s = situation(book, held={SPY: held}, listed=[order], rules=ALERT)
    return [each.kind for each in reconcile(s, SPY).findings if each.kind is BreakKind.STRAY_EXIT]
