"""What to do about each difference: evidence first, then containment, then people.

First sight is a question. A second read, asked for after the first and agreeing with it, confirms; only then
is anything repaired or anyone told (an orphan waits a little longer). The same break alarms once, again when
it changes or an hour has passed. `alert` mode tells and never sends; `observe` records.
"""

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

from standfast.core.acknowledge import acknowledging, bare_of
from standfast.core.adopt import adoption, price_now, proven_ours, taking_over
from standfast.core.compared_cash import has_stood
from standfast.core.ended import ended, split
from standfast.core.moved import moved_out, surely_held
from standfast.core.own_record import is_seen_again, settled_at
from standfast.core.policy import Foreign, Mode
from standfast.core.reconcile import ORDER_KINDS, POSITION_KINDS, Report
from standfast.core.said import OLD, was_said
from standfast.core.situation import Outcome, Outcomes, Situation
from standfast.core.splits import is_split
from standfast.core.structures import structure_at
from standfast.core.tell import alarm, wording
from standfast.core.unwinding import lost_ratio, mend
from standfast.model.booked import BookedOrder, Stage
from standfast.model.breaks import Break, BreakKind, Finding
from standfast.model.effects import (
    CancelOrder,
    QueryOrder,
    ReadActivities,
    ReadPosition,
    ReadPositions,
    ReadQuotes,
    Urgency,
    WakeAt,
)
from standfast.model.ids import BreakId, ClientOrderId, Holding, digest
from standfast.model.journal import (
    BreakActed,
    BreakConfirmed,
    BreakEnded,
    BreakSeen,
    MovedOut,
    MovementBooked,
)
from standfast.model.order import ZERO
from standfast.model.position import Position

SECOND_LOOK = timedelta(seconds=1)
SECOND_SOURCE_AGAIN = timedelta(seconds=2)
WIDE_FOR = timedelta(minutes=2)
"""How long what is held waits for a quote that says its price."""
JUST_ASKED = timedelta(milliseconds=250)
ALARM_AGAIN = timedelta(hours=1)
PROFIT_AGAIN = timedelta(days=1)
"""Nothing more is lost by it from hour to hour, and it stands until somebody has seen the broker's statement."""
BLIND_GRACE = timedelta(seconds=10)
"""Blindness shorter than this is a quiet market, a reconnect, an opening bell."""


def repairs(s: Situation, holding: Holding | None, report: Report) -> Outcomes:
    """Keep the list of breaks in step with what was found, and act on what is confirmed."""
    known = {found.finding.key: found for found in s.book.breaks_at(holding)}
    seen = {finding.key for finding in report.findings}
    for finding in report.findings:
        yield from _look_at(s, finding, known.get(finding.key))
    for key, found in known.items():
        if key not in seen and found.finding.kind in report.judged:
            yield BreakEnded(id=found.id, by=found.action or "the two agree again")


def _look_at(s: Situation, finding: Finding, known: Break | None) -> Outcomes:
    if known is None:
        id = BreakId(f"b{digest(s.book.account, finding.key, s.book.head)[:9]}")
        yield BreakSeen(id=id, finding=finding)
        yield from _ask(s, finding)
        return
    is_other = (known.finding.booked, known.finding.reported) != (finding.booked, finding.reported)
    if is_other and not _is_told_by_time(finding):
        yield BreakSeen(id=known.id, finding=finding)
        yield from _ask(s, finding)
        return
    if not known.confirmed:
        if _agrees_again(s, known):
            yield BreakConfirmed(id=known.id)
        else:
            yield from _ask(s, finding, known)
        return
    acted = list(_act(s, known))
    yield from acted
    if not _is_explained(s, known, acted):
        yield from _tell(s, replace(known, finding=finding))  # in today's words


EXPLAINED = frozenset({BreakKind.GHOST_POSITION, BreakKind.QUANTITY, BreakKind.SIDE})
"""Of which a movement may say how it came about."""


def _is_explained(s: Situation, found: Break, acted: list[Outcome]) -> bool:
    """Whether what is missing is booked as ended, or its last price or the shares of it are waited for: that is told
    where it is booked, and there is nothing to wake anybody for."""
    if found.finding.kind not in EXPLAINED or found.finding.holding is None:
        return False
    if any(isinstance(each, MovementBooked | MovedOut) for each in acted):
        return True
    if found.finding.kind is BreakKind.GHOST_POSITION and any(isinstance(each, ReadQuotes | WakeAt) for each in acted):
        return True
    rows, held = s.book.state.moves.get(found.finding.holding, ()), surely_held(s, found.finding.holding)
    left = s.reported_net(found.finding.holding) - held
    return left * held < 0 and sum((row.quantity for row in rows), ZERO) == left


