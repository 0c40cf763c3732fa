"""Tests of `core/closing.py` where the broker takes no order for a fraction of a share."""

from standfast.core.acts import take
from standfast.model import journal as j
from standfast.model.alert import Alert
from standfast.model.effects import ReplaceOrder, SubmitOrder
from standfast.model.ids import RequestId
from standfast.model.order import Role
from tests.core.situations import (
    SPY,
    D,
    P,
    closing_of,
    of,
    position,
    the,
    with_contract,
)
from tests.core.toy_broker import Desk, desk


def takes_whole_orders(effect: SubmitOrder | ReplaceOrder) -> str:
    return "" if effect.intent.terms.quantity % 1 == 0 else "not_fractionable"


def ended(at: Desk, seconds: int = 60) -> list[Alert]:
    """Looked at for so long; the alarms about what was left."""
    for _ in range(seconds):
        at.run()
        at.wait(1)
    return [alert for alert in at.book.state.alerts.values() if "fraction" in alert.text]


def test_where_no_order_is_taken_for_a_fraction_what_is_whole_is_closed_and_the_rest_is_told_once() -> None:
    at = desk(*position("10.5"), contract=with_contract(fractional_stops=False), refuses=takes_whole_orders)
    at.run()
    at.sent.clear()
    at.tell(closing_of())

    (alert,) = ended(at)

    closes = [each.intent.terms.quantity for each in of(SubmitOrder, at.sent) if each.intent.role is Role.CLOSE]
    assert closes == [D("10.5"), D(10)]
    assert at.net[SPY] == D("0.5")
    assert "0.5 of it cannot be closed" in alert.text
    assert the(at.book).closing is not None, "no rule asks for it anew"
    at.sent.clear()
    assert len(ended(at)) == 1
    assert at.sent == []


def test_a_part_that_leaves_a_fraction_over_ends_with_it_and_the_rest_is_guarded_on() -> None:
    """It went on closing for ever: its stop was for what had been held, and no rule of it fired."""
    at = desk(*position("5"), contract=with_contract(fractional_stops=False), refuses=takes_whole_orders)
    at.run()
    at.tell(closing_of(remain="2.5"))

    assert ended(at) == []

    assert (at.net[SPY], the(at.book).closing) == (D(3), None)
    assert [order.remaining for order in at.alive()] == [D(3)]


def test_what_the_broker_refused_for_another_reason_meanwhile_is_no_reason_to_try_the_fraction_again() -> None:
    at = desk(*position("0.5"), contract=with_contract(fractional_stops=False), refuses=takes_whole_orders)
    at.tell(closing_of())
    at.run()
    at.tell(j.CloseStalled(position=P, reason="the broker's positions cannot be read"))
    at.sent.clear()

    assert len(ended(at)) == 1
    assert of(SubmitOrder, at.sent) == []


def test_its_operator_is_told_that_a_fraction_is_left() -> None:
    at = desk(*position("10.5"), contract=with_contract(fractional_stops=False), refuses=takes_whole_orders)
    at.run()
    asked = j.RequestTaken(request=RequestId("r1"), verb="close", arguments={"position": P}, by="ann")
    at.tell(*take(at.situation(), asked, lambda number: None))

    ended(at)

    (done,) = of(j.RequestDone, at.facts)
    assert (done.ok, done.detail) == (
        False,
        "p1 is closed down to 0.5: the broker takes no order for a fraction of a share",
    )
