"""Has the log lost commits that were on the disk? SQLite takes a damaged frame for the log's end, and says nothing.

Theory: a commit is synced before the next one is begun. So behind a frame that a power loss left unfinished nothing of
a later commit can stand. Where something does, the frame was whole once: the disk has changed it since, and SQLite has
thrown away every commit from there on. Such a frame is told from what an earlier round of the log left behind by its
salts, and proven to be of this round by the sum its header continues.

Only headers are read as long as all is well. The log may be opened here, other than the ledger's file: SQLite keeps no
locks on it.
"""

import struct
from pathlib import Path
from typing import BinaryIO, NamedTuple

import apsw

HEADER, FRAME = 32, 24
MAGIC, BIG_ENDIAN = 0x377F0682, 1
PAGE = 4096
"""Every ledger's: SQLite's own default."""


class _Log(NamedTuple):
    file: BinaryIO
    page: int
    salts: bytes
    order: str


class _Frame(NamedTuple):
    is_commit: bool
    salts: bytes
    told: tuple[int, int]
    """The sum its header holds."""
    body: bytes


def lost_commits(connection: apsw.Connection, ledger: Path) -> str:
    """What is wrong with the log, in words; empty as it should be. Ask before anything is written."""
    found = ""
    for _ in range(2):  # another process may have written between our two looks at its log: then they differ
        accepted, _ = connection.wal_checkpoint(mode=apsw.SQLITE_CHECKPOINT_NOOP)
        again = _look(ledger.with_name(ledger.name + "-wal"), max(accepted, 0))
        if not again or (found and again != found):
            return ""
        found = again
    return found


def _look(path: Path, accepted: int) -> str:
    try:
        file = path.open("rb")
    except OSError:
        return ""
    with file:
        head = file.read(HEADER)
        if len(head) < HEADER or not any(head):
            return ""
        magic, _, page = struct.unpack(">3I", head[:12])
        order = ">" if magic & BIG_ENDIAN else "<"
        if magic & ~BIG_ENDIAN != MAGIC or _sum(order, (0, 0), head[:24]) != struct.unpack(">2I", head[24:]):
            return _look_without_header(file)
        return _look_behind(_Log(file, page, head[16:24], order), accepted)


def _look_without_header(file: BinaryIO) -> str:
    """A header is whole once it is synced, with the first commit of the file: a second commit tells that it was."""
    commits = 0
    for order in (">", "<"):
        log, at = _Log(file, PAGE, b"", order), 1
        while (frame := _frame(log, at)) is not None:
            before = _frame(log, at - 1)
            if before is not None and _follows(log._replace(salts=before.salts), before.told, frame):
                commits += frame.is_commit
            at += 1
    return "the log's header is damaged: commits that had not been moved from it are lost" if commits > 1 else ""


def _look_behind(log: _Log, accepted: int) -> str:
    """Whether commits of this round stand behind the one after which SQLite stopped."""
    before = _frame(log, accepted - 1) if accepted else None
    base = before.told if before is not None else _header_sum(log)
    place = accepted
    while (frame := _frame(log, place)) is not None and _follows(log, base, frame):
        if frame.is_commit:
            return ""  # whole: another process is writing it
        base, place = frame.told, place + 1
    if frame is None:
        return ""
    return _look_beyond(log, base, frame, place)


def _look_beyond(log: _Log, base: tuple[int, int], bad: _Frame, place: int) -> str:
    """The sum goes on from what the bad frame tells, or from what it should have told."""
    at, has_committed = place + 1, bad.is_commit and bad.salts == log.salts  # of an earlier round it tells nothing
    bases = {bad.told, _sum(log.order, base, bad.body)}
    while (frame := _frame(log, at)) is not None:
        if any(_follows(log, each, frame) for each in bases):
            if has_committed:
                return f"the log is damaged at frame {place + 1}: the commits from there on are lost"
            has_committed = frame.is_commit
        bases, at = {frame.told}, at + 1
    return ""


def _follows(log: _Log, base: tuple[int, int], frame: _Frame) -> bool:
    return frame.salts == log.salts and _sum(log.order, base, frame.body) == frame.told


def _frame(log: _Log, place: int) -> _Frame | None:
    log.file.seek(HEADER + place * (FRAME + log.page))
    found = log.file.read(FRAME + log.page)
    if len(found) < FRAME + log.page:
        return None
    _, size, *_, first, second = struct.unpack(">6I", found[:FRAME])
    return _Frame(size != 0, found[8:16], (first, second), found[:8] + found[FRAME:])


def _header_sum(log: _Log) -> tuple[int, int]:
    log.file.seek(24)
    first, second = struct.unpack(">2I", log.file.read(8))
    return first, second


def _sum(order: str, base: tuple[int, int], data: bytes) -> tuple[int, int]:
    """SQLite's running sum over pairs of words."""
    first, second = base
    words = struct.unpack(f"{order}{len(data) // 4}I", data)
    for one, two in zip(words[::2], words[1::2], strict=True):
        first = (first + one + second) & 0xFFFFFFFF
        second = (second + two + first) & 0xFFFFFFFF
    return first, second
