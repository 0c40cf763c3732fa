"""Waiting without knowing how: steps that look, and between two looks say for how long nothing needs to be done.

The same steps serve a bot with an event loop and one without. A step is short and may block for a disk.
"""

import asyncio
import time
from collections.abc import Generator
from typing import TypeAlias, TypeVar

Outcome = TypeVar("Outcome")

Steps: TypeAlias = Generator[float, None, Outcome]
"""Yields seconds to wait before the next look; returns what was waited for."""


def run(steps: Steps[Outcome]) -> Outcome:
    """To the end, in this thread."""
    while True:
        try:
            seconds = next(steps)
        except StopIteration as done:
            outcome: Outcome = done.value
            return outcome
        time.sleep(seconds)


async def run_beside(steps: Steps[Outcome]) -> Outcome:
    """To the end, each look in a thread of its own, so that the loop goes on."""
    while True:
        is_done, seconds, outcome = await asyncio.to_thread(_step, steps)
        if is_done:
            assert outcome is not None
            return outcome
        await asyncio.sleep(seconds)


def _step(steps: Steps[Outcome]) -> tuple[bool, float, Outcome | None]:
    """StopIteration cannot travel out of a thread."""
    try:
        return False, next(steps), None
    except StopIteration as done:
        return True, 0.0, done.value
