"""Take back a repair of the books by a later entry. Nothing is erased.

Only repairs of the books can be undone: adoptions, acknowledgements, write-offs, structures made of loose legs, close
requests not yet acted on, freezes. What happened at the broker cannot.
"""

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from standfast.core.acknowledge import acknowledging, bare_of
from standfast.core.situation import Situation
from standfast.model.journal import (
    CloseRequested,
    CloseWithdrawn,
    Entry,
    Fact,
    ForeignAcknowledged,
    Frozen,
    LotFound,
    PositionAdopted,
    PositionReinstated,
    PositionWrittenOff,
    ProtectionChosen,
    StandingChanged,
    StructureDissolved,
    StructureFormed,
    Thawed,
    Undone,
)
from standfast.model.order import ZERO
from standfast.model.position import CloseReason, Position, Standing
from standfast.model.structure import BookedStructure


def undo(s: Situation, entry: Entry, *, by: str) -> Iterator[Fact]:
    """The facts that take an entry back; none if it is no repair or is undone by what came since."""
    facts = list(_counter(s, entry, by))
    if facts:
        yield from facts
        yield Undone(entry=entry.number, by=by, detail=type(entry.fact).__name__)


def _counter(s: Situation, entry: Entry, by: str) -> Iterator[Fact]:
    counter = COUNTERS.get(type(entry.fact))
    if counter is not None:
        yield from counter(s, entry.fact, by)


def _adopted(s: Situation, fact: PositionAdopted, by: str) -> Iterator[Fact]:
    position = s.book.state.positions.get(fact.position)
    if position is not None and position.closed == 0:
        yield from _leave_alone(s, position, by)


def _lot(s: Situation, fact: LotFound, by: str) -> Iterator[Fact]:
    """What was adopted by its fills is left alone from now on, as what was adopted bare is."""
    position = s.book.state.positions.get(fact.position)
    if fact.standing is Standing.ADOPTED and position is not None and position.held > 0 and position.is_guarded:
        yield from _leave_alone(s, position, by)


def _leave_alone(s: Situation, position: Position, by: str) -> Iterator[Fact]:
    if position.structure is not None:
        return  # the other legs would be closed as what is left of a broken structure: that is taken apart first
    yield PositionWrittenOff(
        position=position.id, reason=CloseReason.OPERATOR, by=by, detail="adoption undone", acknowledged=True
    )
    # Left alone from now on: written off alone, the policy would adopt it again at the next look.
    known = s.book.state.acknowledged.get(position.holding, ZERO)
    yield acknowledging(s.book, position.holding, known + position.net, by=by)


def _standing(s: Situation, fact: StandingChanged, by: str) -> Iterator[Fact]:
    position = s.book.state.positions.get(fact.position)
    if position is not None and fact.standing is Standing.ADOPTED is position.standing:
        yield StandingChanged(position=fact.position, standing=Standing.FOREIGN, by=by)


def _written_off(s: Situation, fact: PositionWrittenOff, by: str) -> Iterator[Fact]:
    closed = s.book.state.closed.get(fact.position)
    if closed is None or closed.held <= 0:  # reinstated, and closed by fills since
        return
    known = s.book.state.acknowledged.get(closed.holding, ZERO)
    if fact.acknowledged and known * closed.sign < closed.held:
        return  # what was acknowledged instead of it has gone another way since
    yield PositionReinstated(position=fact.position, by=by)
    if fact.acknowledged:
        yield acknowledging(s.book, closed.holding, known - closed.net, by=by)


def _acknowledged(s: Situation, fact: ForeignAcknowledged, by: str) -> Iterator[Fact]:
    if s.book.state.acknowledged.get(fact.holding, ZERO) == fact.quantity:
        lacking = bare_of(s.book, fact.holding)
        taken = min(fact.bare, max(lacking, ZERO)) if fact.bare > 0 else max(fact.bare, min(lacking, ZERO))
        yield acknowledging(s.book, fact.holding, fact.before, by=by, bare=-taken)


def _close(s: Situation, fact: CloseRequested, by: str) -> Iterator[Fact]:
    owner = s.book.state.positions.get(fact.position) or s.book.state.structures.get(fact.position)
    closing = owner.closing if owner is not None else None
    if isinstance(owner, BookedStructure) and s.book.alive.of(owner.id):
        return  # its order is at the broker: too late
    if closing is not None and (closing.reason, closing.by, closing.detail) == (fact.reason, fact.by, fact.detail):
        yield CloseWithdrawn(position=fact.position, reason=f"undone by {by}")


def _protection(s: Situation, fact: ProtectionChosen, by: str) -> Iterator[Fact]:
    owner = s.book.state.positions.get(fact.position) or s.book.state.structures.get(fact.position)
    chosen, bare = (fact.stop, fact.target, fact.bare), isinstance(owner, Position) and owner.bare
    if owner is not None and (owner.stop, owner.target, bare) == chosen != (None, None, False):
        yield ProtectionChosen(position=fact.position, stop=None, target=None, bare=False, by=by)


def _formed(s: Situation, fact: StructureFormed, by: str) -> Iterator[Fact]:
    """Wrongly recognised, it is taken apart; nothing of it may be under way, nor closed already as part of it."""
    structure = s.book.state.structures.get(fact.structure)
    if structure is None or structure.closing is not None or s.book.alive.of(structure.id):
        return
    legs = [s.book.state.positions.get(leg.position) for leg in structure.legs]
    if all(leg is not None and leg.closing is None for leg in legs):
        yield StructureDissolved(structure=fact.structure, reason="recognised wrongly: undone", by=by)


def _frozen(s: Situation, fact: Frozen, by: str) -> Iterator[Fact]:
    if s.book.state.frozen.get(fact.scope) == fact:
        yield Thawed(scope=fact.scope, by=by)


COUNTERS: Mapping[type[Any], Callable[[Situation, Any, str], Iterator[Fact]]] = {
    PositionAdopted: _adopted,
    LotFound: _lot,
    StandingChanged: _standing,
    PositionWrittenOff: _written_off,
    ForeignAcknowledged: _acknowledged,
    CloseRequested: _close,
    ProtectionChosen: _protection,
    StructureFormed: _formed,
    Frozen: _frozen,
}
"""What can be taken back, and how. Everything else happened."""
