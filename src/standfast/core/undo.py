"""Take back a repair of the books by a later entry. Nothing is erased.

Only repairs of the books can be undone: adoptions, acknowledgements, write-offs, close requests not yet acted
on, freezes. What happened at the broker cannot.
"""

from collections.abc import Iterator

from standfast.core.situation import Situation
from standfast.model.journal import (
    CloseRequested,
    CloseWithdrawn,
    Entry,
    Fact,
    ForeignAcknowledged,
    Frozen,
    PositionAdopted,
    PositionReinstated,
    PositionWrittenOff,
    ProtectionChosen,
    StandingChanged,
    Thawed,
    Undone,
)
from standfast.model.order import ZERO
from standfast.model.position import CloseReason, Standing


def undo(s: Situation, entry: Entry, *, by: str) -> Iterator[Fact]:
    """The facts that take an entry back; none if it is no repair or is undone by what came since."""
    facts = list(_counter(s, entry, by))
    if facts:
        yield from facts
        yield Undone(entry=entry.number, by=by, detail=type(entry.fact).__name__)


def _counter(s: Situation, entry: Entry, by: str) -> Iterator[Fact]:
    fact = entry.fact
    match fact:
        case PositionAdopted():
            position = s.book.state.positions.get(fact.position)
            if position is not None and position.closed == 0:
                yield PositionWrittenOff(
                    position=fact.position, reason=CloseReason.OPERATOR, by=by, detail="adoption undone"
                )
        case StandingChanged(standing=Standing.ADOPTED):
            if fact.position in s.book.state.positions:
                yield StandingChanged(position=fact.position, standing=Standing.FOREIGN, by=by)
        case PositionWrittenOff():
            if fact.position in s.book.state.closed:
                yield PositionReinstated(position=fact.position, by=by)
        case ForeignAcknowledged():
            if s.book.state.acknowledged.get(fact.holding, ZERO) == fact.quantity:
                yield ForeignAcknowledged(holding=fact.holding, quantity=ZERO, by=by)
        case CloseRequested():
            position = s.book.state.positions.get(fact.position)
            if position is not None and position.closing is not None:
                yield CloseWithdrawn(position=fact.position, reason=f"undone by {by}")
        case ProtectionChosen(bare=True):
            yield ProtectionChosen(position=fact.position, stop=None, target=None, bare=False, by=by)
        case Frozen():
            if fact.scope in s.book.state.frozen:
                yield Thawed(scope=fact.scope, by=by)
        case _:
            return
