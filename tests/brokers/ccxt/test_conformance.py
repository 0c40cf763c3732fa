"""The adapter keeps every promise of the port, over real sockets against the simulated exchange."""

from collections.abc import Awaitable, Callable

import pytest

from standfast.model.ids import Holding
from standfast.testing.check_broker import CHECKS, Bench, check_broker
from tests.brokers.ccxt.served import BTC, LONG, QUANTITY, desk


@pytest.mark.parametrize("holding", [BTC, LONG], ids=["one-way", "hedged"])
@pytest.mark.parametrize("check", CHECKS, ids=lambda check: check.__name__)
async def test_the_adapter_keeps_the_promise(check: Callable[[Bench], Awaitable[None]], holding: Holding) -> None:
    async with desk() as at:
        if holding.hedge:
            await at.hedged()
        run = check.__name__.replace("_", "-")
        await check(Bench(broker=at.broker, clock=at.clock, holding=holding, quantity=QUANTITY, run=run))


async def test_all_promises_one_after_the_other_on_one_account() -> None:
    async with desk() as at:
        await check_broker(Bench(broker=at.broker, clock=at.clock, holding=BTC, quantity=QUANTITY))
