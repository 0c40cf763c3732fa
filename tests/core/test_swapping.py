"""Tests of `core/swapping.py`: of two spreads that share a contract one is closed leg by leg, the other stays whole."""

from datetime import timedelta
from decimal import Decimal

import pytest

from standfast.core.book import Book
from standfast.core.decide import decide
from standfast.core.situation import Situation
from standfast.core.swapping import swaps
from standfast.model import journal as j
from standfast.model.effects import SubmitOrder, WakeAt
from standfast.model.ids import Holding, PositionId
from standfast.model.order import Side
from standfast.model.position import CloseReason, Standing
from standfast.stores.codec import decode_fact, encode_fact
from tests.core.situations import NOW, D, adopted, folded, quoted, situation, told
from tests.core.spreads import SPREADS
from tests.core.structures import at
from tests.core.test_closed_first import MIDDLE, NEW, OLD, SHARED, UPPER, closes, spread

SIGHTS = {MIDDLE: quoted("4.40", "4.50"), UPPER: quoted("6.40", "6.50"), SHARED: quoted("0.70", "0.80")}


def look(book: Book) -> Situation:
    return situation(book, policy=SPREADS, sights=SIGHTS)


def settled(book: Book) -> Book:
    """Every leg that is flat has left the books."""
    for position in list(book.state.positions.values()):
        if not position.held:
            told(book, j.PositionSettled(position=position.id, reason=CloseReason.BOT_EXIT, proof="fills"))
    return book


def legs(book: Book, id: PositionId) -> dict[Holding, Decimal]:
    found = book.state.structures.get(id)
    if found is None:
        return {}
    held = (book.state.positions.get(leg.position) for leg in found.legs)
    return {position.holding: position.net for position in held if position is not None}


def mixed_up() -> Book:
    """Two of equal size; the bot closes the newer one, what they share first."""
    book = folded(*spread(OLD, MIDDLE, 2), *spread(NEW, UPPER, 2))
    closes(book, 1, Side.SELL, SHARED, 2)
    closes(book, 2, Side.BUY, UPPER, 2)
    return settled(book)


def test_the_one_that_was_not_meant_is_whole_again_and_nothing_is_closed_for_it() -> None:
    book = mixed_up()
    assert legs(book, OLD) == {MIDDLE: D(-2)}
    assert legs(book, NEW) == {SHARED: D(2)}

    (swap,) = swaps(look(book), book.state.structures[OLD])
    assert isinstance(swap, j.LegsSwapped)
    told(book, swap)

    assert legs(book, OLD) == {MIDDLE: D(-2), SHARED: D(2)}
    assert legs(book, NEW) == {}
    assert {p.structure for p in book.state.positions.values()} == {OLD}
    assert decode_fact(1, encode_fact(swap)) == swap


def test_of_a_part_that_is_closed_leg_by_leg_each_keeps_what_makes_it_whole() -> None:
    """Two of the newer three; the older one's three would otherwise lose two of what bounds them."""
    book = folded(*spread(OLD, MIDDLE, 3), *spread(NEW, UPPER, 3))
    closes(book, 1, Side.SELL, SHARED, 2)
    closes(book, 2, Side.BUY, UPPER, 2)
    settled(book)
    assert (legs(book, OLD), legs(book, NEW)) == ({MIDDLE: D(-3), SHARED: D(1)}, {UPPER: D(-1), SHARED: D(3)})

    (waits,) = swaps(look(book), book.state.structures[NEW])
    assert isinstance(waits, WakeAt), "only one of the two asks for it: changed twice is not changed"
    told(book, *(fact for fact in swaps(look(book), book.state.structures[OLD]) if isinstance(fact, j.LegsSwapped)))

    assert (legs(book, OLD), legs(book, NEW)) == ({MIDDLE: D(-3), SHARED: D(3)}, {UPPER: D(-1), SHARED: D(1)})
    assert book.net(SHARED).low == D(4)


