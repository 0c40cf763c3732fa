"""Positions of an account as documents, structures among them: what `positions` prints and a bot reads."""

from collections.abc import Iterator, Set
from datetime import datetime
from typing import TYPE_CHECKING

from standfast.core.book import Book
from standfast.desk import documents, stored, structures
from standfast.desk.documents import Document, ShownRules
from standfast.model.ids import AccountId
from standfast.model.position import Position

if TYPE_CHECKING:
    from standfast.desk.ledger import Books


def positions(
    book: Book, rules: ShownRules | None, now: datetime, *, closed_too: bool, is_watched: bool
) -> Iterator[Document]:
    """Single positions, then structures; closed ones first of each. `now`: the machine's."""
    at = documents.time_of(book, now)
    for position in alone(book, closed_too=closed_too):
        yield documents.position(book, position, rules=rules, now=at, is_watched=is_watched)
    for whole in structures.kept(book, closed_too=closed_too):
        yield structures.document(book, whole, rules=rules, now=at, is_watched=is_watched)


def alone(book: Book, *, closed_too: bool) -> Iterator[Position]:
    """Positions that are no leg of a structure that is shown."""
    if closed_too:
        yield from (each for each in book.state.closed.values() if structures.is_shown_alone(book, each))
    yield from (each for each in book.state.positions.values() if structures.is_shown_alone(book, each))


def has_something_to_guard(book: Book) -> bool:
    """Whether the books hold something that a guard would protect."""
    wholes = structures.kept(book, closed_too=False)
    return any(each.is_guarded for each in alone(book, closed_too=False)) or any(each.is_guarded for each in wholes)


def unwatched(books: "Books", accounts: Set[AccountId], now: datetime) -> list[AccountId]:
    """Of these accounts those that no living guard holds."""
    return [each for each in books.accounts if each in accounts and not stored.is_held(books.reader.lease(each), now)]
