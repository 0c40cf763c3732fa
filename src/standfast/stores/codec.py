"""Facts and folded states as bytes, and the chain that binds a journal's entries.

A fact is stored as its class name, a version and a JSON body: decimals as strings, times as RFC 3339 UTC.
A folded state is stored as MessagePack, whose maps may have tuples (holdings) for keys; it can be thrown
away and folded again, so it has no versions, only a shape that must be the one it was written with.

- What is written can be read: every body is decoded once before it is handed out.
- What cannot be read is never skipped or guessed: `JournalDamaged` names the entry.
- Each entry's hash covers the one before it and everything stored about the entry.
- Entries that are committed together are stored together, as one JSON array (`Commit`).
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import is_dataclass, replace
from datetime import UTC, datetime
from functools import cache
from hashlib import sha256
from typing import Annotated, Any, NamedTuple, TypeVar, cast, get_args, get_type_hints

import msgspec

from standfast.model.errors import JournalDamaged
from standfast.model.ids import AccountId, EntryNumber
from standfast.model.journal import FACTS, Entry, Fact

State = TypeVar("State")
Value = TypeVar("Value")

GENESIS = bytes(32)
"""What stands before the first entry."""

UNREADABLE = (msgspec.MsgspecError, ValueError, RecursionError, OverflowError)
"""What bytes raise that are no fact of ours: also nesting without end, and a time beyond the calendar."""

VERSIONS: Mapping[str, int] = {}
"""Kinds whose body has changed since version 1. Old versions stay readable for ever."""


class Encoded(NamedTuple):
    """A fact ready to be stored."""

    kind: str
    version: int
    body: bytes


class Commit(NamedTuple):
    """Entries that were written together, as a store keeps them."""

    number: int
    """The last entry's."""
    epoch: int
    packed: str
    """A JSON array with [at, kind, version, fact, hash] for each entry, the facts as they were encoded."""


class Sealed(NamedTuple):
    """A commit ready to be stored, each entry's hash in hexadecimal, and the last one as the next commit needs it."""

    commit: Commit
    hashes: list[str]
    last: bytes


class Record(NamedTuple):
    """One entry of a commit."""

    number: int
    epoch: int
    at: str
    kind: str
    version: int
    body: bytes
    hash: bytes


def encode_fact(fact: Fact) -> Encoded:
    """The stored form. Raises TypeError or ValueError for a fact that could not be read back (our own bug)."""
    name, version, is_timed, decode = _kind(type(fact))
    body = _JSON.encode(in_utc(fact) if is_timed else fact)
    try:
        decode(body)
    except msgspec.MsgspecError as error:
        raise TypeError(f"{name} would not be readable: {error}") from error
    return Encoded(name, version, body)


def decode_fact(number: int, encoded: Encoded) -> Fact:
    """The fact of entry `number`. Raises JournalDamaged naming the entry when it is not one we can read."""
    kind, version, body = encoded
    if kind not in FACTS:
        raise JournalDamaged(f"entry {number}: unknown kind {kind!r}")
    if version != VERSIONS.get(kind, 1):
        raise JournalDamaged(f"entry {number}: {kind} of unknown version {version}")
    try:
        return in_utc(_decoder(kind).decode(body))
    except UNREADABLE as error:
        raise JournalDamaged(f"entry {number}: unreadable {kind}: {error}") from error


def to_entry(record: Record) -> Entry:
    """Raises JournalDamaged naming the entry."""
    number, epoch, at, kind, version, body, chained = record
    fact = decode_fact(number, Encoded(kind, version, body))
    return Entry(EntryNumber(number), epoch, parse_time(at, number), fact, chained.hex())


