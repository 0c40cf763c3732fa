"""A process that writes a real ledger and tells every write and sync it asked its disk for, in their order.

    python recording.py FOLDER LOG SCHEMA

The real store runs on a VFS that passes everything on and notes it; the files that are not SQLite's (the anchor) go
through the same list. It has a process of its own because a second look at the same files in one process would drop
SQLite's locks. The log is kept short and pages are moved often, so that a short run meets every kind of write.
"""

import asyncio
import os
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, NamedTuple

import apsw
import msgspec

from standfast.model.ids import AccountId, EntryNumber, PositionId, RequestId
from standfast.model.journal import NakedBegan
from standfast.ports import Request
from standfast.stores.codec import GENESIS, encode_fact, seal, unpack
from standfast.stores.sqlite import connection, files, migrate, store, writer
from standfast.testing.check_journal import sample_state

A = AccountId("a")
START = datetime(2026, 1, 5, 14, 30, tzinfo=UTC)
COMMITS = 48
OLD_ENTRIES = 40
LOG_BYTES = 96 * 1024
CHECKPOINT_PAGES = 16


class Op(NamedTuple):
    """One thing the disk was asked for, or `ack`: an entry was promised to whoever wrote it."""

    kind: str
    file: str = ""
    at: int = 0
    data: bytes = b""


RECORDED: list[Op] = []


def note(kind: str, path: str, at: int = 0, data: bytes = b"") -> None:
    RECORDED.append(Op(kind, Path(path).name, at, bytes(data)))


class RecordingFile(apsw.VFSFile):
    """Notes before it passes on: what was asked for may be on the disk even if the answer never came."""

    def __init__(self, name: Any, flags: list[int]) -> None:
        self._path = name.filename() if isinstance(name, apsw.URIFilename) else str(name)
        self._is_new = not Path(self._path).exists()
        super().__init__("", name, flags)
        if self._is_new:
            note("create", self._path)

    def xWrite(self, data: bytes, offset: int) -> None:  # noqa: N802 - SQLite's name
        note("write", self._path, offset, data)
        super().xWrite(data, offset)

    def xTruncate(self, newsize: int) -> None:  # noqa: N802 - SQLite's name
        note("truncate", self._path, newsize)
        super().xTruncate(newsize)

    def xSync(self, flags: int) -> None:  # noqa: N802 - SQLite's name
        super().xSync(flags)
        note("sync", self._path)
        if self._is_new:  # SQLite syncs the folder with the first sync of a log it has made
            note("sync_folder", self._path)
            self._is_new = False


class RecordingVfs(apsw.VFS):
    def __init__(self) -> None:
        super().__init__("recording", "")

    def xOpen(self, name: Any, flags: list[int]) -> RecordingFile:  # noqa: N802 - SQLite's name
        return RecordingFile(name, flags)

    def xDelete(self, filename: str, syncdir: bool) -> None:  # noqa: N802, FBT001 - SQLite's
        note("delete", filename)
        super().xDelete(filename, syncdir)
        if syncdir:
            note("sync_folder", filename)


class RecordingOs:
    """`os` as `stores.sqlite.files` uses it."""

    def __init__(self) -> None:
        self._open: dict[int, tuple[str, int]] = {}

    def __getattr__(self, name: str) -> Any:
        return getattr(os, name)

    def open(self, path: Path, flags: int, mode: int = 0o777) -> int:
        there = path.exists()
        descriptor = os.open(path, flags, mode)
        if flags & os.O_CREAT and not there:
            note("create", str(path))
        if flags & os.O_TRUNC and there:
            note("truncate", str(path), 0)
        self._open[descriptor] = (str(path), 0)
        return descriptor

    def write(self, descriptor: int, data: bytes) -> int:
        path, at = self._open[descriptor]
        note("write", path, at, data)
        self._open[descriptor] = (path, at + len(data))
        return os.write(descriptor, data)

    def fsync(self, descriptor: int) -> None:
        os.fsync(descriptor)
        path, _ = self._open[descriptor]
        note("sync_folder" if Path(path).is_dir() else "sync", path)

    def rename(self, source: Path, target: Path) -> None:
        note("rename", str(source), data=target.name.encode())
        os.rename(source, target)

    def unlink(self, path: Path) -> None:
        note("delete", str(path))
        os.unlink(path)


async def write(path: Path) -> None:
    """What a guard writes: entries one by one and several at once, saved books, requests, renewals with anchors."""
    opened = store.SqliteStore(path, ballast=0, vfs="recording")
    journal = await opened.acquire(A, "one", START)
    await journal.renew(START)
    number = journal.head
    for commit in range(COMMITS):
        size = (40, 900, 6000)[commit % 3]
        facts = [NakedBegan(position=PositionId(f"p{commit}-{each}" + "x" * size)) for each in range(1 + commit % 2)]
        entries = await journal.append(facts, START)
        number = entries[-1].number
        RECORDED.append(Op("ack", at=number))
        if commit % 8 == 5:
            await journal.renew(START)
            RECORDED.append(Op("ack", at=number))
        if commit % 16 == 9:
            await journal.save_book(EntryNumber(number), sample_state())
            id = RequestId(f"r{commit}")
            await opened.put_request(Request(id=id, account=A, verb="close", arguments={}, by="me", at=START))
    await journal.release()
    await opened.close()


def make_old(path: Path) -> None:
    """A ledger as the first schema kept it, an entry in each row."""
    facts = [(START, encode_fact(NakedBegan(position=PositionId(f"old{n}" + "x" * 300)))) for n in range(OLD_ENTRIES)]
    old = apsw.Connection(str(path))
    old.execute(migrate.scripts()[0])
    old.execute("INSERT INTO leases VALUES ('a', 3, '', '')")
    old.executemany(
        "INSERT INTO entries VALUES ('a', ?, ?, ?, ?, ?, ?, ?)", unpack(seal(A, (0, GENESIS), 3, facts).commit)
    )
    old.execute(f"PRAGMA application_id = {connection.APPLICATION}; PRAGMA user_version = 1")
    old.close()


def main(folder: Path, log: Path, schema: str) -> None:
    vfs = RecordingVfs()
    connection.LOG_BYTES = LOG_BYTES
    writer.CHECKPOINT_PAGES = CHECKPOINT_PAGES
    vars(files)["os"] = RecordingOs()
    path = folder / "ledger.db"
    if schema == "old":
        make_old(path)
        note("create", str(path))
        note("write", str(path), 0, path.read_bytes())
        note("sync", str(path))
        note("sync_folder", str(path))
        RECORDED.append(Op("ack", at=OLD_ENTRIES))
    asyncio.run(write(path))
    log.write_bytes(msgspec.msgpack.encode(RECORDED))
    vfs.unregister()


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]), sys.argv[3])
