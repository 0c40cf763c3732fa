"""Which events of an order make the guard read it."""

from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal

import pytest

from standfast.model.booked import BookedOrder, Stage
from standfast.model.ids import BrokerOrderId, ClientOrderId, EntryNumber, Holding, InstrumentId
from standfast.model.order import OrderReport, OrderState, OrderType, Role, Side, Terms, TimeInForce
from standfast.ports import OrderEvent
from standfast.runtime.events import must_be_read

AT = datetime(2026, 1, 5, 15, tzinfo=UTC)
SPY = Holding(InstrumentId("SPY"))
REPORT = OrderReport(
    broker_id=BrokerOrderId("b1"),
    client_id=ClientOrderId("c1"),
    holding=SPY,
    side=Side.SELL,
    type=OrderType.MARKET,
    time_in_force=TimeInForce.DAY,
    quantity=Decimal(10),
    filled=Decimal(0),
    state=OrderState.WORKING,
)
CLOSE = BookedOrder(
    id=ClientOrderId("c1"),
    position=None,
    role=Role.CLOSE,
    holding=SPY,
    stage=Stage.WORKING,
    intended_at=AT,
    changed_at=AT,
    number=EntryNumber(1),
    broker_id=BrokerOrderId("b1"),
    report=REPORT,
    terms=Terms(
        side=Side.SELL, quantity=Decimal(10), type=OrderType.MARKET, time_in_force=TimeInForce.DAY, reduces=True
    ),
)


def said(event: str) -> OrderEvent:
    return OrderEvent(holding=SPY, broker_id=BrokerOrderId("b1"), client_id=ClientOrderId("c1"), event=event)


@pytest.mark.parametrize("event", ["new", "pending_new", "accepted"])
def test_that_an_order_of_ours_is_taken_its_own_answer_says(event: str) -> None:
    assert not must_be_read(CLOSE, said(event))
    assert must_be_read(replace(CLOSE, terms=None, role=Role.FOREIGN), said(event))


@pytest.mark.parametrize("event", ["fill", "partial_fill"])
def test_the_fills_of_a_close_are_read_instead_of_the_order(event: str) -> None:
    assert not must_be_read(CLOSE, said(event))
    assert must_be_read(replace(CLOSE, role=Role.STOP), said(event))
    assert must_be_read(replace(CLOSE, role=Role.OPEN), said(event))


@pytest.mark.parametrize("event", ["canceled", "expired", "rejected", "replaced", "something new"])
def test_whatever_else_happens_to_an_order_is_read(event: str) -> None:
    assert must_be_read(CLOSE, said(event))
