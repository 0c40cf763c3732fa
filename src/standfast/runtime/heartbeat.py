"""The worker's side of the heartbeat: one byte a second to the parent, written by the loop itself.

A loop that hangs writes nothing, and that is the message. The pipe tells the worker something too: when nobody reads
it any more, the parent is gone, and a guard nobody watches stops.
"""

import os
import signal
import sys

BEAT = b"."
READY = b"R"
ENDING = b"E"
PERIOD = 1.0
"""Real seconds between beats, whatever speed the guard's clock runs at. The parent waits for ten."""


class ParentGone(Exception):
    """Nobody reads the heartbeat any more."""


class Heartbeat:
    """Writes beats into the pipe whose number the parent passed on the command line."""

    def __init__(self, pipe: int) -> None:
        os.set_blocking(pipe, False)
        os.set_inheritable(pipe, False)  # noqa: FBT003  # the standard library takes it by position
        self.pipe = pipe

    def beat(self, sign: bytes = BEAT) -> None:
        """One sign of life; `ParentGone` when nobody is there to see it."""
        try:
            os.write(self.pipe, sign)
        except BlockingIOError:
            return  # the parent is slow and has thousands of beats to read: it knows that we live
        except BrokenPipeError:
            raise ParentGone from None

    def ready(self) -> None:
        """Say once that every account is being guarded."""
        self.beat(READY)

    def ending(self) -> None:
        """Say that nothing is guarded any more: what is open is closed, and no loop goes round to beat meanwhile."""
        self.beat(ENDING)

    async def run(self) -> None:
        """Beat until cancelled. In real time: asyncio's own sleep, not the guard's clock."""
        import asyncio

        while True:
            self.beat()
            await asyncio.sleep(PERIOD)


def die_with(parent: int) -> None:
    """Have the kernel end this process (SIGTERM) when its parent dies; on other systems the broken pipe does it later.

    Raises `ParentGone` when the parent died before we could ask. Also switches on the dump of all stacks that a hung
    worker is asked for (SIGABRT) before it is killed.
    """
    import faulthandler

    faulthandler.enable()
    if sys.platform == "linux":
        _ask_kernel(signal.SIGTERM)
    if os.getppid() != parent:
        raise ParentGone


def _ask_kernel(sign: signal.Signals) -> None:
    set_parent_death_signal = 1  # PR_SET_PDEATHSIG of <linux/prctl.h>
    try:
        import ctypes

        ctypes.CDLL(None).prctl(set_parent_death_signal, int(sign), 0, 0, 0)
    except (ImportError, OSError, AttributeError):
        return  # a C library without prctl: the broken pipe is left
