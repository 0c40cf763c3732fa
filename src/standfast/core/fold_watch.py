"""How facts about the guard, breaks, alarms and operators change the book."""

from dataclasses import replace

from standfast.core.acknowledge import bare_of, put_bare
from standfast.core.book import Book
from standfast.core.folds import folds
from standfast.core.forget import ALERTS_KEPT, shorten
from standfast.core.said import net_of, note
from standfast.model import journal as j
from standfast.model.alert import Alert
from standfast.model.breaks import Break
from standfast.model.ids import Holding

BREAKS_KEPT = 1_000
"""Ended breaks kept in the book; older ones are read from the journal."""


@folds(j.GuardStarted)
def _guard_started(book: Book, fact: j.GuardStarted, entry: j.Entry) -> None:
    book.state.started_at = entry.at
    if fact.version != book.state.version:  # what failed may have been mended
        book.state.failures = 0
    book.state.version = fact.version
    book.state.mode = fact.mode


@folds(j.GuardingBegan)
def _guarding_began(book: Book, fact: j.GuardingBegan, entry: j.Entry) -> None:
    book.state.began = fact
    book.state.began_at = entry.at
    book.state.watermark = fact.watermark


@folds(j.GuardStopped)
def _guard_stopped(book: Book, fact: j.GuardStopped, entry: j.Entry) -> None:
    pass


@folds(j.GuardFailed)
def _guard_failed(book: Book, fact: j.GuardFailed, entry: j.Entry) -> None:
    again = fact.entry == book.state.failed_at
    book.state.failures = book.state.failures + 1 if again else 1
    book.state.failed_at = fact.entry


@folds(j.WatermarkMoved)
def _watermark_moved(book: Book, fact: j.WatermarkMoved, entry: j.Entry) -> None:
    book.state.watermark = fact.watermark


@folds(j.SessionSeen)
def _session_seen(book: Book, fact: j.SessionSeen, entry: j.Entry) -> None:
    book.state.session = fact


@folds(j.AccountSeen)
def _account_seen(book: Book, fact: j.AccountSeen, entry: j.Entry) -> None:
    book.state.number = fact.number


@folds(j.ForeignAcknowledged)
def _foreign_acknowledged(book: Book, fact: j.ForeignAcknowledged, entry: j.Entry) -> None:
    before = net_of(book, fact.holding)
    book.state.moves.pop(fact.holding, None)
    if fact.quantity:
        book.state.acknowledged[fact.holding] = fact.quantity
    else:
        book.state.acknowledged.pop(fact.holding, None)
    if fact.bare:
        put_bare(book, fact.holding, bare_of(book, fact.holding) + fact.bare, fact.seen_at or entry.at)
    elif not fact.quantity:
        book.state.bare.pop(fact.holding, None)
    note(book, fact.holding, before)
    book.touch(fact.holding)


@folds(j.BreakSeen)
def _break_seen(book: Book, fact: j.BreakSeen, entry: j.Entry) -> None:
    known = book.state.breaks.get(fact.id)
    worse = known is not None and fact.finding.gap > known.worst
    book.state.breaks[fact.id] = Break(
        id=fact.id,
        finding=fact.finding,
        first_seen=known.first_seen if known is not None else entry.at,
        last_seen=entry.at,
        number=entry.number,
        alarmed_at=known.alarmed_at if known is not None and not worse else None,
        worst=max(fact.finding.gap, known.worst) if known is not None else fact.finding.gap,
        action=known.action if known is not None else "",
        told_at=entry.at,
    )
    book.breaks_on[fact.finding.holding][fact.id] = None
    _look_again(book, fact.finding.holding)


@folds(j.BreakConfirmed)
def _break_confirmed(book: Book, fact: j.BreakConfirmed, entry: j.Entry) -> None:
    known = book.state.breaks.get(fact.id)
    if known is not None:
        book.state.breaks[fact.id] = replace(known, confirmed=True, last_seen=entry.at)
        _look_again(book, known.finding.holding)


