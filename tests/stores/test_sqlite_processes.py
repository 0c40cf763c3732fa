"""Several processes and one ledger: who has the lease, and what is left of one that was killed."""

import asyncio
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from random import Random

import pytest

from standfast.model.errors import LeaseLost
from standfast.model.ids import AccountId, EntryNumber, PositionId
from standfast.model.journal import NakedBegan
from standfast.stores.holder import spoken
from standfast.stores.sqlite.store import SqliteStore
from standfast.stores.sqlite.upkeep import verify

A = AccountId("a")
START = datetime(2026, 1, 5, 14, 30, tzinfo=UTC)
SOON = START + timedelta(seconds=1)
ROUNDS = 20
SCRIPT = Path(__file__).with_name("holder_process.py")


@contextmanager
def process(path: Path, task: str) -> "Iterator[subprocess.Popen[str]]":
    """The other process, with its ledger open and waiting to be told to begin."""
    command = [sys.executable, str(SCRIPT), str(path), task]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as running:
        try:
            assert answer(running) == "ready"
            yield running
        finally:
            running.kill()


def tell(running: "subprocess.Popen[str]") -> None:
    assert running.stdin is not None
    running.stdin.write("\n")
    running.stdin.flush()


def answer(running: "subprocess.Popen[str]") -> str:
    assert running.stdout is not None
    return running.stdout.readline().strip()


def test_of_two_processes_one_gets_the_lease_and_the_other_is_told_who(tmp_path: Path) -> None:
    ledger = tmp_path / "ledger.db"
    with process(ledger, "hold") as one, process(ledger, "hold") as two:
        tell(one)
        tell(two)
        answers = sorted([answer(one), answer(two)])

    lost, won = answers
    assert won.startswith("won ")
    assert lost == f"lost a is guarded by {spoken(won.removeprefix('won '))}"


def test_a_process_that_gave_its_lease_back_is_followed_at_once(tmp_path: Path) -> None:
    ledger = tmp_path / "ledger.db"
    with process(ledger, "hold") as other:
        tell(other)
        assert answer(other).startswith("won ")
        with pytest.raises(LeaseLost):
            asyncio.run(acquire_and_append(ledger))
        tell(other)
        assert other.wait(timeout=240) == 0

    assert asyncio.run(acquire_and_append(ledger)) == [1]


@pytest.mark.parametrize("after", [1, 7, 40, 200])
def test_what_a_killed_writer_was_promised_is_there_and_its_lease_is_free(tmp_path: Path, after: int) -> None:
    ledger = tmp_path / "ledger.db"
    with process(ledger, "write") as writer:
        tell(writer)
        assert answer(writer).startswith("won ")
        promised = [int(answer(writer)) for _ in range(after)]
        writer.kill()
        assert writer.stdout is not None
        promised += [int(line) for line in writer.stdout.read().split("\n")[:-1] if line]

    numbers = asyncio.run(acquire_and_append(ledger))

    assert numbers == list(range(1, len(numbers) + 1))
    assert set(promised) <= set(numbers[:-1])
    assert [found.damage for found in verify(ledger)] == [""]


def test_round_after_round_on_one_ledger_nothing_promised_is_lost(tmp_path: Path) -> None:
    """Killed at moments drawn from a seed, the next one begins where the last was killed."""
    ledger, draw, promised = tmp_path / "ledger.db", Random(9), 0
    for _ in range(ROUNDS):
        with process(ledger, "write") as writer:
            tell(writer)
            assert answer(writer).startswith("won ")
            for _ in range(draw.randint(1, 120)):
                promised = int(answer(writer))
            writer.kill()
            assert writer.stdout is not None
            promised = max([promised, *(int(line) for line in writer.stdout.read().split("\n")[:-1] if line)])

        (found,) = verify(ledger)
        assert (found.damage, found.entries >= promised) == ("", True)


async def acquire_and_append(ledger: Path) -> list[int]:
    """What a successor on the same host does well before the lease has run out."""
    store = SqliteStore(ledger, ballast=4096)
    try:
        journal = await store.acquire(A, "successor", SOON)
        await journal.append([NakedBegan(position=PositionId("p"))], SOON)
        return [entry.number for entry in await store.entries(A, EntryNumber(0))]
    finally:
        await store.close()