def _is_told_by_time(finding: Finding) -> bool:
    """Findings whose wording changes by itself are not worse for it."""
    return finding.kind in (BreakKind.BLIND, BreakKind.IN_DOUBT)


def _agrees_again(s: Situation, known: Break) -> bool:
    """A second look: a read asked for after the first sight, or time enough for what no read can show."""
    kind = known.finding.kind
    if kind in POSITION_KINDS:
        # Two reads a blink apart are one look: fills must have had the time to explain it, and been asked for.
        assert known.finding.holding is not None, known
        asked = min(s.snapshot.positions_asked_after, s.snapshot.activities_asked_after)
        return (
            s.is_settled(known.finding.holding)
            and asked >= known.number
            and s.now - known.first_seen >= _second_look(s)
        )
    if kind in ORDER_KINDS:
        return s.orders_listed_after(known.number)
    if kind is BreakKind.BOT_LOST:
        return is_seen_again(s, known)
    if kind is BreakKind.PNL:
        return has_stood(s, known)
    if known.finding.holding is None:
        return True  # it has lasted before it was found
    if kind is BreakKind.STRUCTURE:
        return s.now - known.first_seen >= _second_look(s)
    return kind is not BreakKind.BLIND or s.now - known.first_seen >= BLIND_GRACE


def _second_look(s: Situation) -> timedelta:
    """How long a difference must last: a second for two agreeing reads, a round of reads for each further one."""
    return SECOND_LOOK + max(s.rules.confirm.reads - 2, 0) * s.rules.every.positions


def _ask(s: Situation, finding: Finding, known: Break | None = None) -> Outcomes:
    """The questions whose answers would explain a difference."""
    if finding.kind in POSITION_KINDS:
        assert finding.holding is not None, finding
        if not s.was_asked_lately("activities"):
            yield ReadActivities(reason=f"{finding.kind}: booked {finding.booked}, reported {finding.reported}")
        is_time = known is not None and s.now >= known.first_seen + _second_look(s)
        if is_time and not s.was_asked_lately("positions"):
            yield ReadPositions(reason="a second look")
        yield WakeAt(at=s.now + _second_look(s), holding=finding.holding)
        for order in s.book.orders_on(finding.holding):
            asked = s.asked.get(order.id)
            if order.broker_id and not order.is_finished and (asked is None or s.now - asked > JUST_ASKED):
                yield QueryOrder(
                    holding=order.holding, broker_id=order.broker_id, client_id=order.id, reason=finding.kind.value
                )
    elif finding.kind is not BreakKind.PNL:  # nothing is asked for it: the account is read in its own rhythm
        if finding.kind is BreakKind.BOT_LOST:
            yield from _ask_both(s, known)
        yield WakeAt(at=s.now + timedelta(seconds=1), holding=finding.holding)


def _ask_both(s: Situation, known: Break | None) -> Outcomes:
    """Whether it has just been closed: at first sight, and once no list can be older than that. In between it is only
    waited for: questions would take the steady reads' share of the requests, and the answer that counts with it."""
    if known is not None and s.now < settled_at(s, known.first_seen):
        return
    if not s.was_asked_lately("activities"):
        yield ReadActivities(reason="the bot's record and the broker differ")
    if not s.was_asked_lately("positions"):
        yield ReadPositions(reason="the bot's record and the broker differ")


def _act(s: Situation, found: Break) -> Outcomes:
    finding = found.finding
    match finding.kind:
        case BreakKind.GHOST_POSITION | BreakKind.QUANTITY | BreakKind.ORPHAN_POSITION:
            gone = list(_gone(s, found))
            yield from gone
            if not gone and finding.kind is not BreakKind.GHOST_POSITION:
                yield from _take_in(s, found)
            if not gone:
                yield from _give_back(s, found)
        case BreakKind.SIDE:
            yield from _left(s, found)  # what is on the other side then is a difference of its own
        case BreakKind.STRAY_EXIT:
            if s.rules.mode_for(finding.kind) is Mode.REPAIR:
                yield from _cancel_stray(s, finding)
        case BreakKind.STRUCTURE:
            yield from _mend(s, found)
        case _:
            pass  # protecting, closing and verifying are decided where they live; this break only watches them


