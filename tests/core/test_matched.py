"""Tests of `core/fills.py`: fills that an adoption has counted already."""

from datetime import timedelta

from standfast.core.fills import book_fill
from standfast.model import journal as j
from standfast.model.order import OrderState, Side
from standfast.model.position import CloseReason
from tests.core.booking import ADOPT, LOT, booked, net_of
from tests.core.situations import BEGAN, NOW, D, P, adopted, after, fill, folded, report, the, told


def test_fills_that_explain_an_adoption_are_matched_not_added_and_no_more_than_was_adopted() -> None:
    book = folded(adopted(10))
    late = [fill(f"x{n}", f"o{n}", Side.BUY, quantity, 100, at=NOW) for n, quantity in enumerate((4, 6, 5))]

    made = booked(book, late, ADOPT)

    assert [fact.fill.execution_id for fact in made] == ["x2"]
    assert net_of(book) == D(15)


def test_a_fill_behind_an_adoption_is_matched_though_the_clock_was_put_back_since() -> None:
    book = folded(adopted(10))
    told(book, j.NakedBegan(position=P), at=BEGAN - timedelta(days=20_000))

    (fact,) = book_fill(book, ADOPT, fill("x1", "theirs", Side.BUY, 10, 100, at=BEGAN))

    assert isinstance(fact, j.FillMatched)


def test_buys_and_sales_behind_an_adoption_are_all_matched() -> None:
    book = folded(adopted(6))
    late = [fill("x1", "o1", Side.BUY, 10, 100, at=NOW), fill("x2", "o2", Side.SELL, 4, 101, at=NOW)]

    assert booked(book, late, ADOPT) == []
    assert net_of(book) == D(6)


def test_a_late_fill_is_matched_with_the_adoption_that_was_the_first_to_count_it() -> None:
    """Found by simulation: it explained a later one, whose own fills then counted twice."""
    book = folded(adopted(10))
    booked(book, [fill("sold", "o0", Side.SELL, 10, 101, at=after(4))], ADOPT)
    told(book, j.PositionSettled(position=P, reason=CloseReason.FOREIGN, proof="sold"), at=after(5))
    told(book, adopted(10, id=LOT), at=after(60))

    early = fill("x1", "o1", Side.BUY, 10, 100, at=after(-1))
    later = fill("x2", "o2", Side.BUY, 10, 100, at=after(30))

    before = list(book_fill(book, ADOPT, early))
    told(book, *before)
    since = list(book_fill(book, ADOPT, later))

    assert before == [j.FillMatched(fill=early, position=P)]
    assert since == [j.FillMatched(fill=later, position=LOT)]


def test_a_sale_after_the_adoption_closes() -> None:
    sale = report("o", side=Side.SELL, filled=10, state=OrderState.FILLED)
    book = folded(adopted(10), j.OrderObserved(report=sale))

    (made,) = booked(book, [fill("x", "o", Side.SELL, 10, 101, at=after(1))], ADOPT)

    assert made.reason is CloseReason.BOT_EXIT
    assert the(book).pnl == D(10)
