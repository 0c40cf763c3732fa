"""Time as the guard sees it: the broker's, at the exchange's speed, never stepping back where that was promised."""

import asyncio
from collections.abc import Callable, Mapping
from contextlib import AbstractAsyncContextManager
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from types import SimpleNamespace

import pytest

from standfast.ports import Clock
from standfast.runtime import clock as module
from standfast.runtime.clock import RealClock, ScaledClock, offset, wall_time
from standfast.sim.loop import run

OPEN = datetime(2020, 10, 7, 13, 30, tzinfo=UTC)


class Hands:
    """The machine's monotonic clock, moved by hand."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.at = 1000.0
        monkeypatch.setattr(module, "time", SimpleNamespace(monotonic=lambda: self.at))


class Exchange:
    """Answers `/sim/clock` after a while."""

    def __init__(self, hands: Hands, *, takes: float = 0.0) -> None:
        self.hands = hands
        self.takes = takes
        self.now = OPEN
        self.speed = "60"
        self.asked: list[str] = []

    async def get(self, url: str) -> Mapping[str, object]:
        self.asked.append(url)
        self.hands.at += self.takes
        return {"now": self.now.isoformat().replace("+00:00", "Z"), "speed": self.speed}


@pytest.fixture
def hands(monkeypatch: pytest.MonkeyPatch) -> Hands:
    return Hands(monkeypatch)


def test_the_real_clock_is_the_machines_until_it_is_corrected() -> None:
    clock = RealClock()
    before = wall_time()

    assert before <= clock.now() <= wall_time()
    clock.correct(timedelta(hours=1))
    assert before + timedelta(hours=1) <= clock.now() <= wall_time() + timedelta(hours=1)
    assert clock.now().tzinfo is UTC


def test_a_correction_does_not_touch_the_monotonic_time() -> None:
    clock = RealClock()
    before = clock.monotonic()
    clock.correct(timedelta(hours=-1))

    assert before <= clock.monotonic() <= module.monotonic()


def test_the_offset_is_judged_half_way_through_the_asking() -> None:
    began, ended = OPEN, OPEN + timedelta(seconds=2)

    assert offset(OPEN + timedelta(seconds=6), began, ended) == timedelta(seconds=5)
    assert offset(OPEN + timedelta(seconds=1), began, ended) == timedelta(0)


def test_a_scaled_clock_runs_at_the_exchanges_speed(hands: Hands) -> None:
    clock = ScaledClock(OPEN, speed=Decimal(60))
    hands.at += 2

    assert clock.now() == OPEN + timedelta(minutes=2)
    assert clock.monotonic() == 120.0


async def test_following_anchors_half_way_through_the_asking(hands: Hands) -> None:
    exchange = Exchange(hands, takes=1.0)
    clock = await ScaledClock.following("http://127.0.0.1:9000", exchange.get)

    assert exchange.asked == ["http://127.0.0.1:9000/sim/clock"]
    assert clock.now() == OPEN + timedelta(seconds=30)


async def test_a_new_anchor_moves_now_and_never_turns_the_monotonic_time_back(hands: Hands) -> None:
    exchange = Exchange(hands)
    clock = await ScaledClock.following("http://x", exchange.get)
    hands.at += 10
    exchange.now, exchange.speed = OPEN + timedelta(minutes=9), "1"

    moved = await clock.follow("http://x", exchange.get)

    assert moved == timedelta(minutes=-1)
    assert (clock.now(), clock.monotonic()) == (OPEN + timedelta(minutes=9), 600.0)
    hands.at += 1
    assert (clock.now(), clock.monotonic()) == (OPEN + timedelta(minutes=9, seconds=1), 601.0)


def lasts(limit: Callable[[float], AbstractAsyncContextManager[object]], seconds: float) -> float:
    """How long a limit on a wait lasts, by the virtual time of a loop of its own."""

    async def wait() -> float:
        loop = asyncio.get_running_loop()
        began = loop.time()
        with pytest.raises(TimeoutError):
            async with limit(seconds):
                await asyncio.Event().wait()
        return loop.time() - began

    return run(wait(), start=OPEN)


def test_sleeping_takes_the_scaled_time() -> None:
    async def sleep() -> float:
        began = asyncio.get_running_loop().time()
        await ScaledClock(OPEN, speed=Decimal(1000)).sleep(20)
        return asyncio.get_running_loop().time() - began

    assert run(sleep(), start=OPEN) == pytest.approx(0.02)


@pytest.mark.parametrize(("seconds", "real"), [(5000, 5.0), (5, 1.0), (0.5, 0.5)])
def test_a_timeout_is_scaled_but_leaves_an_answer_the_time_to_travel(seconds: float, real: float) -> None:
    assert lasts(ScaledClock(OPEN, speed=Decimal(1000)).timeout, seconds) == pytest.approx(real)


def test_a_timer_is_exact_at_any_speed() -> None:
    assert lasts(ScaledClock(OPEN, speed=Decimal(1000)).timer, 5.0) == pytest.approx(0.005)
    assert lasts(RealClock().timer, 5.0) == pytest.approx(5.0)


async def test_a_timeout_that_passes_is_a_timeout_error() -> None:
    for clock in (RealClock(), ScaledClock(OPEN, speed=Decimal(2))):
        with pytest.raises(TimeoutError):
            async with clock.timeout(0):
                await clock.sleep(60)


def test_both_are_clocks_for_the_ports() -> None:
    clocks: list[Clock] = [RealClock(), ScaledClock(OPEN, speed=Decimal(60))]

    assert len(clocks) == 2