def seal(account: AccountId, after: tuple[int, bytes], epoch: int, facts: Iterable[tuple[datetime, Encoded]]) -> Sealed:
    """Chain facts to a journal whose last entry and hash are `after`, as one commit."""
    number, previous = after
    link = _linker(account)
    last_at, last_kind, text, middle = None, "", "", ""
    packed, hashes = [], []
    for at, (kind, version, body) in facts:
        number += 1
        if at != last_at or kind != last_kind:  # what is written together is mostly of one moment, often of one kind
            last_at, last_kind, text = at, kind, format_time(at)
            middle = f" {epoch} {text} {kind} {version} "
        previous = link(previous, f"{number}{middle}{len(body)}\n", body)
        chained = previous.hex()
        packed.append(f'["{text}","{kind}",{version},{body.decode()},"{chained}"]')
        hashes.append(chained)
    return Sealed(Commit(number, epoch, f"[{','.join(packed)}]"), hashes, previous)


def unpack(commit: Commit) -> list[Record]:
    """The commit's records, not yet proven. Raises JournalDamaged, naming its last entry, when they are none."""
    number, epoch, packed = commit
    try:
        each = _PACKED.decode(packed)
        first = number - len(each) + 1
        return [
            Record(place, epoch, at, kind, version, bytes(body), bytes.fromhex(chained))
            for place, (at, kind, version, body, chained) in enumerate(each, start=first)
        ]
    except UNREADABLE as error:
        raise JournalDamaged(f"the commit that ends with entry {number} is unreadable: {error}") from error


def check_chain(
    account: AccountId, records: Iterable[Record], after: tuple[int, bytes] = (0, GENESIS)
) -> Iterator[Record]:
    """Yields each record once it is proven; raises JournalDamaged at the first that does not follow."""
    expected, previous = after
    link = _linker(account)
    for record in records:
        number, epoch, at, kind, version, body, chained = record
        expected += 1
        if number != expected:
            raise JournalDamaged(f"{account}: entry {expected} is missing, entry {number} follows")
        previous = link(previous, f"{number} {epoch} {at} {kind} {version} {len(body)}\n", body)
        if chained != previous:
            raise JournalDamaged(f"{account}: entry {number} was changed after it was written")
        yield record


def _linker(account: AccountId) -> Callable[[bytes, str, bytes], bytes]:
    """What makes a record's hash: over the one before it and all that is stored of it.

    The lengths keep one reading for each string of bytes.
    """
    name = account.encode()
    lead = f"{len(name)} ".encode()

    def link(previous: bytes, head: str, body: bytes) -> bytes:
        return sha256(b"".join((previous, lead, head.encode(), name, body))).digest()

    return link


def format_time(at: datetime) -> str:
    """RFC 3339 UTC with microseconds: sorts as text. Raises ValueError for a time without a zone."""
    return in_utc(at).isoformat(timespec="microseconds").removesuffix("+00:00") + "Z"


def parse_time(text: str, number: int = 0) -> datetime:
    """Raises JournalDamaged, naming the entry, for anything but an aware time."""
    try:
        return in_utc(datetime.fromisoformat(text))
    except (ValueError, TypeError, OverflowError) as error:
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
    return sha256(text.encode()).hexdigest()[:16]


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
_PACKED = msgspec.json.Decoder(Annotated[list[tuple[str, str, int, msgspec.Raw, str]], msgspec.Meta(min_length=1)])
_MESSAGE_PACK = msgspec.msgpack.Encoder(enc_hook=_plain)


@cache
def _decoder(kind: str) -> "msgspec.json.Decoder[Fact]":
    return msgspec.json.Decoder(FACTS[kind])


def _find_kind(kind: type) -> tuple[str, int, bool, Callable[[bytes], Fact]]:
    """What encoding a fact of this kind needs: name, version, whether there are times in it, and how it is read."""
    name = kind.__name__
    if FACTS.get(name) is not kind:
        raise TypeError(f"{name} is not a kind of fact")
    return name, VERSIONS.get(name, 1), bool(_timed_fields(kind)), _decoder(name).decode


_timed_fields: Callable[[Any], tuple[str, ...]] = cache(_find_timed_fields)
_kind: Callable[[Any], tuple[str, int, bool, Callable[[bytes], Fact]]] = cache(_find_kind)
