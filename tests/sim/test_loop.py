"""The virtual loop: time, order, death and the end of a run."""

import asyncio
from datetime import UTC, datetime, timedelta

import pytest

from standfast.sim.loop import PROCESS, Deadlock, Process, TooSlow, VirtualClock, current, run

START = datetime(2026, 10, 8, 14, 30, tzinfo=UTC)
HOUR = 3600.0


def test_an_hour_of_sleep_takes_no_time_and_moves_the_clock_by_an_hour() -> None:
    async def main() -> datetime:
        await asyncio.sleep(HOUR)
        return VirtualClock().now()

    assert run(main(), start=START) == START + timedelta(hours=1)


def test_a_timeout_obeys_virtual_time() -> None:
    async def main() -> float:
        with pytest.raises(TimeoutError):
            async with VirtualClock().timeout(0.25):
                await asyncio.sleep(HOUR)
        return VirtualClock().monotonic()

    assert run(main(), start=START) == 0.25


def test_what_is_cancelled_from_outside_within_a_timeout_is_cancelled_and_not_late() -> None:
    async def waits() -> None:
        async with VirtualClock().timeout(5):
            await asyncio.sleep(HOUR)

    async def main() -> tuple[bool, float]:
        task = current().create_task(waits())
        await asyncio.sleep(1)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        return task.cancelled(), VirtualClock().monotonic()

    assert run(main(), start=START) == (True, 1.0)


def test_a_timeout_within_a_timeout_ends_by_its_own_time_alone() -> None:
    ended = []

    async def inner() -> None:
        async with VirtualClock().timeout(1):
            await asyncio.sleep(HOUR)

    async def outer() -> None:
        async with VirtualClock().timeout(3):
            with pytest.raises(TimeoutError):
                await inner()
            ended.append(VirtualClock().monotonic())
            async with VirtualClock().timeout(1):
                await asyncio.sleep(0.5)
            await asyncio.sleep(HOUR)

    async def main() -> list[float]:
        with pytest.raises(TimeoutError):
            await outer()
        ended.append(VirtualClock().monotonic())
        await asyncio.sleep(10)
        return ended

    assert run(main(), start=START) == [1.0, 3.0]


def test_however_short_a_wait_time_passes() -> None:
    async def main() -> timedelta:
        await asyncio.sleep(1e-12)
        return VirtualClock().now() - START

    assert run(main(), start=START) == timedelta(microseconds=1)


def test_timers_of_one_instant_fire_in_the_order_in_which_they_were_set() -> None:
    async def main() -> list[int]:
        fired: list[int] = []
        for number in range(50):
            current().call_later(1.0, fired.append, number)
        await asyncio.sleep(2)
        return fired

    assert run(main(), start=START) == list(range(50))


def test_nobody_runnable_and_no_timer_is_a_deadlock_that_names_who_waits() -> None:
    async def waits() -> None:
        await asyncio.Event().wait()

    async def main() -> None:
        async with asyncio.TaskGroup() as group:
            group.create_task(waits(), name="the forgotten one")

    with pytest.raises(Deadlock, match=r"the forgotten one at .*waits"):
        run(main(), start=START)


def test_a_run_that_never_ends_is_ended() -> None:
    async def main() -> None:
        while True:  # noqa: ASYNC110 - the point of it
            await asyncio.sleep(0)

    with pytest.raises(TooSlow, match="virtual time stands at"):
        run(main(), start=START, real_seconds=0.2)


def test_the_children_of_a_group_are_cancelled_in_the_order_of_their_creation() -> None:
    async def main() -> list[int]:
        ended: list[int] = []

        async def child(number: int) -> None:
            try:
                await asyncio.sleep(HOUR)
            finally:
                ended.append(number)

        async def fail() -> None:
            async with asyncio.TaskGroup() as group:
                for number in range(40):
                    group.create_task(child(number))
                await asyncio.sleep(1)
                raise ValueError("enough")

        with pytest.raises(BaseExceptionGroup):
            await fail()
        return ended

    assert run(main(), start=START) == list(range(40))


def test_what_is_killed_does_not_run_its_finally_blocks() -> None:
    said: list[str] = []

    async def worker() -> None:
        try:
            while True:
                said.append("alive")
                await asyncio.sleep(1)
        finally:
            said.append("finally")

    async def main() -> list[str]:
        process = Process("guard")
        token = PROCESS.set(process)
        task = current().create_task(worker())
        PROCESS.reset(token)
        await asyncio.sleep(2.5)
        current().kill(process)
        await asyncio.sleep(10)
        assert not task.done()
        return list(said)

    assert run(main(), start=START) == ["alive"] * 3


def test_a_thread_s_work_is_done_in_place() -> None:
    async def main() -> int:
        return await asyncio.to_thread(lambda: 42)

    assert run(main(), start=START) == 42
