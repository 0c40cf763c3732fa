"""A bell: heard when it is rung, when it was rung before, or not at all when time is up first."""

import asyncio
from datetime import UTC, datetime

from standfast.runtime.bell import Bell
from standfast.sim.loop import VirtualClock, run

START = datetime(2026, 10, 8, 14, 0, tzinfo=UTC)


async def _told(bell: Bell, clock: VirtualClock, seconds: float) -> tuple[bool, float]:
    return await bell.heard(clock, seconds), clock.monotonic()


def test_nobody_rings_and_time_is_up() -> None:
    async def story() -> tuple[bool, float]:
        return await _told(Bell(), VirtualClock(), 2.5)

    assert run(story(), start=START) == (False, 2.5)


def test_it_is_heard_when_it_is_rung_and_until_it_is_hushed() -> None:
    async def story() -> list[tuple[bool, float]]:
        bell, clock = Bell(), VirtualClock()
        asyncio.get_running_loop().call_later(1.0, bell.ring)
        first = await _told(bell, clock, 5)
        again = await _told(bell, clock, 5)
        bell.hush()
        return [first, again, await _told(bell, clock, 5)]

    assert run(story(), start=START) == [(True, 1.0), (True, 1.0), (False, 6.0)]


def test_who_is_cancelled_while_waiting_may_wait_anew() -> None:
    async def story() -> tuple[bool, float]:
        bell, clock = Bell(), VirtualClock()
        async with asyncio.TaskGroup() as group:
            waiting = group.create_task(bell.heard(clock, 5))
            await clock.sleep(1)
            waiting.cancel()
        assert waiting.cancelled()
        bell.ring()
        return await _told(bell, clock, 5)

    assert run(story(), start=START) == (True, 1.0)
