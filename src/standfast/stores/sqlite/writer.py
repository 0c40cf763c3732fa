"""One connection, one thread, and whatever waits goes into one transaction.

- The thread commits as soon as it is free: nothing urgent is held back to make a batch larger, and what
  arrives during a commit shares the next one. Waiters are released after COMMIT, together, in their loop.
- A work that refuses after others have written into the same transaction must not take them with it: all is
  rolled back and each is done alone. So a work may run twice, and keeps its results in what it returns.
- An error from COMMIT is not a rollback. Any but "busy" and "disk full" (measured: both leave nothing
  behind) makes the outcome unknown: the writer refuses everything from then on, and the process should end.
- Disk full: the ballast is given up once and the same transaction is tried again.
- Pages move from the log into the file here and nowhere else, after the waiters were released.
"""

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from queue import Empty, SimpleQueue
from threading import Thread
from typing import Any, TypeAlias, TypeVar, cast

import apsw

from standfast.model.errors import JournalDamaged, JournalUnavailable
from standfast.stores.sqlite.files import Ballast

Result = TypeVar("Result")

CHECKPOINT_PAGES = 1000
"""Log pages after which they are moved once nobody waits; at eight times as many, even if somebody does."""


class Batch:
    """What one transaction has learnt so far: the connection, and a place for values that last if it commits."""

    def __init__(self, connection: apsw.Connection, kept: dict[Any, Any]) -> None:
        self.connection = connection
        self.kept = kept
        """Survives a commit and is thrown away by a rollback: the journals' heads."""


Work: TypeAlias = Callable[[Batch], Result]
Settle: TypeAlias = Callable[[Result | None, BaseException | None], None]


@dataclass(frozen=True, slots=True)
class _Job:
    work: Work[Any]
    settle: Settle[Any]
    loop: asyncio.AbstractEventLoop


_Outcome: TypeAlias = tuple[_Job, object, BaseException | None]


