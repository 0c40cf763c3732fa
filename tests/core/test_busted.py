"""Tests of `core/busted.py`: a trade that is taken back is taken out of the books."""

from datetime import timedelta

from standfast.core.closing import settle
from standfast.core.movements import book_movements
from standfast.core.protect import protect
from standfast.model import journal as j
from standfast.model.effects import SubmitOrder
from standfast.model.ids import PositionId
from standfast.model.order import Fill, Movement, MovementKind, Role, Side
from standfast.model.position import Phase
from tests.core.booking import ADOPT, IGNORE, booked, net_of
from tests.core.situations import (
    SPY,
    D,
    P,
    adopted,
    after,
    fill,
    folded,
    of,
    position,
    resting_stop,
    situation,
    told,
)

BOUGHT = fill("x1", "a", Side.BUY, 10, 100, at=after(1))
SOLD = fill("x2", "b", Side.SELL, 10, 120, at=after(2))


def taken_back(of: Fill, status: str = "canceled") -> Movement:
    """The row of a trade that the broker has taken back: its own id, another status."""
    quantity = -of.signed if status == "canceled" else D(0)
    return Movement(
        id=of.execution_id,
        kind=MovementKind.OTHER,
        broker_kind="FILL",
        holding=of.holding,
        quantity=quantity,
        price=of.price,
        status=status,
        at=of.at,
    )


def test_a_sale_that_never_was_brings_its_position_back_to_be_guarded() -> None:
    book = folded()
    booked(book, [BOUGHT, SOLD], ADOPT)
    (held,) = book.state.positions.values()
    told(book, *of(j.PositionSettled, settle(situation(book), held)))
    assert book.state.closed[held.id].pnl == D(200)

    facts = list(book_movements(book, [taken_back(SOLD)]))
    told(book, *facts)

    (back,) = book.state.positions.values()
    assert (back.id, back.held, back.pnl, back.phase) == (held.id, D(10), D(0), Phase.OPEN)
    assert book.state.costs[SPY].average == D(100)
    (stop,) = of(SubmitOrder, protect(situation(book), back))
    assert (stop.intent.role, stop.intent.terms.quantity) == (Role.STOP, D(10))
    (alarm,) = of(j.AlertRaised, facts)
    assert "taken back" in alarm.text
    assert list(book_movements(book, [taken_back(SOLD)])) == [], "once"


def test_what_came_back_in_the_list_before_its_sale_was_booked_does_not_come_back_twice() -> None:
    """Found by simulation: a stop fills, the broker takes the trade back, and the activities that say so come late."""
    book = folded(*position(10), *resting_stop())
    sold = fill("x2", f"{P}-stop-1", Side.SELL, 10, 98, at=after(2))
    told(book, adopted(10, id=PositionId("from the list")), at=after(20))  # read by id, the stop had sold all
    booked(book, [sold], ADOPT)

    facts = list(book_movements(book, [taken_back(sold)]))
    told(book, *facts)

    assert net_of(book) == 10
    assert not book.state.moves
    assert of(j.FillBusted, facts) == []
    (alarm,) = of(j.AlertRaised, facts)
    assert "from the list" in alarm.text


def test_a_purchase_that_never_was_leaves_and_what_was_earned_after_it_is_figured_anew() -> None:
    more = fill("x3", "c", Side.BUY, 10, 110, at=after(1.5))
    book = folded()
    booked(book, [BOUGHT, more, SOLD], ADOPT)
    assert sum(p.pnl for p in book.state.positions.values()) == D(150)

    told(book, *book_movements(book, [taken_back(more)]))

    assert net_of(book) == 0
    assert sum(p.pnl for p in book.state.positions.values()) == D(200)
    assert book.state.costs == {}


def test_what_was_bought_and_has_been_sold_since_is_told_and_not_turned_around() -> None:
    book = folded()
    booked(book, [BOUGHT, SOLD], ADOPT)

    facts = list(book_movements(book, [taken_back(BOUGHT)]))

    assert of(j.FillBusted, facts) == []
    (alarm,) = of(j.AlertRaised, facts)
    assert "Nothing is booked" in alarm.text


def test_a_trade_that_was_never_booked_and_one_that_is_corrected() -> None:
    book = folded()
    assert of(j.AlertRaised, book_movements(book, [taken_back(BOUGHT)])) == []
    booked(book, [BOUGHT], ADOPT)
    (alarm,) = of(j.AlertRaised, book_movements(book, [taken_back(BOUGHT, "correct")]))
    assert "corrected" in alarm.text


def test_a_fill_of_before_does_not_come_again_after_it_was_taken_back() -> None:
    book = folded()
    booked(book, [BOUGHT], ADOPT)
    told(book, *book_movements(book, [taken_back(BOUGHT)]), at=after(2))
    assert booked(book, [BOUGHT], ADOPT) == []
    assert book.state.executions[BOUGHT.execution_id] == BOUGHT.at + timedelta(0)


def test_a_trade_of_quantity_that_is_left_alone_is_taken_off_that() -> None:
    book = folded()
    booked(book, [BOUGHT], IGNORE)
    assert book.state.acknowledged == {SPY: D(10)}

    facts = list(book_movements(book, [taken_back(BOUGHT)]))
    told(book, *facts)

    assert book.state.acknowledged == {}
    (alarm,) = of(j.AlertRaised, facts)
    assert "somebody else's" in alarm.text
