"""Whatever stands in a ledger that somebody else wrote into: facts and requests, or an error with a name."""

import asyncio
import json
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC
from pathlib import Path
from typing import Any

import apsw
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from standfast.core.acts import BUGS, VERBS, take
from standfast.core.book import Book
from standfast.model.errors import JournalDamaged
from standfast.model.ids import AccountId, RequestId
from standfast.model.journal import FACTS, RequestDone, RequestTaken
from standfast.stores.codec import Commit, Encoded, decode_fact, parse_time, unpack
from standfast.stores.sqlite.reading import UNREADABLE
from standfast.stores.sqlite.store import SqliteStore
from tests.core.situations import situation

PAPER = AccountId("paper")
EMPTY = Book.empty(PAPER)
GOOD_TIME = "2026-01-05T14:30:00.000000Z"
ODD_TIMES = [
    "",
    "yesterday",
    "2026-01-05",
    "2026-01-05T14:30:00",
    "0001-01-01T00:00:00+23:59",
    "9999-12-31T23:59:59-23:59",
]

documents: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=12) | st.sampled_from(ODD_TIMES),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=8,
)


@contextmanager
def named() -> Iterator[None]:
    """Understood, or damage that names the entry; any other error passes through."""
    told = ""
    try:
        yield
    except JournalDamaged as damage:
        told = str(damage)
    assert not told or "entry 7" in told


@pytest.mark.parametrize("kind", sorted(FACTS))
@settings(max_examples=25)  # of each kind
@given(data=st.data())
def test_no_body_raises_anything_but_damage(kind: str, data: st.DataObject) -> None:
    fields = st.sampled_from(sorted(FACTS[kind].__dataclass_fields__) or ["x"])
    body = data.draw(
        st.binary(max_size=50) | documents.map(_as_json) | st.dictionaries(fields, documents, max_size=9).map(_as_json)
    )
    with named():
        decode_fact(7, Encoded(kind, 1, body))


@pytest.mark.parametrize("kind", sorted(FACTS))
@pytest.mark.parametrize("body", [b"[" * 100_000, b'{"a":' * 50_000, b"1" * 1_000_000, b'"' + b"x" * 1_000_000 + b'"'])
def test_a_body_without_end_is_damage(kind: str, body: bytes) -> None:
    with pytest.raises(JournalDamaged):
        decode_fact(7, Encoded(kind, 1, body))


@given(packed=st.text(max_size=60) | documents.map(json.dumps))
def test_no_commit_raises_anything_but_damage(packed: str) -> None:
    with named():
        unpack(Commit(7, 1, packed))


@given(text=st.text(max_size=40) | st.sampled_from(ODD_TIMES))
def test_no_time_raises_anything_but_damage(text: str) -> None:
    with named():
        assert parse_time(text, 7).tzinfo is UTC


def _as_json(document: object) -> bytes:
    return json.dumps(document).encode("utf-8", "surrogatepass")


# --- requests: the one table that needs no lease ---------------------------------------------------


@pytest.fixture
def ledger(tmp_path: Path) -> Iterator[tuple[SqliteStore, apsw.Connection]]:
    store = SqliteStore(tmp_path / "standfast.db", ballast=0)
    stranger = apsw.Connection(str(store.path))
    yield store, stranger
    stranger.close()
    asyncio.run(store.close())


def put(stranger: apsw.Connection, number: int, verb: str, arguments: str, by: str, at: str) -> None:
    statement = "INSERT INTO requests (id, account, verb, arguments, by, at) VALUES (?, ?, ?, ?, ?, ?)"
    stranger.execute(statement, (f"r{number}", PAPER, verb, arguments, by, at))


ROWS = {
    "no JSON": ("close", "ID", "me", GOOD_TIME),
    "a list": ("close", "[]", "me", GOOD_TIME),
    "a number for a text": ("close", '{"id": 3}', "me", GOOD_TIME),
    "nesting without end": ("close", "[" * 50_000, "me", GOOD_TIME),
    "tables without end": ("close", '{"a":' * 10_000, "me", GOOD_TIME),
    "megabytes": ("close", json.dumps({"id": "x" * 5_000_000}), "me", GOOD_TIME),
    "a verb of megabytes": ("x" * 5_000_000, "{}", "me", GOOD_TIME),
    "a name of megabytes": ("close", "{}", "x" * 5_000_000, GOOD_TIME),
    **{f"the time {text!r}": ("close", "{}", "me", text) for text in ODD_TIMES},
}


@pytest.mark.parametrize("name", ROWS)
def test_a_row_that_is_no_request_is_refused_and_answered_and_those_behind_it_are_taken(
    name: str, ledger: tuple[SqliteStore, apsw.Connection]
) -> None:
    store, stranger = ledger
    put(stranger, 1, *ROWS[name])
    put(stranger, 2, "freeze", "{}", "me", GOOD_TIME)

    bad, good = store.waiting_requests(PAPER)

    assert (bad.id, bad.verb, good.verb) == ("r1", UNREADABLE, "freeze")
    assert len(repr(bad)) < 1000
    taken = RequestTaken(request=bad.id, verb=bad.verb, arguments=dict(bad.arguments), by=bad.by)
    *_, done = take(situation(EMPTY), taken, lambda number: None)
    assert isinstance(done, RequestDone)
    assert (done.request, done.ok, done.detail) == ("r1", False, f"unknown verb '{UNREADABLE}'")


@given(arguments=st.dictionaries(st.text(max_size=6), st.text(max_size=12), max_size=4))
def test_no_argument_of_any_act_raises_past_its_answer(arguments: dict[str, str]) -> None:
    for verb in (*VERBS, "undo", "nothing"):
        taken = RequestTaken(request=RequestId("r1"), verb=verb, arguments=arguments, by="me")
        facts = []
        try:
            facts = list(take(situation(EMPTY), taken, lambda number: None))
        except BUGS as error:
            pytest.fail(f"{verb} {arguments}: {error!r}")
        assert facts[0] == taken