def _look_again(book: Book, holding: Holding | None) -> None:
    """A break is worth another look, though no quantity changed."""
    if holding is not None:
        book.moved.add(holding)


@folds(j.BreakActed)
def _break_acted(book: Book, fact: j.BreakActed, entry: j.Entry) -> None:
    known = book.state.breaks.get(fact.id)
    if known is not None:
        book.state.breaks[fact.id] = replace(known, action=fact.action)


@folds(j.BreakEnded)
def _break_ended(book: Book, fact: j.BreakEnded, entry: j.Entry) -> None:
    known = book.state.breaks.pop(fact.id, None)
    if known is not None:
        book.breaks_on[known.finding.holding].pop(fact.id, None)
        book.state.ended_breaks[fact.id] = replace(known, ended_at=entry.at, ended_by=fact.by, last_seen=entry.at)
        shorten(book.state.ended_breaks, BREAKS_KEPT)


@folds(j.AlertRaised)
def _alert_raised(book: Book, fact: j.AlertRaised, entry: j.Entry) -> None:
    book.state.alerts[fact.id] = Alert(
        id=fact.id, severity=fact.severity, text=fact.text, break_id=fact.break_id, first_at=entry.at
    )
    known = book.state.breaks.get(fact.break_id) if fact.break_id is not None else None
    if known is not None:
        book.state.breaks[known.id] = replace(known, alarmed_at=entry.at)
    if len(book.state.alerts) > ALERTS_KEPT:
        told = [id for id, alert in book.state.alerts.items() if alert.delivered_at is not None]
        for id in told[: len(book.state.alerts) - ALERTS_KEPT]:
            del book.state.alerts[id]


@folds(j.AlertDelivered)
def _alert_delivered(book: Book, fact: j.AlertDelivered, entry: j.Entry) -> None:
    alert = book.state.alerts.get(fact.id)
    if alert is not None:
        book.state.alerts[fact.id] = replace(alert, delivered_at=entry.at, attempts=alert.attempts + 1)


@folds(j.AlertFailed)
def _alert_failed(book: Book, fact: j.AlertFailed, entry: j.Entry) -> None:
    alert = book.state.alerts.get(fact.id)
    if alert is not None:
        book.state.alerts[fact.id] = replace(
            alert, attempts=alert.attempts + 1, last_failure=fact.reason, failed_at=entry.at
        )


@folds(j.AlertAcknowledged)
def _alert_acknowledged(book: Book, fact: j.AlertAcknowledged, entry: j.Entry) -> None:
    alert = book.state.alerts.get(fact.id)
    if alert is not None:
        book.state.alerts[fact.id] = replace(alert, acknowledged_at=entry.at)


@folds(j.RequestTaken)
def _request_taken(book: Book, fact: j.RequestTaken, entry: j.Entry) -> None:
    book.state.requests[fact.request] = fact


@folds(j.RequestDone)
def _request_done(book: Book, fact: j.RequestDone, entry: j.Entry) -> None:
    book.state.requests.pop(fact.request, None)


@folds(j.Frozen)
def _frozen(book: Book, fact: j.Frozen, entry: j.Entry) -> None:
    book.state.frozen[fact.scope] = fact


@folds(j.Thawed)
def _thawed(book: Book, fact: j.Thawed, entry: j.Entry) -> None:
    book.state.frozen.pop(fact.scope, None)


@folds(j.FlattenRequested)
def _flatten_requested(book: Book, fact: j.FlattenRequested, entry: j.Entry) -> None:
    book.state.flattening[fact.request] = fact


@folds(j.FlattenEnded)
def _flatten_ended(book: Book, fact: j.FlattenEnded, entry: j.Entry) -> None:
    book.state.flattening.pop(fact.request, None)


@folds(j.Undone)
def _undone(book: Book, fact: j.Undone, entry: j.Entry) -> None:
    pass
