"""How each fact changes the book: the registry, and the two functions that fold.

The folds themselves stand by subject in the `fold_*` modules, one small function a fact.
"""

from collections.abc import Iterable

from standfast.core import cash, fold_fills, fold_orders, fold_positions, fold_structures, fold_watch
from standfast.core.book import Book
from standfast.core.folds import FOLD
from standfast.core.put_back import STEP, put_back
from standfast.model import journal as j

ABOUT_US = (
    j.GuardStarted,
    j.GuardFailed,
    j.GuardStopped,
    j.SessionSeen,
    j.AlertRaised,
    j.AlertDelivered,
    j.AlertFailed,
)
"""Facts that say nothing about what is held or done: two failures with only these between are one and the same."""

SUBJECTS = (fold_orders, fold_fills, fold_positions, fold_structures, fold_watch, cash)
"""Imported for what they register."""


def apply(book: Book, entry: j.Entry) -> None:
    """Fold one entry. Entries come in order and without gaps."""
    assert entry.number == book.state.head + 1, (entry.number, book.state.head)
    if book.state.at is not None and entry.at < book.state.at - STEP:
        put_back(book, entry.at)
    book.state.head = entry.number
    book.state.at = entry.at
    if not isinstance(entry.fact, ABOUT_US):
        book.state.last_act = entry.number
    FOLD[type(entry.fact)](book, entry.fact, entry)
    cash.note(book, entry)


def fold(book: Book, entries: Iterable[j.Entry]) -> Book:
    """Fold all of them into the book, which is returned."""
    for entry in entries:
        apply(book, entry)
    return book
