"""What is alive is what going through all orders would find, whenever it is asked for."""

from collections.abc import Iterable

import pytest

from standfast.core.book import Book
from standfast.core.decide import look_at
from standfast.core.situation import Outcome, Situation
from standfast.model.booked import BookedOrder
from standfast.model.ids import Holding
from standfast.sim.chaos import play
from standfast.sim.plan import draw


def alive(orders: Iterable[BookedOrder]) -> tuple[BookedOrder, ...]:
    return tuple(order for order in orders if not order.is_finished or order.excess)


def compared(book: Book) -> int:
    """How many orders were compared."""
    for position in {*book.state.positions, *book.state.closed}:
        assert book.alive.of(position) == alive(book.orders_for(position))
    for holding in book.holdings():
        assert book.alive.at(holding) == alive(book.orders_on(holding))
    return sum(len(book.alive.at(holding)) for holding in book.holdings())


@pytest.mark.parametrize("seed", [2, 13])
def test_at_every_look_of_a_guard_under_fire(seed: int, monkeypatch: pytest.MonkeyPatch) -> None:
    looks: list[int] = []

    def looked(s: Situation, holding: Holding) -> Iterable[Outcome]:
        looks.append(compared(s.book))
        return look_at(s, holding)

    monkeypatch.setattr("standfast.core.decide.look_at", looked)
    assert play(draw(seed, hours=0.15)).held
    assert sum(looks) > 100
