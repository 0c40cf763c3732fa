"""`[accounts.tracker]`: where the bot's own record is, and where in it the values stand.

Checked without opening it: a bot may be started after its guard. An address that holds a password is a secret.
"""

import re
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from urllib.parse import urlsplit

from standfast.core.policy import BotRecord
from standfast.model.record_path import path
from standfast.model.secret import Secret
from standfast.model.tracked import Columns, RecordMap
from standfast.settings.report import Unfit
from standfast.settings.shapes import NO_SECRET, TrackerSettings
from standfast.settings.table import Table
from standfast.settings.values import glob, instrument_list, no_longer, one_of, some_time, text
from standfast.settings.vault import Vault

POSTGRES = ("postgresql://", "postgres://")
SQLITE = "sqlite:///"
QUERY = re.compile(r"\s*(?:select|with|table|values)\b", re.IGNORECASE)
LONGEST_LAG = timedelta(hours=1)
SELDOM = timedelta(minutes=1)
LISTS = ("quantity", "side", "ratio", "entry_price")
SINGLES = ("strategy", "position", "entry_time", "stop", "target")
NO_WORDS: dict[str, tuple[str, ...]] = {}
ENTRIES = {"json": "a JSONPath", "sql": "a query"}
REMEDIES = {"json": "a JSONPath", "csv": "a column", "sql": "a query, or with entries a column"}


def read_tracker(table: Table, folder: Path, vault: Vault) -> tuple[TrackerSettings | None, BotRecord | None]:
    """How it is reached, and what it is held to."""
    inner = table.table("tracker")
    if "tracker" not in table:
        return None, None
    kind = inner.need("kind", one_of("json", "csv", "sql"), "", remedy='Write kind = "json", "csv" or "sql"')
    where, address = _place(inner, kind, folder, vault)
    settings = TrackerSettings(
        kind=kind,
        path=where,
        address=address,
        symbols=_written(inner),
        every=inner.read("every", no_longer(SELDOM, some_time, "nobody would look meanwhile"), timedelta(seconds=1)),
        record=_record(inner, kind),
    )
    usual = BotRecord()
    rules = BotRecord(
        lag=inner.read("lag", no_longer(LONGEST_LAG, some_time, "nobody would be told meanwhile"), usual.lag),
        instruments=inner.read("instruments", instrument_list, usual.instruments),
        strategies=inner.read("strategies", _globs, usual.strategies),
    )
    inner.close()
    return settings, rules


def _place(inner: Table, kind: str, folder: Path, vault: Vault) -> tuple[str, Secret]:
    """A file's absolute path, or the address of a database and how it is shown."""
    remedy = "Write the path of the bot's own record"
    nowhere: str | Secret = ""
    written = inner.need("path", _address(vault) if kind == "sql" else _file, nowhere, remedy=remedy)
    if isinstance(written, Secret):
        return _shown(written.reveal()), written
    return (str((folder / Path(written).expanduser()).absolute()) if written else ""), NO_SECRET


def _file(value: object) -> str:
    written = text(value)
    if "://" in written or "\0" in written:
        raise Unfit("is no path of a file", 'Write it as in "orders_paper.json"; kind = "sql" knows databases')
    return written


def _address(vault: Vault) -> Callable[[object], str | Secret]:
    remedy = 'Write the path of an SQLite file, or "env:NAME" that leads to postgresql://...'

    def parse(value: object) -> str | Secret:
        written = text(value)
        found = vault.referenced(written) if written.startswith(("env:", "file:", "keyring:")) else None
        address = found.reveal() if found is not None else written
        if address.startswith(POSTGRES):
            if found is None and _password(address):
                raise Unfit("is an address with its password", 'Write "env:NAME" and set NAME to it', shown="***")
            return found if found is not None else Secret(address)
        path = address.removeprefix(SQLITE)
        if found is not None or "://" in path or "\0" in path:
            raise Unfit("is no database we can read", remedy, shown="***" if "@" in address or found else None)
        return path

    return parse


def _password(address: str) -> bool:
    try:
        parts = urlsplit(address)
    except ValueError:
        return True
    return bool(parts.password) or "password=" in parts.query


