"""Caring for a ledger: prove it, copy it, write it out, follow it. Synchronous, and without the writer."""

import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import apsw
import msgspec

from standfast.model.errors import JournalDamaged, JournalUnavailable
from standfast.model.ids import AccountId, EntryNumber
from standfast.model.journal import Entry
from standfast.stores.codec import to_entry
from standfast.stores.sqlite.connection import open_reader, quick_check, translated
from standfast.stores.sqlite.files import create_ledger, missing_end, read_anchor, sync_directory
from standfast.stores.sqlite.reading import LedgerReader


@dataclass(frozen=True, slots=True, kw_only=True)
class Verified:
    """One account's journal, walked from its first entry. `damage` is empty when all of it is proven."""

    account: AccountId
    entries: int
    """How many were proven before the damage, or at all."""
    head: str
    damage: str = ""


def verify(path: Path, *, thorough: bool = False) -> list[Verified]:
    """Every journal in the ledger, and its anchor. Raises JournalDamaged when the file itself is broken."""
    check_file(path, thorough=thorough)
    with LedgerReader(path) as reader:
        return [_walk(reader, account) for account in reader.accounts()]


def check_file(path: Path, *, thorough: bool = False) -> None:
    """SQLite's check of the file's structure; the thorough one compares indexes too. Raises JournalDamaged."""
    connection = open_reader(path)
    try:
        quick_check(connection, path, thorough=thorough)
    finally:
        connection.close()


def back_up(source: Path, target: Path, *, is_older: bool = False) -> None:
    """A copy taken while the guard writes, opened and proven before it gets its name.

    Of an older schema (`is_older`) the file is checked and the journals are not walked: only their own version can.
    Raises JournalUnavailable when `target` exists or cannot be written, JournalDamaged when the copy does not verify.
    """
    if target.exists():
        raise JournalUnavailable(f"{target} exists: a backup never overwrites one")
    partial = target.with_name(f"{target.name}.{os.getpid()}.partial")
    partial.unlink(missing_ok=True)
    create_ledger(partial)
    try:
        _copy(source, partial)
        check_file(partial, thorough=True)
        damaged = [] if is_older else [verified.damage for verified in _walk_all(partial) if verified.damage]
        if damaged:
            raise JournalDamaged(f"the copy of {source} does not verify: {damaged[0]}")
        os.rename(partial, target)
        sync_directory(target.parent)
    finally:
        for left in (partial, Path(f"{partial}-wal"), Path(f"{partial}-shm")):
            left.unlink(missing_ok=True)


def export(reader: LedgerReader, account: AccountId, after: int = 0) -> Iterator[str]:
    """One JSON document for each entry, decimals as strings; without line ends."""
    for record in reader.records(account, after):
        document = {
            "account": account,
            "number": record.number,
            "epoch": record.epoch,
            "at": record.at,
            "kind": record.kind,
            "version": record.version,
            "fact": msgspec.Raw(record.body),
            "hash": record.hash.hex(),
        }
        yield msgspec.json.encode(document).decode()


def tail(reader: LedgerReader, account: AccountId, after: int, pause: Callable[[], bool]) -> Iterator[Entry]:
    """Entries as they come, for ever; `pause` waits before each new look and ends it by returning False."""
    while True:
        for entry in reader.entries(account, after):
            after = entry.number
            yield entry
        if not pause():
            return


def _walk_all(path: Path) -> list[Verified]:
    with LedgerReader(path) as reader:
        return [_walk(reader, account, anchored=False) for account in reader.accounts()]


def _walk(reader: LedgerReader, account: AccountId, *, anchored: bool = True) -> Verified:
    count, head = 0, ""
    try:
        for record in reader.records(account):
            to_entry(record)
            count, head = record.number, record.hash.hex()
        if anchored:
            _compare_anchor(reader, account)
    except JournalDamaged as error:
        return Verified(account=account, entries=count, head=head, damage=str(error))
    return Verified(account=account, entries=count, head=head)


def _compare_anchor(reader: LedgerReader, account: AccountId) -> None:
    anchor = read_anchor(reader.path, account)
    if anchor is None:
        return
    if anchor.lost:
        raise JournalDamaged(anchor.lost)
    found = reader.hash(account, EntryNumber(anchor.number))
    if found is None and (head := reader.head(account)[0]) < anchor.number:
        raise JournalDamaged(missing_end(account, head, anchor))
    if found is None:
        raise JournalDamaged(f"{account}: entry {anchor.number} was committed once and is missing")
    if found != anchor.hash:
        raise JournalDamaged(f"{account}: entry {anchor.number} is not the one that was committed")


def _copy(source: Path, target: Path) -> None:
    with translated(source):
        reader = open_reader(source)
        writer = apsw.Connection(str(target), flags=apsw.SQLITE_OPEN_READWRITE)
        try:
            with writer.backup("main", reader, "main") as copying:
                while not copying.done:
                    copying.step(-1)
            writer.pragma("journal_mode", "delete")  # one file, complete in itself
        finally:
            writer.close()
            reader.close()
