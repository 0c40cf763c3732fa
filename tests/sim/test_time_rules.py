"""Time rules in the sessions of the exchange, holidays and half days included."""

from dataclasses import replace
from datetime import UTC, datetime, time
from zoneinfo import ZoneInfo

from standfast.core.policy import FlatBy
from standfast.model.position import CloseReason
from standfast.sim.world import World, play
from tests.sim.stories import STILL, STOP_ONLY, holding_own, is_flat, the_closed

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
