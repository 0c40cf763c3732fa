"""Who goes next under the broker's request limit."""

import asyncio
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from standfast.brokers.shared.throttle import FIRST, Throttle
from standfast.model.effects import Urgency
from standfast.model.errors import Unreachable
from tests.brokers.clocks import ManualClock, settle

CLOSE, PROTECT, VERIFY, READ, OPEN = Urgency


class Queue:
    """A throttle under a clock we move, and what it let out: (second, urgency, rank)."""

    def __init__(self, *, limit: int = 200, share: float = 0.25) -> None:
        self.clock = ManualClock()
        self.throttle = Throttle(self.clock, requests_per_minute=limit, rate_share=share)
        self.sent: list[tuple[float, int, float]] = []
        self.refused: list[int] = []

    async def ask(self, urgency: int, rank: float = 0.0, within: float = 1e6) -> None:
        try:
            await self.throttle.admit(urgency, rank=rank, within=within)
        except Unreachable:
            self.refused.append(urgency)
        else:
            self.sent.append((self.clock.monotonic(), urgency, rank))

    def order(self) -> list[int]:
        return [urgency for _, urgency, _ in self.sent]


async def test_a_close_never_waits_behind_a_read_or_an_opening() -> None:
    queue = Queue(limit=4)
    async with asyncio.TaskGroup() as tasks:
        for _ in range(4):
            tasks.create_task(queue.ask(CLOSE))
        await settle()
        for urgency in (OPEN, READ, VERIFY, PROTECT, CLOSE):
            tasks.create_task(queue.ask(urgency))
        await settle()
        assert queue.order() == [CLOSE] * 4
        await queue.clock.advance(61)
        await queue.clock.advance(180)

    assert queue.order()[4:] == [CLOSE, PROTECT, VERIFY, READ, OPEN]


async def test_among_equals_the_furthest_beyond_its_stop_goes_first() -> None:
    queue = Queue(limit=1)
    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(queue.ask(CLOSE))
        await settle()
        for rank in (-1.0, -3.0, -2.0):
            tasks.create_task(queue.ask(CLOSE, rank))
        await queue.clock.advance(200)

    assert [rank for _, _, rank in queue.sent[1:]] == [-3.0, -2.0, -1.0]


async def test_after_a_wait_closes_let_the_read_that_sizes_the_rest_of_them_be_answered_first() -> None:
    queue = Queue(limit=4)
    async with asyncio.TaskGroup() as tasks:
        for _ in range(4):
            tasks.create_task(queue.ask(CLOSE))
        await settle()
        for rank in (-1.0, -2.0):
            tasks.create_task(queue.ask(CLOSE, rank))
        read = tasks.create_task(queue.throttle.admit(CLOSE, rank=FIRST, within=1e6))
        await queue.clock.advance(60.1)
        assert read.done()
        assert queue.order() == [CLOSE] * 4  # they stand back,

        queue.throttle.heard(read.result(), {}, refused=False)
        tasks.create_task(queue.ask(CLOSE, -9.0))  # for what the answer shows
        await queue.clock.advance(0.4)

    assert [rank for _, _, rank in queue.sent[4:]] == [-9.0, -2.0, -1.0]


async def test_closes_do_not_stand_back_for_long_when_the_read_that_sizes_the_rest_is_not_answered() -> None:
    queue = Queue(limit=1)
    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(queue.ask(CLOSE))
        await settle()
        read = tasks.create_task(queue.throttle.admit(CLOSE, rank=FIRST, within=1e6))
        tasks.create_task(queue.ask(CLOSE))
        await queue.clock.advance(60.1)
        assert read.done()
        await queue.clock.advance(60.1)

    assert len(queue.sent) == 2


