"""Facts and folded states as bytes, and the chain that binds a journal's entries.

A fact is stored as its class name, a version and a JSON body: decimals as strings, times as RFC 3339 UTC.
A folded state is stored as MessagePack, whose maps may have tuples (holdings) for keys; it can be thrown
away and folded again, so it has no versions, only a shape that must be the one it was written with.

- What is written can be read: every body is decoded once before it is handed out.
- What cannot be read is never skipped or guessed: `JournalDamaged` names the entry.
- Each entry's hash covers the one before it and everything stored about the entry.
"""

import hashlib
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import is_dataclass, replace
from datetime import UTC, datetime
from functools import cache
from typing import Any, NamedTuple, TypeVar, cast, get_args, get_type_hints

import msgspec

from standfast.model.errors import JournalDamaged
from standfast.model.ids import AccountId, EntryNumber
from standfast.model.journal import FACTS, Entry, Fact

State = TypeVar("State")
Value = TypeVar("Value")

GENESIS = bytes(32)
"""What stands before the first entry."""

VERSIONS: Mapping[str, int] = {}
"""Kinds whose body has changed since version 1. Old versions stay readable for ever."""


class Encoded(NamedTuple):
    """A fact ready to be stored."""

    kind: str
    version: int
    body: bytes


class Record(NamedTuple):
    """An entry as a store keeps it."""

    number: int
    epoch: int
    at: str
    kind: str
    version: int
    body: bytes
    hash: bytes


def encode_fact(fact: Fact) -> Encoded:
    """The stored form. Raises TypeError or ValueError for a fact that could not be read back (our own bug)."""
    kind = type(fact)
    name = kind.__name__
    if FACTS.get(name) is not kind:
        raise TypeError(f"{name} is not a kind of fact")
    body = _JSON.encode(in_utc(fact) if _timed_fields(kind) else fact)
    try:
        _decoder(name).decode(body)
    except msgspec.MsgspecError as error:
        raise TypeError(f"{name} would not be readable: {error}") from error
    return Encoded(name, VERSIONS.get(name, 1), body)


def decode_fact(number: int, encoded: Encoded) -> Fact:
    """The fact of entry `number`. Raises JournalDamaged naming the entry when it is not one we can read."""
    kind, version, body = encoded
    if kind not in FACTS:
        raise JournalDamaged(f"entry {number}: unknown kind {kind!r}")
    if version != VERSIONS.get(kind, 1):
        raise JournalDamaged(f"entry {number}: {kind} of unknown version {version}")
    try:
        return in_utc(_decoder(kind).decode(body))
    except (msgspec.MsgspecError, ValueError) as error:
        raise JournalDamaged(f"entry {number}: unreadable {kind}: {error}") from error


def to_entry(record: Record) -> Entry:
    """Raises JournalDamaged naming the entry."""
    number, epoch, at, kind, version, body, chained = record
    fact = decode_fact(number, Encoded(kind, version, body))
    return Entry(EntryNumber(number), epoch, parse_time(at, number), fact, chained.hex())


def chain(
    account: AccountId, after: tuple[int, bytes], epoch: int, facts: Iterable[tuple[datetime, Encoded]]
) -> list[Record]:
    """The next records of a journal whose last entry and hash are `after`."""
    number, previous = after
    name = account.encode()
    last, text = None, ""
    records = []
    for at, (kind, version, body) in facts:
        number += 1
        if at is not last:
            last, text = at, format_time(at)
        previous = _link(previous, name, (number, epoch, text, kind, version, body))
        records.append(Record(number, epoch, text, kind, version, body, previous))
    return records


def check_chain(
    account: AccountId, records: Iterable[Record], after: tuple[int, bytes] = (0, GENESIS)
) -> Iterator[Record]:
    """Yields each record once it is proven; raises JournalDamaged at the first that does not follow."""
    number, previous = after
    name = account.encode()
    for record in records:
        number += 1
        if record.number != number:
            raise JournalDamaged(f"{account}: entry {number} is missing, entry {record.number} follows")
        previous = _link(previous, name, record[:6])
        if record.hash != previous:
            raise JournalDamaged(f"{account}: entry {number} was changed after it was written")
        yield record


