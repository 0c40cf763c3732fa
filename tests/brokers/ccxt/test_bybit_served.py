"""The adapter against the simulated Bybit: faults on the wire, both sides of a hedged account, forced orders."""

from decimal import Decimal
from typing import Any

import pytest

from standfast.exchange.faults import (
    AnyFault,
    Garbled,
    NeverAnswered,
    NeverArrives,
    OtherAccount,
    RefusedWith,
    Reset,
    ServerError,
)
from standfast.model import secret
from standfast.model.effects import Turn, Urgency
from standfast.model.errors import BrokerError, OutcomeUnknown, Rejected, Unauthorised, Unreachable
from standfast.model.ids import ClientOrderId, Holding
from standfast.model.order import OrderReport, OrderState, OrderType, Side, Terms, TimeInForce
from tests.brokers.ccxt.served import BTC, LONG, NAME, SHORT, Desk, desk

ID, PROTECT = ClientOrderId("sfabcd-o1"), Urgency.PROTECT


def terms(side: Side = Side.BUY, **changes: Any) -> Terms:
    given: dict[str, Any] = {
        "quantity": Decimal("0.02"), "type": OrderType.MARKET, "time_in_force": TimeInForce.DAY, "reduces": False,
    }  # fmt: skip
    return Terms(side=side, **(given | changes))


def stop(side: Side, price: str) -> Terms:
    return terms(side, type=OrderType.STOP, time_in_force=TimeInForce.GTC, stop_price=Decimal(price), reduces=True)


async def submit(at: Desk, made: Terms, holding: Holding = BTC, id: str = str(ID)) -> OrderReport:
    return await at.broker.submit(ClientOrderId(id), holding, made, Turn(Urgency.OPEN))


@pytest.mark.parametrize(
    ("fault", "happened"),
    [
        (ServerError(status=500), False),
        (ServerError(status=504, after=True), True),
        (ServerError(status=503, body="<html>maintenance</html>"), False),
        (Garbled(), True),
        (Garbled(body="null"), True),
        (Garbled(body='{"retCode": 0}'), True),
        (Garbled(body='{"retCode": 0, "result": {"list": []}}'), True),
        (Reset(), False),
        (Reset(after=True), True),
        (NeverArrives(), False),
        (NeverAnswered(), True),
        (RefusedWith(status=404, body={"retCode": 110001}), False),
        (RefusedWith(status=302, body={}), False),
        (RefusedWith(status=200, body={"retCode": 10016, "retMsg": "server error", "result": {}}), False),
    ],
    ids=str,
)
async def test_an_answer_that_proves_nothing_leaves_the_outcome_open(fault: AnyFault, *, happened: bool) -> None:
    async with desk() as at:
        await at.broker.instrument(NAME)
        at.at.fault("submit", fault)

        with pytest.raises(OutcomeUnknown):
            await submit(at, terms())

        assert at.asked("submit") == 1
        assert (await at.another().order(client_id=ID) is not None) is happened


async def test_one_answer_that_names_another_account_is_not_kept() -> None:
    async with desk() as at:
        at.at.fault("profile", OtherAccount(number="PA2"))
        first = await at.broker.account()
        at.at.venue.faults.clear()
        second = await at.broker.account()
        assert first.number == "PA2" != second.number != ""


async def test_the_same_id_is_one_order() -> None:
    async with desk() as at:
        await submit(at, terms())
        with pytest.raises(Rejected) as refused:
            await submit(at, terms())
        assert refused.value.kind == "duplicate_id"
        assert await at.broker.position(BTC) == Decimal("0.02")


async def test_a_stop_that_would_fire_at_once_is_refused_for_its_price() -> None:
    async with desk() as at:
        await submit(at, terms())
        with pytest.raises(Rejected) as refused:
            await submit(at, stop(Side.SELL, "60000"), id="sfabcd-s1")
        assert refused.value.kind == "price"


async def test_each_side_of_a_hedged_account_is_stopped_and_closed_by_itself() -> None:
    async with desk() as at:
        await at.hedged()
        await submit(at, terms(Side.BUY), LONG, "sfabcd-o1")
        await submit(at, terms(Side.SELL), SHORT, "sfabcd-o2")
        await submit(at, stop(Side.SELL, "49000"), LONG, "sfabcd-s1")
        await submit(at, stop(Side.BUY, "51000"), SHORT, "sfabcd-s2")

        orders = (await at.broker.working_orders()).orders.values()
        assert {(each.holding, each.side, each.closes) for each in orders} == {
            (LONG, Side.SELL, True), (SHORT, Side.BUY, True),
        }  # fmt: skip
        at.at.quote("48900")
        rows = (await at.broker.positions()).rows
        assert {holding: row.quantity for holding, row in rows.items()} == {SHORT: Decimal("-0.02")}
        await submit(at, terms(Side.BUY, reduces=True), SHORT, "sfabcd-c1")
        assert (await at.broker.positions()).rows == {}


async def test_an_order_for_the_wrong_mode_is_refused_and_changes_nothing() -> None:
    async with desk() as at:
        await at.hedged()
        with pytest.raises(Rejected):
            await submit(at, terms())
        assert (await at.broker.positions()).rows == {}


async def test_two_closes_that_cross_cannot_turn_a_position_around() -> None:
    async with desk() as at:
        await submit(at, terms())
        closes = terms(Side.SELL, reduces=True)
        await submit(at, closes, id="sfabcd-c1")
        with pytest.raises(Rejected):
            await submit(at, closes, id="sfabcd-c2")
        assert await at.broker.position(BTC) == 0


@pytest.mark.parametrize("hedged", [False, True])
async def test_a_liquidation_is_a_fill_and_its_order_says_so(*, hedged: bool) -> None:
    async with desk() as at:
        holding = LONG if hedged else BTC
        if hedged:
            await at.hedged()
        await submit(at, terms(), holding)
        start = (await at.broker.activities("")).watermark
        at.at.wait(30)
        at.at.venue.engine.liquidate("main", "BTCUSDT", 1 if hedged else 0)

        *_, fill = (await at.broker.activities(start)).fills
        order = await at.another().order(broker_id=fill.broker_order_id)

        assert (fill.holding, fill.signed) == (holding, Decimal("-0.02"))
        assert order is not None
        assert (order.order_class, order.state) == ("liquidation", OrderState.FILLED)


async def test_wrong_keys_are_refused_and_stay_out_of_every_text() -> None:
    secret.remember("wrong and secret words")
    async with desk(secret="wrong and secret words") as at:
        with pytest.raises(BrokerError) as refused:
            await at.broker.positions()
        assert isinstance(refused.value, Unauthorised)
        assert "wrong and secret" not in str(refused.value)


@pytest.mark.parametrize("body", ["null", '{"retCode": 0, "result": {"list": [{}]}}'])
async def test_a_write_whose_first_read_is_not_understood_has_not_left(body: str) -> None:
    """Found by simulation: it ended the guard."""
    async with desk() as at:
        await submit(at, terms())
        old = await submit(at, stop(Side.SELL, "40000"), id="sfabcd-s1")
        stranger = at.another()  # who knows nothing of an order reads it before it is cancelled
        at.at.fault("orders", Garbled(body=body))

        with pytest.raises(Unreachable):
            await at.broker.replace(old.broker_id, ClientOrderId("sfabcd-s2"), stop(Side.SELL, "41000"), Turn(PROTECT))
        with pytest.raises(Unreachable):
            await stranger.cancel(old.broker_id, Turn(PROTECT))
        assert at.asked("submit") == 2
        assert at.asked("cancel") == 0