async def test_three_hundred_closes_leave_within_two_windows_and_before_everything_else() -> None:
    queue = Queue(limit=200)
    async with asyncio.TaskGroup() as tasks:
        for _ in range(50):
            tasks.create_task(queue.ask(READ))
        await settle()
        for number in range(300):
            tasks.create_task(queue.ask(CLOSE, float(-number)))
        for _ in range(300):
            tasks.create_task(queue.ask(OPEN))
            tasks.create_task(queue.ask(READ))
        await queue.clock.advance(600)

    closes = [at for at, urgency, _ in queue.sent if urgency == CLOSE]
    assert len(closes) == 300
    assert max(closes) <= 110
    assert queue.order()[50:350] == [CLOSE] * 300


async def test_steady_reads_keep_to_their_share_and_others_pass_them() -> None:
    queue = Queue(limit=100, share=0.25)
    async with asyncio.TaskGroup() as tasks:
        for _ in range(40):
            tasks.create_task(queue.ask(READ))
        tasks.create_task(queue.ask(OPEN))
        await settle()
        assert queue.order().count(READ) == 25
        assert queue.order().count(OPEN) == 1
        await queue.clock.advance(61)

    assert queue.order().count(READ) == 40


async def test_a_steady_read_that_a_decision_waits_for_goes_before_its_share_is_back() -> None:
    queue = Queue(limit=40, share=0.05)
    async with asyncio.TaskGroup() as tasks:
        for _ in range(4):
            tasks.create_task(queue.ask(READ))
        await settle()
        assert queue.order() == [READ, READ], "the share is spent"

        queue.throttle.hurry()
        await settle()

        assert queue.order() == [READ] * 4
        tasks.create_task(queue.ask(READ))
        await settle()
        assert len(queue.sent) == 4, "the next one waits for the share again"
        await queue.clock.advance(61)
    assert queue.throttle.waiting == 0


async def test_openings_and_reads_leave_a_reserve_for_a_close() -> None:
    queue = Queue(limit=100)
    async with asyncio.TaskGroup() as tasks:
        for _ in range(100):
            tasks.create_task(queue.ask(OPEN))
        await settle()
        tasks.create_task(queue.ask(CLOSE))
        await settle()
        assert queue.order()[-1] == CLOSE
        await queue.clock.advance(200)


async def test_who_waits_past_its_deadline_never_left() -> None:
    queue = Queue(limit=1)
    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(queue.ask(CLOSE))
        await settle()
        tasks.create_task(queue.ask(CLOSE, within=5.0))
        await queue.clock.advance(4.9)
        assert not queue.refused
        await queue.clock.advance(0.2)

    assert queue.refused == [CLOSE]
    assert queue.throttle.waiting == 0


async def test_a_cancelled_wait_gives_its_place_up() -> None:
    queue = Queue(limit=1)
    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(queue.ask(CLOSE))
        await settle()
        tired = tasks.create_task(queue.ask(CLOSE))
        tasks.create_task(queue.ask(OPEN))
        await settle()
        tired.cancel()
        await queue.clock.advance(61)

    assert queue.order() == [CLOSE, OPEN]


async def test_after_a_refusal_for_rate_nothing_leaves_until_the_broker_said() -> None:
    queue = Queue()
    async with asyncio.TaskGroup() as tasks:
        number = await queue.throttle.admit(CLOSE, within=1.0)
        wait = queue.throttle.heard(number, {"retry-after": "7"}, refused=True)
        tasks.create_task(queue.ask(CLOSE))
        await queue.clock.advance(6.9)
        assert queue.sent == []
        await queue.clock.advance(0.2)

    assert wait == 7.0
    assert queue.order() == [CLOSE]


async def test_the_brokers_own_count_is_believed_over_ours() -> None:
    queue = Queue(limit=200)
    reset = int(queue.clock.now().timestamp()) + 30
    headers = {"x-ratelimit-limit": "200", "x-ratelimit-remaining": "2", "x-ratelimit-reset": str(reset)}
    async with asyncio.TaskGroup() as tasks:
        number = await queue.throttle.admit(CLOSE, within=1.0)
        queue.throttle.heard(number, headers, refused=False)
        for _ in range(5):
            tasks.create_task(queue.ask(CLOSE))
        await settle()
        assert len(queue.sent) == 2
        await queue.clock.advance(32)

    assert len(queue.sent) == 5


