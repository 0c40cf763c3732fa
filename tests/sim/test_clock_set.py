"""The machine's clock is set while the guard runs: no wait is over sooner, and no rule fires for it."""

from dataclasses import replace
from datetime import timedelta

import pytest

from standfast.exchange.faults import Lost, Reset, Rule, Slow
from standfast.model.breaks import BreakKind
from standfast.model.journal import OrderNeverArrived
from standfast.sim.world import World, play
from tests.sim.stories import (
    BY_GUARD,
    START,
    STILL,
    STOP_ONLY,
    guarded,
    holding,
    holding_own,
    is_covered,
    is_flat,
    of_kind,
    prices,
)

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


@pytest.mark.parametrize("step", [HOUR, -HOUR], ids=["forward", "back"])
def test_no_quote_is_believed_longer_because_the_clock_was_ahead_when_it_came(step: timedelta) -> None:
    """Found by simulation: of a stream that brings nothing more it was taken for new, and nobody asked for another."""

    async def story(world: World) -> None:
        await holding(world)
        (guard,) = world.guards.values()
        guard.clock.skew = step
        await world.run_for(30)
        world.faults.install(Rule(operation="quote_stream", fault=Lost()))
        guard.clock.skew = timedelta(0)
        await world.until(lambda: is_flat(world), within=60, what="closed below its stop")
        assert world.now - START < timedelta(seconds=90)

    play(story, BY_GUARD, prices((0, "100.00", "100.02"), (60, "97.00", "97.02")), start=START)


def test_positions_that_cannot_be_read_are_told_as_soon_though_the_clock_is_put_back_meanwhile() -> None:
    def is_blind(world: World) -> bool:
        found = world.book.state.breaks.values()
        return any(each.finding.kind is BreakKind.BLIND and each.finding.holding is None for each in found)

    async def story(world: World) -> None:
        await guarded(world)
        (guard,) = world.guards.values()
        guard.clock.skew = HOUR
        await world.run_for(30)
        world.faults.install(Rule(operation="positions", fault=Reset()))
        await world.run_for(6)
        guard.clock.skew = timedelta(0)
        await world.until(lambda: is_blind(world), within=20, what="it is blind")

    play(story, STOP_ONLY, STILL, start=START)
