"""Exchanges without a dialect of their own keep the port's promises too: served ones, through ccxt alone."""

from collections.abc import Awaitable, Callable

import pytest

from standfast.testing.check_broker import CHECKS, Bench, check_broker
from tests.brokers.ccxt.served import BTC, QUANTITY
from tests.brokers.ccxt.served_unified import desk


@pytest.mark.parametrize("id", ["bybit", "bybitid", "binanceusdm"])
@pytest.mark.parametrize("check", CHECKS, ids=lambda check: check.__name__)
async def test_ccxt_alone_keeps_the_promise(check: Callable[[Bench], Awaitable[None]], id: str) -> None:
    async with desk(id) as at:
        run = check.__name__.replace("_", "-")
        await check(Bench(broker=at.broker, clock=at.clock, holding=BTC, quantity=QUANTITY, run=run))


@pytest.mark.parametrize("id", ["bybitid", "binanceusdm"])
async def test_all_promises_one_after_the_other_on_one_account(id: str) -> None:
    async with desk(id) as at:
        await check_broker(Bench(broker=at.broker, clock=at.clock, holding=BTC, quantity=QUANTITY))
