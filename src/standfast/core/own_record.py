"""The bot's own record beside the broker and the books: what it has lost, and what it holds that is not there.

1. A record that cannot be read says nothing. One that was read speaks for the moment it was read.
2. What it drops while the broker holds it is a finding at once. Everything else may be the record's slowness: it has
   `lag` from the last fill, and from its own last change.
3. While we open or close something here, or the broker's list and the books disagree about it being there at all,
   nothing is said and nothing is taken back.
4. A spread that is missing as a whole is one finding; what is left of its contracts is each its own.

A finding is seen again (`is_seen_again`) when both, the record and the broker, were asked anew and late enough for the
broker to have told of a close.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from typing import NamedTuple

from standfast.core.policy import BotRecord, Foreign
from standfast.core.situation import Situation
from standfast.core.structures import phase_of, structure_of
from standfast.model.breaks import Break, BreakKind, Finding
from standfast.model.ids import Holding, PositionId
from standfast.model.order import ZERO
from standfast.model.position import Phase
from standfast.model.structure import BookedStructure, legs_text
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


@dataclass(frozen=True, slots=True)
class Missing:
    """How the gaps divide: structures that are gone from the record as a whole, and what is left at each holding."""

    whole: frozenset[PositionId]
    taken: Mapping[Holding, Decimal]
    """What of the gap at a holding those structures explain."""


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
    """Whether a whole structure is gone from the record; None where it cannot be said now."""
    gaps = [gap_at(s, leg.holding) for leg in booked.legs]
    if any(gap is None for gap in gaps):
        return None
    if not any(gap is not None and gap.beyond and gap.is_due for gap in gaps) or booked.id not in missing(s).whole:
        return ()
    structure = structure_of(s.book, booked)
    found = Finding(
        kind=BreakKind.BOT_LOST,
        holding=booked.holding,
        booked="nothing",
        reported=f"{booked.units} x {legs_text(structure.shape)}",
        evidence=_evidence(s, booked.legs[0].holding, [booked.id]),
        gap=booked.units,
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
    if holding in (s.record.shrunk if s.record is not None else ()):
        return True
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
    dropped = record.shrunk.get(holding)
    if is_more and dropped is not None and all(at <= dropped for at in moves):
        return True
    said = [at for at in (dropped, record.changed.get(holding), s.book.state.started_at) if at is not None]
    return all(s.now - at >= rules.lag for at in (*moves, *said))


def missing(s: Situation) -> Missing:
    """How the gaps divide among structures: what one explains exactly first, then the oldest of those that fit in.
    Figured once a look, and only where there is a gap."""
    return s.once("own record", lambda: _missing(s))


def _missing(s: Situation) -> Missing:
    gaps, fitting = _gaps_of_structures(s)
    exact = [id for id, legs in fitting.items() if all(gaps[at] == net for at, net in legs.items())]
    whole: set[PositionId] = set()
    taken: dict[Holding, Decimal] = {}
    for id in (*exact, *fitting):
        legs = fitting[id]
        if id not in whole and _fits(gaps, legs):
            whole.add(id)
            for at, net in legs.items():
                gaps[at] -= net
                taken[at] = taken.get(at, ZERO) + net
    return Missing(frozenset(whole), taken)


def _gaps_of_structures(s: Situation) -> tuple[dict[Holding, Decimal], dict[PositionId, dict[Holding, Decimal]]]:
    """The gap at each of their contracts, and the structures all of whose legs are missing, with what they hold."""
    gaps: dict[Holding, Decimal] = {}
    fitting = {}
    for id, booked in s.book.state.structures.items():
        if phase_of(s.book, booked) is not Phase.OPEN:
            continue
        legs = {leg.holding: _leg_net(s, leg.position) for leg in booked.legs}
        for holding in legs:
            if holding not in gaps:
                gap = gap_at(s, holding)
                gaps[holding] = gap.beyond if gap is not None and gap.is_due else ZERO
        if _fits(gaps, legs):
            fitting[id] = legs
    return gaps, fitting


def _fits(gaps: Mapping[Holding, Decimal], legs: Mapping[Holding, Decimal]) -> bool:
    return all(net and gaps[at] * net > 0 and abs(gaps[at]) >= abs(net) for at, net in legs.items())


def _leg_net(s: Situation, id: PositionId) -> Decimal:
    position = s.book.state.positions.get(id)
    return s.book.held(position) * position.sign if position is not None else ZERO


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


def _evidence(s: Situation, holding: Holding, ids: list[PositionId]) -> str:
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
    """Holdings at which the record and the broker's list stand apart, slowness or not: worth a look."""
    record, rows = s.record, s.snapshot.positions.rows if s.snapshot.positions is not None else {}
    if record is None or record.began is None:
        return
    for holding in sorted({*record.held, *rows}):
        recorded, row = record.held.get(holding, ZERO), rows.get(holding)
        net = row.quantity if row is not None else ZERO
        if (recorded is None and not net) or (recorded is not None and recorded != net):
            yield holding
