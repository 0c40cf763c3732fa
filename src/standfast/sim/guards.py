"""The guards of one world: each a process of its own that can be started, killed, paused and failed.

Theory: a guard here is the real worker with the real outbox, given a store, a broker and a clock of the world. What
the parent process does for it (start it again after it ended) is done by the world.

Invariants
1. A guard reaches the world through its broker, its journal, its clock and its sink of alerts, and by no other way.
2. After `kill` none of them does anything for it any more; after `pause` neither, until it is over.
"""

import asyncio
from collections.abc import Callable
from contextvars import copy_context
from dataclasses import dataclass, field
from datetime import date, datetime
from random import Random
from typing import Protocol

from standfast.alerts.outbox import Channel, Outbox
from standfast.core.policy import Rules
from standfast.exchange.quotes_file import FileQuote
from standfast.model.errors import JournalUnavailable, LeaseLost
from standfast.ports import Broker
from standfast.runtime.account import Account
from standfast.runtime.telling import Telling
from standfast.runtime.worker import Stop, Worker
from standfast.sim.disk import SimStore
from standfast.sim.effects import Effects, effect
from standfast.sim.loop import PROCESS, Died, Process, VirtualClock, current
from standfast.sim.loud import heard
from standfast.sim.watch import CANARIES

DELIVERY = (0.05, 0.4)
"""Seconds a message to people takes."""


class SimBroker(Broker, Protocol):
    """A broker's adapter that the world can end."""

    def saw(self, row: FileQuote) -> None:
        """The market has a new quote."""
        ...

    def drop(self) -> None:
        """Be gone: nothing is delivered any more."""
        ...


@dataclass(frozen=True, slots=True)
class Told:
    """One message to people, when it reached them."""

    at: datetime
    severity: str
    title: str
    text: str


class People:
    """The far end of every alert, and of the log."""

    def __init__(self, *, seed: int) -> None:
        self.told: list[Told] = []
        self.lines = heard(CANARIES)
        """The log, which they may read."""
        self.is_deaf: Callable[[], bool] = lambda: False
        """Whether the channel refuses what is sent now."""
        self._draw = Random(f"people-{seed}")

    async def send(self, severity: str, title: str, text: str) -> str:
        """Raises `Deaf` when nothing is taken."""
        effect("alert", Deaf)
        await asyncio.sleep(self._draw.uniform(*DELIVERY))
        if self.is_deaf():
            raise Deaf
        self.told.append(Told(current().present, severity, title, text))
        effect("alerted", Deaf)
        return "people"


class Deaf(Exception):
    """The channel takes nothing."""

    def __str__(self) -> str:
        return "the channel takes nothing"


@dataclass(frozen=True, slots=True, kw_only=True)
class Habitat:
    """What the world has for every guard."""

    rules: Callable[[], Rules]
    store: SimStore
    people: People
    effects: Effects
    broker_for: Callable[[VirtualClock], SimBroker]
    session_close: Callable[[date], datetime | None]


@dataclass(slots=True)
class Guard:
    """One life of one guard. `name` stays over its lives, `holder` is this life's."""

    name: str
    holder: str
    habitat: Habitat
    restarted: str = ""
    """Why the life before ended, as the parent would say; empty when a person started it."""
    clock: VirtualClock = field(default_factory=VirtualClock)
    """Its machine's: `clock.skew` is how far it is off."""
    process: Process = field(init=False)
    broker: SimBroker | None = None
    worker: Worker | None = None
    account: Account | None = None
    """Once it has the lease and its book."""
    task: asyncio.Task[None] | None = None
    began: float = 0.0
    """The loop's time."""
    paused_until: float = 0.0

    def __post_init__(self) -> None:
        self.process = Process(self.holder, effects=self.habitat.effects)

    @property
    def is_alive(self) -> bool:
        """Whether the process is there, paused or not."""
        return self.process.is_alive and not (self.task is not None and self.task.done())

    @property
    def is_paused(self) -> bool:
        return self.process.held is not None

    @property
    def is_here(self) -> bool:
        """Whether it guards: it has the lease, its book, and knows from when on the account is its own."""
        return self.is_alive and self.account is not None and self.account.ledger.book.state.began is not None

    @property
    def failure(self) -> BaseException | None:
        """What it ended with."""
        task = self.task
        return task.exception() if task is not None and task.done() and not task.cancelled() else None

    def start(self, ended: Callable[["Guard"], None]) -> None:
        """`ended` hears of its end, unless it was killed."""
        context = copy_context()
        context.run(PROCESS.set, self.process)
        self.began = current().time()
        self.task = current().create_task(self._live(), name=self.holder, context=context)
        outside = copy_context()
        outside.run(PROCESS.set, None)
        self.task.add_done_callback(lambda _: ended(self), context=outside)

    async def _live(self) -> None:
        """As `app.guard` does, with the world's parts."""
        habitat, rules = self.habitat, self.habitat.rules()
        self.broker = broker = habitat.broker_for(self.clock)
        telling = Telling(lambda account: Outbox(account, [Channel("people", habitat.people)]))
        self.worker = worker = Worker(habitat.store, telling, holder=self.holder, session_close=habitat.session_close)
        worker.lease_clock = self.clock
        try:
            self.account = await worker.add(rules, broker, self.clock)
            await worker.run(self.restarted)
        except Stop:
            pass  # before it guarded anything: asked to end while it waited for the lease

    def kill(self) -> None:
        """End it as `kill -9` would: nothing of it runs again, what it has sent still arrives."""
        current().kill(self.process)
        self._gone()

    def stop(self) -> None:
        """Ask it to end, as SIGTERM does."""
        if self.worker is not None:
            self.worker.stop()

    def _gone(self) -> None:
        if self.broker is not None:
            self.broker.drop()

    def ended(self) -> None:
        """It ended by itself: its connections end with it."""
        self.process.is_alive = False
        self._gone()


def is_death(error: BaseException) -> bool:
    """Whether it is the last word of a killed guard, as a group of tasks may pass it on."""
    if isinstance(error, BaseExceptionGroup):
        return any(is_death(each) for each in error.exceptions)
    return isinstance(error, Died)


def is_for_the_parent(error: BaseException | None) -> bool:
    """Whether a guard may end like this: the ledger fails, another has the lease, no memory is left. All else is a bug
    of ours."""
    if isinstance(error, BaseExceptionGroup):
        return all(is_for_the_parent(each) for each in error.exceptions)
    return isinstance(error, JournalUnavailable | LeaseLost | MemoryError)
