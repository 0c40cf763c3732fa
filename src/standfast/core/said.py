"""What the books said lately of each holding: by it an old list is known for what it is.

A list may be minutes old. Where the broker has a second source, that is asked; where by its name the same list answers
(`Contract.one_source`), a list that shows just what the books said minutes ago is that old one, until it has stood for
longer than any old one has been seen to. The journal keeps it, so it holds over a restart as well.
"""

from datetime import datetime, timedelta
from decimal import Decimal

from standfast.core.book import Book
from standfast.core.forget import HOLDINGS_KEPT, remember
from standfast.core.kept import Said
from standfast.model.ids import Holding
from standfast.model.order import ZERO

OLD = timedelta(minutes=5)
"""No list has been seen to be older."""
KEPT = 20
"""Of one holding: a bot that trades it more often than that in five minutes has the rest judged without them."""


def net_of(book: Book, holding: Holding) -> Decimal:
    """By booked fills alone."""
    positions = (position.net for position in book.positions_at(holding))
    return sum(positions, book.state.acknowledged.get(holding, ZERO))


def note(book: Book, holding: Holding, before: Decimal) -> None:
    """That was said until now; for the fold."""
    now = book.state.at
    if now is None or before == net_of(book, holding):
        return
    known = book.state.said.get(holding, ())
    remember(book.state.said, holding, (*known, Said(before, now))[-KEPT:], HOLDINGS_KEPT)


def was_said(book: Book, holding: Holding, quantity: Decimal, *, since: datetime | None) -> bool:
    """Whether the books have said so at any moment since then (None: as far as is remembered), and say something else
    now."""
    said = book.state.said.get(holding, ())
    return any(each.quantity == quantity and (since is None or each.until >= since) for each in said)
