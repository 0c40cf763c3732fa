"""The power goes at every moment of a real writer's life: what it had promised is there, and nothing is broken.

`recording.py` writes a ledger and tells what it asked its disk for; here every moment of that record is played to
several images of what a disk may hold then, and the real store starts on each.
"""

import asyncio
import subprocess
import sys
from collections.abc import Iterator, Sequence
from datetime import timedelta
from pathlib import Path
from shutil import rmtree
from tempfile import TemporaryDirectory

import msgspec
import pytest

from standfast.model.errors import JournalError
from standfast.model.ids import EntryNumber, PositionId
from standfast.model.journal import NakedBegan
from standfast.stores.sqlite import connection
from standfast.stores.sqlite.store import SqliteStore
from standfast.stores.sqlite.upkeep import verify
from tests.stores.recording import COMMITS, LOG_BYTES, OLD_ENTRIES, START, A, Op
from tests.stores.replaying import Disk, Image

MEMORY = Path("/dev/shm")
"""Files that are as fast as memory, where there are any: the images are read by a process, no disk is asked."""
LEDGER = "ledger.db"
LATER = START + timedelta(minutes=5)


@pytest.fixture
def fast(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A folder for images; logs are as short as the recorded one."""
    monkeypatch.setattr(connection, "LOG_BYTES", LOG_BYTES)
    with TemporaryDirectory(dir=MEMORY if MEMORY.is_dir() else tmp_path) as folder:
        yield Path(folder)


def record(folder: Path, schema: str = "new") -> list[Op]:
    """What a process asked its disk for from its first file on to its clean end."""
    home, log = folder / "home", folder / "record"
    home.mkdir()
    command = [sys.executable, "-m", "tests.stores.recording", str(home), str(log), schema]
    subprocess.run(command, check=True, timeout=240)
    return msgspec.msgpack.decode(log.read_bytes(), type=list[Op])


def lay_out(image: Image, folder: Path) -> Path:
    folder.mkdir()
    for name, content in image.items():
        (folder / name).write_bytes(content)
    return folder / LEDGER


async def entries_after_start(path: Path) -> int:
    """The entries the next guard finds, once it has also proven that it can go on writing."""
    store = SqliteStore(path, ballast=0)
    try:
        journal = await store.acquire(A, "two", LATER)
        found = len(await store.entries(A, EntryNumber(0)))
        assert not journal.lost, journal.lost
        await journal.append([NakedBegan(position=PositionId("after"))], LATER)
        return found
    finally:
        await store.close()


def trouble_with(image: Image, acknowledged: int, folder: Path) -> str:
    """What is wrong with an image; empty when every promise is kept."""
    path = lay_out(image, folder)
    try:
        if not path.exists():
            return "" if not acknowledged else f"no ledger, {acknowledged} were promised"
        found = asyncio.run(entries_after_start(path))
        damage = [each.damage for each in verify(path) if each.damage]
    except (JournalError, AssertionError) as error:
        return f"{type(error).__name__}: {error}"
    finally:
        rmtree(folder)
    if found < acknowledged:
        return f"{acknowledged - found} of {acknowledged} promised entries are lost"
    return damage[0] if damage else ""


def replay(
    record: Sequence[Op], folder: Path, *, begin: int = 0, every: int = 1, heeds_syncs: bool = True
) -> tuple[int, list[str]]:
    """Images looked at from that moment on, and what was wrong with any."""
    disk, images, troubles = Disk(heeds_syncs=heeds_syncs), 0, []
    for moment, op in enumerate(record):
        disk.apply(op)
        if moment < begin or moment % every:
            continue
        for image in disk.images(moment):
            images += 1
            if trouble := trouble_with(image, disk.acknowledged, folder / f"image{images}"):
                troubles.append(f"moment {moment} ({op.kind} {op.file}): {trouble}")
    return images, troubles


def test_a_power_loss_at_any_moment_loses_no_promised_entry(tmp_path: Path, fast: Path) -> None:
    written = record(tmp_path)

    images, troubles = replay(written, fast)

    assert troubles == []
    assert images >= 1000
    assert sum(op.kind == "ack" for op in written) >= COMMITS
    assert sum(op.kind == "sync" and op.file == LEDGER for op in written) >= 2, "pages were never moved"
    assert any(op.kind == "rename" for op in written), "no anchor was written"


def test_a_power_loss_in_the_middle_of_a_migration_loses_nothing(tmp_path: Path, fast: Path) -> None:
    written = record(tmp_path, "old")
    began = next(place for place, op in enumerate(written) if op.kind == "ack")
    migrated = next(place for place, op in enumerate(written) if op.kind == "ack" and op.at > OLD_ENTRIES)

    images, troubles = replay(written[: migrated + 1], fast, begin=began)

    assert troubles == []
    assert images >= migrated - began


@pytest.mark.parametrize("every", [20])
def test_a_disk_that_forgets_what_it_synced_is_found_out(tmp_path: Path, fast: Path, every: int) -> None:
    _, troubles = replay(record(tmp_path), fast, every=every, heeds_syncs=False)

    assert any("promised" in trouble for trouble in troubles)
