"""Rows of any record become entries, all of them or none: half a record would say that the rest is not held.

A value that is not understood names the entry it stands in. A row is asked for a column or a path.
"""

import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import UTC, datetime
from decimal import Decimal, InvalidOperation

from standfast.model.ids import Holding, InstrumentId, digest
from standfast.model.record_path import Unlike
from standfast.model.tracked import Columns, RecordMap, TrackedEntry, TrackedLeg

Row = Callable[[str], list[object]]
"""What stands at a path or in a column. Raises Unlike where the row has no such place."""

BOUGHT = frozenset({"buy", "long", "b", "1", "+1", "bot", "bto", "buy_to_open", "bought"})
SOLD = frozenset({"sell", "short", "s", "-1", "sld", "sto", "sell_to_open", "sell_short", "sold"})
NAME = re.compile(r"[A-Z0-9][A-Z0-9./:_^-]{0,39}", re.ASCII)
MILLISECONDS = Decimal(10) ** 11
"""A number beyond it counts milliseconds: as seconds it would be the year 5138."""
SHOWN = 60


class NotUnderstood(Exception):
    """A record that cannot be used; the text says why."""


def entries_of(rows: Iterable[Row], record: RecordMap) -> tuple[TrackedEntry, ...]:
    """Every row that counts. Rows with the same position are legs of one entry. Raises NotUnderstood."""
    found: dict[str, TrackedEntry] = {}
    for number, row in enumerate(rows, start=1):
        try:
            entry = _entry(row, record) if _counts(row, record) else None
        except (NotUnderstood, Unlike) as error:
            raise NotUnderstood(f"entry {number}: {error}") from None
        if entry is None or not entry.legs:
            continue
        known = found.get(entry.name) if record.position else None
        name = entry.name if known is not None or entry.name not in found else f"{entry.name} {number}"
        found[name] = entry if known is None else _joined(known, entry)
    return tuple(found.values())


def _counts(row: Row, record: RecordMap) -> bool:
    return all(
        any(_plain(value).casefold() in {word.casefold() for word in allowed} for value in row(column))
        for column, allowed in record.only.items()
    )


def _joined(known: TrackedEntry, other: TrackedEntry) -> TrackedEntry:
    """Two rows of one position: what each says of a leg alone is its own."""
    both = [*_with_prices(known), *_with_prices(other)]
    return TrackedEntry(
        name=known.name,
        legs=tuple(both),
        strategy=known.strategy or other.strategy,
        opened_at=min((at for at in (known.opened_at, other.opened_at) if at is not None), default=None),
        stop=known.stop if known.stop is not None else other.stop,
        target=known.target if known.target is not None else other.target,
    )


def _with_prices(entry: TrackedEntry) -> Iterator[TrackedLeg]:
    for leg in entry.legs:
        price = leg.price if leg.price is not None or len(entry.legs) > 1 else entry.price
        yield TrackedLeg(holding=leg.holding, quantity=leg.quantity, price=price)


def _entry(row: Row, record: RecordMap) -> TrackedEntry:
    names = [_instrument(value) for value in _values(row, record.symbols)]
    quantities = _quantities(row, record, len(names))
    prices = [_number(value, "entry_price") for value in _values(row, record.entry_price) if not _is_nothing(value)]
    each = prices if len(prices) == len(names) > 1 else [None] * len(names)
    legs = tuple(
        TrackedLeg(holding=Holding(name), quantity=quantity, price=price)
        for name, quantity, price in zip(names, quantities, each, strict=True)
        if quantity is None or quantity
    )
    time = _first(row, record.entry_time)
    at = _time(time) if time is not None else None
    return TrackedEntry(
        name=_plain(_needed(row, record.position)) if record.position else _own_name(names, at, prices),
        legs=legs,
        strategy=_plain(_first(row, record.strategy) or ""),
        price=prices[0] if len(prices) == 1 else None,
        opened_at=at,
        stop=_price(row, record.stop, "stop"),
        target=_price(row, record.target, "target"),
    )


def _own_name(names: Sequence[str], at: datetime | None, prices: Sequence[Decimal]) -> str:
    return digest(*names, at or "", *prices)[:9]


