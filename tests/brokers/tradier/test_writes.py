"""A write ends in one of three ways, and each is told apart from the others; what is in doubt is resolved by asking."""

import json
from decimal import Decimal

import pytest

from standfast.brokers.shared.transport import AiohttpTransport
from standfast.brokers.tradier.adapter import TradierBroker, TradierSettings
from standfast.exchange.faults import (
    AnyFault,
    Garbled,
    NeverAnswered,
    NeverArrives,
    RateLimited,
    RefusedWith,
    Reset,
    ServerError,
)
from standfast.model import secret
from standfast.model.effects import Turn, Urgency
from standfast.model.errors import BrokerError, OutcomeUnknown, Rejected, Unauthorised, Unreachable, Withdrawn
from standfast.model.ids import AccountId, ClientOrderId, Holding, InstrumentId
from standfast.model.order import OrderState, OrderType, Side, TimeInForce
from standfast.model.secret import Secret, remember
from tests.brokers.clocks import LoopClock
from tests.brokers.tradier.served import PUT, SPY, desk
from tests.brokers.writing import ID, exists, submit, terms


@pytest.mark.parametrize(
    ("fault", "happened"),
    [
        (ServerError(status=500), False),
        (ServerError(status=502), False),
        (ServerError(status=504, after=True), True),
        (ServerError(status=503, body="<html>maintenance</html>"), False),
        (Garbled(), True),
        (Garbled(body="null"), True),
        (Garbled(body='{"order": {"status": "ok"}}'), True),
        (Garbled(body='{"order": {"id": 7}}'), True),
        (Garbled(body='{"order": "null"}'), True),
        (Reset(), False),
        (Reset(after=True), True),
        (NeverArrives(), False),
        (NeverAnswered(), True),
        (RefusedWith(status=404, body={"errors": {"error": "no such page"}}), False),
        (RefusedWith(status=400, body={"message": "somebody else's words"}), False),
        (RefusedWith(status=302, body={}), False),
    ],
    ids=str,
)
async def test_an_answer_that_proves_nothing_leaves_the_outcome_open(fault: AnyFault, *, happened: bool) -> None:
    async with desk() as at:
        at.fault("submit", fault)

        with pytest.raises(OutcomeUnknown):
            await submit(at)

        assert await exists(at) is happened


async def test_a_write_is_sent_once_whatever_happens_to_it() -> None:
    async with desk() as at:
        at.fault("submit", ServerError(status=504))

        with pytest.raises(OutcomeUnknown):
            await submit(at)

        assert at.asked("submit") == 1


async def test_another_life_of_the_guard_finds_what_it_had_sent_by_its_tag() -> None:
    async with desk() as at:
        at.fault("submit", ServerError(status=504, after=True), count=1)
        with pytest.raises(OutcomeUnknown):
            await submit(at)

        later = at.another()
        try:
            found = await later.order(client_id=ID)
        finally:
            await later.close()

        assert found is not None
        assert (found.client_id, found.holding, found.side, found.quantity) == (ID, SPY, Side.BUY, Decimal(1))


async def test_of_two_orders_with_one_tag_the_first_bears_its_name() -> None:
    async with desk() as at:
        first = await submit(at, terms(type=OrderType.LIMIT, limit_price=Decimal(500)))
        second = await submit(at, terms(type=OrderType.LIMIT, limit_price=Decimal(500)))

        listed = (await at.broker.working_orders()).orders
        assert listed[first.broker_id].client_id == ID
        assert listed[second.broker_id].client_id == f"{ID}#{second.broker_id}"
        for each in listed.values():
            assert await at.broker.order(client_id=each.client_id) == each
            assert await at.broker.order(broker_id=each.broker_id) == each


async def test_a_refused_connection_means_that_it_never_left() -> None:
    settings = TradierSettings(
        account=AccountId("paper"), account_id="VA1", secret=Secret("s"), rest_url="http://127.0.0.1:9"
    )
    broker = TradierBroker(settings, clock=LoopClock(), transport=AiohttpTransport())
    try:
        with pytest.raises(Unreachable, match="not sent"):
            await broker.submit(ID, SPY, terms(), Turn(Urgency.OPEN))
    finally:
        await broker.close()


async def test_a_refused_token_is_said_as_such() -> None:
    async with desk(token="wrong") as at:
        with pytest.raises(Unauthorised):
            await submit(at)
        with pytest.raises(Unauthorised):
            await at.broker.positions()


async def test_a_token_that_does_not_reach_the_account_is_no_empty_account() -> None:
    async with desk(number="VA00000002") as at:
        with pytest.raises(BrokerError):
            await at.broker.positions()
        with pytest.raises(BrokerError):
            await at.broker.account()


async def test_a_refusal_for_rate_is_no_refusal_of_the_order() -> None:
    async with desk() as at:
        at.fault("submit", RateLimited(reset_after=30.0), count=1)

        with pytest.raises(Rejected) as refused:
            await submit(at)

        assert refused.value.kind == "rate_limited"


