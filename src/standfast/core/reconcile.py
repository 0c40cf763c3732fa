"""Name every difference between the book and the broker.

`reconcile` compares; `repair` decides. Kept apart, a report can be shown, stored and tested without anything
being done about it, and read-only mode is simply "do not repair".

It looks at state, never at events: a lost message, a restart and a bug all look the same from here, so one
path heals all three. These hold for every input:

1. Agreement is silent. A book compared with its own mirror image yields no findings.
2. Doubt is an interval. Inside what unresolved orders could explain: unsettled. Outside it: a finding.
3. One subject, one finding, in a fixed order. Equal inputs give equal reports.
4. What cannot be compared yet (the book moved after the read was asked for) is neither confirmed nor ended.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from decimal import ROUND_FLOOR, Decimal

from standfast.core.cover import cover_of, is_cancelling, is_listed, resting_of, stands_alone
from standfast.core.own_record import record_findings, unread_finding
from standfast.core.policy import Foreign
from standfast.core.results import FAR_QUOTE, Clarity, judge, levels_of
from standfast.core.short_delta import naked_part, without_delta
from standfast.core.situation import Situation
from standfast.core.stays import may_stay, rests_beside_close
from standfast.model.booked import BookedOrder, Stage
from standfast.model.breaks import BreakKind, Finding
from standfast.model.ids import Holding, is_own
from standfast.model.order import ZERO, Role
from standfast.model.position import Interval, Position

DOUBT_LIMIT = timedelta(seconds=30)
GHOST_ORDER_AFTER = timedelta(seconds=10)
COVER_GRACE = timedelta(seconds=2)
FIRST_QUOTE = timedelta(seconds=10)
"""How long the first quote of a holding may take before its lack is blindness."""


@dataclass(frozen=True, slots=True)
class Report:
    """Findings about one holding, and which kinds could be judged at all this time."""

    findings: tuple[Finding, ...]
    judged: frozenset[BreakKind]


TAKEN = "; the exchange may have taken it away (deleveraging, the end of the contract): ccxt need not tell that here"
POSITION_KINDS = frozenset({BreakKind.ORPHAN_POSITION, BreakKind.GHOST_POSITION, BreakKind.QUANTITY, BreakKind.SIDE})
REMEMBERED = timedelta(hours=12)
"""What has changed since is known by id on every exchange, whatever became of it."""
ORDER_KINDS = frozenset({BreakKind.ORPHAN_ORDER, BreakKind.GHOST_ORDER, BreakKind.STRAY_EXIT})
COVER_KINDS = frozenset({BreakKind.UNCOVERED, BreakKind.OVER_COVERED})
OWN_KINDS = frozenset({BreakKind.IN_DOUBT, BreakKind.BLIND})


def reconcile(s: Situation, holding: Holding) -> Report:
    """Compare one holding."""
    findings: list[Finding] = []
    judged = set(OWN_KINDS)
    if s.is_comparable(holding):
        judged |= POSITION_KINDS
        findings += _position_findings(s, holding)
    if s.snapshot.orders is not None:
        judged |= ORDER_KINDS
        findings += _order_findings(s, holding)
    judged |= COVER_KINDS
    findings += _cover_findings(s, holding)
    findings += _doubt_findings(s, holding)
    findings += _blind_findings(s, holding)
    recorded = record_findings(s, holding)
    if recorded is not None:
        judged.add(BreakKind.BOT_LOST)
        findings += recorded
    return Report(tuple(findings), frozenset(judged))


def reconcile_account(s: Situation) -> Report:
    """What concerns the account as a whole: reads that have failed for long."""
    unread = unread_finding(s)
    findings = [unread] if unread is not None else []
    if s.blind_since is not None:
        found = Finding(
            kind=BreakKind.BLIND,
            holding=None,
            subject="reads",
            booked=f"nothing new since {s.blind_since:%H:%M:%S} UTC",
            reported="no answer",
            evidence=s.blind_why,
        )
        findings.insert(0, found)
    return Report(tuple(findings), frozenset({BreakKind.BLIND}))


def _position_findings(s: Situation, holding: Holding) -> Iterator[Finding]:
    booked, reported = s.book.net(holding), s.reported_net(holding)
    if _was_told_before(s, holding, reported):
        booked = Interval(s.book.booked(holding), s.book.booked(holding))
    if reported in booked:
        yield from _foreign_lots(s, holding)
        return
    if booked.low == booked.high == 0:
        kind = BreakKind.ORPHAN_POSITION
    elif reported == 0:
        kind = BreakKind.GHOST_POSITION
    elif booked.high <= 0 < reported or reported < 0 <= booked.low:
        kind = BreakKind.SIDE
    else:
        kind = BreakKind.QUANTITY
    row = s.reported(holding)
    evidence = f"positions read, average {row.average_price}" if row is not None else "not in the positions list"
    if not s.contract.tells_takings and min(abs(booked.low), abs(booked.high)) > abs(reported):
        evidence += TAKEN
    gap = max(booked.low - reported, reported - booked.high)
    yield Finding(
        kind=kind,
        holding=holding,
        booked=str(booked),
        reported=str(reported),
        evidence=evidence,
        price=row.average_price if row is not None else None,
        gap=gap,
    )


def _was_told_before(s: Situation, holding: Holding, reported: Decimal) -> bool:
    """Whether this difference was told before any order was meant that could explain it: then none of them does."""
    gap = abs(reported - s.book.booked(holding))
    found = (each for each in s.book.breaks_at(holding) if each.finding.kind in POSITION_KINDS)
    told_at = next((each.told_at for each in found if each.finding.gap == gap), None)
    if told_at is None:  # nearly always
        return False
    return all(order.intended_at > told_at for order in s.book.alive.at(holding) if order.widens)


def _foreign_lots(s: Situation, holding: Holding) -> Iterator[Finding]:
    """Explained by fills, and nobody's yet: somebody has to say whether it is to be kept, adopted or ignored."""
    lots = [p for p in s.book.positions_at(holding) if not p.is_guarded and p.held > 0]
    if lots:
        yield Finding(
            kind=BreakKind.ORPHAN_POSITION,
            holding=holding,
            booked="0",
            reported=str(sum((lot.net for lot in lots), ZERO)),
            evidence=f"filled by orders not ours: {', '.join(lot.id for lot in lots)}",
        )


