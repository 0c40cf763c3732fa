"""The ledger in one SQLite file: `ports.Store` and `ports.Journal`.

Everything written goes through the one writer thread; what is read is read on connections that cannot write.
The lease is a row whose epoch every append names in its own statement, so a holder that was replaced writes
nothing, whatever it believes. Time is the caller's: nothing here reads a clock.
"""

import asyncio
import os
from collections.abc import Callable, Sequence
from datetime import datetime
from functools import partial
from pathlib import Path

from standfast.model.errors import JournalUnavailable, LeaseLost
from standfast.model.ids import AccountId, EntryNumber, RequestId
from standfast.model.journal import Entry, Fact
from standfast.ports import Clock, Lease, LedgerCared, LedgerRoom, Request, State
from standfast.stores.codec import Sealed, encode_fact, encode_state, format_time, parse_time, shape
from standfast.stores.holder import holder_is_alive, spoken
from standfast.stores.promises import LEASE_TIME, RequestOutcome
from standfast.stores.sqlite import care, statements
from standfast.stores.sqlite.appending import (
    Append,
    Appends,
    Head,
    finish_request,
    load_head,
    release,
    renew,
    save_book,
)
from standfast.stores.sqlite.connection import keep_log, library, open_writer, quick_check, run
from standfast.stores.sqlite.files import (
    Anchor,
    Ballast,
    Place,
    create_ledger,
    keep_loss_in_mind,
    keep_private,
    read_anchor,
    write_anchor,
)
from standfast.stores.sqlite.log import lost_commits
from standfast.stores.sqlite.migrate import migrate
from standfast.stores.sqlite.reading import LedgerReader
from standfast.stores.sqlite.requesting import request_row
from standfast.stores.sqlite.upkeep import back_up
from standfast.stores.sqlite.writer import Batch, Writer

BALLAST = 16 * 1024 * 1024
"""Bytes kept for the day the disk is full: room for tens of thousands of entries."""


class SqliteStore:
    """Open it once per process and file; `close` it when done."""

    def __init__(
        self,
        path: Path,
        *,
        is_alive: Callable[[str], bool] = holder_is_alive,
        ballast: int = BALLAST,
        vfs: str | None = None,
    ) -> None:
        """Opens or creates the ledger. Raises JournalUnavailable, or JournalDamaged when the file does not verify."""
        self.path = path
        self._is_alive = is_alive
        self._vfs = vfs
        self.trouble = ""
        """What beside the writing cannot be kept up, in words; empty while all is well."""
        self._ballast = Ballast(path, ballast)
        create_ledger(path)
        connection = open_writer(path, vfs=vfs)
        try:
            keep_private(path)
            self._place = Place(path)
            self._log_lost = lost_commits(connection, path)  # before anything is written over it
            if self._log_lost:
                accounts = [AccountId(row[0]) for row in run(connection, statements.LEASED)]
                keep_loss_in_mind(path, accounts, self._log_lost)
            migrate(connection, path, partial(back_up, path, is_older=True))
            quick_check(connection, path)
            keep_log(connection, path)
            self._ballast.restore()
            self._reader = LedgerReader(path, vfs=vfs)
        except BaseException:
            connection.close()
            raise
        self._writer = Writer(connection, path, self._ballast)

    @property
    def unknown(self) -> str:
        """Why nothing can be written any more, and the process should end; empty while all is well."""
        return self._writer.unknown

    @property
    def has_ballast(self) -> bool:
        """False once the disk was full: someone should make room."""
        return self._ballast.is_there or not self._ballast.size

    def library(self) -> dict[str, str]:
        """Which SQLite keeps it, for the log."""
        return library()

    def look(self) -> LedgerRoom:
        """How the ledger's files stand. A reserve that is gone is told, and taken again once there is ample room.

        Raises JournalUnavailable when the file is not where it was. Waits for the disk: not for an event loop's thread.
        """
        self._place.check()
        disk = os.statvfs(self.path.parent)
        free, had_reserve = disk.f_bavail * disk.f_frsize, self.has_ballast
        if free > 4 * self._ballast.size:
            self._ballast.restore()
        total = disk.f_blocks * disk.f_frsize
        return LedgerRoom(free=free, total=total, has_reserve=had_reserve, trouble=self.trouble)

    async def care(self, at: datetime) -> LedgerCared:
        """A proven copy, taken by a process of its own."""
        return await care.in_own_process(self.path, at)

    async def acquire(self, account: AccountId, holder: str, at: datetime) -> "SqliteJournal":
        """Take the account's lease.

        Raises `LeaseLost` with the holder's text when another living one has it, `JournalDamaged` when the journal is
        not the one that was once committed. One whose end is missing (a cut-off tail, an old copy in its place) is
        taken all the same, and says so in `lost`: what the broker holds has to be guarded with or without it.
        """
        anchor = await asyncio.to_thread(read_anchor, self.path, account)

        def take(batch: Batch) -> tuple[int, Head]:
            found = run(batch.connection, statements.LEASE, account)
            if found:
                self._refuse_living(account, found[0][1], found[0][2], holder, at)
            head = load_head(batch, account, anchor)
            values = (account, holder, format_time(at + LEASE_TIME))
            return run(batch.connection, statements.TAKE_LEASE, *values)[0][0], head

        epoch, head = await self._writer.do(take)
        if anchor is None and self._log_lost:  # all that was known of the account may have been in the log
            head = head._replace(lost=f"{account}: {self._log_lost}")
        journal = SqliteJournal(self, self._writer, Lease(account, epoch, holder), head)
        if head.lost:
            await journal.keep_in_mind(head)
        return journal

    async def entries(self, account: AccountId, after: EntryNumber) -> Sequence[Entry]:
        """Proven against the chain; raises `JournalDamaged` naming the first entry that does not verify."""
        return await self._read(lambda reader: list(reader.entries(account, after)))

    async def book(self, account: AccountId, kind: type[State]) -> tuple[EntryNumber, State] | None:
        """The newest saved state of that type and shape, and the number of the last entry folded into it."""
        return await self._read(lambda reader: reader.book(account, kind))

    async def put_request(self, request: Request) -> None:
        """Needs no lease. The same id is the same request."""
        row = request_row(request)
        await self._writer.do(lambda batch: run(batch.connection, statements.PUT_REQUEST, *row))

    async def request_outcome(self, request: RequestId) -> RequestOutcome | None:
        """None while it is not finished (or not known)."""
        return self._reader.outcome(request)

    async def wait_request(self, request: RequestId, clock: Clock, seconds: float) -> RequestOutcome | None:
        """The outcome, or None when there is none after that time."""
        end = clock.monotonic() + seconds
        while (outcome := self._reader.outcome(request)) is None and clock.monotonic() < end:
            await clock.sleep(0.1)
        return outcome

    def waiting_requests(self, account: AccountId) -> Sequence[Request]:
        """Operator's acts not yet taken, oldest first. One small read, so it is done at once."""
        return self._reader.requests(account)

    async def close(self) -> None:
        """Write what is queued, then end the thread and the connections. A second call does nothing."""
        self._reader.close()  # first: the last connection to close moves the log into the file, and may have to write
        await self._writer.stop()

    async def _read(self, read: "Callable[[LedgerReader], State]") -> State:
        """In a thread of its own, on a connection of its own: long readings hold neither the loop nor the writer."""

        def reading() -> State:
            with LedgerReader(self.path, vfs=self._vfs) as reader:
                return read(reader)

        return await asyncio.to_thread(reading)

    def _refuse_living(self, account: AccountId, other: str, expires: str, holder: str, at: datetime) -> None:
        if other in {"", holder} or at >= parse_time(expires) or not self._is_alive(other):
            return
        raise LeaseLost(f"{account} is guarded by {spoken(other)}")