async def test_a_window_that_our_clock_puts_in_another_minute_is_not_believed() -> None:
    queue = Queue(limit=3)
    stale = int(queue.clock.now().timestamp()) - 500
    headers = {"x-ratelimit-limit": "3", "x-ratelimit-remaining": "3", "x-ratelimit-reset": str(stale)}
    async with asyncio.TaskGroup() as tasks:
        for _ in range(3):
            number = await queue.throttle.admit(CLOSE, within=1.0)
            queue.throttle.heard(number, headers, refused=False)
        tasks.create_task(queue.ask(CLOSE))
        await settle()
        assert queue.sent == []
        await queue.clock.advance(61)


async def test_a_reply_that_was_overtaken_changes_nothing() -> None:
    queue = Queue(limit=200)
    reset = str(int(queue.clock.now().timestamp()) + 30)

    def headers(remaining: int) -> dict[str, str]:
        return {"x-ratelimit-limit": "200", "x-ratelimit-remaining": str(remaining), "x-ratelimit-reset": reset}

    async with asyncio.TaskGroup() as tasks:
        first = await queue.throttle.admit(CLOSE, within=1.0)
        second = await queue.throttle.admit(CLOSE, within=1.0)
        queue.throttle.heard(second, headers(0), refused=False)
        queue.throttle.heard(first, headers(5), refused=False)
        tasks.create_task(queue.ask(CLOSE))
        await settle()
        assert queue.sent == []
        await queue.clock.advance(32)


asks = st.lists(st.tuples(st.sampled_from(list(Urgency)), st.floats(-5, 5), st.floats(0, 20)), min_size=1, max_size=60)


@given(limit=st.integers(1, 12), share=st.floats(0.05, 0.9), asked=asks)
def test_no_minute_sees_more_than_the_limit_and_no_waiting_close_is_passed(
    limit: int, share: float, asked: list[tuple[Urgency, float, float]]
) -> None:
    queue = Queue(limit=limit, share=share)
    waiting: list[tuple[Urgency, int]] = []

    async def one(urgency: Urgency, rank: float, number: int) -> None:
        waiting.append((urgency, number))
        await queue.throttle.admit(urgency, rank=rank, within=1e9)
        waiting.remove((urgency, number))
        queue.sent.append((queue.clock.monotonic(), urgency, rank))
        if urgency in (VERIFY, READ, OPEN):
            assert not any(other in (CLOSE, PROTECT) for other, _ in waiting), "a read or opening passed a close"

    async def whole() -> None:
        async with asyncio.TaskGroup() as tasks:
            for number, (urgency, rank, later) in enumerate(asked):
                tasks.create_task(one(urgency, rank, number))
                await queue.clock.advance(later)
            for _ in asked:
                await queue.clock.advance(61)

    asyncio.run(whole())
    assert len(queue.sent) == len(asked), "everyone gets a turn in the end"
    _holds([at for at, _, _ in queue.sent], limit)
    _holds([at for at, urgency, _ in queue.sent if urgency == READ], max(1, int(limit * share)))


def _holds(moments: list[float], most: int) -> None:
    assert all(earlier <= later for earlier, later in pairwise(moments))
    for first, last in zip(moments, moments[most:], strict=False):
        assert last - first >= 60, "more than the limit in one minute"


def test_a_turn_below_zero_seconds_is_refused_at_once() -> None:
    queue = Queue(limit=1)

    async def whole() -> None:
        await queue.ask(CLOSE)
        with pytest.raises(Unreachable, match="not sent"):
            await queue.throttle.admit(CLOSE, within=0.0)

    asyncio.run(whole())


async def test_a_turn_that_is_given_back_is_anothers() -> None:
    queue = Queue(limit=2)
    number = await queue.throttle.admit(CLOSE, within=1)
    await queue.throttle.admit(CLOSE, within=1)
    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(queue.ask(CLOSE))
        await settle()
        assert queue.order() == []
        queue.throttle.give_back(number)
        await settle()
        assert queue.order() == [CLOSE], "at once, not with the next window"
