"""The disk fails under the real writer, by the C library's calls: each sync and write of a run, once and for ever.

What was promised is there afterwards, whatever else is; a disk that is full is known to have written nothing.
"""

import asyncio
import subprocess
import sys
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from standfast.model.ids import AccountId, EntryNumber, PositionId
from standfast.model.journal import NakedBegan
from standfast.stores.sqlite.store import SqliteStore
from standfast.stores.sqlite.upkeep import verify
from tests.cli.running import environment
from tests.stores.failing import FailingDisk
from tests.stores.failing_process import COMMITS

A = AccountId("a")
LATER = datetime(2026, 1, 5, 14, 35, tzinfo=UTC) + timedelta(minutes=5)


@dataclass(frozen=True)
class Ended:
    promised: set[int]
    refused: list[str]
    unknown: bool
    reserve: bool
    failures: int
    found: list[int]
    """The entries that are there when the next process has begun and gone on."""


def run(folder: Path, call: str, how: str, *, nth: int, always: bool, unless: str = "") -> Ended:
    """One process on a failing disk, and what the next finds on a sound one."""
    disk, ledger = FailingDisk(folder), folder / "ledger.db"
    failing = disk.environment(
        call, how, file="ledger.db-wal", nth=nth, always=always, unless=folder / unless if unless else None
    )
    process = subprocess.run(
        [sys.executable, "-m", "tests.stores.failing_process", str(ledger), failing["FAIL_AFTER"]],
        env=environment(**failing),
        capture_output=True,
        text=True,
        check=True,
        timeout=240,
    )
    lines = process.stdout.splitlines()
    numbers = asyncio.run(entries_after_start(ledger))
    assert [found.damage for found in verify(ledger)] == [""]
    return Ended(
        promised={int(line.split()[1]) for line in lines if line.startswith("promised")},
        refused=[line for line in lines if line.startswith("refused")],
        unknown=lines[-1].split()[1] == "True",
        reserve=lines[-1].split()[3] == "True",
        failures=disk.failures,
        found=numbers[:-1],
    )


async def entries_after_start(ledger: Path) -> list[int]:
    store = SqliteStore(ledger, ballast=4096)
    try:
        journal = await store.acquire(A, "successor", LATER)
        assert not journal.lost
        await journal.append([NakedBegan(position=PositionId("p"))], LATER)
        return [entry.number for entry in await store.entries(A, EntryNumber(0))]
    finally:
        await store.close()


@pytest.mark.parametrize("always", [False, True])
@pytest.mark.parametrize("nth", [1, 2, 7, COMMITS])
def test_after_a_failed_sync_nothing_is_promised_and_the_row_is_there_or_not(
    tmp_path: Path, nth: int, *, always: bool
) -> None:
    ended = run(tmp_path, "sync", "EIO", nth=nth, always=always)

    assert ended.failures >= 1
    assert ended.unknown
    assert ended.promised == set(range(1, nth))
    assert ended.found in (list(range(1, nth)), list(range(1, nth + 1)))


@pytest.mark.parametrize("nth", [1, 2, 8])
def test_a_write_that_fails_outright_leaves_the_outcome_unknown(tmp_path: Path, nth: int) -> None:
    ended = run(tmp_path, "write", "EIO", nth=nth, always=False)

    assert ended.failures == 1
    assert ended.unknown
    assert ended.promised <= set(ended.found)
    assert len(ended.found) <= len(ended.promised) + 1


@pytest.mark.parametrize("how", ["ENOSPC", "short"])
@pytest.mark.parametrize("nth", [1, 5, 12])
def test_a_full_disk_costs_the_reserve_and_no_entry(tmp_path: Path, how: str, nth: int) -> None:
    ended = run(tmp_path, "write", how, nth=nth, always=True, unless="ledger.db.ballast")

    assert ended.failures >= 1
    assert not ended.reserve
    assert (ended.unknown, ended.refused) == (False, [])
    assert sorted(ended.promised) == ended.found == list(range(1, COMMITS + 1))


@pytest.mark.parametrize("how", ["ENOSPC", "short"])
def test_a_disk_that_stays_full_refuses_all_and_has_written_nothing(tmp_path: Path, how: str) -> None:
    ended = run(tmp_path, "write", how, nth=9, always=True)

    assert not ended.unknown
    assert len(ended.refused) == COMMITS - len(ended.promised) > 0
    assert all("the disk is full, nothing was written" in said for said in ended.refused)
    assert sorted(ended.promised) == ended.found


def test_a_single_short_write_is_written_on_and_nothing_is_noticed(tmp_path: Path) -> None:
    ended = run(tmp_path, "write", "short", nth=3, always=False)

    assert (ended.failures, ended.unknown, ended.refused, ended.reserve) == (1, False, [], True)
    assert sorted(ended.promised) == ended.found == list(range(1, COMMITS + 1))
