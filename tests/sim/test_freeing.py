"""A close frees its quantity first: what stands between the cancel of the stop and the close may fail, and nothing may
stay bare for it."""

from datetime import timedelta

import pytest

from standfast.core.cover import UNHEARD
from standfast.core.freeing import BARE_MOST
from standfast.exchange.faults import Lost, Rule, ServerError, Stale
from standfast.exchange.orders import Status
from standfast.exchange.rules import Rules as ExchangeRules
from standfast.model.order import Role
from standfast.model.position import CloseReason
from standfast.sim.world import World, play
from tests.sim.stories import (
    START,
    STILL,
    STOP_ONLY,
    D,
    covered,
    holding,
    is_flat,
    new_orders,
    stops,
    the_closed,
    told,
)

DEAF = Rule(operation="stream", fault=Lost())
UNREADABLE = [Rule(operation=name, fault=ServerError(status=503)) for name in ("order", "orders")]
BLIND = [*UNREADABLE, *(Rule(operation=name, fault=ServerError(status=503)) for name in ("positions", "position"))]


async def longest_bare(world: World, seconds: float) -> float:
    """The longest stretch, within so many seconds, in which something is held and no live stop covers all of it."""
    longest = stretch = timedelta(0)
    until, before = world.now + timedelta(seconds=seconds), world.now
    while world.now < until:
        await world.run_for(0.05)
        stretch = stretch + (world.now - before) if covered(world) < abs(world.net()) else timedelta(0)
        longest, before = max(longest, stretch), world.now
    return longest.total_seconds()


@pytest.mark.parametrize("deaf", [True, False], ids=["stream silent", "stream heard"])
def test_a_close_goes_on_while_no_order_can_be_read(*, deaf: bool) -> None:
    async def story(world: World) -> None:
        position = await holding(world)
        for rule in UNREADABLE:
            world.faults.install(rule)
        await world.operate("close", position=position.id)
        assert await longest_bare(world, 10) < 3, await world.account_of("bare for long")
        assert is_flat(world), await world.account_of("its close did not go on")

    play(story, STOP_ONLY, STILL, start=START, faults=[DEAF] if deaf else [])


def test_a_close_that_cannot_be_sized_puts_its_stop_back_and_is_done_when_the_broker_can_be_read() -> None:
    async def story(world: World) -> None:
        position = await holding(world)
        before = {order.id for order in world.working()}
        asked = await world.operate("close", position=position.id)
        await world.until(lambda: before.isdisjoint({o.id for o in world.working()}), within=5, what="freed")
        for rule in BLIND:
            world.faults.install(rule)
        most = BARE_MOST + UNHEARD  # its cancel may have been asked for once more shortly before
        assert await longest_bare(world, 60) < most.total_seconds() + 0.25, await world.account_of("bare for long")
        assert covered(world) == 100, await world.account_of("not covered while nothing can be read")
        assert any(position.id in text for text in await told(world)), "nobody was told"
        world.faults.clear()
        await world.until(lambda: is_flat(world), within=60, what="it is closed in the end")
        await world.until(lambda: asked not in world.book.state.requests, within=5, what="its operator is answered")

    play(story, STOP_ONLY, STILL, start=START, faults=[DEAF])


def test_a_stop_that_filled_while_it_was_being_cancelled_is_not_sold_twice() -> None:
    """Nobody can be asked what became of the stop: the broker is, by the close itself, and refuses it."""

    async def story(world: World) -> None:
        position = await holding(world)
        (stop,) = stops(world)
        for rule in UNREADABLE:
            world.faults.install(rule)
        for name in ("positions", "position", "activities"):
            world.faults.install(Rule(operation=name, fault=Stale(age=9)))
        await world.operate("close", position=position.id)
        await world.until(lambda: stops(world)[0].status is Status.PENDING_CANCEL, within=5)
        world.engine.quote("AAPL", D("97.00"), D("97.02"), D(100), D(100), world.engine.now)
        await world.until(lambda: world.net() == 0, within=1, what="the stop fills first")
        await world.run_for(8)
        asked = [order.role for order in await new_orders(world, after=0)]
        assert Role.CLOSE in asked, await world.account_of("the close was not tried")
        assert world.net() == 0, await world.account_of("sold twice")
        world.faults.clear()
        await world.run_for(30)
        assert is_flat(world), await world.account_of("something is left")
        assert the_closed(world).close_reason is CloseReason.STOP_LOSS
        assert world.engine.order(world.rules.account, stop.id).filled == 100

    rules = ExchangeRules(cancel_after=timedelta(seconds=1))
    play(story, STOP_ONLY, STILL, start=START, faults=[DEAF], exchange=rules)
