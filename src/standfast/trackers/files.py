"""A record in a file of its own: JSON or CSV, taken as it stood at one moment.

Whoever writes it may be half way: a file that changes while it is read is read again, and one that is not whole is no
record. A pipe, a folder or a file without end is never waited for.
"""

import csv
import errno
import io
import json
import os
import stat
import time
from collections.abc import Iterator
from decimal import Decimal
from typing import NoReturn

from standfast.model.record_path import Unlike, path
from standfast.model.tracked import RecordMap, TrackedEntry
from standfast.trackers.entries import NotUnderstood, Row, entries_of

LARGEST = 64 * 1024**2
"""Bytes of a record: what is open now, and not all that ever was."""
TRIES = 3
DELIMITERS = ",;\t|"

Stamp = tuple[int, ...]
SETTLED = 2 * 10**9
"""Nanoseconds since the last write, after which another cannot have the same time: file systems count coarsely."""


def stamp_of(found: os.stat_result) -> Stamp:
    """What changes with the contents of a file."""
    return found.st_dev, found.st_ino, found.st_size, found.st_mtime_ns, found.st_ctime_ns


def told_apart(stamp: Stamp) -> str:
    """The stamp, if whatever is written from now on gives another one."""
    now = time.time_ns()  # noqa: TID251  # compared with a file's own times, which are the machine's
    return str(stamp) if now - max(stamp[3:]) > SETTLED else ""


def read_whole(name: str) -> tuple[bytes, Stamp]:
    """The bytes of the file, and their stamp. Raises NotUnderstood with the reason."""
    for _ in range(TRIES):
        try:
            found = _read_once(name)
        except OSError as error:
            raise NotUnderstood(f"cannot be read ({error.strerror or type(error).__name__})") from None
        if found is not None:
            return found
    raise NotUnderstood("is written anew all the time")


def _read_once(name: str) -> tuple[bytes, Stamp] | None:
    """None: it was written meanwhile."""
    descriptor = os.open(name, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC | os.O_NOCTTY)
    with open(descriptor, "rb") as opened:  # of a descriptor, not of a path
        before = os.fstat(descriptor)
        if not stat.S_ISREG(before.st_mode):
            raise OSError(errno.EINVAL, "not a regular file")
        if before.st_size > LARGEST:
            raise OSError(errno.EFBIG, f"{before.st_size // 1024**2} MB, more than {LARGEST // 1024**2}")
        text = opened.read(LARGEST + 1)
        after = os.fstat(descriptor)
    if len(text) != after.st_size or stamp_of(before) != stamp_of(after) or stamp_of(os.stat(name)) != stamp_of(after):
        return None
    return text, stamp_of(after)


def decoded(raw: bytes) -> str:
    try:
        return raw.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise NotUnderstood("is not UTF-8") from None


def json_entries(raw: bytes, record: RecordMap) -> tuple[TrackedEntry, ...]:
    document = json_document(decoded(raw))
    try:
        if record.entries:
            nodes = path(record.entries).of(document)
        else:  # the names alone, wherever they stand
            nodes = [name for column in record.symbols for name in path(column).of(document)]
    except Unlike as unlike:
        raise NotUnderstood(str(unlike)) from None
    if not record.entries:
        record = RecordMap(kind=record.kind, symbols=("@",))
    return entries_of((_json_row(node) for node in nodes), record)


def json_document(text: str) -> object:
    try:
        return json.loads(text, parse_float=Decimal, parse_constant=_no_number)
    except (ValueError, RecursionError) as error:
        raise NotUnderstood(f"is no whole JSON document ({type(error).__name__}: {str(error)[:80]})") from None


def _no_number(word: str) -> NoReturn:
    raise ValueError(f"{word} is no number")


def _json_row(node: object) -> Row:
    return lambda column: path(column).of(node)


def csv_entries(raw: bytes, record: RecordMap) -> tuple[TrackedEntry, ...]:
    text = decoded(raw)
    head = text.partition("\n")[0]
    if not head.strip():
        raise NotUnderstood("has no head of columns")
    delimiter = max(DELIMITERS, key=head.count)
    lines = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
    try:
        columns, *rows = [row for row in lines if row]
    except csv.Error as error:
        raise NotUnderstood(f"is no whole CSV ({error})") from None
    columns = [column.strip() for column in columns]
    if len(set(columns)) < len(columns):
        raise NotUnderstood("has two columns of one name")
    need_columns(columns, record)
    for number, row in enumerate(rows, start=1):
        if len(row) != len(columns):
            raise NotUnderstood(f"row {number} has {len(row)} of {len(columns)} columns")
    return entries_of((table_row(dict(zip(columns, row, strict=True))) for row in rows), record)


def needed_columns(record: RecordMap) -> Iterator[str]:
    every = (*record.symbols, *record.quantity, *record.side, *record.ratio, *record.entry_price)
    single = (record.strategy, record.position, record.entry_time, record.stop, record.target)
    for column in (*every, *single, *record.only):
        if column and not column.startswith(("=", "@")):
            yield column.partition(":$")[0]


def need_columns(columns: list[str], record: RecordMap) -> None:
    """A table that has lost a column is of another kind, even where it has no rows."""
    lacking = [column for column in needed_columns(record) if column not in columns]
    if lacking:
        raise NotUnderstood(f"has no column {', '.join(lacking)}; it has {', '.join(columns)[:200]}")


def table_row(values: dict[str, object]) -> Row:
    """`column`, `column:$.path` for a column that holds JSON, or `@` for the first one."""

    def row(column: str) -> list[object]:
        name, colon, inner = column.partition(":$")
        value = next(iter(values.values())) if name == "@" else values[name]
        if not colon:
            return [value]
        document = json_document(value) if isinstance(value, str) else value
        return path(f"${inner}").of(document)

    return row
