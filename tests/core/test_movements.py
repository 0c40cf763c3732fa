"""Tests of `core/movements.py`: what no order made."""

import pytest

from standfast.core.movements import book_movements
from standfast.model import journal as j
from standfast.model.ids import PositionId
from standfast.model.order import Movement, MovementKind
from tests.core.situations import NOW, SPY, D, adopted, folded, of, opening_of, position, the, told


def row(id: str, quantity: int, kind: MovementKind = MovementKind.SPLIT, status: str = "executed") -> Movement:
    return Movement(id=id, kind=kind, broker_kind="SPLIT", holding=SPY, quantity=D(quantity), status=status, at=NOW)


@pytest.mark.parametrize(
    ("held", "out", "into", "ratio", "left", "price"),
    [(10, -10, 40, "4", "40", "25"), (10, -10, 1, "0.1", "1", "1000"), (-10, 10, -20, "2", "20", "50")],
)
def test_a_split_is_the_ratio_of_what_came_to_what_went(  # a row of a table
    held: int, out: int, into: int, ratio: str, left: str, price: str
) -> None:
    book = folded(*position(held))

    facts = list(book_movements(book, [row("m1", out), row("m2", into)]))
    told(book, *facts)

    assert [fact.ratio for fact in of(j.Rescaled, facts)] == [D(ratio)]
    assert (the(book).held, the(book).entry_price) == (D(left), D(price))
    assert list(book_movements(book, [row("m1", out), row("m2", into)])) == []


@pytest.mark.parametrize(("held", "left"), [(-100, "-10"), (100, "10")])
def test_a_split_is_of_what_is_held_whatever_waits_for_its_fills_beside_it(held: int, left: str) -> None:
    book = folded(*opening_of(-held, id=PositionId("p0")), *position(held))

    told(book, *book_movements(book, [row("m1", -held), row("m2", held // 10)]))

    assert the(book).net == D(left)


def test_half_a_split_waits_for_its_other_half() -> None:
    book = folded(*position(10))
    told(book, *book_movements(book, [row("m1", -10)]))
    assert the(book).held == D(10)

    told(book, *book_movements(book, [row("m2", 40)]))
    assert the(book).held == D(40)


def test_a_split_taken_back_is_taken_back() -> None:
    book = folded(adopted(10))
    told(book, *book_movements(book, [row("m1", -10), row("m2", 40)]))

    told(book, *book_movements(book, [row("m1", 10, status="canceled")]))

    assert the(book).held == D(10)


def test_a_split_resumes_what_its_jump_suspended() -> None:
    book = folded(*position(10), j.PricesSuspended(holding=SPY, reason="?"))

    told(book, *book_movements(book, [row("m1", -10), row("m2", 40)]))

    assert book.state.suspended == {}


def test_other_movements_are_recorded_and_change_nothing() -> None:
    book = folded(*position(10))
    before = the(book)

    facts = list(book_movements(book, [row("m1", -3, MovementKind.TRANSFER), row("m2", 0, MovementKind.FEE)]))
    told(book, *facts)

    assert [type(fact) for fact in facts] == [j.MovementBooked, j.MovementBooked]
    assert the(book) == before
