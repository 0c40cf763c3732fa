"""The bot's own record: what a bot believes it holds. A third book, read and never written.

What is read of it proves nothing about the broker. An entry it has no more is a question to the broker, and a record
that cannot be read is no record of nothing.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from typing import Any

from standfast.model.ids import Holding, digest

Columns = tuple[str, ...]
"""Paths inside an entry, or columns of a row; one that begins with `=` is the value itself."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordMap:
    """Where the values stand in a record of any form."""

    kind: str
    """`json`, `csv` or `sql`."""
    entries: str = ""
    """JSONPath of each entry, or query. Empty: `symbols` says it all."""
    symbols: Columns
    quantity: Columns = ()
    """Empty: only the names are recorded."""
    side: Columns = ()
    ratio: Columns = ()
    entry_price: Columns = ()
    strategy: str = ""
    position: str = ""
    entry_time: str = ""
    stop: str = ""
    target: str = ""
    only: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """Entries count whose values are among these."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TrackedLeg:
    holding: Holding
    quantity: Decimal | None = None
    """Signed; None: only the name is recorded."""
    price: Decimal | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class TrackedEntry:
    """One position as the bot has it."""

    name: str
    """Its own id, or what tells it from the others."""
    legs: tuple[TrackedLeg, ...]
    strategy: str = ""
    price: Decimal | None = None
    """What it was opened at; of several legs the net of one unit, as recorded."""
    opened_at: datetime | None = None
    stop: Decimal | None = None
    target: Decimal | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordRead:
    """Every entry of the record, or an exception."""

    entries: tuple[TrackedEntry, ...]
    began: datetime


Held = Mapping[Holding, Decimal | None]
"""What a record says is held, signed; None: the name alone."""


def held_in(entries: tuple[TrackedEntry, ...]) -> dict[Holding, Decimal | None]:
    """The entries together, contract by contract. What they hold against each other is nothing."""
    held: dict[Holding, Decimal | None] = {}
    for leg in (leg for entry in entries for leg in entry.legs):
        before = held.get(leg.holding, Decimal(0))
        held[leg.holding] = None if leg.quantity is None or before is None else before + leg.quantity
    return {holding: quantity for holding, quantity in held.items() if quantity is None or quantity}


@dataclass(frozen=True, slots=True, kw_only=True)
class Tracked:
    """What one look sees of the record: as it was last read, and how it has changed."""

    label: str
    held: Held = field(default_factory=dict)
    began: datetime | None = None
    """When the last read that succeeded began; None: there was none."""
    shrunk: Mapping[Holding, datetime] = field(default_factory=dict)
    """When it was last seen to have less of a holding than before."""
    changed: Mapping[Holding, datetime] = field(default_factory=dict)
    """When it last said something else of a holding in any other way."""
    failing_since: datetime | None = None
    why: str = ""


def entry_values(entry: TrackedEntry) -> dict[str, Any]:
    """As JSON, exact; `entry_of` reads it back."""
    texts = {"name": entry.name, "strategy": entry.strategy}
    texts |= {name: str(value) for name in ("price", "stop", "target") if (value := getattr(entry, name)) is not None}
    if entry.opened_at is not None:
        texts["opened_at"] = entry.opened_at.isoformat()
    return {**texts, "legs": [[leg.holding.instrument, _text(leg.quantity), _text(leg.price)] for leg in entry.legs]}


def entry_of(values: Mapping[str, Any]) -> TrackedEntry:
    """Raises LookupError, TypeError, ValueError or ArithmeticError for what `entry_values` has not made."""
    opened = values.get("opened_at")
    return TrackedEntry(
        name=values["name"],
        strategy=values["strategy"],
        legs=tuple(
            TrackedLeg(holding=Holding(name), quantity=_number(quantity), price=_number(price))
            for name, quantity, price in values["legs"]
        ),
        price=_number(values.get("price")),
        stop=_number(values.get("stop")),
        target=_number(values.get("target")),
        opened_at=datetime.fromisoformat(opened) if opened is not None else None,
    )


def _text(number: Decimal | None) -> str | None:
    return None if number is None else str(number)


def _number(text: str | None) -> Decimal | None:
    return None if text is None else Decimal(text)


def import_key(entry: TrackedEntry) -> str:
    """The same entry is the same import, however often it is asked for."""
    return f"record/{digest(entry.name, *(leg.holding for leg in entry.legs))}"
