"""The Binance adapter keeps every promise of the port, over real sockets against the simulated exchange."""

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import aclosing
from decimal import Decimal

import pytest

from standfast.exchange.faults import OtherAccount
from standfast.model.effects import Turn, Urgency
from standfast.model.ids import ClientOrderId, Holding
from standfast.model.order import OrderState, Side
from standfast.testing.check_broker import CHECKS, Bench
from tests.brokers.ccxt.served import BTC, LONG, QUANTITY, SHORT
from tests.brokers.ccxt.served_binance import desk
from tests.brokers.ccxt.test_bybit_writes import stop, terms
from tests.brokers.clocks import PATIENCE


@pytest.mark.parametrize("holding", [BTC, LONG], ids=["one-way", "hedged"])
@pytest.mark.parametrize("check", CHECKS, ids=lambda check: check.__name__)
async def test_the_adapter_keeps_the_promise(check: Callable[[Bench], Awaitable[None]], holding: Holding) -> None:
    async with desk() as (broker, clock, at):
        if holding.hedge:
            await at.post("v1/positionSide/dual", dualSidePosition="true")
        run = check.__name__.replace("_", "-")
        await check(Bench(broker=broker, clock=clock, holding=holding, quantity=QUANTITY, run=run))


@pytest.mark.parametrize("holding", [BTC, LONG, SHORT], ids=str)
async def test_a_stop_that_fires_is_one_order_with_what_it_became(holding: Holding) -> None:
    async with desk() as (broker, _, at):
        if holding.hedge:
            await at.post("v1/positionSide/dual", dualSidePosition="true")
        start = (await broker.activities("")).watermark
        is_short = holding == SHORT
        way = Side.SELL if is_short else Side.BUY
        await broker.submit(ClientOrderId("sf-o1"), holding, terms(side=way, reduces=False), Turn(Urgency.OPEN))
        made = stop(side=way.opposite, stop_price=Decimal(51000 if is_short else 49000))
        placed = await broker.submit(ClientOrderId("sf-s1"), holding, made, Turn(Urgency.PROTECT))
        assert set((await broker.working_orders()).orders) == {placed.broker_id}

        at.quote("51100" if is_short else "48900")

        assert (await broker.positions()).rows == {}
        fired = await broker.order(client_id=ClientOrderId("sf-s1"))
        assert fired is not None
        assert (fired.broker_id, fired.state, fired.filled) == (placed.broker_id, OrderState.FILLED, made.quantity)
        fills = (await broker.activities(start)).fills
        assert [fill.broker_order_id for fill in fills][-1] == placed.broker_id
        assert sum(fill.signed for fill in fills) == 0
        assert {fill.holding for fill in fills} == {holding}


async def test_the_account_says_whose_it_is_and_is_asked_so_until_two_answers_agree() -> None:
    async with desk() as (broker, _, at):
        numbers = [(await broker.account()).number for _ in range(4)]
        asked = len([each for each in at.venue.log if each.operation == "account"])
        (told,) = await at.get("v3/balance")
        assert set(numbers) == {told["accountAlias"]}
        assert asked == len(numbers) + 2


async def test_one_answer_that_names_another_account_is_not_kept() -> None:
    async with desk() as (broker, _, at):
        at.fault("account", OtherAccount(number="PA2"))
        first = await broker.account()
        at.venue.faults.clear()
        second = await broker.account()
        (told,) = await at.get("v3/balance")
        assert (first.number, second.number) == ("PA2", told["accountAlias"])


async def test_quotes_come_as_they_change() -> None:
    async with desk() as (broker, clock, at), aclosing(broker.quote_events()) as quotes:
        await broker.instrument(BTC.instrument)
        broker.watch(frozenset({BTC}))
        seen: list[Decimal] = []
        async with asyncio.timeout(PATIENCE):
            while broker.quotes_down or not seen or seen[-1] != Decimal("50123.4"):
                ticks = (await anext(quotes)).each
                seen += [tick.quote(clock.now()).bid for tick in ticks]
                if not ticks:
                    at.quote("50123.4")
