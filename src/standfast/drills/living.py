"""The guard of a stage with sockets: the worker that `standfast guard` runs, composed by the same code from settings.

It lives in a task of the stage's and is ended as `kill -9` would end it: nothing is handed over, what left has left.
"""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import Any, cast

from standfast import app
from standfast.core.book import Book
from standfast.core.policy import Rules
from standfast.drills.telling import Stuck
from standfast.model.errors import StandfastError
from standfast.model.ids import EntryNumber
from standfast.model.journal import Entry
from standfast.opened import watch_record
from standfast.ports import Clock
from standfast.runtime.account import Account
from standfast.settings import Settings
from standfast.stores.sqlite.store import SqliteStore

READ = ("positions", "orders", "activities")


class LivingGuard:
    """`clock_of`: asked at the beginning of each life. `lease_clock`: the worker's own where none is given."""

    def __init__(
        self,
        settings: Settings,
        rules: Rules,
        ledger: Any,
        tasks: asyncio.TaskGroup,
        clock_of: Callable[[], Awaitable[Clock]],
        *,
        lease_clock: Clock | None = None,
    ) -> None:
        self.failure: BaseException | None = None
        self._settings = settings
        self._rules = rules
        self._ledger = ledger
        self._tasks = tasks
        self._clock_of = clock_of
        self._lease_clock = lease_clock
        self._task: asyncio.Task[None] | None = None
        self._account: Account | None = None

    def start(self, restarted: str = "") -> None:
        """Returns at once. `restarted`: what its parent would tell it of the life before."""
        assert self._task is None, "one guard at a time"
        self._task = self._tasks.create_task(self._live(restarted), name="guard")

    def is_here(self) -> bool:
        """It has read everything once and hears the stream."""
        account = self._account
        if account is None or not account.stream_up:
            return False
        return all(account.reader.kinds[name].succeeded_at is not None for name in READ)

    async def stop(self) -> None:
        """Without effect where there is none."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.wait([self._task])
            self._task = None

    def check(self) -> None:
        """Raises `Stuck` for one that has failed."""
        if self.failure is not None:
            raise Stuck(f"the guard has failed: {self.failure!r}")

    @property
    def book(self) -> Book:
        assert self._account is not None, "there is no guard"
        return self._account.ledger.book

    async def entries(self) -> Sequence[Entry]:
        found: Sequence[Entry] = await self._ledger.entries(self._rules.account, EntryNumber(0))
        return found

    async def _live(self, restarted: str) -> None:
        """What `app.guard` does for one account, until cancelled."""
        settings = self._settings.accounts[0]
        worker = app.worker_of(self._settings, cast(SqliteStore, self._ledger), None)
        if self._lease_clock is not None:
            worker.lease_clock = self._lease_clock
        clock = await self._clock_of()
        broker = app.broker_of(settings, clock)
        try:
            self._account = await worker.add(self._rules, broker, clock)
            watch_record(self._account, settings)
            await worker.run(restarted)
        except (AssertionError, ExceptionGroup, StandfastError) as error:
            self.failure = error
        finally:
            self._account = None
            await broker.close()