class SqliteJournal:
    """One account's journal under one lease."""

    def __init__(self, store: SqliteStore, writer: Writer, lease: Lease, head: Head) -> None:
        self._store = store
        self._writer = writer
        self._head = Anchor(head.number, "")
        self._anchored = head.number
        self._appends: Appends | None = None
        self.lease = lease
        self.lost = head.lost

    @property
    def head(self) -> EntryNumber:
        return EntryNumber(self._head.number)

    async def append(self, facts: Sequence[Fact], at: datetime) -> Sequence[Entry]:
        """All of them in one commit, or an error: `LeaseLost`, or `JournalUnavailable` with an unknown outcome."""
        encoded = [encode_fact(fact) for fact in facts]
        if not encoded:
            return ()
        waiter: asyncio.Future[Sequence[Entry]] = asyncio.get_running_loop().create_future()
        asked = Append(facts, encoded, at, waiter)
        if self._appends is None or not self._appends.join(asked):
            appends = Appends(self.lease, asked)
            self._writer.submit(appends.run, partial(self._settle, appends))
            self._appends = appends  # only now: what was refused can be joined by nobody
        return await waiter

    async def renew(self, at: datetime) -> None:
        """Extend the lease from `at`, and anchor what was written since; raises `LeaseLost`."""
        await self._writer.do(partial(renew, self.lease, format_time(at + LEASE_TIME)))
        await self.anchor()

    async def anchor(self) -> None:
        """Note the head in a file beside the ledger, so that a tail cut off later is noticed."""
        if self._head.number > self._anchored:
            await self._write_anchor(self._head)

    async def keep_in_mind(self, head: Head) -> None:
        """Anchor the end that is left, with what was found missing: said at every start until entries follow it."""
        await self._write_anchor(Anchor(head.number, head.hash, head.lost))

    async def save_book(self, number: EntryNumber, state: object) -> None:
        """Keep a folded state, encoded now: the caller may change it afterwards."""
        await self._writer.do(partial(save_book, self.lease, number, shape(type(state)), encode_state(state)))

    async def requests(self) -> Sequence[Request]:
        """Operator's acts not yet taken, oldest first."""
        return self._store.waiting_requests(self.lease.account)

    async def finish_request(self, request: RequestId, ok: bool, detail: str) -> None:  # noqa: FBT001 - the port's
        """Record the outcome for whoever waits. The first outcome stays."""
        await self._writer.do(partial(finish_request, self.lease, (request, int(ok), detail)))

    async def release(self) -> None:
        """Give the lease back, so that the next holder need not wait. Without effect once it is lost."""
        await self._writer.do(partial(release, self.lease))
        await self.anchor()

    async def _write_anchor(self, anchor: Anchor) -> None:
        """The journal does not need it, so a disk that has no room for it stops nobody: it is tried again."""
        try:
            await asyncio.to_thread(write_anchor, self._store.path, self.lease.account, anchor)
        except JournalUnavailable as error:
            self._store.trouble = str(error)
        else:
            self._store.trouble = ""
            self._anchored = EntryNumber(anchor.number)

    def _settle(self, appends: Appends, sealed: Sealed | None, error: BaseException | None) -> None:
        if sealed is not None:
            self._head = Anchor(sealed.commit.number, sealed.hashes[-1])
        appends.settle(sealed, error)
