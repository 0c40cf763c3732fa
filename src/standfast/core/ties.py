"""Tie exits that others placed to the positions they would close.

An exit says what it closes: the broker names its intent, and on a holding that is wholly ours there is nothing else to
close. Once tied, an exit is in the books: a list that leaves it out is then a question, asked by id, and no reason to
place another beside it. Where somebody else's quantity is held too, or may be, because the broker lists what the books
do not explain, an exit may be theirs and is not tied.
"""

from decimal import ROUND_FLOOR, Decimal

from standfast.core.cover import has_strangers, is_known, tied_cover
from standfast.core.identity import may_be_ours
from standfast.core.reconcile import POSITION_KINDS
from standfast.core.situation import Outcomes, Situation
from standfast.model.ids import Holding
from standfast.model.journal import OrderObserved
from standfast.model.order import OrderReport, OrderType
from standfast.model.position import Position, Standing


def ties(s: Situation, holding: Holding) -> Outcomes:
    """Facts that bring listed exits of this holding into the books."""
    unknown = [report for report in s.orders_by_holding.get(holding, ()) if not is_known(s, report.broker_id)]
    if not unknown:  # nearly always
        return
    guarded = [position for position in s.book.guarded_at(holding) if s.book.held(position) > 0]
    if not guarded or has_strangers(s, holding) or _is_unexplained(s, holding):
        return
    for report in unknown:
        if may_be_ours(s.book, report) or not _is_exit(report):
            continue
        position = _closes(s, guarded, report)
        if position is not None:
            yield _seen(s, report, position)


def _is_unexplained(s: Situation, holding: Holding) -> bool:
    return any(found.finding.kind in POSITION_KINDS for found in s.book.breaks_at(holding))


def _seen(s: Situation, report: OrderReport, position: Position) -> OrderObserved:
    """One of ours whose answer is still out is whose it was meant to be, whatever it looks like."""
    meant = s.book.state.orders.get(report.client_id)
    if meant is None or meant.position is None:
        return OrderObserved(report=report, position=position.id)
    return OrderObserved(report=report, position=meant.position, role=meant.role)


def _is_exit(report: OrderReport) -> bool:
    """Whether it rests to take something off. An order at the market, one that brings exits of its own, or one that is
    to open by the broker's own word does not."""
    brings_exits = any(leg.side is not report.side for leg in report.legs)
    rests = not report.is_finished and report.type is not OrderType.MARKET
    return rests and not brings_exits and report.closes is not False


def _closes(s: Situation, guarded: list[Position], report: OrderReport) -> Position | None:
    """The oldest position of the other side that still lacks cover. What is covered needs no other exit tied to it."""
    opposite = (p for p in guarded if p.sign == -report.side.sign and not _is_of_before(report, p))
    return next((each for each in opposite if tied_cover(s, each) < _coverable(s, each)), None)


def _is_of_before(report: OrderReport, position: Position) -> bool:
    """Whether it was placed before this opening of ours had filled anything: it closes what was held before that."""
    if position.standing is not Standing.OWNED or position.opened_at is None or report.placed_at is None:
        return False
    return report.placed_at < position.opened_at


def _coverable(s: Situation, position: Position) -> Decimal:
    """A fraction that no stop can rest for is the guard's to hold, and no lack of one."""
    held = s.book.held(position)
    return held if s.contract.fractional_stops else held.to_integral_value(rounding=ROUND_FLOOR)
