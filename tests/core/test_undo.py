"""Tests of `core/undo.py`: what is taken back is as it was before."""

from dataclasses import replace
from typing import Any

import pytest

from standfast.core.book import Book
from standfast.core.undo import COUNTERS, undo
from standfast.model import journal as j
from standfast.model.ids import EntryNumber
from standfast.model.order import Side
from standfast.model.position import CloseReason, Standing
from tests.core.booking import LOT, foreign_lot
from tests.core.situations import (
    NOW,
    SPY,
    D,
    P,
    adopted,
    closing_of,
    fill,
    folded,
    position,
    situation,
    the,
    told,
)
from tests.core.spreads import SOLD
from tests.core.test_forming import bare, formed

WRITE_OFF = j.PositionWrittenOff(position=P, reason=CloseReason.FOREIGN, by="op", detail="gone")
STANDING = j.StandingChanged(position=LOT, standing=Standing.ADOPTED, by="op")


def take_back(book: Book, fact: j.Fact, held: int = 0) -> list[Any]:
    """Undo the fact, as the book's last entry; what was written for it."""
    facts = list(undo(situation(book, held={SPY: held}), j.Entry(EntryNumber(book.head), 1, NOW, fact), by="op"))
    told(book, *facts)
    return facts


def quantities(book: Book) -> dict[str, Any]:
    """What is held, by whom, at which cost, and what is to be done with it."""
    return {
        "net": book.net(SPY),
        "acknowledged": dict(book.state.acknowledged),
        "costs": dict(book.state.costs),
        "positions": {id: replace(p, adopted_at=None) for id, p in book.state.positions.items()},
        "frozen": dict(book.state.frozen),
    }


@pytest.mark.parametrize(
    "fact",
    [
        WRITE_OFF,
        STANDING,
        j.ForeignAcknowledged(holding=SPY, quantity=D(8), by="op", before=D(5)),
        closing_of(),
        j.ProtectionChosen(position=P, stop=None, target=None, bare=True, by="op"),
        j.Frozen(scope="SPY", by="op"),
    ],
    ids=lambda fact: type(fact).__name__,
)
def test_undone_it_is_as_it_was(fact: j.Fact) -> None:
    facts: list[j.Fact] = [*position(10), *foreign_lot(), j.ForeignAcknowledged(holding=SPY, quantity=D(5), by="op")]
    before, book = quantities(folded(*facts)), folded(*facts, fact)

    *_, last = take_back(book, fact)

    assert last == j.Undone(entry=last.entry, by="op", detail=type(fact).__name__)
    assert quantities(book) == before


def test_an_adoption_taken_back_is_left_alone_from_then_on() -> None:
    book = folded(adopted(10))

    take_back(book, adopted(10), held=10)

    assert book.state.positions == {}
    assert book.state.acknowledged == {SPY: D(10)}
    assert book.net(SPY).low == D(10)


def test_taking_that_back_takes_the_acknowledged_quantity_back_too() -> None:
    book = folded(adopted(10))
    written_off, acknowledged, _ = take_back(book, adopted(10), held=10)
    assert isinstance(acknowledged, j.ForeignAcknowledged)

    take_back(book, written_off, held=10)

    assert the(book).held == D(10)
    assert book.state.acknowledged == {}
    assert book.net(SPY).low == D(10)


def test_what_was_acknowledged_instead_and_sold_since_is_not_counted_twice() -> None:
    book = folded(adopted(10))
    written_off, *_ = take_back(book, adopted(10), held=10)
    told(book, j.ForeignAcknowledged(holding=SPY, quantity=D(4), by="policy", before=D(10)))

    assert take_back(book, written_off, held=4) == []


def test_nothing_is_undone_twice() -> None:
    facts: list[j.Fact] = [
        adopted(10),
        WRITE_OFF,
        j.ForeignAcknowledged(holding=SPY, quantity=D(8), by="op"),
        closing_of(),
        j.Frozen(scope="", by="op"),
    ]
    for fact in facts:
        book = folded(fact) if isinstance(fact, j.PositionAdopted) else folded(*position(10), fact)
        assert take_back(book, fact) != [], fact
        assert take_back(book, fact) == [], fact


