"""How things looked a moment ago."""

from datetime import timedelta

from standfast.exchange.perpetual.orders import Status
from standfast.exchange.perpetual.past import PerpetualPast
from tests.exchange.perpetual.desk import BTC, D, desk


def test_orders_and_positions_are_what_they_were_then() -> None:
    d = desk()
    past = PerpetualPast(d.engine)
    order = d.buy("0.1", price="49000")
    before = d.engine.now
    d.wait(10)
    d.quote("48900")

    (then,) = past.orders(d.engine.orders("a"), before)
    assert (then.status, d.now(order).status) == (Status.NEW, Status.FILLED)
    assert past.positions("a", before) == []
    assert [held.quantity for held in past.positions("a", d.engine.now)] == [D("0.1")]
    assert past.position(d.engine.position("a", BTC), before).quantity == 0


def test_an_order_was_not_there_before_it_was_placed() -> None:
    d = desk()
    past = PerpetualPast(d.engine)
    before = d.engine.now
    d.wait(1)
    order = d.buy("0.1")
    assert past.order(order, before) is None
    assert past.orders([order], before - timedelta(seconds=1)) == []


def test_a_position_that_is_gone_is_still_seen_in_the_past() -> None:
    d = desk()
    past = PerpetualPast(d.engine)
    d.buy("0.1")
    d.wait(10)
    then = d.engine.now
    d.wait(1)
    d.sell("0.1", reduce_only=True)
    assert [held.quantity for held in past.positions("a", then)] == [D("0.1")]
    assert d.engine.positions("a") == []