def _order_findings(s: Situation, holding: Holding) -> Iterator[Finding]:
    for order in s.book.alive.at(holding):
        if order.is_finished or not order.is_settled or not order.remaining or _is_let_go(s, order):
            continue  # one whose fills are all booked is over, whatever was last read of it
        if _has_outlived(s, order):
            yield _finding(BreakKind.STRAY_EXIT, order, "its position is closed", "working")
        elif _is_ghost(s, order):
            yield _finding(BreakKind.GHOST_ORDER, order, "working", "not listed")
    for report in s.orders_by_holding.get(holding, ()):
        known = s.book.order_by_broker(report.broker_id) or s.book.state.orders.get(report.client_id)
        if known is not None or report.is_finished or report.broker_id in s.book.state.retired:
            continue  # known, or over and the list is older than that
        own = is_own(report.client_id, s.book.account)
        if own or s.rules.foreign_for(holding) is Foreign.ALERT:
            whose = "our id, not in the books" if own else "not ours"
            yield Finding(
                kind=BreakKind.ORPHAN_ORDER,
                holding=holding,
                subject=report.broker_id,
                booked="-",
                reported=f"{report.side} {report.remaining} {report.type}",
                evidence=f"{report.client_id}: {whose}",
            )


def _is_let_go(s: Situation, order: BookedOrder) -> bool:
    """Whether it stayed until its position had closed and is being cancelled now: nothing to look into yet."""
    if not may_stay(s) or not is_cancelling(s, order):
        return False
    return all(found.finding.subject != order.id for found in s.book.breaks_at(order.holding))


def _has_outlived(s: Situation, order: BookedOrder) -> bool:
    """Whether an exit, ours or tied to what was ours, works on after its position has closed."""
    closed = s.book.state.closed.get(order.position) if order.position is not None else None
    if any(id in s.book.state.positions for id in order.also):
        return False
    if closed is None:
        return _closes_nothing(s, order)
    if order.role is Role.FOREIGN and closed.held * closed.sign * _acknowledged(s, order) > 0:
        return False  # written off, and held on by somebody else: its exits are his
    return order.reduces or (order.role is Role.FOREIGN and order.side.sign == -closed.sign)


def _acknowledged(s: Situation, order: BookedOrder) -> Decimal:
    return s.book.state.acknowledged.get(order.holding, ZERO)


def _closes_nothing(s: Situation, order: BookedOrder) -> bool:
    """Whether it came with an entry that is over and opened nothing that is held: it could only open, the other way.

    A bracket whose entry bought back a short leaves a target and a stop that would sell it again.
    """
    if order.role is not Role.FOREIGN or order.parent is None or order.position in s.book.state.positions:
        return False
    entry = s.book.state.orders.get(order.parent)
    if entry is not None and (not entry.is_finished or entry.excess or entry.position in s.book.state.positions):
        return False
    net = s.book.net(order.holding)
    agreed = net.is_exact and s.is_comparable(order.holding) and s.reported_net(order.holding) == net.low
    return agreed and net.low * order.side.sign >= 0


def _is_ghost(s: Situation, order: BookedOrder) -> bool:
    return (
        (order.is_own or (s.contract.forgets and s.now - order.changed_at >= REMEMBERED))
        and stands_alone(s, order)
        and s.orders_listed_after(order.number)
        and not is_listed(s, order)
        and s.now - order.changed_at > GHOST_ORDER_AFTER
    )


def _finding(kind: BreakKind, order: BookedOrder, booked: str, reported: str) -> Finding:
    return Finding(
        kind=kind,
        holding=order.holding,
        subject=order.id,
        booked=f"{order.side} {order.remaining} {order.type}: {booked}",
        reported=reported,
    )


