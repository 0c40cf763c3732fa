"""What is somebody else's and left alone: known as a whole, and how much of it no fill explains.

Quantity is acknowledged from fills, each counted once, or from a read (bare). Fills of before that read may turn up
later: they are already in what was acknowledged, so they are matched with it and not added, as those of an adopted
position are. More may have been bought than was read, because some was sold again before: what then is too much (bare
below zero) is explained by the sales. Where a list read since agrees with the books, so is one of the other side.
"""

from datetime import datetime, timedelta
from decimal import Decimal

from standfast.core.book import Book
from standfast.core.forget import HOLDINGS_KEPT, remember
from standfast.model.evidence import PositionsRead
from standfast.model.ids import Holding
from standfast.model.journal import ForeignAcknowledged
from standfast.model.order import ZERO, Fill
from standfast.model.position import Bare


def acknowledging(
    book: Book, holding: Holding, quantity: Decimal, *, by: str, bare: Decimal = ZERO, seen_at: datetime | None = None
) -> ForeignAcknowledged:
    """The fact that so much, as a whole, is somebody else's from now on; `bare` of it newly from a read."""
    before = book.state.acknowledged.get(holding, ZERO)
    return ForeignAcknowledged(holding=holding, quantity=quantity, by=by, before=before, bare=bare, seen_at=seen_at)


def bare_of(book: Book, holding: Holding) -> Decimal:
    """Signed: what is acknowledged, and lacks fills."""
    known = book.state.bare.get(holding)
    return known.quantity if known is not None else ZERO


def is_in_it(book: Book, fill: Fill, *, is_shown: bool = False) -> bool:
    """Whether what was acknowledged from a read already counts this fill."""
    known = book.state.bare.get(fill.holding)
    if known is None or fill.at > known.until:
        return False
    return is_shown or known.quantity * fill.side.sign > 0


def is_shown(book: Book, fill: Fill, read: PositionsRead | None, *, later: timedelta) -> bool:
    """Whether a list that was asked for well after this fill says what the books say without it: they count it already.

    `later`: how far its time, by our clock, lies before the last fill it must show, by the broker's.
    """
    if read is None or read.began + later < fill.at:
        return False
    row, net = read.rows.get(fill.holding), book.net(fill.holding)
    return net.is_exact and net.low == (row.quantity if row is not None else ZERO)


def put_bare(book: Book, holding: Holding, quantity: Decimal, until: datetime) -> None:
    """So much lacks fills of until then; used by the fold."""
    if quantity:
        known = book.state.bare.get(holding)
        remember(book.state.bare, holding, Bare(quantity, max(until, known.until) if known else until), HOLDINGS_KEPT)
    else:
        book.state.bare.pop(holding, None)