def _quantities(row: Row, record: RecordMap, count: int) -> list[Decimal | None]:
    if not record.quantity:
        return [None] * count
    quantities = _as_many([_number(v, "quantity") for v in _values(row, record.quantity)], count, "quantity")
    ratios = _as_many([_number(v, "ratio") for v in _values(row, record.ratio)] or [Decimal(1)], count, "ratio")
    found = [quantity * ratio for quantity, ratio in zip(quantities, ratios, strict=True)]
    if not record.side:
        return list(found)
    signs = _as_many([_sign(value) for value in _values(row, record.side)], count, "side")
    return [abs(quantity) * sign for quantity, sign in zip(found, signs, strict=True)]


def _as_many(values: list[Decimal], count: int, what: str) -> list[Decimal]:
    """One for each leg, or one for all of them."""
    if len(values) == 1:
        return values * count
    if len(values) != count:
        raise NotUnderstood(f"{count} symbols and {len(values)} times {what}")
    return values


def _values(row: Row, columns: Columns) -> list[object]:
    return [value for column in columns for value in ([column[1:]] if column.startswith("=") else row(column))]


def _first(row: Row, column: str) -> object | None:
    """What an entry may have or not."""
    if not column:
        return None
    try:
        found = _values(row, (column,))
    except Unlike:
        return None
    return found[0] if found and not _is_nothing(found[0]) else None


def _needed(row: Row, column: str) -> object:
    found = _values(row, (column,))
    if len(found) != 1 or _is_nothing(found[0]):
        raise NotUnderstood(f"{column!r} is empty")
    return found[0]


def _price(row: Row, column: str, what: str) -> Decimal | None:
    value = _first(row, column)
    return None if value is None else _number(value, what)


def _is_nothing(value: object) -> bool:
    return value is None or (isinstance(value, str) and not value.strip())


def _plain(value: object) -> str:
    if isinstance(value, dict | list):
        raise NotUnderstood(f"{_shown(value)} is no single value")
    return str(value).strip()


def _instrument(value: object) -> InstrumentId:
    text = re.sub(r"\s+", "", value).upper() if isinstance(value, str) else ""
    name = text.removeprefix("O:").removeprefix(".")
    if NAME.fullmatch(name) is None:
        raise NotUnderstood(f"{_shown(value)} is no instrument")
    return InstrumentId(name)


def _number(value: object, what: str) -> Decimal:
    if isinstance(value, bool) or not isinstance(value, str | int | float | Decimal):
        raise NotUnderstood(f"{what} {_shown(value)} is no number")
    try:
        number = Decimal(str(value).strip())
    except InvalidOperation:
        raise NotUnderstood(f"{what} {_shown(value)} is no number") from None
    if not number.is_finite() or number.adjusted() > 15 or number.as_tuple().exponent < -18:  # type: ignore[operator]  # finite: its exponent is a number
        raise NotUnderstood(f"{what} {_shown(value)} is no quantity or price")
    return number


def _sign(value: object) -> Decimal:
    word = _plain(value).casefold().replace(" ", "_").replace("-to-", "_to_")
    if word in BOUGHT:
        return Decimal(1)
    if word in SOLD:
        return Decimal(-1)
    raise NotUnderstood(f"side {_shown(value)} is neither bought nor sold")


def _time(value: object) -> datetime:
    """ISO 8601, or seconds or milliseconds since 1970; without a zone it is UTC."""
    found = value if isinstance(value, datetime) else _written_time(_plain(value))
    return found.replace(tzinfo=UTC) if found.tzinfo is None else found.astimezone(UTC)


def _written_time(text: str) -> datetime:
    try:
        seconds = Decimal(text)
    except InvalidOperation:
        try:
            return datetime.fromisoformat(text)
        except ValueError:
            raise NotUnderstood(f"entry_time {_shown(text)} is no time") from None
    if not seconds.is_finite() or not 0 <= seconds <= MILLISECONDS * 1000:
        raise NotUnderstood(f"entry_time {_shown(text)} is no time")
    return datetime.fromtimestamp(float(seconds / 1000 if seconds > MILLISECONDS else seconds), UTC)


def _shown(value: object) -> str:
    shown = repr(value) if not isinstance(value, Decimal) else str(value)
    return shown if len(shown) <= SHOWN else f"{shown[:SHOWN]}..."
