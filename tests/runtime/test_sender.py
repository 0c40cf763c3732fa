"""What waits for its turn under the broker's rate is asked once more whether it shall leave."""

import asyncio
from typing import Any

from standfast.exchange.orders import Side
from standfast.model.journal import OrderNotSent, OrderRejected
from standfast.sim.world import World, play
from tests.sim.stories import START, STILL, STOP_ONLY, holding_own, is_flat, market, of_kind


def wait_for_turns(world: World, seconds: float) -> None:
    """From now on every order of the guard waits so long for its turn."""
    assert world.account is not None
    broker: Any = world.account.broker
    send = broker.submit

    async def submit(*order: Any, **turn: Any) -> object:
        await asyncio.sleep(seconds)
        return await send(*order, **turn)

    broker.submit = submit


def test_a_close_that_waited_while_the_bot_sold_is_withdrawn_and_sized_anew() -> None:
    async def story(world: World) -> None:
        position = await holding_own(world, 100)
        wait_for_turns(world, 20)
        await world.operate("close", position=position.id)
        await world.until(lambda: not world.working(), within=5, what="its stop is freed")
        await world.run_for(5)
        await world.submit(market(Side.SELL, 60))
        await world.until(lambda: is_flat(world), within=60, what="the rest is closed")
        entries = await world.entries()
        (withdrawn,) = [e.fact for e in of_kind(entries, OrderNotSent)]
        assert isinstance(withdrawn, OrderNotSent)
        assert withdrawn.withdrawn, withdrawn
        assert of_kind(entries, OrderRejected) == [], "nothing that was too much has left"

    play(story, STOP_ONLY, STILL, start=START)
