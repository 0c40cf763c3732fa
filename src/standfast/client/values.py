"""What a bot hands over, made exact or refused with the value and the remedy. Nothing is rounded or guessed."""

from datetime import timedelta
from decimal import Decimal, InvalidOperation
from numbers import Integral
from typing import TypeAlias

from standfast.model.errors import Misasked
from standfast.model.share import share_of

Number: TypeAlias = Decimal | int | str
"""A quantity or a price. No float: most decimals are none, and what an order says should be what was meant.

What is read here is `object`: what a bot hands over was checked by nobody.
"""

ID_LONGEST = 100


def number(name: str, value: object) -> Decimal | None:
    """As it is; None stays None. Raises Misasked."""
    return None if value is None else exact(name, value)


def exact(name: str, value: object) -> Decimal:
    """Raises Misasked for what is no finite decimal number."""
    if isinstance(value, float):
        raise Misasked(f'{name}={value!r}: a float is seldom the number it shows; give text or a Decimal, "{value}"')
    if isinstance(value, bool) or not isinstance(value, Decimal | Integral | str):
        raise Misasked(f"{name}={value!r}: is no number; give an int, a Decimal or text")
    try:
        found = Decimal(value if isinstance(value, Decimal | str) else int(value))
    except InvalidOperation:
        found = Decimal("NaN")
    if not found.is_finite() or (isinstance(value, str) and "_" in value):
        is_share = name == "stop" and isinstance(value, str) and value.strip().endswith("%")
        remedy = 'a share of the entry is its stop_loss: stop_loss="2%"' if is_share else 'write for example "412.50"'
        raise Misasked(f"{name}={value!r}: is no number; {remedy}")
    return found


def above_zero(name: str, value: object) -> Decimal | None:
    """Raises Misasked for zero and below, too."""
    found = number(name, value)
    if found is not None and found <= 0:
        raise Misasked(f"{name}={value!r}: give a number above zero")
    return found


def share(name: str, value: object) -> Decimal | None:
    """`"2%"` of the entry; None stays None. Raises Misasked."""
    found = share_of(value) if isinstance(value, str) else None
    if value is not None and found is None:
        raise Misasked(f'{name}={value!r}: is no share of the entry; write it as the settings do, "2%"')
    return found


def name_of(name: str, value: object) -> str:
    """A name of the bot's own making. Raises Misasked for an empty one, and for one that does not print."""
    if not isinstance(value, str) or not value.strip() or value != value.strip() or not value.isprintable():
        raise Misasked(f"{name}={value!r}: give a name that prints, without blanks around it")
    if len(value) > ID_LONGEST:
        raise Misasked(f"{name}={value[:20]!r}...: is longer than {ID_LONGEST} characters")
    return value


def duration(name: str, value: object) -> float:
    """Seconds. Raises Misasked for what is none, or below zero."""
    if isinstance(value, timedelta):
        value = value.total_seconds()
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value < float("inf"):
        raise Misasked(f"{name}={value!r}: give seconds from zero up, or a timedelta")
    return float(value)
