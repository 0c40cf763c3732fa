"""Replies -> values, as far as brokers agree: bounded text, exact numbers, times with a zone. Pure.

Invariants
- Whatever the bytes, nothing but `Malformed` is raised, and it names the field and the value.
- Nothing is guessed: a number that is none, a time without zone, an unprintable name is refused.
- What an error repeats of a reply is short and holds no secret.
"""

import re
from datetime import UTC, datetime
from decimal import Decimal
from typing import Annotated, TypeVar

import msgspec

from standfast.model.errors import Malformed
from standfast.model.ids import Holding, InstrumentId
from standfast.model.secret import redact

Row = TypeVar("Row")

Number = str | int | float
"""As it came: text, or a JSON number."""

Text = Annotated[str, msgspec.Meta(max_length=512)]
"""Nothing that is kept (a name, an id, a status) is longer: the journal is not for whole pages."""

SHOWN_MAX = 60
"""Characters of a refused value that an error repeats."""
LOOKED_AT = 4096
"""Characters in which a secret is looked for before the rest is cut off."""
REASON_MAX = 200

# Bounded, so that no later arithmetic meets a billion digits.
NUMBER = re.compile(r"[-+]?[0-9]{1,18}(\.[0-9]{1,30})?", re.ASCII)


def rows(decoder: "msgspec.json.Decoder[Row]", body: bytes, what: str) -> Row:
    """Decode one reply; whatever is wrong with it is `Malformed`."""
    try:
        return decoder.decode(body)
    except (ValueError, RecursionError) as error:  # msgspec's errors are ValueErrors, bad UTF-8 too
        reason = redact(str(error)[:LOOKED_AT])[:REASON_MAX]  # it may quote a value, which may be as long as the body
        raise Malformed(f"{what}: {reason}: {shown(body)}") from None


def holding(symbol: str) -> Holding:
    name = symbol.strip()  # some examples carry trailing spaces
    if not name or not name.isprintable() or len(name) > 40:
        raise Malformed(f"symbol is {shown(symbol)}")
    return Holding(InstrumentId(name))


def number(text: Number, field: str) -> Decimal:
    """An exact, finite number of sane length. A whole one that comes as a float is told as what it is: 3, not 3.0."""
    plain = text if isinstance(text, str) else f"{Decimal(repr(text)):f}".removesuffix(".0")
    if NUMBER.fullmatch(plain) is None:
        raise Malformed(f"{field} is {shown(plain)}")
    return Decimal(plain)


def moment(text: str, field: str) -> datetime:
    """RFC 3339 with zone; parts of a microsecond are dropped."""
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        raise Malformed(f"{field} is {shown(text)}") from None
    return in_utc(found, field)


def in_utc(found: datetime, field: str) -> datetime:
    if found.tzinfo is None:
        raise Malformed(f"{field} is {found}, without a zone")
    try:
        return found.astimezone(UTC)
    except OverflowError:
        raise Malformed(f"{field} is {found}") from None


def shown(value: str | bytes) -> str:
    """Its beginning. A secret in it is taken out first: once cut in the middle, nobody would know the rest."""
    start = value[:LOOKED_AT]
    text = redact(start.decode(errors="replace") if isinstance(start, bytes) else start)
    return ascii(text[:SHOWN_MAX]) + ("..." if len(text) > SHOWN_MAX else "")