def _shown(address: str) -> str:
    """Scheme, host and database: fit for a log."""
    try:
        parts = urlsplit(address)
    except ValueError:
        return "postgresql://..."
    return f"postgresql://{parts.hostname or ''}{parts.path}"


def _written(inner: Table) -> str:
    value = inner.values.get("symbols")
    return value if isinstance(value, str) else ""


def _record(inner: Table, kind: str) -> RecordMap:
    entries = inner.read("entries", _entries(kind), "")
    is_query = kind == "sql" and not entries
    remedy = f"Write {REMEDIES.get(kind, 'where its instruments are')}"
    nowhere: Columns = ()
    symbols = inner.need("symbols", _query_alone if is_query else _columns(kind), nowhere, remedy=remedy)
    found = RecordMap(
        kind=kind,
        entries=entries,
        symbols=symbols,
        only=inner.read("only", _only(kind), NO_WORDS),
        **{key: inner.read(key, _columns(kind), nowhere) for key in LISTS},  # type: ignore[arg-type]  # mypy does not see the names
        **{key: inner.read(key, _column(kind), "") for key in SINGLES},  # type: ignore[arg-type]  # as above
    )
    _refuse_homeless(inner, found)
    return found


def _refuse_homeless(inner: Table, record: RecordMap) -> None:
    """Values stand in an entry, and a side or ratio is one of a quantity."""
    if "entries" not in inner and record.kind != "csv":
        for key in (*LISTS, *SINGLES, "only"):
            if getattr(record, key):
                inner.wrong(key, "has no entry to stand in", f"Write entries = {ENTRIES.get(record.kind, '...')} too")
    for key in ("side", "ratio"):
        if getattr(record, key) and not record.quantity:
            inner.wrong(key, "says nothing without a quantity", "Write quantity too, or leave it out")


def _entries(kind: str) -> Callable[[object], str]:
    def parse(value: object) -> str:
        if kind == "csv":
            raise Unfit("is not for a CSV", "Leave it out: each row is an entry")
        return _query(value) if kind == "sql" else _column("json")(value)

    return parse


def _query(value: object) -> str:
    written = text(value)
    if QUERY.match(written) is None:
        raise Unfit("is no query that reads", 'Write one that selects: "SELECT symbol FROM positions"')
    return written


def _query_alone(value: object) -> Columns:
    return (_query(value),)


def _columns(kind: str) -> Callable[[object], Columns]:
    def parse(value: object) -> Columns:
        if isinstance(value, list) and value:
            return tuple(_column(kind)(each) for each in value)
        return (_column(kind)(value),)

    return parse


def _column(kind: str) -> Callable[[object], str]:
    """A place in an entry, or the value itself after a `=`."""

    def parse(value: object) -> str:
        written = text(value)
        if written.startswith("="):
            return written
        name, colon, inner = (written, "", "") if kind == "json" else written.partition(":$")
        if kind == "json" or colon:
            try:
                path(written if kind == "json" else f"${inner}")
            except ValueError as error:
                raise Unfit(f"is no JSONPath we know ({error})", "Write names, [*] and [0]: $[*].symbol") from None
        return written if kind == "json" else f"{name.strip()}{colon}{inner}"

    return parse


def _only(kind: str) -> Callable[[object], dict[str, tuple[str, ...]]]:
    remedy = 'Write the values that count: only = { status = ["open"] }'

    def parse(value: object) -> dict[str, tuple[str, ...]]:
        if not isinstance(value, dict):
            raise Unfit("is not a table", remedy)
        found = {}
        for column, allowed in value.items():
            words = allowed if isinstance(allowed, list) else [allowed]
            if not words or not all(isinstance(word, str) for word in words):
                raise Unfit(f"names no values for {column}", remedy)
            found[_column(kind)(column)] = tuple(words)
        return found

    return parse


def _globs(value: object) -> tuple[str, ...]:
    if not isinstance(value, list):
        raise Unfit("is not a list", 'Write a list of texts: ["gamma", "trend-*"]')
    return tuple(glob(each) for each in value)
