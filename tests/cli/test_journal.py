"""`journal`: prove, copy, write out, show and fold again, on a real ledger."""

import asyncio
import json
from pathlib import Path

import apsw
import pytest

from standfast.core.book import Book
from standfast.runtime.clock import wall_time
from standfast.stores.holder import describe_holder
from standfast.stores.sqlite.store import SqliteStore
from tests.cli.ledgers import PAPER, story, write
from tests.cli.running import standfast


@pytest.fixture
def config(tmp_path: Path) -> Path:
    return write(tmp_path)


def change(config: Path, statement: str) -> None:
    """Somebody edits the ledger behind our back."""
    connection = apsw.Connection(str(config.with_name("standfast.db")))
    connection.execute("DROP TRIGGER commits_are_not_changed; DROP TRIGGER commits_are_not_deleted")
    connection.execute(statement)
    connection.close()


def entry(number: int, edit: str) -> str:
    """The statement that edits one entry inside its commit; `edit` has {} where the entry is."""
    first = "number - json_array_length(packed) + 1"
    place = f"'$[' || ({number} - ({first})) || ']'"
    return f"UPDATE commits SET packed = {edit.format(place)} WHERE {number} BETWEEN {first} AND number"


CHANGED = entry(5, "json_set(packed, {} || '[0]', '2026-01-01T00:00:00.000000Z')")
REMOVED = "DELETE FROM commits WHERE number = 9"


def test_a_whole_journal_verifies(config: Path) -> None:
    ran = standfast("journal", "verify", "--config", config, "--json")

    (found,) = ran.document["journals"]
    assert (ran.code, found["account"], found["entries"], found["ok"]) == (0, "paper", len(story()), True)


@pytest.mark.parametrize(
    "statement",
    [CHANGED, REMOVED],
    ids=["changed", "missing"],
)
def test_a_damaged_journal_is_1_and_the_entry_is_named(statement: str, config: Path) -> None:
    change(config, statement)

    ran = standfast("journal", "verify", "--config", config)

    assert ran.code == 1
    assert "entry 5 was changed" in ran.out or "entry 9 is missing" in ran.out


def test_reading_a_damaged_journal_is_1(config: Path) -> None:
    change(config, REMOVED)

    assert standfast("positions", "--config", config).code == 1


def test_a_saved_book_that_is_not_the_fold_is_found_and_rebuilt(config: Path) -> None:
    asyncio.run(_save_empty_book(config))

    before = standfast("journal", "verify", "--config", config)
    rebuilt = standfast("journal", "rebuild", "--config", config, "--json")
    after = standfast("journal", "verify", "--config", config)

    assert (before.code, "run standfast journal rebuild paper" in before.out) == (1, True)
    assert (rebuilt.code, rebuilt.document) == (0, {"rebuilt": [{"account": "paper", "entries": len(story())}]})
    assert after.code == 0


async def _save_empty_book(config: Path) -> None:
    store = SqliteStore(config.with_name("standfast.db"), ballast=0)
    journal = await store.acquire(PAPER, describe_holder(), wall_time())
    state = Book.empty(PAPER).state
    state.head = journal.head
    await journal.save_book(journal.head, state)
    await journal.release()
    await store.close()


async def test_rebuild_is_refused_while_a_guard_writes(config: Path) -> None:
    store = SqliteStore(config.with_name("standfast.db"), ballast=0)
    journal = await store.acquire(PAPER, describe_holder(), wall_time())
    try:
        ran = await asyncio.to_thread(standfast, "journal", "rebuild", "--config", config)
    finally:
        await journal.release()
        await store.close()

    assert (ran.code, ran.out) == (1, "")
    assert "paper is guarded by" in ran.err


def test_a_backup_is_a_ledger_of_its_own_and_never_replaces_a_file(config: Path, tmp_path: Path) -> None:
    copy = tmp_path / "copy" / "standfast.db"
    copy.parent.mkdir()

    first = standfast("journal", "backup", copy, "--config", config)
    second = standfast("journal", "backup", copy, "--config", config)

    (copy.parent / "standfast.toml").write_text(config.read_text())
    shown = standfast("positions", "--json", folder=copy.parent)
    assert (first.code, second.code) == (0, 1)
    assert "a backup never overwrites" in second.err
    assert shown.document == standfast("positions", "--json", "--config", config).document


def test_export_is_one_document_a_line(config: Path, tmp_path: Path) -> None:
    printed = standfast("journal", "export", "--config", config)
    written = standfast("journal", "export", "paper", "--output", tmp_path / "out.jsonl", "--config", config)

    lines = [json.loads(line) for line in printed.out.splitlines()]
    assert [line["number"] for line in lines] == list(range(1, len(story()) + 1))
    assert [line["kind"] for line in lines] == [type(fact).__name__ for fact in story()]
    assert (written.code, (tmp_path / "out.jsonl").read_text()) == (0, printed.out)


def test_tail_shows_the_last_entries_in_words(config: Path) -> None:
    ran = standfast("journal", "tail", "--lines", "2", "--config", config)

    assert ran.code == 0
    assert [line.split()[3] for line in ran.out.splitlines()] == ["#28", "#29"]
    assert ran.out.endswith("warning alert: 3 TSLA are not in the books\n")
