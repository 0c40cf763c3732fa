"""The adapter keeps every promise of the port, over real sockets against the simulated exchange."""

from collections.abc import Awaitable, Callable

import pytest

from standfast.model.ids import Holding
from standfast.testing.check_broker import CHECKS, Bench, check_broker
from tests.brokers.tradier.served import PUT, SPY, desk


@pytest.mark.parametrize("holding", [SPY, PUT], ids=["shares", "an option"])
@pytest.mark.parametrize("check", CHECKS, ids=lambda check: check.__name__)
async def test_the_adapter_keeps_the_promise(check: Callable[[Bench], Awaitable[None]], holding: Holding) -> None:
    async with desk() as at:
        await check(Bench(broker=at.broker, clock=at.clock, holding=holding, run=check.__name__.replace("_", "-")))


async def test_all_promises_one_after_the_other_on_one_account() -> None:
    async with desk() as at:
        await check_broker(Bench(broker=at.broker, clock=at.clock, holding=SPY))
