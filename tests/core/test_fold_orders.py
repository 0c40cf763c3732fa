"""Tests of `core/fold_orders.py`: what facts about orders make of them."""

from standfast.core.book import Book
from standfast.core.cover import cover_of
from standfast.model import journal as j
from standfast.model.ids import PositionId
from standfast.model.order import OrderReport, OrderState, OrderType, Role, Side
from tests.core.situations import SPY, D, P, folded, opening_of, own_id, position, report, situation, the, told

NEW = PositionId("p2")
LEG = report("leg", type=OrderType.STOP, stop="95", quantity=4, order_class="oto")


def entry(**changes: object) -> OrderReport:
    """Our own opening, filled, with the stop it brought."""
    changed = {"client": own_id(Role.OPEN, 1, NEW), "legs": (LEG,), **changes}
    return report("entry", side=Side.BUY, quantity=4, filled=4, state=OrderState.FILLED, **changed)  # type: ignore[arg-type]  # fields of a report


def listed_alone() -> Book:
    """Ten are held without a stop, four more are being bought, and the list shows the stop of those by itself."""
    return folded(*position(10), *opening_of(4, id=NEW), j.OrderObserved(report=LEG, position=P))


def test_the_stop_an_opening_of_ours_brings_protects_what_it_opens_whatever_it_was_tied_to_by_its_looks() -> None:
    book = told(listed_alone(), j.OrderObserved(report=entry(), position=NEW, role=Role.OPEN))

    leg = book.order_by_broker(LEG.broker_id)
    assert leg is not None
    assert (leg.position, leg.role, leg.parent) == (NEW, Role.STOP, own_id(Role.OPEN, 1, NEW))
    assert LEG.client_id not in book.orders_of[P]
    s = situation(book, held={SPY: 14}, listed=[LEG])
    assert (cover_of(s, the(book, NEW)).stopped, cover_of(s, the(book)).stopped) == (D(4), D(0))


def test_the_leg_of_a_pair_of_ours_is_ours_though_the_pair_was_first_seen_as_a_stranger_s() -> None:
    """The list shows it before its answer comes, and it is tied by its looks."""
    book = listed_alone()
    for position_, role in ((P, Role.FOREIGN), (NEW, Role.OPEN)):
        told(book, j.OrderObserved(report=entry(), position=position_, role=role))
        leg = book.order_by_broker(LEG.broker_id)
        assert leg is not None
        assert (leg.position, leg.role) == (NEW, Role.STOP)


def test_the_leg_of_a_stranger_s_order_stays_a_stranger_s() -> None:
    book = told(listed_alone(), j.OrderObserved(report=entry(client="theirs"), position=P))
    leg = book.order_by_broker(LEG.broker_id)
    assert leg is not None
    assert (leg.position, leg.role) == (P, Role.FOREIGN)