def _mend(s: Situation, found: Break) -> Outcomes:
    """Of a structure that has lost its ratio, what exceeds the whole units is closed."""
    structure = structure_at(s.book, found.finding.holding) if found.finding.holding is not None else None
    lost = lost_ratio(s, structure) if structure is not None else None
    if structure is None or lost is None or s.rules.mode_for(found.finding.kind) is not Mode.REPAIR or not s.may_act:
        return
    closes = list(mend(s, structure, lost))
    yield from closes
    if closes:
        yield BreakActed(id=found.id, action="what exceeds the whole units is closed")


def _gone(s: Situation, found: Break) -> Outcomes:
    """What left by no trade, once its activity and the list agree; where none is told, the activity itself."""
    assert found.finding.holding is not None, found
    yield from _left(s, found)
    yield from ended(s, found.finding.holding, found.first_seen)
    yield from split(s, found.finding.holding)


def _left(s: Situation, found: Break) -> Outcomes:
    assert found.finding.holding is not None, found
    for fact in moved_out(s, found.finding.holding):
        yield fact
        yield BreakActed(id=found.id, action=f"left by {', '.join(fact.movements)}")


def _take_in(s: Situation, found: Break) -> Outcomes:
    """Unexplained quantity beyond the books: adopt it or acknowledge it, as the policy says."""
    holding = found.finding.holding
    assert holding is not None
    if not s.is_comparable(holding) or not s.is_settled(holding):
        return  # within the staleness a broker declares, its list still shows what we have just closed
    filling = [order for order in s.book.alive.at(holding) if order.widens and not _has_not_brought_it(s, found, order)]
    if filling:
        yield from _ask_after(s, filling)
        return
    booked, reported = s.book.booked(holding), s.reported_net(holding)
    extra = reported - booked
    if booked and extra * booked < 0:
        return  # less than booked: only fills can say where it went
    if is_split(s, holding) or holding in s.book.state.suspended:
        return  # the same shares in other pieces: its activity books them, or a person says what they are
    if extra and not _has_stood(s, found) and (_is_contradicted(s, holding) or _is_of_before(s, holding)):
        yield from _ask_by_name(s, holding)
        return
    lots = [p for p in s.book.positions_at(holding) if not p.is_guarded]
    yield from _as_the_policy_says(s, found, extra, lots)


def _give_back(s: Situation, found: Break) -> Outcomes:
    """Somebody else's quantity that is known from a list alone: the list may say that it is less, or was never there.

    It may have been minutes old when it was believed. Asked for by its name as well, because what is left is judged by.
    """
    holding = found.finding.holding
    assert holding is not None
    if not s.is_comparable(holding) or not s.is_settled(holding) or not s.book.net(holding).is_exact:
        return
    bare, known = bare_of(s.book, holding), s.book.state.acknowledged.get(holding, ZERO)
    too_much = s.book.booked(holding) - s.reported_net(holding)
    if too_much * bare <= 0 or too_much * known <= 0 or abs(too_much) > min(abs(bare), abs(known)):
        return
    if s.net_by_name(holding) != s.reported_net(holding):
        yield from _ask_by_name(s, holding)
        return
    yield acknowledging(s.book, holding, known - too_much, by="policy", bare=-too_much, seen_at=s.broker_now)
    yield BreakActed(id=found.id, action=f"{too_much} of somebody else's is not there any more")


def _has_not_brought_it(s: Situation, found: Break, order: BookedOrder) -> bool:
    """Whether an order of ours that works on was seen to have filled no more than is booked, so long after the list was
    first read that it would show all that had filled by then."""
    heard = s.heard.get(order.id)
    if order.stage is not Stage.WORKING or order.excess or heard is None or found.told_at is None:
        return False
    return heard >= s.surely(found.told_at) + s.contract.staleness


def _ask_after(s: Situation, orders: list[BookedOrder]) -> Outcomes:
    for order in orders:
        asked = s.asked.get(order.id)
        if order.broker_id is not None and (asked is None or s.now - asked >= SECOND_SOURCE_AGAIN):
            reason = "whether it has filled what the list shows"
            yield QueryOrder(holding=order.holding, broker_id=order.broker_id, client_id=order.id, reason=reason)
        yield WakeAt(at=s.now + SECOND_SOURCE_AGAIN, holding=order.holding)