def test_what_no_change_of_one_leg_puts_right_is_put_together_anew() -> None:
    """One and three, of which two are closed: the order took the older one's first, and one of the newer ones'."""
    book = folded(*spread(OLD, MIDDLE, 1), *spread(NEW, UPPER, 3))
    closes(book, 1, Side.SELL, SHARED, 2)
    closes(book, 2, Side.BUY, UPPER, 2)
    settled(book)
    assert (legs(book, OLD), legs(book, NEW)) == ({MIDDLE: D(-1)}, {UPPER: D(-1), SHARED: D(2)})

    now = NOW + timedelta(minutes=1)
    for seconds in range(5):
        sights = {h: quoted(str(x.quote.bid), str(x.quote.ask), at=now) for h, x in SIGHTS.items()}
        s = situation(book, policy=SPREADS, sights=sights, now=now + timedelta(seconds=seconds))
        decision = decide(s, [MIDDLE, UPPER, SHARED, *(each.holding for each in book.state.structures.values())])
        told(book, *decision.facts, at=s.now)
        assert decision.effects == () or not [e for e in decision.effects if isinstance(e, SubmitOrder)]

    held = sorted((sorted((leg.holding, leg.ratio) for leg in x.legs), x.units) for x in book.state.structures.values())
    assert held == sorted([([(SHARED, 1), (MIDDLE, -1)], D(1)), ([(SHARED, 1), (UPPER, -1)], D(1))])
    assert not any(position.closing for position in book.state.positions.values())


def test_a_look_does_that_before_anything_else() -> None:
    book = mixed_up()

    decision = decide(look(book), [book.state.structures[OLD].holding])

    assert [type(fact) for fact in decision.facts] == [j.LegsSwapped]
    assert decision.effects == ()


@pytest.mark.parametrize("sold", [UPPER, MIDDLE])
def test_one_that_has_really_lost_a_leg_is_left_to_be_mended(sold: Holding) -> None:
    """Nothing else has what it lacks."""
    book = folded(*spread(OLD, MIDDLE, 2), *spread(NEW, UPPER, 2))
    closes(book, 1, Side.BUY, sold, 2)
    settled(book)

    assert [list(swaps(look(book), each)) for each in book.state.structures.values()] == [[], []]


def test_the_second_order_takes_from_the_spread_that_can_give_what_the_first_took_wrongly() -> None:
    """Both contracts of the one that is closed are shared, each with an older spread: three would be broken for one."""
    third, lower = PositionId("third"), at("P", 3500)
    both = (j.LegFormed(position=PositionId("n1"), ratio=-1), j.LegFormed(position=PositionId("n2"), ratio=1))
    newest: list[j.Fact] = [
        adopted(-2, "4.50", id=PositionId("n1"), holding=MIDDLE),
        adopted(2, "0.40", id=PositionId("n2"), holding=lower),
        j.StructureFormed(structure=NEW, legs=both, units=D(2), strategy="s", standing=Standing.ADOPTED, by="test"),
    ]
    below = (j.LegFormed(position=PositionId("t1"), ratio=-1), j.LegFormed(position=PositionId("t2"), ratio=1))
    beside: list[j.Fact] = [
        adopted(-2, "6.50", id=PositionId("t1"), holding=UPPER),
        adopted(2, "0.40", id=PositionId("t2"), holding=lower),
        j.StructureFormed(structure=third, legs=below, units=D(2), strategy="s", standing=Standing.ADOPTED, by="test"),
    ]
    book = folded(*spread(OLD, MIDDLE, 2), *beside, *newest)

    closes(book, 1, Side.BUY, MIDDLE, 2)
    settled(book)
    closes(book, 2, Side.SELL, lower, 2)
    settled(book)
    for booked in list(book.state.structures.values()):
        told(book, *(fact for fact in swaps(look(book), booked) if isinstance(fact, j.LegsSwapped)))

    assert legs(book, OLD) == {MIDDLE: D(-2), SHARED: D(2)}
    assert legs(book, third) == {UPPER: D(-2), lower: D(2)}
    assert legs(book, NEW) == {}
