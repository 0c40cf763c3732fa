"""S4 beside the stop that an opening has brought: it comes to life by itself, when the opening is done."""

from dataclasses import replace
from datetime import timedelta

import pytest

from standfast.model import journal as j
from standfast.model.ids import BrokerOrderId
from standfast.model.order import OrderType, Role, Side
from standfast.sim.watch import Violation
from tests.sim.judge.test_safety import found, opening
from tests.sim.judged import HOLDING, POSITION, D, Judged


def test_s4_a_stop_that_an_opening_brought_counts_until_its_cancel_is_asked_for() -> None:
    """From then on it is the exchange's to refuse what is sent beside it."""
    judged = Judged()
    opening(judged, 10)
    made = judged.mean(Role.OPEN, Side.BUY, 10, commits=False)
    made = replace(made, terms=replace(made.terms, attached_stop=D("98.02")))
    judged.commit(made)
    entry = judged.send(made)
    assert entry is not None
    (leg,) = entry.leg_ids
    judged.commit(judged.booked(entry, POSITION, opens=True))
    judged.engine.advance(judged.engine.now + timedelta(seconds=11))  # everybody could know by now that it lives
    judged.commit(j.CancelIntended(broker_id=BrokerOrderId(leg), holding=HOLDING, reason="frees"))
    judged.send(judged.mean(Role.STOP, Side.SELL, 10, stop="97.02"))

    judged.checker.retold.given_up.clear()
    judged.commit(j.OrderRejected(id=next(reversed(judged.checker.retold.intents)), reason="insufficient"))
    with pytest.raises(Violation) as caught:
        judged.send(judged.mean(Role.STOP, Side.SELL, 10, stop="97.02"))
    assert found(caught) == "S4"


@pytest.mark.parametrize("seconds", [20, 30], ids=["in flight as long as one may be", "sent again since"])
def test_s4_a_stop_that_arrives_late_is_not_measured_by_one_that_came_to_life_since_it_was_meant(seconds: int) -> None:
    """Sent for what of an opening had filled; it fills to the end, and the stop it brought takes over."""
    judged = Judged()
    opening(judged, 10)
    made = judged.mean(Role.OPEN, Side.BUY, 10, commits=False)
    limited = replace(made.terms, type=OrderType.LIMIT, limit_price=D(90), attached_stop=D(80))
    judged.commit(made := replace(made, terms=limited))
    entry = judged.send(made)
    assert entry is not None
    judged.engine.fill_now(entry.id, D(9), D(90))
    judged.commit(judged.booked(entry, POSITION, opens=True, quantity=9, id="x1"))
    late = judged.mean(Role.STOP, Side.SELL, 9, stop="80.00")
    judged.engine.advance(judged.engine.now + timedelta(seconds=1))
    judged.engine.fill_now(entry.id, D(1), D(90))
    judged.commit(judged.booked(entry, POSITION, opens=True, quantity=1, id="x2"))
    judged.engine.advance(judged.engine.now + timedelta(seconds=seconds))
    if seconds == 20:
        judged.send(late)
    else:
        with pytest.raises(Violation) as caught:
            judged.send(late)
        assert found(caught) == "S4"