def _as_the_policy_says(s: Situation, found: Break, extra: Decimal, lots: list[Position]) -> Outcomes:
    holding = found.finding.holding
    assert holding is not None
    foreign = s.rules.foreign_for(holding)
    proven = proven_ours(s, holding, extra) if foreign is not Foreign.ADOPT else ZERO
    if proven:
        yield from _adopt_bare(s, found, holding, proven)
    elif foreign is Foreign.IGNORE and extra:
        whole = s.book.state.acknowledged.get(holding, ZERO) + extra
        yield acknowledging(s.book, holding, whole, by="policy", bare=extra, seen_at=s.broker_now)
    elif foreign is Foreign.ADOPT:
        if lots and not _is_quoted(s, found, holding):
            yield ReadQuotes(holding=holding, reason="to adopt it at the price of this moment")
            yield WakeAt(at=s.now + timedelta(seconds=2), holding=holding)
            return
        for lot in lots:  # found while the policy was another
            yield taking_over(s, lot, by="policy")
        if extra:
            yield from _adopt_bare(s, found, holding, extra)


def _is_contradicted(s: Situation, holding: Holding) -> bool:
    """Whether fills were booked here, which would have explained what a list shows beyond them, and no second source
    says the same: one list may be minutes old."""
    return holding in s.book.state.filled and s.net_by_name(holding) != s.reported_net(holding)


def _is_of_before(s: Situation, holding: Holding) -> bool:
    """Whether the only list there is shows what the books said minutes ago."""
    ago = s.now - OLD
    since = ago if s.surely(ago) == ago else None  # how long ago it was before a clock was set nobody knows
    return s.contract.one_source and was_said(s.book, holding, s.reported_net(holding), since=since)


def _has_stood(s: Situation, found: Break) -> bool:
    """Whether the only list there is has shown the same for longer than any old one has: then it is believed, whatever
    today's orders add up to. A trade that was taken back, and that nobody tells, shows so."""
    read, told = s.snapshot.positions, found.told_at
    return s.contract.one_source and read is not None and told is not None and read.began >= s.surely(told) + OLD


def _ask_by_name(s: Situation, holding: Holding) -> Outcomes:
    if not s.was_asked_lately(f"position {holding}", SECOND_SOURCE_AGAIN):
        yield ReadPosition(holding=holding, reason="no fill explains what the list shows")
    yield WakeAt(at=s.now + SECOND_SOURCE_AGAIN, holding=holding)


def _adopt_bare(s: Situation, found: Break, holding: Holding, extra: Decimal) -> Outcomes:
    """Bare quantity waits for a quote: without the price of this moment its stop could sell it at once."""
    if not _is_quoted(s, found, holding):
        yield ReadQuotes(holding=holding, reason="to adopt it at the price of this moment")
        yield WakeAt(at=s.now + timedelta(seconds=2), holding=holding)
        return
    yield from adoption(s, holding, extra, by="policy")
    yield BreakActed(id=found.id, action=f"adopted {extra}")


def _is_quoted(s: Situation, found: Break, holding: Holding) -> bool:
    """Well enough to figure exits from. A quote that stays wide for that long in the session is all the market there
    is, and what waited for a better one would never get its stop."""
    has_waited = s.in_session and s.now - found.first_seen >= WIDE_FOR
    return price_now(s, holding, however_wide=has_waited) is not None


def _cancel_stray(s: Situation, finding: Finding) -> Outcomes:
    order = s.book.state.orders.get(ClientOrderId(finding.subject))
    if order is None or order.broker_id is None or order.is_finished:
        return
    if order.position is None and s.rules.foreign_for(order.holding) is not Foreign.ADOPT:
        return  # it came with an entry that was nobody's business but its owner's
    if order.cancel_at is None or s.now - order.cancel_at > timedelta(seconds=10):
        yield CancelOrder(
            broker_id=order.broker_id, holding=order.holding, reason="its position is closed", urgency=Urgency.CLOSE
        )


def _tell(s: Situation, found: Break) -> Outcomes:
    if s.rules.mode_for(found.finding.kind) is Mode.OBSERVE:
        return
    due = found.first_seen + s.rules.confirm.orphan if found.finding.kind is BreakKind.ORPHAN_POSITION else None
    if due is not None and s.now < due:
        yield WakeAt(at=due, holding=found.finding.holding)
        return
    again = PROFIT_AGAIN if found.finding.kind is BreakKind.PNL else ALARM_AGAIN
    if found.alarmed_at is None or s.now - found.alarmed_at >= again:
        severity, text = wording(s, found)
        yield alarm(s, severity, text, key=f"{found.id}/{found.worst}/{found.alarmed_at}", break_id=found.id)