def _cover_findings(s: Situation, holding: Holding) -> Iterator[Finding]:
    for position in s.book.guarded_at(holding):
        lack = cover_gap(s, position)
        if lack is None:
            continue
        held, stopped, unknown = lack
        if unknown:
            yield Finding(
                kind=BreakKind.UNCOVERED,
                holding=holding,
                subject=position.id,
                booked=str(held),
                reported="an order of unknown type",
                evidence="nothing is added beside an order that may protect",
            )
        elif stopped < held and not _is_long_naked(s, position):
            continue
        elif stopped < held or (stopped > held and not _is_made_less(s, position)):
            kind = BreakKind.UNCOVERED if stopped < held else BreakKind.OVER_COVERED
            yield Finding(
                kind=kind,
                holding=holding,
                subject=position.id,
                booked=f"{held} held",
                reported=f"{stopped} covered",
                gap=abs(held - stopped),
            )


def _is_made_less(s: Situation, position: Position) -> bool:
    """Whether stops for more than is held stay until a close is over, or are just being made less."""
    if not may_stay(s):
        return False
    cover, changed = cover_of(s, position), s.book.state.moved_at.get(position.holding)
    is_new = changed is not None and s.now - changed < COVER_GRACE
    return is_new or cover.unsettled or rests_beside_close(s, position, cover)


def _is_long_naked(s: Situation, position: Position) -> bool:
    """A fill needs a moment to be covered before its lack of cover is a break."""
    return position.naked_since is not None and s.now - position.naked_since >= COVER_GRACE


def cover_gap(s: Situation, position: Position) -> tuple[Decimal, Decimal, bool] | None:
    """(held, stopped, unknown order type) where a policy wants a resting stop; None where it wants none."""
    return s.once(("gap", position.id), lambda: _cover_gap(s, position))


def _cover_gap(s: Situation, position: Position) -> tuple[Decimal, Decimal, bool] | None:
    held = s.book.held(position)
    if held <= 0 or resting_of(s, position).stop is None:
        return None
    if not s.contract.fractional_stops:
        held = held.to_integral_value(rounding=ROUND_FLOOR)
    cover = cover_of(s, position)
    return held, cover.stopped, cover.unknown


def _doubt_findings(s: Situation, holding: Holding) -> Iterator[Finding]:
    for order in s.book.alive.at(holding):
        if order.parent is not None or (order.stage is Stage.INTENDED and holding in s.busy):
            continue  # it waits for its turn under the broker's rate, and has not left
        if not order.is_settled and s.now - order.intended_at > DOUBT_LIMIT:
            yield _finding(BreakKind.IN_DOUBT, order, order.stage.value, f"asked {order.missed} times, not found")


def _blind_findings(s: Situation, holding: Holding) -> Iterator[Finding]:
    """A rule the loop must hold and cannot judge. Outside the session nobody expects quotes."""
    if not s.trades(holding):
        return
    judged = (
        tuple(_blind(s, position))
        for position in s.book.guarded_at(holding)
        if s.book.held(position) > 0 and not position.is_leaving and not _awaits_first_quote(s, position)
    )
    unclear = sorted(filter(None, judged), key=lambda whys: whys[0][0] != Clarity.FAR)  # of two lots it is told of that
    if unclear:
        whys = unclear[0]
        yield Finding(
            kind=BreakKind.BLIND,
            holding=holding,
            subject=FAR_QUOTE if _is_far(s, holding, whys[0][0]) else "",
            booked="price rules held by the guard",
            reported=whys[0][0],
            evidence="; ".join(why for _, why in whys),
        )


def _is_far(s: Situation, holding: Holding, clarity: str) -> bool:
    """Whether it counts as quotes that lie far apart: a bid withdrawn meanwhile does not begin that anew."""
    if clarity != Clarity.BLIND:
        return clarity == Clarity.FAR
    return any(found.finding.subject == FAR_QUOTE for found in s.book.breaks_at(holding))


def _blind(s: Situation, position: Position) -> Iterator[tuple[str, str]]:
    """What cannot be judged by, and why."""
    policy = s.policy(position)
    judged = judge(s, position, policy) if watches_prices(s, position) else None
    if judged is not None and judged.clarity is not Clarity.CLEAR:
        yield judged.clarity.value, judged.reason
    sold = [holding for holding in (position.holding,) if naked_part(s, position, policy) > 0]
    unknown = without_delta(s, sold)
    if unknown:
        yield "no usable delta", unknown


def _awaits_first_quote(s: Situation, position: Position) -> bool:
    opened = s.by_our_clock(position.opened_at) if position.opened_at is not None else None
    begun = [at for at in (opened, position.adopted_at, s.book.state.started_at) if at is not None]
    return s.sights.get(position.holding) is None and bool(begun) and s.now - max(begun) < FIRST_QUOTE


def watches_prices(s: Situation, position: Position) -> bool:
    """Whether any price rule of this position is on."""
    policy = s.policy(position)
    at = levels_of(s, position)
    has_levels = any(level is not None for level in (at.stop, at.emergency, at.target))
    return has_levels or bool(policy.trailing) or policy.user_rule is not None
