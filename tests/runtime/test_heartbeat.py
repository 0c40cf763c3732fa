"""The worker's side of the heartbeat."""

import asyncio
import os

import pytest

from standfast.runtime.heartbeat import BEAT, ENDING, PERIOD, READY, Heartbeat, ParentGone, die_with


def test_a_beat_and_the_words_that_we_guard_and_that_we_end_are_one_byte_each() -> None:
    read, write = os.pipe()
    heart = Heartbeat(write)
    heart.beat()
    heart.ready()
    heart.ending()

    assert os.read(read, 10) == BEAT + READY + ENDING
    assert not os.get_inheritable(write)
    os.close(read)
    os.close(write)


def test_a_full_pipe_never_blocks_the_loop() -> None:
    read, write = os.pipe()
    heart = Heartbeat(write)
    for _ in range(70_000):  # more than a pipe holds
        heart.beat()
    os.close(read)
    os.close(write)


def test_a_pipe_nobody_reads_ends_the_worker() -> None:
    read, write = os.pipe()
    os.close(read)

    with pytest.raises(ParentGone):
        Heartbeat(write).beat()
    os.close(write)


async def test_the_loop_itself_beats_at_once_and_until_it_is_cancelled() -> None:
    read, write = os.pipe()
    task = asyncio.ensure_future(Heartbeat(write).run())
    await asyncio.sleep(0)

    assert os.read(read, 10) == BEAT
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    os.close(read)
    os.close(write)


def test_ten_beats_fit_into_the_time_a_parent_waits() -> None:
    from standfast.runtime.parent import Timing

    assert Timing().beat >= PERIOD * 5


def test_a_worker_whose_parent_died_before_it_asked_does_not_start() -> None:
    with pytest.raises(ParentGone):
        die_with(parent=os.getpid())  # nobody is its own parent
