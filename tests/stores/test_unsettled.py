"""The slots that an order for all legs of a structure holds: one for each leg, until its fate is known."""

import pytest

from standfast.model import journal as j
from standfast.model.ids import BrokerOrderId, ClientOrderId
from standfast.stores.unsettled import Freed, Taken, slot_changes
from tests.core.spreads import spread_desk


def sent() -> j.TogetherIntended:
    desk = spread_desk()
    desk.open()
    desk.run()
    (effect,) = desk.together
    return effect.intent


def test_it_takes_the_slot_of_every_leg_so_that_none_is_sent_beside_it() -> None:
    intent = sent()

    taken = [change for change in slot_changes([intent], ()) if isinstance(change, Taken)]

    assert [(each.slot.position, each.slot.role) for each in taken] == [(leg.position, "open") for leg in intent.legs]


X = ClientOrderId("x")
OUTCOMES = (
    j.OrderAccepted(id=X, broker_id=BrokerOrderId("b")),
    j.OrderRejected(id=X, reason="no"),
    j.OrderNotSent(id=X, reason="no route"),
    j.OrderNeverArrived(id=X, reason="not known"),
)


@pytest.mark.parametrize("outcome", OUTCOMES, ids=lambda outcome: type(outcome).__name__)
def test_its_first_outcome_frees_them_all(outcome: j.Fact) -> None:
    held = [ClientOrderId(f"{X}.{place}") for place in (0, 1)]

    assert list(slot_changes([outcome], held)) == [Freed(id) for id in held]


def test_doubt_frees_nothing() -> None:
    intent = sent()
    held = [ClientOrderId(leg.id) for leg in intent.legs]

    assert list(slot_changes([j.OrderInDoubt(id=intent.id, reason="lost")], held)) == []
