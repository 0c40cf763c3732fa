"""What a book remembers is bounded: the oldest goes first, and the journal keeps everything."""

from typing import Any, TypeVar

Key = TypeVar("Key")
Value = TypeVar("Value")

HOLDINGS_KEPT = 10_000
"""Holdings whose last change is remembered: far more than any read may be older than."""
MOVEMENTS_KEPT = 10_000
CLOSED_KEPT = 20_000
"""Closed positions kept in the book; older ones are read from the journal."""
RETIRED_KEPT = 50_000
ALERTS_KEPT = 2_000


def remember(kept: dict[Key, Value], key: Key, value: Value, most: int) -> None:
    """Keep it as the newest of at most so many."""
    kept.pop(key, None)
    kept[key] = value
    shorten(kept, most)


def shorten(kept: dict[Any, Any], most: int) -> None:
    """Forget the oldest."""
    while len(kept) > most:
        del kept[next(iter(kept))]
