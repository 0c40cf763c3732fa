"""Property of `core/swapping.py` and `core/closed_first.py`: whatever whole units a bot closes, in whatever order, all
structures are whole in the end, and each has earned what it was closed at against what it cost itself."""

from dataclasses import dataclass
from decimal import Decimal
from itertools import chain

from hypothesis import given, settings
from hypothesis import strategies as st

from standfast.core.book import Book
from standfast.core.shapes import broken
from standfast.core.structures import open_legs, structure_of
from standfast.model import journal as j
from standfast.model.ids import Holding, PositionId
from standfast.model.order import Side
from standfast.model.position import CloseReason, Standing
from tests.core.situations import D, adopted, folded, told
from tests.core.structures import at
from tests.core.test_closed_first import closes
from tests.core.test_swapping import put_right, settled

SOLD = [at("P", strike) for strike in (3800, 3850)] + [at("C", 4100)]
BOUGHT = [at("P", strike) for strike in (3500, 3600)] + [at("C", 4200)]


@dataclass(frozen=True)
class Held:
    """One structure, and how much of it is closed."""

    sold: Holding
    bought: Holding
    units: int
    closed: int


@st.composite
def stories(draw: st.DrawFn) -> tuple[list[Held], list[int]]:
    """Structures, and the order in which the single orders of their closes come."""
    held = []
    for _ in range(draw(st.integers(2, 5))):
        units = draw(st.integers(1, 3))
        sold, bought = draw(st.sampled_from(SOLD)), draw(st.sampled_from(BOUGHT))
        held.append(Held(sold, bought, units, draw(st.integers(0, units))))
    return held, draw(st.permutations(range(2 * len(held))))


def opened(held: list[Held]) -> Book:
    facts: list[j.Fact] = []
    for number, each in enumerate(held):
        short, long = PositionId(f"s{number}"), PositionId(f"l{number}")
        legs = (j.LegFormed(position=short, ratio=-1), j.LegFormed(position=long, ratio=1))
        facts += [
            adopted(-each.units, f"4.{number}", id=short, holding=each.sold),
            adopted(each.units, f"0.{number}1", id=long, holding=each.bought),
            j.StructureFormed(
                structure=PositionId(f"structure-{number}"),
                legs=legs,
                units=D(each.units),
                strategy="s",
                standing=Standing.ADOPTED,
                by="test",
            ),
        ]
    return folded(*facts)


def ended(book: Book) -> None:
    """What is flat leaves the books, legs and then structures, as a look sees to it."""
    for booked in list(settled(book).state.structures.values()):
        if not any(True for _ in open_legs(book, booked)):
            told(book, j.PositionSettled(position=booked.id, reason=CloseReason.BOT_EXIT, proof="fills"))


def earned(book: Book) -> dict[PositionId, Decimal]:
    """What each has earned besides what its own exits say."""
    return {
        p.id: p.pnl - (p.exit_value - p.closed * (p.entry_price or D(0))) * p.sign * 100
        for p in chain(book.state.positions.values(), book.state.closed.values())
    }


@settings(deadline=None)
@given(stories())
def test_whole_units_that_a_bot_closes_leave_whole_units(story: tuple[list[Held], list[int]]) -> None:
    held, turns = story
    book = opened(held)

    for number, turn in enumerate(turns):
        each = held[turn // 2]
        side, holding = (Side.BUY, each.sold) if turn % 2 == 0 else (Side.SELL, each.bought)
        if each.closed:
            closes(book, number, side, holding, each.closed)
        put_right(book)
        ended(book)
    while put_right(book):
        ended(book)

    assert [str(x) for x in book.state.structures.values() if broken(structure_of(book, x)) is not None] == []
    for holding in (*SOLD, *BOUGHT):
        left = sum(x.units - x.closed for x in held if holding in (x.sold, x.bought))
        assert abs(book.net(holding).low) == left
    assert all(abs(more) < D("0.000001") for more in earned(book).values()), earned(book)
