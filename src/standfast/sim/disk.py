"""The ledger's store under virtual time: commits that take a moment, and everything that can go wrong with one.

Theory: `MemoryStore` keeps the promises of a durable store and waits for nothing. Here each commit is a timer of the
guard's own process, as a writer thread is a part of it: killed before it fires, nothing was written; killed after it,
everything was, and nobody had been told. One writer: commits happen in the order in which they were handed over.

Invariants
1. `committed` hears of every entry once it is durable and before anybody else does.
2. A commit that is told to have failed may have happened all the same: `CommitFault.UNTOLD`.
"""

import asyncio
from collections.abc import Callable, Coroutine, Sequence
from contextvars import Context
from datetime import datetime
from enum import Enum
from functools import partial
from random import Random
from typing import Any, TypeVar

from standfast.model.errors import JournalUnavailable
from standfast.model.ids import AccountId, EntryNumber, RequestId
from standfast.model.journal import Entry, Fact
from standfast.ports import Lease, Request
from standfast.sim.effects import effect
from standfast.sim.loop import PROCESS, Died, current
from standfast.stores.memory import MemoryJournal, MemoryStore

Result = TypeVar("Result")

COMMIT = (0.0002, 0.004)
"""Seconds until a commit is durable, and until its writer knows, each drawn evenly between the two ends."""
ASKED_FOR = (0.0, 0.25)
"""Seconds until a guard asks for what an operator has put down: it asks four times a second."""
BUSY = 1.0
"""Seconds another writer keeps the database when it is busy."""


class CommitFault(Enum):
    """What may be wrong with one commit."""

    BUSY = "busy"
    """It takes its turn late, and is done."""
    FULL = "full"
    """Nothing is written, and that is known."""
    UNTOLD = "untold"
    """It is durable, and its writer is told that it failed."""


class SimStore(MemoryStore):
    """Outlives every guard of a run."""

    def __init__(self, is_alive: Callable[[str], bool], *, seed: int) -> None:
        super().__init__(is_alive)
        self.draw = Random(f"disk-{seed}")
        self.decide: Callable[[], CommitFault | None] = lambda: None
        """Asked once for each commit: what is wrong with it."""
        self.committed: Callable[[Sequence[Entry]], None] = lambda _: None
        self.commits = 0
        self.waiting: list[asyncio.Future[None]] = []
        """Guards that have asked for requests when there were none."""

    async def put_request(self, request: Request) -> None:
        await super().put_request(request)
        waiting, self.waiting = self.waiting, []
        for waiter in waiting:
            current().call_later(self.draw.uniform(*ASKED_FOR), _wake, waiter, context=Context())

    async def acquire(self, account: AccountId, holder: str, at: datetime) -> "SimJournal":  # type: ignore[override]  # a journal like any other to whoever knows the port
        _only_the_living()
        return SimJournal(await super().acquire(account, holder, at), self)

    def entries_now(self, account: AccountId, after: int = 0) -> Sequence[Entry]:
        """As `entries`, for those who cannot wait."""
        return at_once(self.entries(account, EntryNumber(after)))


class SimJournal:
    """`ports.Journal` over a journal in memory."""

    def __init__(self, kept: MemoryJournal, store: SimStore) -> None:
        self._kept, self._store = kept, store
        self.lost = ""
        self._last = 0.0

    @property
    def lease(self) -> Lease:
        return self._kept.lease

    @property
    def head(self) -> EntryNumber:
        return self._kept.head

    async def append(self, facts: Sequence[Fact], at: datetime) -> Sequence[Entry]:
        effect("commit", partial(JournalUnavailable, "the disk is full"))
        fault = self._store.decide()
        loop, draw = current(), self._store.draw
        waiter: asyncio.Future[Sequence[Entry]] = loop.create_future()
        seconds = draw.uniform(*COMMIT) + (BUSY if fault is CommitFault.BUSY else 0.0)
        self._last = max(self._last, loop.time() + seconds)
        loop.call_at(self._last, self._commit, waiter, facts, at, fault, draw.uniform(*COMMIT))
        entries = await waiter
        effect("committed", partial(JournalUnavailable, "the disk answered with an error"))
        return entries

    def _commit(
        self,
        waiter: "asyncio.Future[Sequence[Entry]]",
        facts: Sequence[Fact],
        at: datetime,
        fault: CommitFault | None,
        told_after: float,
    ) -> None:
        """In the writer: nobody's cancellation reaches it."""
        loop = current()
        if fault is CommitFault.FULL:
            loop.call_later(told_after, _settle, waiter, None, JournalUnavailable("the disk is full"))
            return
        try:
            entries = at_once(self._kept.append(facts, at))
        except Exception as error:  # noqa: BLE001 - whatever it is belongs to who waits for it
            loop.call_later(told_after, _settle, waiter, None, error)
            return
        self._store.commits += 1
        self._store.committed(entries)
        untold = JournalUnavailable("the disk answered with an error") if fault is CommitFault.UNTOLD else None
        loop.call_later(told_after, _settle, waiter, entries, untold)

    async def renew(self, at: datetime) -> None:
        effect("renew", partial(JournalUnavailable, "the disk is full"))
        await self._kept.renew(at)

    async def save_book(self, number: EntryNumber, state: object) -> None:
        _only_the_living()
        await self._kept.save_book(number, state)

    async def requests(self) -> Sequence[Request]:
        """Waits until there are some, and a little: a guard that asks four times a second for nothing costs a run more
        than all it does."""
        while not (found := await self._kept.requests()):
            waiter: asyncio.Future[None] = current().create_future()
            self._store.waiting.append(waiter)
            await waiter
        return found

    async def finish_request(self, request: RequestId, ok: bool, detail: str) -> None:  # noqa: FBT001 - the port's
        _only_the_living()
        await self._kept.finish_request(request, ok, detail)

    async def release(self) -> None:
        _only_the_living()
        await self._kept.release()


def at_once(work: Coroutine[Any, Any, Result]) -> Result:
    """The result of a coroutine that waits for nothing. AssertionError when it does."""
    try:
        work.send(None)
    except StopIteration as done:
        result: Result = done.value
        return result
    work.close()
    raise AssertionError("it waits for something")


def _wake(waiter: "asyncio.Future[None]") -> None:
    if not waiter.done():
        waiter.set_result(None)


def _settle(
    waiter: "asyncio.Future[Sequence[Entry]]", entries: Sequence[Entry] | None, error: Exception | None
) -> None:
    if waiter.done():
        return
    if error is not None:
        waiter.set_exception(error)
    else:
        current().settle(waiter, entries or ())


def _only_the_living() -> None:
    process = PROCESS.get()
    if process is not None and not process.is_alive:
        raise Died(f"{process.name} is dead and reaches for the ledger")
