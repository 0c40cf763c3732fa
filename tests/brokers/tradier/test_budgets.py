"""Three budgets, shared by all loops: a steady read that waits for its turn has not failed, a close waits for none."""

import asyncio
from decimal import Decimal

from standfast.brokers.shared.transport import Response
from standfast.model.effects import Turn, Urgency
from standfast.model.ids import ClientOrderId
from standfast.model.order import OrderType, Side, Terms, TimeInForce
from tests.brokers.clocks import ManualClock, settle
from tests.brokers.tradier.scripted import Script, broker, order
from tests.brokers.tradier.served import SPY

NOTHING = b'{"positions": "null"}'
SELL = Terms(side=Side.SELL, quantity=Decimal(1), type=OrderType.MARKET, time_in_force=TimeInForce.DAY, reduces=True)


def script() -> Script:
    found = Script()
    found.tell("/positions", NOTHING)
    found.tell("/orders", order({"id": 9, "status": "ok"}))
    return found


async def test_steady_reads_keep_to_their_share_of_the_minute_and_wait_for_the_next() -> None:
    found, clock = script(), ManualClock()
    at = broker(found, clock, requests_per_minute=60, rate_share=0.25)

    for _ in range(15):
        await at.positions()
    late = asyncio.ensure_future(at.positions())
    await settle()
    assert not late.done(), "fifteen of sixty are its share"
    await at.positions(urgency=Urgency.VERIFY)
    await clock.advance(61)

    assert late.result().rows == {}


async def test_a_steady_read_that_a_decision_waits_behind_goes_at_once() -> None:
    found, clock = script(), ManualClock()
    at = broker(found, clock, requests_per_minute=60, rate_share=0.25)
    for _ in range(15):
        await at.positions()
    late = asyncio.ensure_future(at.positions())
    await settle()

    at.hurry()

    assert (await late).rows == {}


async def test_a_close_has_a_budget_that_no_read_can_use_up() -> None:
    found, clock = script(), ManualClock()
    at = broker(found, clock, requests_per_minute=10, orders_per_minute=10)
    for _ in range(9):
        await at.positions(urgency=Urgency.CLOSE)

    await at.submit(ClientOrderId("sfabcd-c1"), SPY, SELL, Turn(Urgency.CLOSE))

    assert found.asked[-1] == "/orders"


async def test_what_tradier_tells_of_its_window_is_believed() -> None:
    """The bot lives on the same budget: what it has used shows in the headers only."""
    found, clock = script(), ManualClock()
    at = broker(found, clock, requests_per_minute=120)
    ends = int(clock.now().timestamp() * 1000) + 30_000
    headers = {"x-ratelimit-allowed": "120", "x-ratelimit-available": "1", "x-ratelimit-expiry": str(ends)}
    found.tell("/positions", Response(200, headers, NOTHING))
    await at.positions()
    found.tell("/positions", NOTHING)

    verifying = asyncio.ensure_future(at.positions(urgency=Urgency.VERIFY))
    await settle()
    assert not verifying.done(), "the last one is kept for what is more urgent"
    await at.positions(urgency=Urgency.CLOSE)
    await clock.advance(32)

    assert verifying.done()
