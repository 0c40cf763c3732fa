"""The bot's own record beside the broker and the books: what it has lost, and what it holds that is not there.

1. A record that cannot be read says nothing. One that was read speaks for the moment it was read.
2. What it drops while the broker holds it is a finding at once, if it knew of the last fill: it has grown since, or had
   `lag` to. Everything else may be the record's slowness: what it drops may be closed already, and what is held newer.
   It has `lag` from the last fill, and from its own last change.
3. While we open or close something here, or the broker's list and the books disagree about it being there at all,
   nothing is said and nothing is taken back.
4. Units of a spread that are missing with all their legs are one finding; what is left of its contracts is each its
   own.

A finding is seen again (`is_seen_again`) when both, the record and the broker, were asked anew and late enough for the
broker to have told of a close.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import ROUND_FLOOR, Decimal
from typing import NamedTuple

from standfast.core.policy import BotRecord, Foreign
from standfast.core.shapes import whole_units
from standfast.core.situation import Situation
from standfast.core.structures import phase_of, structure_of
from standfast.model.breaks import Break, BreakKind, Finding
from standfast.model.ids import Holding, PositionId
from standfast.model.order import ZERO
from standfast.model.position import Phase
from standfast.model.structure import BookedStructure, Leg, Structure, legs_text
from standfast.model.tracked import Tracked

UNREAD = timedelta(seconds=30)
"""A record that could not be read for so long is told: its writer needs less, whatever it does."""
RECORD = "record"
"""Subject of the finding that it cannot be read."""


class Gap(NamedTuple):
    """What the broker holds beyond the record, signed; nothing where the two agree."""

    beyond: Decimal
    recorded: Decimal | None
    """None: the name alone."""
    is_due: bool
    """Whether it is more than the record's slowness."""


class Gone(NamedTuple):
    """So many units of some structures of equal legs, which the record has no more."""

    units: Decimal
    among: tuple[PositionId, ...]


@dataclass(frozen=True, slots=True)
class Missing:
    """How the gaps divide: structures that are gone from the record, by the oldest of each shape, and what that
    explains at each holding."""

    whole: Mapping[PositionId, Gone]
    taken: Mapping[Holding, Decimal]


def record_findings(s: Situation, holding: Holding) -> tuple[Finding, ...] | None:
    """What differs at one holding; None where nothing can be said of it now."""
    gap = gap_at(s, holding)
    if gap is None:
        return None
    if not gap.beyond or not gap.is_due:
        return ()
    left = gap.beyond - missing(s).taken.get(holding, ZERO)
    if not left:
        return ()
    return (_finding(s, holding, gap, left),)


def structure_record_findings(s: Situation, booked: BookedStructure) -> tuple[Finding, ...] | None:
    """Whether units of a structure are gone from the record; None where it cannot be said now."""
    gaps = [gap for leg in booked.legs if (gap := gap_at(s, leg.holding)) is not None]
    if len(gaps) < len(booked.legs):
        return None
    gone = missing(s).whole.get(booked.id) if any(gap.beyond and gap.is_due for gap in gaps) else None
    if gone is None:
        return ()
    structure = structure_of(s.book, booked)
    found = Finding(
        kind=BreakKind.BOT_LOST,
        holding=booked.holding,
        booked="nothing",
        reported=f"{gone.units} x {legs_text(structure.shape)}",
        evidence=_evidence(s, booked.legs[0].holding, gone.among),
        gap=gone.units,
    )
    return (found,)


def unread_finding(s: Situation) -> Finding | None:
    """That the record has not been read for long."""
    since = s.record.failing_since if s.record is not None else None
    if s.record is None or since is None or s.now - since < UNREAD:
        return None
    last = f"as of {s.record.began:%H:%M:%S} UTC" if s.record.began is not None else "never read"
    return Finding(
        kind=BreakKind.BLIND, holding=None, subject=RECORD, booked=last, reported="no answer", evidence=s.record.why
    )


