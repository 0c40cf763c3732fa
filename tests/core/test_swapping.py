"""Tests of `core/swapping.py`: of two spreads that share a contract one is closed leg by leg, the other stays whole."""

from datetime import timedelta
from decimal import Decimal

import pytest

from standfast.core.book import Book
from standfast.core.closed_first import hand_of
from standfast.core.decide import decide
from standfast.core.fills import book_fill
from standfast.core.situation import Situation
from standfast.core.swapping import swaps
from standfast.model import journal as j
from standfast.model.effects import SubmitOrder
from standfast.model.ids import BrokerOrderId, Holding, PositionId
from standfast.model.order import OrderState, Role, Side
from standfast.model.position import CloseReason, Standing
from standfast.stores.codec import decode_fact, encode_fact
from tests.core.situations import (
    NOW,
    D,
    adopted,
    exit_intended,
    fill,
    folded,
    own_id,
    quoted,
    report,
    ruled,
    situation,
    told,
)
from tests.core.spreads import SPREADS
from tests.core.structures import at
from tests.core.test_closed_first import MIDDLE, NEW, OLD, SHARED, UPPER, closes, pair, spread

SIGHTS = {MIDDLE: quoted("4.40", "4.50"), UPPER: quoted("4.60", "4.70"), SHARED: quoted("0.70", "0.80")}


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


def put_right(book: Book) -> list[j.CloseMoved]:
    """What a look at all structures moves, booked."""
    moved = [*swaps(look(book), (each.holding for each in book.state.structures.values()))]
    told(book, *(fact for fact in moved if isinstance(fact, j.CloseMoved)))
    return [fact for fact in moved if isinstance(fact, j.CloseMoved)]


def test_the_one_that_was_not_meant_is_whole_again_and_nothing_is_closed_for_it() -> None:
    book = mixed_up()
    assert legs(book, OLD) == {MIDDLE: D(-2)}
    assert legs(book, NEW) == {SHARED: D(2)}

    (moved,) = put_right(book)

    assert legs(book, OLD) == {MIDDLE: D(-2), SHARED: D(2)}
    assert legs(settled(book), NEW) == {}
    assert {p.structure for p in book.state.positions.values()} == {OLD}
    assert decode_fact(1, encode_fact(moved)) == moved


def test_each_has_earned_then_what_it_would_have_if_the_close_had_named_it() -> None:
    book = folded(*spread(OLD, MIDDLE, 2), *spread(NEW, UPPER, 2))
    closes(book, 1, Side.SELL, SHARED, 2)
    closes(book, 2, Side.BUY, UPPER, 2)
    meant = folded(*spread(OLD, MIDDLE, 2), *spread(NEW, UPPER, 2))
    closes(meant, 1, Side.BUY, UPPER, 2)
    closes(meant, 2, Side.SELL, SHARED, 2)
    put_right(book)

    def figures(book: Book) -> dict[PositionId, tuple[Decimal, ...]]:
        return {p.id: (p.held, p.pnl, p.entry_value, p.exit_value) for p in book.state.positions.values()}

    assert figures(book) == figures(meant)


def test_its_stop_and_its_target_stay() -> None:
    book = mixed_up()
    told(book, j.ProtectionChosen(position=OLD, stop=D("-6"), target=D("-1"), bare=False, by="operator"))

    put_right(book)

    assert (book.state.structures[OLD].stop, book.state.structures[OLD].target) == (D("-6"), D("-1"))


def test_of_a_part_that_is_closed_leg_by_leg_each_keeps_what_makes_it_whole() -> None:
    """Two of the newer three; the older one's three would otherwise lose two of what bounds them."""
    book = folded(*spread(OLD, MIDDLE, 3), *spread(NEW, UPPER, 3))
    closes(book, 1, Side.SELL, SHARED, 2)
    closes(book, 2, Side.BUY, UPPER, 2)
    settled(book)
    assert (legs(book, OLD), legs(book, NEW)) == ({MIDDLE: D(-3), SHARED: D(1)}, {UPPER: D(-1), SHARED: D(3)})

    put_right(book)

    assert (legs(book, OLD), legs(book, NEW)) == ({MIDDLE: D(-3), SHARED: D(3)}, {UPPER: D(-1), SHARED: D(1)})
    assert book.net(SHARED).low == D(4)
    assert put_right(book) == []


def test_of_unequal_ones_nothing_is_sent_either() -> None:
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

    assert (legs(book, OLD), legs(book, NEW)) == ({MIDDLE: D(-1), SHARED: D(1)}, {UPPER: D(-1), SHARED: D(1)})
    assert not any(position.closing for position in book.state.positions.values())


def test_a_look_does_that_before_anything_else() -> None:
    book = mixed_up()

    decision = decide(look(book), [book.state.structures[OLD].holding])

    assert [type(fact) for fact in decision.facts] == [j.CloseMoved]
    assert decision.effects == ()


