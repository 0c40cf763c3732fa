"""Tests of `core/closing.py`: when a position has ended, and what proves it."""

from standfast.core.closing import settle
from standfast.model import journal as j
from standfast.model.effects import CancelOrder, SubmitOrder
from standfast.model.ids import BrokerOrderId
from standfast.model.order import OrderState, OrderType, Role, Side
from standfast.model.position import CloseReason
from tests.core.situations import (
    D,
    P,
    closing_of,
    exit_intended,
    fill,
    folded,
    of,
    own_id,
    position,
    report,
    resting_stop,
    situation,
    the,
    told,
)
from tests.core.test_closing import closed, step
from tests.core.toy_broker import desk


def test_a_position_is_settled_by_fills_never_by_its_absence() -> None:
    book = folded(*position(10))

    assert list(settle(situation(book, held={}), the(book))) == []


def test_nothing_is_settled_while_fills_are_on_their_way() -> None:
    done = report("p1-stop-1", client=own_id(Role.STOP), type=OrderType.STOP, filled=10, state=OrderState.FILLED)
    book = folded(*position(10), *resting_stop(10), j.OrderObserved(report=done, position=P, role=Role.STOP))

    assert list(settle(situation(book, held={}), the(book))) == []
    assert book.held(the(book)) == D(0)


def sold_beside_its_close(quantity: int, close: int) -> list[j.Fact]:
    """Ten are to be closed, the close works for so many, and somebody else has sold this much of them."""
    meant = exit_intended(Role.CLOSE, close)
    sale = j.FillBooked(
        fill=fill("x1", "theirs", Side.SELL, quantity, 100),
        allocations=(j.Allocation(position=P, quantity=D(quantity), opens=False),),
    )
    working = report("close", client=meant.id, quantity=close)
    return [
        *position(10),
        closing_of(),
        meant,
        j.OrderAccepted(id=meant.id, broker_id=BrokerOrderId("close")),
        j.OrderObserved(report=working, position=P, role=Role.CLOSE),
        sale,
    ]


def test_a_close_that_works_for_more_than_somebody_else_has_left_is_cancelled() -> None:
    for sold, close, cancelled in ((1, 9, []), (4, 10, ["close"]), (10, 10, ["close"])):
        s = situation(folded(*sold_beside_its_close(sold, close)))
        assert [each.broker_id for each in of(CancelOrder, step(s))] == cancelled


def test_what_others_have_sold_is_settled_when_its_close_cannot_fill_any_more() -> None:
    """Found by simulation: the close had filled too, unread, and its fill was nobody's."""
    book = folded(*sold_beside_its_close(10, 10))
    assert list(settle(situation(book), the(book))) == []

    done = report("close", client=own_id(Role.CLOSE), quantity=10, state=OrderState.CANCELLED)
    told(book, j.OrderObserved(report=done, position=P, role=Role.CLOSE))
    assert len(of(j.PositionSettled, settle(situation(book), the(book)))) == 1


def test_a_rollback_says_so() -> None:
    at = desk(*position(10))
    at.tell(closing_of(reason=CloseReason.ROLLBACK))
    at.run()

    assert closed(at) == [(P, D(10), CloseReason.ROLLBACK)]
    assert [e.intent.role for e in of(SubmitOrder, at.sent)] == [Role.ROLLBACK]