def gap_at(s: Situation, holding: Holding) -> Gap | None:
    """How the record and the broker stand at one holding; None where it cannot be said now."""
    record, rules = s.record, s.rules.record
    if record is None or record.began is None or rules is None or not _is_quiet(s, holding):
        return None
    known = holding in record.held
    recorded = record.held.get(holding, ZERO)
    net = s.reported_net(holding)
    booked = s.book.net(holding)
    if net not in booked and not net:
        return None  # a list that leaves it out: asked about elsewhere
    if not known and not _has_to_be_in_it(s, rules, holding):
        return Gap(ZERO, ZERO, is_due=True)
    beyond = _beyond(net, _others(s, rules, holding), recorded)
    return Gap(beyond, recorded, is_due=not beyond or _is_due(s, record, rules, holding, is_more=beyond * net > 0))


def _is_quiet(s: Situation, holding: Holding) -> bool:
    """Whether nothing of ours is under way here, and the broker's list is late enough to compare."""
    if holding in s.busy or not s.is_comparable(holding) or not s.book.net(holding).is_exact:
        return False
    positions = s.book.positions_at(holding)
    if any(each.phase is not Phase.OPEN or each.closing is not None for each in positions):
        return False
    wholes = (s.book.state.structures.get(each.structure) for each in positions if each.structure is not None)
    return not any(whole.closing is not None for whole in wholes if whole is not None)


def _has_to_be_in_it(s: Situation, rules: BotRecord, holding: Holding) -> bool:
    """Whether what is held here is the bot's to keep track of."""
    positions = s.book.positions_at(holding)
    if any(rules.wants(holding.instrument, each.strategy) for each in positions):
        return True
    return not positions and s.rules.foreign_for(holding) is not Foreign.IGNORE and rules.wants(holding.instrument, "")


def _others(s: Situation, rules: BotRecord, holding: Holding) -> Decimal:
    """What is held here and need not be in the record: foreign and known, or of strategies it is not for."""
    known = s.book.state.acknowledged.get(holding, ZERO)
    positions = s.book.positions_at(holding)
    return known + sum((p.net for p in positions if not rules.wants(holding.instrument, p.strategy)), ZERO)


def _beyond(net: Decimal, others: Decimal, recorded: Decimal | None) -> Decimal:
    """How far the broker is from the record, where the record may hold any part of what need not be in it."""
    if recorded is None:
        return ZERO if net else -Decimal(1)
    low, high = sorted((net - others, net))
    if recorded < low:
        return low - recorded
    return high - recorded if recorded > high else ZERO


def _is_due(s: Situation, record: Tracked, rules: BotRecord, holding: Holding, *, is_more: bool) -> bool:
    filled = s.book.state.filled.get(holding)
    moves = [filled.at] if filled is not None else []
    moves += [each.adopted_at for each in s.book.positions_at(holding) if each.adopted_at is not None]
    dropped, grown = record.shrunk.get(holding), record.changed.get(holding)
    if is_more and dropped is not None:
        knew_all_until = min(max(dropped - rules.lag, grown or dropped - rules.lag), dropped)
        if all(at <= knew_all_until for at in moves):
            return True
    said = [at for at in (dropped, record.changed.get(holding), s.book.state.started_at) if at is not None]
    return all(s.now - at >= rules.lag for at in (*moves, *said))


def missing(s: Situation) -> Missing:
    """How the gaps divide among shapes: what one explains exactly first, then the oldest of those that fit in.
    Figured once a look, and only where there is a gap."""
    return s.once("own record", lambda: _missing(s))


def _missing(s: Situation) -> Missing:
    shapes = _open_shapes(s)
    gaps = {leg.holding: ZERO for legs in shapes for leg in legs}
    for holding in gaps:
        gap = gap_at(s, holding)
        gaps[holding] = gap.beyond if gap is not None and gap.is_due else ZERO
    exact = [legs for legs in shapes if all(gaps[leg.holding] == _units(gaps, legs) * leg.ratio for leg in legs)]
    found: dict[PositionId, Gone] = {}
    taken: dict[Holding, Decimal] = {}
    for legs in (*exact, *shapes):
        units = min(_units(gaps, legs), sum((whole_units(each) for each in shapes[legs]), ZERO))
        if units > 0:
            first, *_ = same = [each.id for each in shapes[legs]]
            found[first] = Gone(units, tuple(same))
            for leg in legs:
                gaps[leg.holding] -= units * leg.ratio
                taken[leg.holding] = taken.get(leg.holding, ZERO) + units * leg.ratio
    return Missing(found, taken)


