"""Tests of `core/movements.py`: what no order made."""

from datetime import datetime, timedelta

import pytest

from standfast.core.movements import book_movements, turn_of
from standfast.model import journal as j
from standfast.model.ids import PositionId
from standfast.model.order import Movement, MovementKind, Side
from tests.core.situations import NOW, QQQ, SPY, D, adopted, fill, folded, of, opening_of, position, the, told

MINUTE = timedelta(minutes=1)
FIRST = NOW + timedelta(hours=10)


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


@pytest.mark.parametrize(
    ("out", "turn"),
    [(-10, (NOW, 0)), (-91, (FIRST, 2)), (-97, (FIRST + MINUTE, 2)), (-50, (NOW, 0))],
    ids=["before both", "after one", "after both", "of what nobody can say"],
)
def test_a_split_told_by_its_day_follows_the_fills_that_make_up_what_it_takes_out(
    out: int, turn: tuple[datetime, int]
) -> None:
    book = folded(*position(10))
    fills = [
        fill("e1", "o1", Side.BUY, 81, 12, at=FIRST),
        fill("e2", "o2", Side.BUY, 999, 12, at=FIRST, holding=QQQ),
        fill("e3", "o3", Side.BUY, 6, 24, at=FIRST + MINUTE),
    ]
    rows = [row("m1", out), row("m2", -out // 2)]

    assert [turn_of(book, each, fills, rows) for each in rows] == [turn, turn]


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