class Writer:
    """Runs works in the order they came. Start it once; after `stop` it refuses."""

    def __init__(self, connection: apsw.Connection, path: Path, ballast: Ballast) -> None:
        self._connection = connection
        self._path = path
        self._ballast = ballast
        self._queue: SimpleQueue[_Job | None] = SimpleQueue()
        self._kept: dict[Any, Any] = {}
        self._log_pages = 0
        self._refusing = ""
        self._is_unknown = False
        connection.set_wal_hook(self._note_pages)
        self._thread = Thread(target=self._run, name=f"ledger-writer {path.name}", daemon=True)
        self._thread.start()

    @property
    def unknown(self) -> str:
        """Why nothing can be written any more; empty while all is well."""
        return self._refusing

    def submit(self, work: Work[Result], settle: Settle[Result]) -> None:
        """Queue it; `settle` is called in the running loop after its COMMIT, with the result or with the error.

        Raises JournalUnavailable when nothing can be written.
        """
        if self._refusing:
            raise JournalUnavailable(self._refusing)
        self._queue.put(_Job(work, settle, asyncio.get_running_loop()))

    async def do(self, work: Work[Result]) -> Result:
        """Queue it and wait for its COMMIT. Raises what the work raised, or JournalUnavailable."""
        future: asyncio.Future[Result] = asyncio.get_running_loop().create_future()

        def settle(result: Result | None, error: BaseException | None) -> None:
            if future.done():
                return  # the waiter was cancelled; what it wrote stays written
            if error is None:
                future.set_result(cast(Result, result))
            else:
                future.set_exception(error)

        self.submit(work, settle)
        return await future

    async def stop(self) -> None:
        """Finish what is queued, then close the connection and the thread."""
        if self._thread.is_alive():
            self._refusing = self._refusing or f"{self._path} is closed"
            self._queue.put(None)
            await asyncio.to_thread(self._thread.join)

    def _run(self) -> None:
        open_ = True
        while open_:
            jobs, open_ = self._take()
            if jobs:
                self._release(self._commit(jobs))
                self._checkpoint()
        try:
            self._connection.close()
        except apsw.Error as error:
            self._translated(error)  # nobody waits; the log still holds everything

    def _take(self) -> tuple[list[_Job], bool]:
        """Everything that waits, at least one; and whether more may come."""
        jobs: list[_Job] = []
        try:
            job = self._queue.get()
            while job is not None:
                jobs.append(job)
                job = self._queue.get_nowait()
        except Empty:
            return jobs, True
        return jobs, False

    def _commit(self, jobs: Sequence[_Job]) -> list[_Outcome]:
        """One transaction for all; where one of them refuses, one for each."""
        try:
            results = self._attempt(jobs)
        except Exception as error:  # noqa: BLE001 - handed to whoever waits
            if len(jobs) > 1 and not isinstance(error, JournalUnavailable):
                return [outcome for job in jobs for outcome in self._commit([job])]
            return [(job, None, error) for job in jobs]
        return [(job, result, None) for job, result in zip(jobs, results, strict=True)]

    def _attempt(self, jobs: Sequence[_Job]) -> list[object]:
        """Raises JournalUnavailable for all of them, or what one of the works raised."""
        if self._is_unknown:
            raise JournalUnavailable(self._refusing)
        try:
            return self._transact(jobs)
        except apsw.FullError:
            self._ballast.give_up()
        except apsw.Error as error:
            raise self._translated(error) from error
        try:
            return self._transact(jobs)
        except apsw.FullError as error:
            raise JournalUnavailable(f"{self._path}: the disk is full, nothing was written") from error
        except apsw.Error as error:
            raise self._translated(error) from error

    def _transact(self, jobs: Sequence[_Job]) -> list[object]:
        connection = self._connection
        batch = Batch(connection, dict(self._kept))
        try:
            connection.execute("BEGIN IMMEDIATE")
            results = [job.work(batch) for job in jobs]
            connection.execute("COMMIT")
        except BaseException:
            if connection.in_transaction:
                connection.execute("ROLLBACK")
            raise
        self._kept = batch.kept
        return results

    def _translated(self, error: apsw.Error) -> JournalUnavailable | JournalDamaged:
        if isinstance(error, apsw.BusyError):
            return JournalUnavailable(f"{self._path} is held by another writer, nothing was written")
        if isinstance(error, apsw.ConstraintError):
            return JournalDamaged(f"{self._path}: something else has written this journal: {error}")
        self._refusing = f"{self._path}: {type(error).__name__}: {error}: what was written last is unknown"
        self._is_unknown = True
        # What is in memory of the log may not be what is on the disk: nothing more is made of it, at the end neither.
        self._connection.config(apsw.SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1)
        return JournalUnavailable(self._refusing)

    def _release(self, outcomes: Sequence[_Outcome]) -> None:
        """One wake-up per event loop, however many wait in it."""
        for loop in {outcome[0].loop for outcome in outcomes}:
            own = [outcome for outcome in outcomes if outcome[0].loop is loop]
            try:
                loop.call_soon_threadsafe(_settle, own)
            except RuntimeError:
                pass  # the loop is closed: nobody waits any more

    def _note_pages(self, connection: apsw.Connection, name: str, pages: int) -> int:
        self._log_pages = pages
        return apsw.SQLITE_OK

    def _checkpoint(self) -> None:
        due = self._log_pages >= CHECKPOINT_PAGES * (8 if self._queue.qsize() else 1)
        if not due or self._is_unknown:
            return
        try:
            self._connection.wal_checkpoint(mode=apsw.SQLITE_CHECKPOINT_PASSIVE)
            self._log_pages = 0
        except (apsw.BusyError, apsw.FullError):
            self._log_pages = 0  # the log keeps everything: try again after as many pages
        except apsw.Error as error:
            self._translated(error)


def _settle(outcomes: Sequence[_Outcome]) -> None:
    for job, result, error in outcomes:
        job.settle(result, error)
