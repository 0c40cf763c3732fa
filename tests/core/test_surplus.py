"""Tests of `core/surplus.py`: an exit too many goes, though the fate of another is unknown."""

from standfast.core.book import Book
from standfast.core.policy import Policy
from standfast.core.protect import protect
from standfast.model import journal as j
from standfast.model.effects import CancelOrder, SubmitOrder
from standfast.model.ids import BrokerOrderId
from standfast.model.order import OrderState, OrderType, Role, Side
from tests.core.situations import (
    D,
    P,
    exit_intended,
    folded,
    of,
    opening_of,
    own_id,
    position,
    report,
    resting_stop,
    situation,
    the,
    told,
)

STOP = Policy(name="stop", stop_loss=D("0.02"))
ENTRY = f"{P}-open"


def an_opening_with_a_stop_of_its_own(*, is_filled: bool) -> Book:
    """Six of ten had filled and been covered; the stop of the six was being moved when the rest filled."""
    state = OrderState.WORKING if is_filled else OrderState.HELD
    own = report("leg", type=OrderType.STOP, stop="98", state=state, quantity=10)
    filled = {"filled": 10, "state": OrderState.FILLED} if is_filled else {"filled": 6}
    entry = report(ENTRY, client=own_id(Role.OPEN), side=Side.BUY, average_price=D(100), legs=(own,), **filled)
    moved = exit_intended(Role.STOP, 6, stop="99", attempt=2, replaces=own_id(Role.STOP, 1))
    return folded(
        *opening_of(10),
        j.OrderObserved(report=entry, position=P, role=Role.OPEN),
        *resting_stop(6, "98"),
        moved,
        j.OrderInDoubt(id=moved.id, reason="replace: no answer within 5 s"),
    )


def cancelled(book: Book) -> list[BrokerOrderId]:
    sent = list(protect(situation(book, policy=STOP), the(book)))
    assert of(SubmitOrder, sent) == []
    return [effect.broker_id for effect in of(CancelOrder, sent)]


def test_the_stop_of_a_part_goes_when_the_opening_s_own_covers_all() -> None:
    """Found by simulation (seed 1300964): 176 rested for 121 until the fate of the move was known."""
    book = an_opening_with_a_stop_of_its_own(is_filled=True)
    assert cancelled(book) == ["p1-stop-1"]

    told(book, j.CancelIntended(broker_id=BrokerOrderId("p1-stop-1"), holding=the(book).holding, reason="test"))
    assert cancelled(book) == []


def test_while_the_opening_fills_the_stop_of_its_part_stays() -> None:
    assert cancelled(an_opening_with_a_stop_of_its_own(is_filled=False)) == []


def test_of_stops_that_do_not_suffice_without_each_other_none_goes() -> None:
    doubt = exit_intended(Role.STOP, 2, attempt=3)
    lost = j.OrderInDoubt(id=doubt.id, reason="no answer")
    short = folded(*position(10), *resting_stop(6), *resting_stop(5, attempt=2), doubt, lost)
    assert cancelled(short) == []

    enough = folded(*position(10), *resting_stop(10), *resting_stop(5, attempt=2), doubt, lost)
    assert cancelled(enough) == ["p1-stop-2"]