async def test_what_is_not_wanted_any_more_does_not_leave() -> None:
    async with desk() as at:
        with pytest.raises(Withdrawn):
            await at.broker.submit(ID, SPY, terms(), Turn(Urgency.OPEN, is_wanted=lambda: False))

        assert at.asked("submit") == 0


async def test_what_cannot_be_held_is_refused_before_it_leaves() -> None:
    async with desk() as at:
        for wanted, kind in [
            (terms(quantity="1.5"), "not_fractionable"),
            (terms(type=OrderType.TRAILING_STOP), "other"),
            (terms(time_in_force=TimeInForce.IOC), "other"),
        ]:
            with pytest.raises(Rejected, match="not sent") as refused:
                await submit(at, wanted)
            assert refused.value.kind == kind

        assert at.asked("submit") == 0


async def test_a_form_it_cannot_take_is_refused_with_its_words() -> None:
    async with desk() as at:
        with pytest.raises(Rejected, match=r"Invalid parameter, tag"):
            await submit(at, client_id=ClientOrderId("not a tag"))


@pytest.mark.parametrize("holding", [SPY, PUT], ids=["shares", "an option"])
async def test_more_than_is_held_is_taken_and_then_rejected(holding: Holding) -> None:
    async with desk() as at:
        placed = await submit(at, terms(Side.SELL), holding=holding)
        found = await at.broker.order(broker_id=placed.broker_id)

        assert found is not None
        assert found.state is OrderState.REJECTED
        assert "Sell order is for more shares" in found.reason
        assert await at.broker.position(holding) == 0


async def test_a_pair_is_its_target_with_the_stop_for_a_leg() -> None:
    async with desk() as at:
        await submit(at, terms(quantity="3"), ClientOrderId("sfabcd-o2"))
        wanted = terms(
            Side.SELL,
            "3",
            type=OrderType.STOP,
            time_in_force=TimeInForce.GTC,
            stop_price=Decimal("590.5"),
            target_price=Decimal("620.5"),
        )

        placed = await submit(at, wanted)
        found = await at.broker.order(broker_id=placed.broker_id)

        assert found is not None
        (stop,) = found.legs
        assert (found.type, found.limit_price, found.order_class) == (OrderType.LIMIT, Decimal("620.5"), "oco")
        assert (stop.type, stop.stop_price, stop.quantity) == (OrderType.STOP, Decimal("590.5"), Decimal(3))
        assert (found.client_id, stop.parent_id) == (ID, found.broker_id)
        assert await at.broker.order(broker_id=stop.broker_id) == stop

        at.quote(SPY, "590.00", "590.02")
        over = await at.broker.order(broker_id=placed.broker_id)
        assert over is not None
        assert (over.state, over.legs[0].state) == (OrderState.CANCELLED, OrderState.FILLED)
        told = (await at.broker.activities(f"{at.venue.now.date()}/")).totals
        assert [each.broker_order_id for each in told][-1] == stop.broker_id
        assert await at.broker.position(SPY) == 0


async def test_an_entry_brings_its_stop_which_waits_for_it() -> None:
    async with desk() as at:
        wanted = terms(type=OrderType.LIMIT, limit_price=Decimal(590), attached_stop=Decimal(570))

        placed = await submit(at, wanted)
        waiting = await at.broker.order(client_id=ID)
        at.quote(SPY, "589.00", "589.02")
        filled = await at.broker.order(broker_id=placed.broker_id)

        assert waiting is not None
        assert filled is not None
        assert (waiting.state, waiting.legs[0].state) == (OrderState.WORKING, OrderState.HELD)
        assert (filled.state, filled.legs[0].state) == (OrderState.FILLED, OrderState.WORKING)
        listed = (await at.broker.working_orders()).orders
        assert list(listed) == [filled.legs[0].broker_id], "what is over is not listed, its stop stands for itself"


async def test_a_cancel_of_what_is_over_and_of_nothing_is_refused() -> None:
    async with desk() as at:
        placed = await submit(at)
        with pytest.raises(Rejected) as over:
            await at.broker.cancel(placed.broker_id, Turn(Urgency.CLOSE))
        at.fault("cancel", RefusedWith(status=400, body={"errors": {"error": "no words anybody knows"}}), count=1)
        with pytest.raises(Rejected) as unheard:
            await at.broker.cancel(placed.broker_id, Turn(Urgency.CLOSE))

        assert (over.value.kind, unheard.value.kind) == ("not_cancellable", "not_cancellable")


async def test_the_journal_never_gets_the_token(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(secret, "_loaded", {})
    remember("very secret token")
    async with desk() as at:
        for body in ('{"order": {"status": "no", "id": null, "errors": "very secret token"}}', "very secret token"):
            at.fault("submit", Garbled(body=body), count=1)
            with pytest.raises(BrokerError) as error:
                await submit(at)
            assert "very secret token" not in json.dumps(str(error.value))


async def test_an_instrument_the_broker_does_not_list_is_not_found_and_not_merely_untradable() -> None:
    async with desk() as at:
        with pytest.raises(Rejected, match="not known to the broker") as refused:
            await at.broker.instrument(InstrumentId("NOSUCH"))

    assert refused.value.kind == "not_found"
