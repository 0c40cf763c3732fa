"""The line that says every half minute how things stand: each position, its result, its cover, what is open."""

from collections.abc import Sequence

from standfast.core.cover import cover_of
from standfast.core.results import judge, result_at
from standfast.core.shapes import entry
from standfast.core.situation import Situation
from standfast.core.structures import phase_of, structure_of
from standfast.core.worth import result_of, worth
from standfast.model.position import Phase, Position
from standfast.model.structure import BookedStructure

MOST_LISTED = 100
"""Positions up to which each is described; of more, those that need a look are: a line is to be read by somebody."""


def status(s: Situation) -> dict[str, object]:
    """Facts for one log line."""
    positions = [
        position for position in s.book.state.positions.values() if position.is_guarded and position.structure is None
    ]
    structures = [structure for structure in s.book.state.structures.values() if structure.is_guarded]
    listed = _worth_a_look(positions)
    confirmed = [found.finding.kind.value for found in s.book.state.breaks.values() if found.confirmed]
    return {
        "mode": s.rules.mode.value,
        "session": "open" if s.in_session else "closed",
        "guarded": len(positions) + len(structures),
        "positions": [describe(s, position) for position in listed]
        + [_whole(s, structure) for structure in structures[:MOST_LISTED]],
        "breaks": confirmed,
        "blind": s.blind_why,
        "entries": s.book.head,
    }


def _worth_a_look(positions: Sequence[Position]) -> Sequence[Position]:
    if len(positions) <= MOST_LISTED:
        return positions
    restless = [each for each in positions if each.naked_since is not None or each.phase is not Phase.OPEN]
    return restless[:MOST_LISTED]


def describe(s: Situation, position: Position) -> str:
    """`p123 +100 AAPL open +1.2% stop 98.00 rung 1`."""
    policy = s.policy(position)
    judged = judge(s, position, policy)
    entry = s.book.entry_price(position)
    result = "?" if judged.price is None or not entry else f"{result_at(position, judged.price, of=entry):+.2%}"
    found = cover_of(s, position)
    stops = [str(order.stop_price) for order in (*found.own, *found.several) if order.is_stop]
    cover = f"stop {', '.join(stops)}" if stops else f"held by {policy.held_by.value}"
    rung = f" rung {position.trail.rung + 1} at {position.trail.stop:+.2%}" if position.trail is not None else ""
    return f"{position.id} {position.net:+} {position.holding} {position.phase.value} {result} {cover}{rung}"


def _whole(s: Situation, booked: BookedStructure) -> str:
    """`p123 3 x SPXW...:-1 SPXW...:+1 open +12.00% (mid +13.50%) held by guard`."""
    structure = structure_of(s.book, booked)
    found, cost = worth(s, structure.shape).now, entry(structure)
    result = "?"
    if found is not None and cost:
        result = f"{result_of(found.worst, cost):+.2%} (mid {result_of(found.mid, cost):+.2%})"
    return f"{structure} {phase_of(s.book, booked).value} {result} held by guard"
