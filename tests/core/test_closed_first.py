"""Tests of `core/closed_first.py`: a close by somebody else takes from the spread it was meant for, not the oldest."""

from decimal import Decimal

from standfast.core.book import Book
from standfast.core.fills import book_fill
from standfast.core.identity import WHOLE
from standfast.model import journal as j
from standfast.model.ids import BrokerOrderId, Holding, PositionId
from standfast.model.order import OrderReport, OrderState, Side
from standfast.model.position import CloseReason, Standing
from tests.core.situations import D, adopted, fill, folded, report, ruled, told
from tests.core.structures import at

UPPER, MIDDLE, SHARED = at("P", 3850), at("P", 3800), at("P", 3600)
OLD, NEW = PositionId("old"), PositionId("new")


def spread(name: PositionId, sold: Holding, units: int) -> list[j.Fact]:
    """So many of a sold put over the one contract that all of them have bought."""
    short, long = PositionId(f"{name}-short"), PositionId(f"{name}-long")
    legs = (j.LegFormed(position=short, ratio=-1), j.LegFormed(position=long, ratio=1))
    return [
        adopted(-units, "4.50", id=short, holding=sold),
        adopted(units, "0.80", id=long, holding=SHARED),
        j.StructureFormed(
            structure=name, legs=legs, units=D(units), strategy="s", standing=Standing.ADOPTED, by="test"
        ),
    ]


def two_spreads() -> Book:
    """One of 3800/3600, and two of 3850/3600 that came later."""
    return folded(*spread(OLD, MIDDLE, 1), *spread(NEW, UPPER, 2))


def closes(book: Book, number: int, side: Side, holding: Holding, quantity: int, parent: str | None = None) -> None:
    order = BrokerOrderId(f"b-{number}")
    if parent is None:
        alone = report(order, side=side, quantity=quantity, holding=holding, state=OrderState.FILLED, filled=quantity)
        told(book, j.OrderObserved(report=alone))
    made = fill(f"x{number}", order, side, quantity, "1.00", holding=holding)
    told(book, *book_fill(book, ruled(), made))


def together(book: Book, quantity: int, *legs: tuple[Side, Holding]) -> None:
    """A bot closes by one order for these legs; its fills come leg by leg."""
    reports: tuple[OrderReport, ...] = tuple(
        report(
            f"b-{number}",
            side=side,
            quantity=quantity,
            filled=quantity,
            state=OrderState.FILLED,
            holding=holding,
            average_price=D("1.00"),
            parent_id=BrokerOrderId("b-0"),
        )
        for number, (side, holding) in enumerate(legs, start=1)
    )
    whole = report(
        "b-0", side=Side.BUY, quantity=quantity, filled=quantity, state=OrderState.FILLED, holding=WHOLE, legs=reports,
        order_class="mleg",
    )  # fmt: skip
    told(book, j.OrderObserved(report=whole))
    for number, (side, holding) in enumerate(legs, start=1):
        closes(book, number, side, holding, quantity, "b-0")


def held(book: Book, name: PositionId) -> tuple[Decimal, Decimal]:
    legs = (book.state.positions.get(PositionId(f"{name}-{leg}")) for leg in ("short", "long"))
    short, long = (position.net if position is not None else D(0) for position in legs)
    return short, long


def test_an_order_for_all_legs_takes_from_the_spread_of_those_legs() -> None:
    book = two_spreads()

    together(book, 2, (Side.SELL, SHARED), (Side.BUY, UPPER))

    assert held(book, OLD) == (D(-1), D(1))
    assert held(book, NEW) == (D(0), D(0))


def test_the_second_order_of_a_close_leg_by_leg_takes_from_the_spread_that_has_lost_the_first() -> None:
    book = two_spreads()

    closes(book, 1, Side.BUY, UPPER, 2)
    closes(book, 2, Side.SELL, SHARED, 2)

    assert held(book, OLD) == (D(-1), D(1))
    assert held(book, NEW) == (D(0), D(0))


