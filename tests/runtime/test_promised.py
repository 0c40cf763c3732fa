"""A fill that the stream tells of, in the whole guard against the exchange: how many ways there and back it takes."""

from collections.abc import Awaitable, Callable
from dataclasses import replace
from datetime import timedelta

import pytest

from standfast.exchange.faults import Rule, ServerError
from standfast.exchange.orders import Side, Ticket
from standfast.model.journal import FillBooked
from standfast.sim import adapter
from standfast.sim.wire import Travel
from standfast.sim.world import World, play
from tests.sim.stories import RULES, START, STILL, market

WAY = 0.020
THERE_AND_BACK = timedelta(seconds=2 * WAY)
EVEN = Travel(there=(WAY, WAY), back=(WAY, WAY), stream=(WAY, WAY))


@pytest.fixture(autouse=True)
def _where_orders_have_no_legs(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(adapter, "CONTRACT", replace(adapter.CONTRACT, margined=True))


def told(story: Callable[[World], Awaitable[None]]) -> None:
    play(story, RULES, STILL, start=START, travel=EVEN)


async def sent(world: World, ticket: Ticket) -> dict[str, int]:
    """What the guard has asked for because of this order of the bot's."""
    if not world.wire.asked:
        await world.start_guard()
    await world.run_for(3)
    before = dict(world.wire.asked)
    await world.submit(ticket)
    await world.run_for(0.5)
    return {name: count - before.get(name, 0) for name, count in world.wire.asked.items()}


async def fills(world: World) -> list[timedelta]:
    """How long after each fill it was booked."""
    return [entry.at - entry.fact.fill.at for entry in await world.entries() if isinstance(entry.fact, FillBooked)]


def test_the_order_of_a_stranger_is_read_beside_its_fill_not_after_it() -> None:
    async def story(world: World) -> None:
        asked = await sent(world, market(Side.BUY, 100))  # what may be traded is known from here on
        assert asked["order"] == 1  # it is not read again after it
        await sent(world, market(Side.BUY, 50))
        _, delay = await fills(world)
        the_stream, commits = timedelta(seconds=WAY), timedelta(seconds=0.02)
        assert delay < the_stream + THERE_AND_BACK + commits

    told(story)


@pytest.mark.parametrize("failing", [1.0, 6.0], ids=str)
def test_a_stranger_that_could_not_be_read_ahead_is_read_all_the_same(failing: float) -> None:
    async def story(world: World) -> None:
        until = START + timedelta(seconds=3 + failing)
        world.faults.install(Rule(operation="order", fault=ServerError(status=503), since=START, until=until))
        await sent(world, market(Side.BUY, 100))
        await world.run_for(failing + 15)
        assert len(await fills(world)) == 1

    told(story)


def test_where_orders_have_legs_one_is_read_after_its_fills(monkeypatch: pytest.MonkeyPatch) -> None:
    """Before the last leg has filled it tells half of what it did."""
    monkeypatch.setattr(adapter, "CONTRACT", replace(adapter.CONTRACT, margined=False))

    async def story(world: World) -> None:
        await sent(world, market(Side.BUY, 100))
        await sent(world, market(Side.BUY, 50))
        _, delay = await fills(world)
        assert delay > 2 * THERE_AND_BACK

    told(story)
