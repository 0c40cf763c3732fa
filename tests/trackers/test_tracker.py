"""The guard's side of a record: a process of its own that may be slow, huge or dead, and is never waited for long."""

import asyncio
import json
import os
import signal
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import apsw
import pytest

from standfast.model.errors import RecordUnreadable
from standfast.model.secret import Secret
from standfast.model.tracked import RecordMap
from standfast.runtime.clock import RealClock
from standfast.trackers import tracker
from standfast.trackers.tracker import ProcessTracker
from tests.trackers.records import SOLD, D, held, json_map


@asynccontextmanager
async def tracking(path: Path, record: RecordMap) -> AsyncIterator[ProcessTracker]:
    found = ProcessTracker(path.name, str(path), record, address=Secret(""), clock=RealClock())
    try:
        yield found
    finally:
        await found.close()


def pid(found: ProcessTracker) -> int:
    assert found._process is not None
    return found._process.pid


async def test_what_is_written_is_read_again_and_again(tmp_path: Path) -> None:
    record = tmp_path / "orders.json"
    async with tracking(record, json_map()) as found:
        for text, told in (
            ([{"symbol": SOLD, "quantity": -3}], {SOLD: D(-3)}),
            ([{"symbol": SOLD, "quantity": -4}], {SOLD: D(-4)}),
            ([], {}),
        ):
            record.write_text(json.dumps(text))
            assert held((await found.read()).entries) == told
            assert held((await found.read()).entries) == told


async def test_an_old_file_is_not_read_twice_and_a_new_one_in_its_place_is(tmp_path: Path) -> None:
    record = tmp_path / "orders.json"
    record.write_text('[{"symbol": "SPY", "quantity": 1}]')
    os.utime(record, (1_700_000_000, 1_700_000_000))
    async with tracking(record, json_map()) as found:
        first = await found.read()
        second = await found.read()
        assert second.entries == first.entries
        assert second.began > first.began
        other = tmp_path / "new.json"
        other.write_text('[{"symbol": "SPY", "quantity": 2}]')
        os.utime(other, (1_700_000_000, 1_700_000_000))
        other.replace(record)  # same size, same time: another file all the same

        assert held((await found.read()).entries) == {"SPY": D(2)}


async def test_a_record_that_comes_late_is_read_when_it_is_there(tmp_path: Path) -> None:
    record = tmp_path / "orders.json"
    async with tracking(record, json_map()) as found:
        with pytest.raises(RecordUnreadable, match="No such file"):
            await found.read()
        record.write_text("[")
        with pytest.raises(RecordUnreadable, match="no whole JSON"):
            await found.read()
        record.write_text('[{"symbol": "SPY", "quantity": 1}]')

        assert held((await found.read()).entries) == {"SPY": D(1)}


async def test_a_process_that_dies_is_unreadable_once_and_started_again(tmp_path: Path) -> None:
    record = tmp_path / "orders.json"
    record.write_text('[{"symbol": "SPY", "quantity": 1}]')
    async with tracking(record, json_map()) as found:
        await found.read()
        os.kill(pid(found), signal.SIGKILL)

        with pytest.raises(RecordUnreadable, match="ended"):
            await found.read()
        assert held((await found.read()).entries) == {"SPY": D(1)}


async def test_a_process_that_hangs_is_ended_in_time(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    record = tmp_path / "orders.json"
    record.write_text("[]")
    async with tracking(record, json_map()) as found:
        await found.read()
        hung = pid(found)
        os.kill(hung, signal.SIGSTOP)
        monkeypatch.setattr(tracker, "ANSWER_WITHIN", 0.3)

        with pytest.raises(RecordUnreadable, match=r"no answer within 0\.3 s"):
            await found.read()

        with pytest.raises(ProcessLookupError):
            os.kill(hung, 0)
        monkeypatch.undo()
        assert (await found.read()).entries == ()


async def test_one_that_cannot_even_be_ended_is_not_joined_by_more(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A process that waits for a dead disk ignores even a kill."""
    record = tmp_path / "orders.json"
    record.write_text("[]")
    async with tracking(record, json_map()) as found:
        await found.read()
        stuck = found._process
        assert stuck is not None
        os.kill(stuck.pid, signal.SIGSTOP)
        monkeypatch.setattr(tracker, "ANSWER_WITHIN", 0.3)
        monkeypatch.setattr(tracker, "END_WITHIN", 0.1)
        monkeypatch.setattr(stuck, "kill", lambda: None)

        with pytest.raises(RecordUnreadable, match="no answer"):
            await found.read()
        for _ in range(3):
            with pytest.raises(RecordUnreadable, match="disk that does not answer"):
                await found.read()

        monkeypatch.undo()
        os.kill(stuck.pid, signal.SIGKILL)
        await stuck.wait()
        assert (await found.read()).entries == ()


async def test_the_loop_goes_on_while_a_huge_record_is_read(tmp_path: Path) -> None:
    """Forty megabytes: parsing them here would hold everything up."""
    record = tmp_path / "orders.json"
    record.write_text(json.dumps([{"symbol": "SPY", "quantity": 1, "note": "x" * 4000}] * 10_000))
    turns = 0
    async with tracking(record, json_map(only={"note": ("y",)})) as found, asyncio.TaskGroup() as group:
        reading = group.create_task(found.read())
        while not reading.done():
            await asyncio.sleep(0)
            turns += 1

    assert reading.result().entries == ()
    assert turns > 100, "the loop stood still"


async def test_a_database_is_read_through_it_and_never_a_key_of_ours_with_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TRADIER_ACCESS_TOKEN", "a-key-of-ours-0000")
    bot = apsw.Connection(str(tmp_path / "bot.db"))
    bot.execute("CREATE TABLE positions (symbol, quantity)")
    bot.execute("INSERT INTO positions VALUES ('SPY', 10)")
    record = RecordMap(kind="sql", entries="SELECT * FROM positions", symbols=("symbol",), quantity=("quantity",))
    async with tracking(tmp_path / "bot.db", record) as found:
        assert held((await found.read()).entries) == {"SPY": D(10)}
        bot.execute("UPDATE positions SET quantity = 7")
        assert held((await found.read()).entries) == {"SPY": D(7)}
        environment = await asyncio.to_thread(Path(f"/proc/{pid(found)}/environ").read_text)
    bot.close()

    assert "a-key-of-ours" not in environment
