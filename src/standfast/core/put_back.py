"""A machine's clock that was put back: times of before, which would lie in the future, become now.

Waits are figured from times in the book: since when an order has been in doubt, when a close was last refused. A time
that lies a day ahead would make such a wait a day long, and a position bare for as long. Figured from now, each wait
begins anew, once. Times of the broker's clock (fills, sessions) are left as they are.
"""

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any, TypeVar

from standfast.core.book import Book
from standfast.model.ids import Holding
from standfast.model.position import Position
from standfast.model.structure import BookedStructure

Kept = TypeVar("Kept")
Held = TypeVar("Held", Position, BookedStructure)
STEP = timedelta(seconds=2)
"""Entries of one moment may be a little out of order; what is further back is a clock that was put back."""


def put_back(book: Book, now: datetime) -> None:
    """Let no time of ours in the book be later than this."""
    state = book.state
    for order in list(state.orders.values()):
        state.orders[order.id] = _clamped(order, now, "intended_at", "changed_at", "cancel_at", "missed_at")
        book.alive.forget(order)
    for position in list(state.positions.values()):
        book.keep_position(_of_its_own(position, now, "asked_at", "adopted_at", "naked_since"))
    for structure in list(state.structures.values()):
        state.structures[structure.id] = _of_its_own(structure, now, "asked_at", "adopted_at")
    for found in list(state.breaks.values()):
        state.breaks[found.id] = _clamped(found, now, "first_seen", "last_seen", "alarmed_at", "told_at")
    for refused in (state.refusals, state.edits):
        for id, each in list(refused.items()):
            refused[id] = _clamped(each, now, "at")
    for times in (state.moved_at, state.suspended_at):
        _clamp_all(times, now)
    state.said = {
        holding: tuple(each._replace(until=min(each.until, now)) for each in said)
        for holding, said in state.said.items()
    }
    state.filled = {holding: last._replace(at=min(last.at, now)) for holding, last in state.filled.items()}
    state.openings = [min(at, now) for at in state.openings]
    state.started_at = min(state.started_at, now) if state.started_at is not None else None
    book.moved.update(book.holdings())


def _of_its_own(kept: Held, now: datetime, *names: str) -> Held:
    """With its close."""
    clamped, closing = _clamped(kept, now, *names), kept.closing
    return replace(clamped, closing=_clamped(closing, now, "at", "refused_at")) if closing is not None else clamped


def _clamped(kept: Kept, now: datetime, *names: str) -> Kept:
    """The same, with none of these times later than now."""
    late = {name: now for name in names if (at := getattr(kept, name)) is not None and at > now}
    item: Any = kept
    changed: Kept = replace(item, **late) if late else kept
    return changed


def _clamp_all(times: dict[Holding, datetime], now: datetime) -> None:
    for holding, at in times.items():
        times[holding] = min(at, now)
