"""A close that was asked for is carried out, once, whatever the broker answers on the way."""

from typing import Any

import pytest

from standfast.exchange.faults import RateLimited, RefusedWith, Rule
from standfast.model.position import CloseReason
from standfast.sim.world import World, play
from tests.sim.stories import (
    BY_GUARD,
    START,
    STILL,
    STOP_ONLY,
    D,
    closes_asked,
    holding,
    holding_own,
    is_covered,
    is_flat,
    prices,
    the_closed,
    the_open,
)

RESTRICTED: dict[str, Any] = {"code": 40310000, "message": "account is restricted"}
NOT_CANCELLABLE: dict[str, Any] = {"code": 42210000, "message": "order is not cancelable"}


def test_a_cancel_that_is_refused_once_is_asked_for_again_and_flatten_goes_on() -> None:
    async def story(world: World) -> None:
        await holding(world)
        world.faults.install(Rule(operation="cancel", fault=RefusedWith(status=422, body=NOT_CANCELLABLE), count=1))
        done = await world.request("flatten")
        assert done.ok, done.detail
        assert is_flat(world)

    play(story, STOP_ONLY, STILL, start=START)


@pytest.mark.parametrize(
    "fault",
    [RefusedWith(status=403, body=RESTRICTED), RateLimited(reset_after=5)],
    ids=["refused", "over the broker's rate"],
)
def test_a_close_that_is_turned_away_once_is_tried_again_without_a_storm(fault: Any) -> None:
    async def story(world: World) -> None:
        position = await holding(world)
        world.faults.install(Rule(operation="submit", fault=fault, count=1))
        before = world.wire.asked["submit"]
        closed = await world.request("close", position=position.id)
        assert closed.ok, closed.detail
        assert is_flat(world)
        assert world.wire.asked["submit"] - before <= 4  # refused, perhaps its stop put back, and once more

    play(story, STOP_ONLY, STILL, start=START)


def test_a_close_that_is_refused_is_protected_meanwhile_and_done_in_the_end() -> None:
    async def story(world: World) -> None:
        position = await holding(world)
        world.faults.install(Rule(operation="submit", fault=RefusedWith(status=403, body=RESTRICTED), count=1))
        await world.operate("close", position=position.id)
        await world.until(lambda: is_covered(world, 100), within=5, what="its stop is back while the close waits")
        await world.until(lambda: world.net() == 0, within=60)
        assert world.working() == []

    play(story, STOP_ONLY, STILL, start=START)


def test_a_partial_close_asked_for_after_a_whole_one_does_not_replace_it() -> None:
    async def story(world: World) -> None:
        position = await holding_own(world)
        world.engine.halt("AAPL")
        await world.operate("close", position=position.id)
        await world.run_for(3)
        await world.operate("close", position=position.id, quantity="1")
        await world.run_for(3)
        assert the_open(world).closing is not None
        world.engine.resume("AAPL")
        await world.until(lambda: world.net() == 0, within=30, what="all of it is closed")
        assert world.working() == []

    play(story, STOP_ONLY, STILL, start=START)


def test_two_partial_closes_asked_for_at_once_are_both_done() -> None:
    async def story(world: World) -> None:
        position = await holding_own(world)
        await world.operate("close", position=position.id, quantity="10")
        await world.run_for(0.5)
        second = await world.request("close", position=position.id, quantity="10")
        assert second.ok, second.detail
        await world.run_for(20)
        assert world.net() == 20
        assert is_covered(world, 20)

    play(story, STOP_ONLY, STILL, start=START)


def test_a_partial_close_that_keeps_being_refused_does_not_turn_the_stop_off() -> None:
    async def story(world: World) -> None:
        position = await holding_own(world)
        world.faults.install(Rule(operation="submit", fault=RefusedWith(status=403, body=RESTRICTED), count=4))
        await world.operate("close", position=position.id, quantity="1")
        await world.until(lambda: world.net() == 0, within=90, what="closed at the stop")
        await world.until(lambda: world.book.state.closed, within=10)
        assert the_closed(world).close_reason is CloseReason.STOP_LOSS
        assert await closes_asked(world) == [CloseReason.OPERATOR, CloseReason.STOP_LOSS]

    play(story, BY_GUARD, prices((0, "100.00", "100.02"), (22, "80.00", "80.02")), start=START)


def test_the_quantity_of_a_partial_close_is_gone_and_the_rest_is_covered() -> None:
    async def story(world: World) -> None:
        position = await holding_own(world)
        closed = await world.request("close", position=position.id, quantity="15")
        assert closed.ok, closed.detail
        await world.until(lambda: is_covered(world, 25), within=10)
        assert world.net() == 25
        assert the_open(world).held == D(25)

    play(story, STOP_ONLY, STILL, start=START)
