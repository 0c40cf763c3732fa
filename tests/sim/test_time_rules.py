"""Time rules in the sessions of the exchange, holidays and half days included."""

from dataclasses import replace
from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo

from standfast.core.policy import FlatBy, Foreign
from standfast.exchange.faults import Rule, ServerError
from standfast.exchange.orders import Side
from standfast.model.position import CloseReason
from standfast.sim.world import World, play
from tests.sim.stories import (
    START,
    STILL,
    STOP_ONLY,
    guarded,
    holding_own,
    is_covered,
    is_flat,
    market,
    the_closed,
    told,
)

HALF_DAY = datetime(2026, 11, 27, 17, 53, tzinfo=UTC)  # the Friday after Thanksgiving, seven minutes before its close
RULE = replace(STOP_ONLY.policies[0], flat_by=FlatBy(time(15, 55), ZoneInfo("America/New_York")))


def test_what_shall_be_flat_every_day_is_not_held_over_a_weekend_that_begins_early() -> None:
    async def story(world: World) -> None:
        await holding_own(world)
        await world.until(lambda: is_flat(world), within=180, what="flat before one o'clock")
        assert world.engine.clock().is_open
        await world.until(lambda: world.book.state.closed, within=10)
        assert the_closed(world).close_reason is CloseReason.FLAT_BY

    play(story, replace(STOP_ONLY, policies=(RULE,)), STILL, start=HALF_DAY)


def test_a_longest_hold_ends_in_time_though_the_machine_s_clock_was_put_right_shortly_before() -> None:
    """Found by simulation: the moment was named on a clock an hour ahead, and lay an hour away when that was mended."""
    rules = replace(STOP_ONLY, policies=(replace(STOP_ONLY.policies[0], maximum_hold=timedelta(seconds=100)),))

    async def story(world: World) -> None:
        await guarded(world)
        (guard,) = world.guards.values()
        guard.clock.skew = timedelta(hours=1)
        await world.run_for(40)
        await world.request("open", instrument="AAPL", quantity="40")
        await world.run_for(95)
        guard.clock.skew = timedelta(0)
        await world.until(lambda: is_flat(world), within=20, what="flat after the longest hold")
        await world.until(lambda: world.book.state.closed, within=10)
        assert the_closed(world).close_reason is CloseReason.MAXIMUM_HOLD

    play(story, rules, STILL, start=START)


def test_a_machine_whose_clock_is_ahead_asks_for_the_broker_s_no_more_often() -> None:
    """Its clock shows a time after the session's end for hours: that is no edge which is near."""

    async def story(world: World) -> None:
        await guarded(world)
        (guard,) = world.guards.values()
        guard.clock.skew = timedelta(hours=10)
        await world.run_for(40)
        before = world.wire.asked["clock"]
        await world.run_for(120)
        assert world.wire.asked["clock"] - before <= 5

    play(story, STOP_ONLY, STILL, start=START)


def test_a_machine_that_shows_1970_guards_though_the_broker_s_clock_cannot_be_read() -> None:
    """No calendar reaches so far back: a rule of time knows of no session then, and what rests protects."""

    async def story(world: World) -> None:
        await holding_own(world)
        world.faults.install(Rule(operation="clock", fault=ServerError(), since=world.now))
        (guard,) = world.guards.values()
        guard.clock.skew = datetime(1970, 1, 1, tzinfo=UTC) - world.now
        world.kill_guard(restart_after=1)
        await world.run_for(60)
        assert world.account is not None
        assert not world.account.halted
        assert is_covered(world, 40)

    play(story, replace(STOP_ONLY, policies=(RULE,)), STILL, start=START)


def test_a_clock_that_is_put_back_makes_nobody_wait_for_the_time_it_showed_before() -> None:
    """Found by simulation: foreign quantity, found on a clock a day ahead, was told to nobody for a day."""

    async def story(world: World) -> None:
        await guarded(world)
        (guard,) = world.guards.values()
        guard.clock.skew = timedelta(days=1)
        await world.run_for(40)
        await world.submit(market(Side.BUY, 81))
        await world.run_for(12)
        guard.clock.skew = timedelta(0)
        await world.run_for(100)
        assert any("81" in text for text in await told(world))

    play(story, replace(STOP_ONLY, foreign=Foreign.ALERT), STILL, start=START)
