"""One bit of a ledger is turned, anywhere: in a page of the file, in its log, in the text of an entry.

It is noticed at the next start, or it changed nothing that anybody reads.
"""

import asyncio
import shutil
import subprocess
import sys
from collections import Counter
from pathlib import Path
from random import Random

import apsw
import pytest

from standfast.model.errors import JournalDamaged
from standfast.model.ids import EntryNumber, PositionId
from standfast.model.journal import NakedBegan
from standfast.stores.sqlite import connection
from standfast.stores.sqlite.store import SqliteStore
from standfast.stores.sqlite.upkeep import verify
from tests.stores.recording import LOG_BYTES, START, A
from tests.stores.test_power_loss import LATER

ENTRIES = 24
PAGE, FRAME, LOG_HEADER = 4096, 24, 32


@pytest.fixture
def short_log(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connection, "LOG_BYTES", LOG_BYTES)


@pytest.fixture
def killed(tmp_path: Path, short_log: None) -> Path:
    """A ledger as a writer leaves it that was killed: its last commits are in the log only."""
    path = tmp_path / "ledger.db"

    async def fill() -> None:
        store = SqliteStore(path, ballast=0)
        journal = await store.acquire(A, "one", START)
        for number in range(ENTRIES):
            await journal.append([NakedBegan(position=PositionId(f"p{number}" + "x" * 700))], START)
        copy = tmp_path / "killed"
        copy.mkdir()
        for end in ("", "-wal"):
            await asyncio.to_thread(shutil.copy, f"{path}{end}", copy)
        await journal.release()
        await store.close()

    asyncio.run(fill())
    return tmp_path / "killed" / path.name


async def start(path: Path) -> tuple[int, str]:
    """How many entries a start finds, and what it says is missing."""
    store = SqliteStore(path, ballast=0)
    try:
        journal = await store.acquire(A, "two", LATER)
        found = await store.entries(A, EntryNumber(0))
        return len(found), journal.lost
    finally:
        await store.close()


def flip(path: Path, at: int, bit: int) -> None:
    content = bytearray(path.read_bytes())
    content[at] ^= 1 << bit
    path.write_bytes(content)


def log_frames(path: Path) -> int:
    """Frames of the log that hold commits."""
    opened = apsw.Connection(str(path))
    opened.execute("SELECT count(*) FROM sqlite_master").fetchall()
    frames, _ = opened.wal_checkpoint(mode=apsw.SQLITE_CHECKPOINT_NOOP)
    opened.config(apsw.SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1)
    opened.close()
    path.with_name(path.name + "-shm").unlink()
    return frames


def test_a_bit_in_the_log_costs_no_promised_entry_in_silence(killed: Path, tmp_path: Path) -> None:
    draw, seen = Random(5), Counter[str]()
    frames = log_frames(killed)
    last = LOG_HEADER + (frames - 3) * (FRAME + PAGE)  # the last commit's frames cannot be told from a torn write
    for round_ in range(120):
        folder = tmp_path / f"flip{round_}"
        shutil.copytree(killed.parent, folder)
        flip(folder / "ledger.db-wal", draw.randrange(last), draw.randrange(8))

        found, lost = asyncio.run(start(folder / killed.name))

        assert found == ENTRIES or lost, f"round {round_}: {ENTRIES - found} entries are lost and nothing is said"
        seen["lost, and said" if lost else "whole"] += 1
    assert seen["lost, and said"] > 100


def test_what_the_log_lost_is_remembered_until_it_is_put_down(killed: Path) -> None:
    flip(killed.with_name("ledger.db-wal"), LOG_HEADER + 5 * (FRAME + PAGE) + 900, 3)

    first = asyncio.run(start(killed))[1]
    second = asyncio.run(start(killed))[1]

    assert first.startswith("a: the log is damaged at frame 6: the commits from there on are lost")
    assert second == first
    assert verify(killed)[0].damage == first


def test_a_bit_in_the_file_is_refused_or_changes_no_entry(killed: Path, tmp_path: Path) -> None:
    asyncio.run(start(killed))  # moves the log into the file
    draw, seen = Random(6), Counter[str]()
    size = killed.stat().st_size
    whole = entries_of(killed)
    for round_ in range(120):
        path = tmp_path / f"flip{round_}" / killed.name
        path.parent.mkdir()
        shutil.copy(killed, path)
        flip(path, draw.randrange(size), draw.randrange(8))
        try:
            asyncio.run(start(path))
            damaged = [found.damage for found in verify(path, thorough=True) if found.damage]
        except JournalDamaged as error:
            damaged = [str(error)]
        if not damaged:
            assert entries_of(path) == whole, f"round {round_}"
        seen["refused" if damaged else "nothing changed"] += 1
    assert seen["refused"] > 10  # much of the file is room that was used once


def entries_of(path: Path) -> list[tuple[object, ...]]:
    opened = apsw.Connection(str(path))
    try:
        return opened.execute("SELECT account, number, epoch, packed FROM commits ORDER BY number").fetchall()
    finally:
        opened.close()


def test_a_sound_log_is_looked_at_beside_a_process_that_writes(tmp_path: Path, short_log: None) -> None:
    path = tmp_path / "ledger.db"
    command = [sys.executable, "-m", "tests.stores.holder_process", str(path), "write"]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as writer:
        assert writer.stdin is not None
        assert writer.stdout is not None
        assert writer.stdout.readline().strip() == "ready"
        writer.stdin.write("\n")
        writer.stdin.flush()
        assert writer.stdout.readline().startswith("won ")
        for _ in range(60):
            writer.stdout.readline()
            asyncio.run(look_in(path))
        writer.kill()
    assert not list(tmp_path.glob("*.anchor")), "a writer at work was taken for a damaged log"


async def look_in(path: Path) -> None:
    await SqliteStore(path, ballast=0).close()
