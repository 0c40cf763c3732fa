"""Waiting without knowing how: steps that look, and between two looks say for how long nothing needs to be done.

The same steps serve a bot with an event loop and one without. A step is short and may block for a disk.
"""

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
