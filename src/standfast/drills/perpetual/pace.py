"""How time passes on a stage of perpetual futures: as on the machine, or leaping to whatever is due next (`leaping`).

Sockets, the adapter and ccxt are the same at either pace. Leaping, the ledger is the one in memory: it has the durable
one's promises and waits for nothing.
"""

import asyncio
from abc import ABC, abstractmethod
from collections.abc import Callable
from datetime import datetime
from typing import Any

from standfast import app
from standfast.drills.leaping import Leaping, LeapingClock
from standfast.opened import open_store
from standfast.ports import Clock
from standfast.runtime.clock import monotonic
from standfast.settings import Settings
from standfast.stores.memory import MemoryStore

LEAST = 60.0
"""Real seconds that anything may take at least, on a busy machine."""


class Pace(ABC):
    """`tick`: seconds of the loop between two looks at the exchange's time. `slack`: seconds of the exchange's that say
    nothing about the guard, because the machine may have been busy."""

    tick: float
    slack: float = 0.0
    clock: Clock
    lease_clock: Clock | None = None

    @abstractmethod
    def ledger(self, settings: Settings) -> Any: ...

    @abstractmethod
    async def follow(self, settings: Settings, now: Callable[[], datetime]) -> Clock:
        """The exchange's clock from here on."""

    @abstractmethod
    async def until(self, is_so: Callable[[], object], within: float, look: Callable[[], object]) -> bool:
        """Whether it came to be so within that many of the exchange's seconds. `look` before every look."""


class OnTheMachine(Pace):
    """In real time, the exchange's so much faster."""

    tick = 0.005

    def __init__(self, speed: float) -> None:
        self._speed = speed
        self.slack = LEAST * speed

    def ledger(self, settings: Settings) -> Any:
        return open_store(settings)

    async def follow(self, settings: Settings, now: Callable[[], datetime]) -> Clock:
        self.clock = await app.clock_of(settings.accounts[0])
        return self.clock

    async def until(self, is_so: Callable[[], object], within: float, look: Callable[[], object]) -> bool:
        end = monotonic() + max(within / self._speed, LEAST)
        look()
        while not is_so():
            if monotonic() > end:
                return False
            await asyncio.sleep(0.01)
            look()
        return True


class ByLeaps(Pace):
    tick = 0.25

    def __init__(self, loop: Leaping) -> None:
        self._loop = loop

    def ledger(self, settings: Settings) -> Any:
        return MemoryStore(is_alive=lambda _: False)

    async def follow(self, settings: Settings, now: Callable[[], datetime]) -> Clock:
        self.clock = self.lease_clock = LeapingClock(self._loop, now())
        return self.clock

    async def until(self, is_so: Callable[[], object], within: float, look: Callable[[], object]) -> bool:
        end = self._loop.time() + within
        look()
        while not is_so():
            if self._loop.time() >= end:
                return False
            await asyncio.sleep(0.02)
            look()
        return True
