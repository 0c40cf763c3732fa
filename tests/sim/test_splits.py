"""A split: the book is rescaled once, by both of its rows, and no price rule takes it for a crash."""

from collections.abc import Sequence
from dataclasses import replace

import pytest

from standfast.core.book import Book
from standfast.core.fold import fold
from standfast.core.movements import book_movements
from standfast.core.policy import Rules
from standfast.exchange.faults import EmptyList, Rule
from standfast.exchange.rules import Rules as ExchangeRules
from standfast.model.ids import AccountId, EntryNumber, Holding, InstrumentId, PositionId
from standfast.model.journal import Entry, PositionAdopted
from standfast.model.order import Movement, MovementKind
from standfast.sim.world import World, play
from tests.sim.stories import (
    BEFORE_CLOSE,
    BY_GUARD,
    NIGHT,
    START,
    STOP_ONLY,
    D,
    closes_asked,
    covered,
    holding,
    is_covered,
    prices,
    stops,
    the_open,
)

HALVED = prices((0, "100.00", "100.02"), (20, "50.00", "50.02"))
HALVED_OVERNIGHT = prices((0, "100.00", "100.02"), (200, "50.00", "50.02"))
AAPL = Holding(InstrumentId("AAPL"))


@pytest.mark.parametrize("rules", [STOP_ONLY, BY_GUARD], ids=["stop at the broker", "stop held by the guard"])
def test_a_split_while_the_market_is_open_sells_nothing_and_its_stop_follows(rules: Rules) -> None:
    async def story(world: World) -> None:
        await holding(world)
        await world.run_for(2.5)  # to half a second before its price halves
        world.engine.split("AAPL", D(2))
        await world.run_for(180)
        assert world.net() == 200
        assert await closes_asked(world) == []
        position = the_open(world)
        assert (position.held, position.entry_price) == (D(200), D("50.01"))
        if rules is STOP_ONLY:
            assert is_covered(world, 200)
            assert {stop.terms.stop_price for stop in stops(world)} == {D("49.01")}

    play(story, rules, HALVED, start=START)


@pytest.mark.parametrize("adjusts", [True, False], ids=["orders adjusted", "orders left as they were"])
@pytest.mark.parametrize("restarted", [True, False], ids=["guard restarted", "guard there"])
def test_a_split_overnight_sells_nothing_at_the_open(*, adjusts: bool, restarted: bool) -> None:
    async def story(world: World) -> None:
        await holding(world)
        await world.run_for(123)  # past the close
        if restarted:
            world.kill_guard()
        world.engine.split("AAPL", D(2))
        await world.run_for(10)
        if restarted:
            await world.start_guard()
        await world.run_for(900)
        assert world.engine.clock().is_open
        assert world.net() == 200
        assert await closes_asked(world) == []
        assert covered(world) == 200
        assert {stop.terms.stop_price for stop in stops(world)} == {D("49.01")}

    rules = ExchangeRules(split_adjusts_orders=adjusts)
    play(story, STOP_ONLY, HALVED_OVERNIGHT, start=BEFORE_CLOSE, sessions=NIGHT, exchange=rules)


def row(id: str, quantity: int, status: str = "executed") -> Movement:
    return Movement(
        id=id,
        kind=MovementKind.SPLIT,
        broker_kind="SPLIT",
        holding=AAPL,
        quantity=D(quantity),
        at=START,
        status=status,
    )


def book_of_reads(*reads: Sequence[Movement]) -> Book:
    """A book that holds 100, after these reads of activities."""
    book = Book.empty(AccountId("sim"))
    adopted = PositionAdopted(
        position=PositionId("p1"), holding=AAPL, quantity=D(100), price=D(100), anchor=None, strategy="", by="test"
    )
    fold(book, [Entry(EntryNumber(1), 0, START, adopted)])
    for rows in reads:
        for fact in list(book_movements(book, rows)):
            fold(book, [Entry(EntryNumber(book.head + 1), 0, START, fact)])
    return book


def held(book: Book) -> object:
    return book.state.positions[PositionId("p1")].held


def test_the_two_rows_of_a_split_may_come_in_two_reads() -> None:
    assert held(book_of_reads([row("out", -100)])) == 100, "half a split says nothing"
    assert held(book_of_reads([row("out", -100)], [row("in", 200)])) == 200
    assert held(book_of_reads([row("out", -100), row("in", 200)])) == 200


def test_rows_of_a_split_read_again_change_nothing() -> None:
    rows = [row("out", -100), row("in", 200)]
    assert held(book_of_reads(rows, rows)) == 200


def test_a_split_that_is_taken_back_is_taken_back_once() -> None:
    rows = [row("out", -100), row("in", 200)]
    back = [replace(each, status="canceled") for each in rows]
    assert held(book_of_reads(rows, back)) == 100
    assert held(book_of_reads(rows, back, back)) == 100


def test_a_split_whose_rows_come_late_sells_nothing_at_the_open() -> None:
    """The list shows it before the open, the activities after: the stop of before must not be there when it opens."""

    async def story(world: World) -> None:
        await holding(world)
        await world.run_for(123)  # past the close
        world.faults.install(Rule(operation="activities", fault=EmptyList()))
        world.engine.split("AAPL", D(2))
        await world.run_for(500)
        assert not world.engine.clock().is_open
        assert stops(world) == [], await world.account_of("the stop of before the split still rests")
        await world.run_for(400)
        assert world.engine.clock().is_open
        assert world.net() == 200, await world.account_of("sold at the open")
        world.faults.clear()
        await world.until(lambda: covered(world) == 200, within=60, what="covered at its new price")
        assert {stop.terms.stop_price for stop in stops(world)} == {D("49.01")}
        assert await closes_asked(world) == []

    rules = ExchangeRules(split_adjusts_orders=False)
    play(story, STOP_ONLY, HALVED_OVERNIGHT, start=BEFORE_CLOSE, sessions=NIGHT, exchange=rules)
