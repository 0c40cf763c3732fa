"""The machine's clock is set while the guard runs: no wait is over sooner, and no rule fires for it."""

from dataclasses import replace
from datetime import timedelta

import pytest

from standfast.exchange.faults import Rule, Slow
from standfast.model.journal import OrderNeverArrived
from standfast.sim.world import World, play
from tests.sim.stories import START, STILL, STOP_ONLY, guarded, holding_own, is_covered, is_flat, of_kind

HOUR = timedelta(hours=1)


@pytest.mark.parametrize("step", [HOUR, -HOUR], ids=["forward", "back"])
def test_an_order_that_is_late_is_waited_for_as_long_as_ever(step: timedelta) -> None:
    """Found by simulation: given up after fifteen seconds that showed as an hour, it arrived beside the next one."""

    async def story(world: World) -> None:
        await guarded(world)
        late = Slow(seconds=25, late="request")
        world.faults.install(Rule(operation="submit", fault=late, count=3))  # the copies too
        await world.operate("open", instrument="AAPL", quantity="40")
        await world.run_for(14)
        (guard,) = world.guards.values()
        guard.clock.skew = step
        await world.until(lambda: is_covered(world, 40), within=30, what="opened, and covered")
        await world.run_for(60)
        assert of_kind(await world.entries(), OrderNeverArrived) == []

    play(story, STOP_ONLY, STILL, start=START)


def test_a_longest_hold_does_not_end_by_a_step_of_the_clock() -> None:
    rules = replace(STOP_ONLY, policies=(replace(STOP_ONLY.policies[0], maximum_hold=timedelta(minutes=30)),))

    async def story(world: World) -> None:
        await holding_own(world)
        (guard,) = world.guards.values()
        guard.clock.skew = HOUR
        await world.run_for(120)
        assert not is_flat(world)

    play(story, rules, STILL, start=START)
