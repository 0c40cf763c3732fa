"""The adapter keeps every promise of the port, over real sockets against the simulated exchange."""

from collections.abc import Awaitable, Callable

import pytest

from standfast.testing.check_broker import CHECKS, Bench, check_broker
from tests.brokers.served import SPY, desk


@pytest.mark.parametrize("check", CHECKS, ids=lambda check: check.__name__)
async def test_the_adapter_keeps_the_promise(check: Callable[[Bench], Awaitable[None]]) -> None:
    async with desk(per_minute=None) as at:
        await check(Bench(broker=at.broker, clock=at.clock, holding=SPY, run=check.__name__))


@pytest.mark.parametrize("is_binary", [True, False], ids=["binary frames", "text frames"])
async def test_all_promises_one_after_the_other_on_one_account(*, is_binary: bool) -> None:
    async with desk(per_minute=None, is_binary=is_binary) as at:
        await check_broker(Bench(broker=at.broker, clock=at.clock, holding=SPY))