def _link(previous: bytes, name: bytes, stored: tuple[int, int, str, str, int, bytes]) -> bytes:
    """A record's hash over all that is stored of it. The lengths keep one reading for each string of bytes."""
    number, epoch, at, kind, version, body = stored
    head = f"{len(name)} {number} {epoch} {at} {kind} {version} {len(body)}\n"
    return hashlib.sha256(previous + head.encode() + name + body).digest()


def format_time(at: datetime) -> str:
    """RFC 3339 UTC with microseconds: sorts as text. Raises ValueError for a time without a zone."""
    return in_utc(at).isoformat(timespec="microseconds").replace("+00:00", "Z")


def parse_time(text: str, number: int = 0) -> datetime:
    """Raises JournalDamaged, naming the entry, for anything but an aware time."""
    try:
        return in_utc(datetime.fromisoformat(text))
    except (ValueError, TypeError) as error:
        raise JournalDamaged(f"entry {number}: unreadable time {text!r}") from error


def encode_state(state: object) -> bytes:
    """A folded state (a dataclass of the model's values, plain collections and numbers) as MessagePack."""
    return _MESSAGE_PACK.encode(state)


def decode_state(kind: type[State], body: bytes) -> State:
    """Raises ValueError when the bytes are not such a state: fold from the journal instead."""
    try:
        return msgspec.msgpack.decode(body, type=kind)
    except msgspec.MsgspecError as error:
        raise ValueError(f"not a saved {kind.__name__}: {error}") from error


def shape(kind: type) -> str:
    """A digest of a state's fields and their types, at every depth: another shape is another state."""
    told: dict[str, str] = {}
    _describe(kind, told)
    text = "\n".join(f"{name}: {told[name]}" for name in sorted(told))
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def in_utc(value: Value) -> Value:
    """The same value with every time in it in UTC. Raises ValueError for a time without a zone."""
    if isinstance(value, datetime):
        if value.tzinfo is UTC:
            return value
        if value.utcoffset() is None:
            raise ValueError(f"{value} has no time zone")
        return value.astimezone(UTC)
    if isinstance(value, tuple) and type(value) is tuple:
        return cast(Value, tuple(in_utc(item) for item in value))
    if not is_dataclass(value) or isinstance(value, type):
        return value
    timed = _timed_fields(type(value))
    if not timed:
        return value
    old = {name: getattr(value, name) for name in timed}
    changed = {name: new for name, item in old.items() if (new := in_utc(item)) is not item}
    return replace(value, **changed) if changed else value


def _find_timed_fields(kind: type) -> tuple[str, ...]:
    hints = get_type_hints(kind)
    return tuple(name for name, hint in hints.items() if _mentions_time(hint, frozenset({kind})))


def _mentions_time(hint: Any, seen: frozenset[type]) -> bool:
    if hint is datetime:
        return True
    if is_dataclass(hint) and isinstance(hint, type):
        if hint in seen:
            return True  # refers to itself: looking costs little, overlooking would not be noticed
        return any(_mentions_time(inner, seen | {hint}) for inner in get_type_hints(hint).values())
    return any(_mentions_time(inner, seen) for inner in get_args(hint))


def _describe(hint: Any, told: dict[str, str]) -> None:
    if is_dataclass(hint) and isinstance(hint, type) and hint.__qualname__ not in told:
        hints = get_type_hints(hint)
        told[hint.__qualname__] = repr(hints)
        for inner in hints.values():
            _describe(inner, told)
    for inner in get_args(hint):
        _describe(inner, told)


def _plain(value: object) -> object:
    if isinstance(value, Mapping):
        return dict(value)
    raise TypeError(f"{type(value).__name__} cannot be stored")


_JSON = msgspec.json.Encoder(enc_hook=_plain)
_MESSAGE_PACK = msgspec.msgpack.Encoder(enc_hook=_plain)


@cache
def _decoder(kind: str) -> "msgspec.json.Decoder[Fact]":
    return msgspec.json.Decoder(FACTS[kind])


_timed_fields: Callable[[Any], tuple[str, ...]] = cache(_find_timed_fields)