def test_a_single_order_takes_what_is_no_leg_before_it_breaks_a_spread() -> None:
    book = told(two_spreads(), adopted(3, "0.90", id=PositionId("single"), holding=SHARED))

    closes(book, 1, Side.SELL, SHARED, 3)

    assert held(book, OLD) == (D(-1), D(1))
    assert held(book, NEW) == (D(-2), D(2))


def test_what_is_beyond_all_of_that_is_taken_from_the_oldest() -> None:
    book = folded(*spread(OLD, MIDDLE, 1), *spread(NEW, UPPER, 3))

    closes(book, 1, Side.SELL, SHARED, 2)

    assert held(book, OLD) == (D(-1), D(0))
    assert held(book, NEW) == (D(-3), D(2))


def test_equal_spreads_are_taken_oldest_first_with_all_their_legs() -> None:
    book = folded(*spread(OLD, UPPER, 1), *spread(NEW, UPPER, 2))

    together(book, 1, (Side.SELL, SHARED), (Side.BUY, UPPER))

    assert held(book, OLD) == (D(0), D(0))
    assert held(book, NEW) == (D(-2), D(2))


def test_of_equal_spreads_the_one_of_just_that_many_units_is_taken_however_its_fills_come() -> None:
    book = folded(*spread(OLD, UPPER, 3), *spread(NEW, UPPER, 2))

    together(book, 2, (Side.SELL, SHARED), (Side.BUY, UPPER))

    assert held(book, OLD) == (D(-3), D(3))
    assert held(book, NEW) == (D(0), D(0))


def test_the_first_order_of_a_close_leg_by_leg_takes_the_leg_that_is_just_as_large() -> None:
    book = folded(*spread(OLD, MIDDLE, 1), *spread(NEW, UPPER, 2))

    closes(book, 1, Side.SELL, SHARED, 2)

    assert held(book, OLD) == (D(-1), D(1))
    assert held(book, NEW) == (D(-2), D(0))


def test_a_spread_that_is_being_closed_already_is_not_the_one_a_bot_closes() -> None:
    """Found by simulation: an operator's close was on its way, and what a bot bought of another took its sold leg."""
    book = folded(*spread(OLD, UPPER, 1), *spread(NEW, UPPER, 1))
    told(book, j.CloseRequested(position=OLD, reason=CloseReason.OPERATOR, by="operator", detail="enough"))

    closes(book, 1, Side.BUY, UPPER, 1)
    closes(book, 2, Side.SELL, SHARED, 1)

    assert held(book, OLD) == (D(-1), D(1))
    assert held(book, NEW) == (D(0), D(0))


def test_an_order_for_four_legs_takes_what_it_closes_whole_and_not_the_spread_of_two_of_them() -> None:
    """A condor opened leg by leg stands as two strangles; an older spread of its calls is not what the order means."""
    calls = at("C", 4100), at("C", 4200)
    older, sold, bought = PositionId("calls"), PositionId("sold"), PositionId("bought")
    book = folded(
        *pair(older, (calls[0], -1), (calls[1], 1)),
        *pair(bought, (SHARED, 1), (calls[1], 1)),
        *pair(sold, (MIDDLE, -1), (calls[0], -1)),
    )

    together(book, 2, (Side.SELL, calls[1]), (Side.BUY, calls[0]), (Side.SELL, SHARED), (Side.BUY, MIDDLE))

    assert [book.state.positions[PositionId(f"calls-{place}")].held for place in (0, 1)] == [D(2), D(2)]
    assert not any(position.held for position in book.state.positions.values() if position.structure != older)


def pair(name: PositionId, *legs: tuple[Holding, int]) -> list[j.Fact]:
    """Two units."""
    ids = [PositionId(f"{name}-{place}") for place in range(len(legs))]
    formed = tuple(j.LegFormed(position=id, ratio=ratio) for id, (_, ratio) in zip(ids, legs, strict=True))
    return [
        *(adopted(2 * ratio, "1.50", id=id, holding=at) for id, (at, ratio) in zip(ids, legs, strict=True)),
        j.StructureFormed(structure=name, legs=formed, units=D(2), strategy="s", standing=Standing.ADOPTED, by="test"),
    ]