def test_what_came_since_is_not_touched() -> None:
    stopped = j.CloseRequested(position=P, reason=CloseReason.STOP_LOSS, by="guard", detail="-2%")
    assert take_back(folded(*position(10), closing_of(), stopped), closing_of()) == []

    frozen = j.Frozen(scope="", by="another", reason="news")
    assert take_back(folded(j.Frozen(scope="", by="op"), frozen), j.Frozen(scope="", by="op")) == []

    chosen = [j.ProtectionChosen(position=P, stop=D(n), target=None, bare=False, by="op") for n in (95, 96)]
    assert take_back(folded(*position(10), *chosen), chosen[0]) == []

    known = [j.ForeignAcknowledged(holding=SPY, quantity=D(n), by="op") for n in (5, 8)]
    assert take_back(folded(*known), known[0]) == []


def test_a_position_closed_by_fills_since_its_write_off_was_undone_stays_closed() -> None:
    book = folded(*position(10), WRITE_OFF, j.PositionReinstated(position=P, by="op"))
    sold = j.Allocation(position=P, quantity=D(10), opens=False)
    told(book, j.FillBooked(fill=fill("x", "o", Side.SELL, 10, 100), allocations=(sold,)))
    told(book, j.PositionSettled(position=P, reason=CloseReason.BOT_EXIT, proof="fills"))

    assert take_back(book, WRITE_OFF) == []


def test_an_adoption_that_was_traded_since_is_not_undone() -> None:
    book = folded(adopted(10))
    sold = j.Allocation(position=P, quantity=D(4), opens=False)
    told(book, j.FillBooked(fill=fill("x", "o", Side.SELL, 4, 100), allocations=(sold,)))

    assert take_back(book, adopted(10)) == []
    assert the(book).held == D(6)


def test_what_happened_at_the_broker_cannot_be_undone() -> None:
    for kind in (j.FillBooked, j.OrderObserved, j.PositionSettled, j.Rescaled):
        assert kind not in COUNTERS


def test_an_adoption_from_fills_can_be_undone_too() -> None:
    lot, *rest = foreign_lot(5)
    assert isinstance(lot, j.LotFound)
    lot = replace(lot, standing=Standing.ADOPTED)
    book = folded(lot, *rest)

    take_back(book, lot, held=5)

    assert book.state.positions == {}
    assert book.state.acknowledged == {SPY: D(5)}


# --- structures -----------------------------------------------------------------------------------


def formed_spread() -> tuple[Book, j.StructureFormed]:
    s = bare()
    (fact,) = formed(s)
    return told(s.book, fact), fact


def test_a_structure_that_was_recognised_wrongly_is_taken_apart_and_its_legs_are_as_they_were() -> None:
    apart = bare().book
    book, fact = formed_spread()

    (dissolved, _) = take_back(book, fact)

    assert isinstance(dissolved, j.StructureDissolved)
    assert book.state.structures == {}
    assert book.state.costs == apart.state.costs
    assert {id: replace(each, apart=False) for id, each in book.state.positions.items()} == apart.state.positions


def test_one_that_is_being_closed_is_not_taken_apart() -> None:
    book, fact = formed_spread()
    told(book, j.CloseRequested(position=fact.structure, reason=CloseReason.OPERATOR, by="op", detail=""))

    assert take_back(book, fact) == []


def test_the_close_and_the_protection_of_a_structure_are_taken_back_too() -> None:
    book, fact = formed_spread()
    asked = j.CloseRequested(position=fact.structure, reason=CloseReason.OPERATOR, by="op", detail="")
    chosen = j.ProtectionChosen(position=fact.structure, stop=D(-5), target=None, bare=False, by="op")
    told(book, asked)
    assert isinstance(take_back(book, asked)[0], j.CloseWithdrawn)
    told(book, chosen)
    assert isinstance(take_back(book, chosen)[0], j.ProtectionChosen)

    (structure,) = book.state.structures.values()
    assert (structure.closing, structure.stop) == (None, None)


def test_the_adoption_of_a_leg_is_not_undone_while_it_is_one() -> None:
    book, _ = formed_spread()

    assert take_back(book, adopted(-3, "4.50", id=P, holding=SOLD)) == []
