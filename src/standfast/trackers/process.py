"""The process that reads a bot's own record: a huge, hung or hostile one takes it down, and never the guard.

The first line tells what to read. Each line after it asks for one read, naming the stamp of the last; a length of eight
digits and that many bytes of JSON answer. Nothing of the guard's environment comes here, and no key of a broker's.
"""

import asyncio
import json
import os
import resource
import sys
from collections.abc import Mapping
from typing import Any

from standfast.model.tracked import RecordMap, TrackedEntry, entry_values
from standfast.trackers.entries import NotUnderstood
from standfast.trackers.files import csv_entries, json_entries, read_whole, stamp_of, told_apart
from standfast.trackers.postgres import PostgresRecord
from standfast.trackers.sqlite_file import sqlite_entries, sqlite_told_apart

MEMORY = 2 * 1024**3
"""Bytes of address space: a record that needs more ends this process and is told as such."""


def record_map(values: Mapping[str, Any]) -> RecordMap:
    lists = {name: tuple(value) for name, value in values.items() if isinstance(value, list)}
    only = {column: tuple(words) for column, words in values["only"].items()}
    return RecordMap(**{**values, **lists, "only": only})


class Reading:
    """One record, read as often as it is asked for."""

    def __init__(self, told: Mapping[str, Any]) -> None:
        self.record, self.path = record_map(told["record"]), told["path"]
        address = told["address"]
        self.postgres = PostgresRecord(address, self.record) if address else None

    async def answer(self, last: str) -> dict[str, object]:
        """The entries, or that nothing has changed since the stamp `last`, or why it cannot be said."""
        try:
            if last and self._stamp() == last:
                return {"same": True}
            entries, stamp = await self._entries()
        except NotUnderstood as error:
            return {"error": str(error)}
        except MemoryError:
            return {"error": "is larger than the memory for it"}
        return {"entries": [entry_values(entry) for entry in entries], "stamp": stamp}

    def _stamp(self) -> str:
        """What tells that a file has not changed; empty where only reading does."""
        if self.postgres is not None:
            return ""
        if self.record.kind == "sql":
            return sqlite_told_apart(self.path)
        try:
            return told_apart(stamp_of(os.stat(self.path)))
        except OSError as error:
            raise NotUnderstood(f"cannot be read ({error.strerror})") from None

    async def _entries(self) -> tuple[tuple[TrackedEntry, ...], str]:
        """With the stamp of before it was read: what is written meanwhile is read the next time."""
        if self.postgres is not None:
            return await self.postgres.entries(), ""
        if self.record.kind == "sql":
            stamp = self._stamp()
            return sqlite_entries(self.path, self.record), stamp
        raw, found = read_whole(self.path)
        read = json_entries if self.record.kind == "json" else csv_entries
        return read(raw, self.record), told_apart(found)


async def run(told: Mapping[str, Any], answers: Any) -> None:
    reading = Reading(told)
    while line := await asyncio.to_thread(sys.stdin.readline):
        said = json.dumps(await reading.answer(json.loads(line)["last"])).encode()
        answers.write(b"%08d" % len(said) + said)
        answers.flush()


def main() -> None:
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
    with os.fdopen(os.dup(1), "wb") as answers:
        os.dup2(2, 1)
        asyncio.run(run(json.loads(sys.stdin.readline()), answers))


if __name__ == "__main__":
    main()