def _open_shapes(s: Situation) -> dict[tuple[Leg, ...], list[Structure]]:
    """Structures of equal legs together, oldest first: a record by contract cannot tell them apart."""
    shapes: dict[tuple[Leg, ...], list[Structure]] = {}
    for booked in s.book.state.structures.values():
        if phase_of(s.book, booked) is Phase.OPEN:
            structure = structure_of(s.book, booked)
            legs = tuple(sorted(structure.shape, key=lambda leg: leg.holding))
            shapes.setdefault(legs, []).append(structure)
    return shapes


def _units(gaps: Mapping[Holding, Decimal], legs: tuple[Leg, ...]) -> Decimal:
    """How many units the gaps at all of these legs have room for."""
    each = (gaps[leg.holding] / leg.ratio for leg in legs)
    return max(min(each), ZERO).to_integral_value(rounding=ROUND_FLOOR)


def _finding(s: Situation, holding: Holding, gap: Gap, left: Decimal) -> Finding:
    net = s.reported_net(holding)
    recorded = "the name" if gap.recorded is None else str(gap.recorded) if gap.recorded else "nothing"
    ids = [each.structure or each.id for each in s.book.guarded_at(holding)]
    return Finding(
        kind=BreakKind.BOT_LOST,
        holding=holding,
        booked=recorded,
        reported=str(net) if net else "nothing",
        evidence=_evidence(s, holding, ids),
        gap=abs(left),
    )


def _evidence(s: Situation, holding: Holding, ids: Sequence[PositionId]) -> str:
    assert s.record is not None
    dropped = s.record.shrunk.get(holding)
    parts = [s.record.label]
    if dropped is not None:
        parts.append(f"which had more until {dropped:%H:%M:%S} UTC")
    if ids:
        parts.append(f"in the books as {', '.join(dict.fromkeys(ids))}")
    return ", ".join(parts)


def is_dropped(finding: Finding) -> bool:
    """Whether the broker holds what the record has lost: the bot no longer looks after it."""
    return finding.reported != "nothing"


def is_seen_again(s: Situation, known: Break) -> bool:
    """A second look at both: the record read again, and the broker asked so late that a close would have shown."""
    record, read = s.record, s.snapshot.positions
    if record is None or record.began is None or read is None or record.began <= known.first_seen:
        return False
    asked = min(s.snapshot.positions_asked_after, s.snapshot.activities_asked_after)
    return asked >= known.number and read.began >= settled_at(s, known.first_seen)


def settled_at(s: Situation, seen: datetime) -> datetime:
    """From when on a read of the broker is later than everything that had happened at that moment."""
    return s.surely(seen) + s.contract.staleness


def differing(s: Situation) -> Iterator[Holding]:
    """Holdings worth a look: where the record and the broker stand apart, slowness or not, and where they did."""
    record, rows = s.record, s.snapshot.positions.rows if s.snapshot.positions is not None else {}
    if record is None or record.began is None:
        return
    told = {each.finding.holding for each in s.book.state.breaks.values() if each.finding.kind is BreakKind.BOT_LOST}
    yield from sorted(holding for holding in told if holding is not None)
    for holding in sorted({*record.held, *rows}):
        recorded, row = record.held.get(holding, ZERO), rows.get(holding)
        net = row.quantity if row is not None else ZERO
        is_apart = not net if recorded is None else recorded != net
        gap = gap_at(s, holding) if is_apart else None  # most agree, and that is seen at once
        if gap is not None and gap.beyond:
            yield holding