@pytest.mark.parametrize("sold", [UPPER, MIDDLE])
def test_one_that_has_really_lost_a_leg_is_left_to_be_mended(sold: Holding) -> None:
    """Nothing else has what it lacks."""
    book = folded(*spread(OLD, MIDDLE, 2), *spread(NEW, UPPER, 2))
    closes(book, 1, Side.BUY, sold, 2)
    settled(book)

    assert put_right(book) == []


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
    put_right(book)
    settled(book)

    assert legs(book, OLD) == {MIDDLE: D(-2), SHARED: D(2)}
    assert legs(book, third) == {UPPER: D(-2), lower: D(2)}
    assert legs(book, NEW) == {}


def test_what_an_order_of_ours_has_closed_is_nobody_elses() -> None:
    """Of the older three one was closed here; what the bot closes then makes the newer one whole, not the older."""
    book = folded(*spread(OLD, MIDDLE, 3), *spread(NEW, UPPER, 3))
    closed_here(book, PositionId(f"{OLD}-long"), Side.SELL, SHARED, 1)
    closed_here(book, PositionId(f"{OLD}-short"), Side.BUY, MIDDLE, 1)
    assert legs(book, OLD) == {MIDDLE: D(-2), SHARED: D(2)}

    for booked in book.state.structures.values():
        hand = hand_of(book, booked)
        assert hand is not None
        assert hand.most == hand.units


def test_three_that_two_orders_have_mixed_up_are_put_right_at_once() -> None:
    """A whole one, closed leg by leg, shares one contract with each of two: both have lost a leg for it."""
    lower, third = at("P", 3500), PositionId("third")
    book = folded(
        *pair(NEW, (MIDDLE, -1), (lower, 1)),
        *pair(OLD, (MIDDLE, -1), (SHARED, 1)),
        *pair(third, (UPPER, -1), (lower, 1)),
    )
    told(book, taken(1, Side.BUY, PositionId(f"{OLD}-0"), MIDDLE, 2))
    told(book, taken(2, Side.SELL, PositionId(f"{third}-1"), lower, 2))
    settled(book)
    assert legs(book, NEW) == {MIDDLE: D(-2), lower: D(2)}

    assert len(put_right(book)) == 2
    settled(book)

    assert legs(book, NEW) == {}
    assert legs(book, OLD) == {MIDDLE: D(-2), SHARED: D(2)}
    assert legs(book, third) == {UPPER: D(-2), lower: D(2)}


def test_one_that_has_ended_by_the_close_of_others_is_there_again() -> None:
    """Two are closed leg by leg, each leg booked to a third that they share one with: it has ended, and is held."""
    third = PositionId("third")
    lower = at("P", 3500)
    book = folded(
        *pair(third, (MIDDLE, -1), (SHARED, 1)),
        *pair(OLD, (MIDDLE, -1), (lower, 1)),
        *pair(NEW, (UPPER, -1), (SHARED, 1)),
    )
    told(book, taken(1, Side.BUY, PositionId("third-0"), MIDDLE, 2))
    told(book, taken(2, Side.SELL, PositionId("third-1"), SHARED, 2))
    settled(book)
    told(book, j.PositionSettled(position=third, reason=CloseReason.BOT_EXIT, proof="its legs are closed"))
    told(book, taken(3, Side.SELL, PositionId(f"{OLD}-1"), lower, 2))
    told(book, taken(4, Side.BUY, PositionId(f"{NEW}-0"), UPPER, 2))
    settled(book)

    assert len(put_right(book)) == 2
    settled(book)

    assert (legs(book, OLD), legs(book, NEW)) == ({}, {})
    assert legs(book, third) == {MIDDLE: D(-2), SHARED: D(2)}


def taken(number: int, side: Side, id: PositionId, holding: Holding, quantity: int) -> j.Fact:
    """A bot's close, as an earlier look booked it: from just this leg."""
    made = fill(f"x{number}", f"b-{number}", side, quantity, "1.00", holding=holding)
    part = j.Allocation(position=id, quantity=D(quantity), opens=False, realised=D(0))
    return j.FillBooked(fill=made, allocations=(part,), reason=CloseReason.BOT_EXIT)


def closed_here(book: Book, id: PositionId, side: Side, holding: Holding, quantity: int) -> None:
    """By an order of the guard's own."""
    own = own_id(Role.CLOSE, id=id)
    told(
        book,
        exit_intended(Role.CLOSE, quantity, id=id, holding=holding, side=side),
        j.OrderAccepted(id=own, broker_id=BrokerOrderId(f"b-{id}")),
        j.OrderObserved(
            report=report(
                f"b-{id}",
                client=own,
                side=side,
                quantity=quantity,
                filled=quantity,
                holding=holding,
                state=OrderState.FILLED,
            )
        ),
    )
    told(book, *book_fill(book, ruled(), fill(f"x-{id}", f"b-{id}", side, quantity, "1.00", holding=holding)))
