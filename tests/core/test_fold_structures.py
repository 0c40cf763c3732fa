"""Tests of `core/fold_structures.py`: what facts about structures leave in the book."""

from standfast.core.book import Book, BookState
from standfast.core.fold import fold
from standfast.core.structures import phase_of, structure_of
from standfast.model import journal as j
from standfast.model.booked import Stage
from standfast.model.ids import ClientOrderId, EntryNumber, PositionId
from standfast.model.order import Role
from standfast.model.position import Phase, Standing
from standfast.stores.codec import decode_fact, decode_state, encode_fact, encode_state
from tests.core.situations import ACCOUNT, NOW, D, adopted, folded, told
from tests.core.spreads import ALONE, BOUGHT, SOLD, opened, spread_desk

Q = PositionId("p2")


def test_while_an_order_for_all_legs_is_in_doubt_each_contract_may_or_may_not_be_held() -> None:
    desk = spread_desk()
    desk.fills_together = lambda effect: False
    desk.open()
    desk.run()

    assert (desk.book.net(SOLD).low, desk.book.net(SOLD).high) == (D(-3), D(0))
    assert (desk.book.net(BOUGHT).low, desk.book.net(BOUGHT).high) == (D(0), D(3))
    assert phase_of(desk.book, desk.structure) is Phase.OPENING


def test_one_that_never_arrived_leaves_no_doubt_and_ends_the_opening() -> None:
    desk = spread_desk()
    desk.fills_together = lambda effect: False
    desk.refuses_together = True

    desk.open()
    desk.run()

    assert desk.book.net(SOLD).is_exact
    assert desk.book.state.structures == {}


def test_one_that_a_guard_died_before_sending_is_given_up_with_all_its_legs() -> None:
    """Found by simulation: its legs stayed as they were meant, and giving it up ended every guard that came after."""
    facts = [fact for fact in opened_facts() if isinstance(fact, j.StructureRequested | j.TogetherIntended)]
    (whole,) = [fact.id for fact in facts if isinstance(fact, j.TogetherIntended)]

    book = folded(*facts, j.OrderMissing(id=whole), j.OrderNeverArrived(id=whole, reason="45 s"))

    assert {each.stage for each in book.state.orders.values()} == {Stage.FINISHED}
    assert book.net(SOLD).is_exact


def test_a_structure_taken_apart_leaves_its_legs_as_positions_of_their_own() -> None:
    desk = opened()

    desk.tell(j.StructureDissolved(structure=desk.structure.id, reason="assigned", by="test"))

    assert {position.structure for position in desk.book.state.positions.values()} == {None}
    assert {holding: cost.quantity for holding, cost in desk.book.state.costs.items()} == {SOLD: -3, BOUGHT: 3}


def test_a_structure_of_a_position_that_is_not_held_is_not_formed() -> None:
    book = folded(adopted(-3, "4.50", holding=SOLD))
    legs = (j.LegFormed(position=PositionId("p1"), ratio=-1), j.LegFormed(position=Q, ratio=1))
    told(
        book, j.StructureFormed(structure=Q, legs=legs, units=D(3), strategy="s", standing=Standing.ADOPTED, by="test")
    )

    assert book.state.structures == {}
    assert book.state.positions[PositionId("p1")].structure is None


def test_what_is_written_of_it_is_read_again_and_gives_the_same_book() -> None:
    desk = opened(ALONE)
    asked = [fact for fact in opened_facts() if isinstance(fact, j.StructureRequested | j.TogetherIntended)]

    again = decode_state(BookState, encode_state(desk.book.state))

    assert again == desk.book.state
    assert len(asked) == 2
    for fact in asked:
        assert decode_fact(1, encode_fact(fact)) == fact


def opened_facts() -> list[j.Fact]:
    desk = spread_desk()
    facts = desk.open()
    desk.run()
    return [*facts, *(effect.intent for effect in desk.together)]


def test_the_parts_of_an_order_for_all_legs_are_named_after_it() -> None:
    (intent,) = [fact for fact in opened_facts() if isinstance(fact, j.TogetherIntended)]

    assert [leg.id for leg in intent.legs] == [ClientOrderId(f"{intent.id}.{place}") for place in (0, 1)]
    assert intent.role is Role.OPEN


def test_equal_journals_give_equal_books() -> None:
    facts = [fact for fact in opened_facts() if not isinstance(fact, j.RequestTaken)]
    entries = [j.Entry(EntryNumber(n), 1, NOW, fact) for n, fact in enumerate(facts, 1)]

    one, other = (fold(Book.empty(ACCOUNT), entries) for _ in range(2))

    assert one.state == other.state
    (booked,) = one.state.structures.values()
    assert structure_of(one, booked).is_flat
