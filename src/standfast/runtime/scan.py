"""One read-only comparison, without a lease, without a journal, without trading rights.

With a ledger its book is compared with the broker. Without one, what the broker holds is taken as it is and
compared with the broker's own orders: what has no stop, what has too much, what nobody explains. The bot's own record
is compared with the broker either way. Each difference is looked at twice, by two reads, before it is named.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from datetime import datetime, timedelta

from standfast.core.book import Book
from standfast.core.fold import apply
from standfast.core.naked import naked_time
from standfast.core.own_record import structure_record_findings
from standfast.core.policy import Rules
from standfast.core.reconcile import reconcile
from standfast.core.situation import Situation
from standfast.core.structures import structure_at
from standfast.core.ties import ties
from standfast.model.breaks import Break, Finding
from standfast.model.errors import BrokerError, RecordUnreadable
from standfast.model.evidence import Snapshot
from standfast.model.ids import BreakId, EntryNumber, Holding, digest, is_own, position_id
from standfast.model.journal import Entry, Fact, NakedBegan, OrderObserved, PositionAdopted
from standfast.model.order import OrderReport
from standfast.model.tracked import Tracked, held_in
from standfast.ports import Broker, Clock, Tracker

BETWEEN = 2.0
"""Seconds between the two looks."""


async def scan(
    rules: Rules, broker: Broker, clock: Clock, book: Book | None, tracker: Tracker | None = None
) -> tuple[list[Break], list[str]]:
    """The breaks both looks agree on, and what could not be verified, in words."""
    if rules.record is not None:  # the two looks stand for its slowness
        rules = replace(rules, record=replace(rules.record, lag=timedelta(0)))
    try:
        first, unverified = await _look(rules, broker, clock, book, tracker)
        if not first or unverified:
            return _breaks(rules, first, clock.now()), unverified
        await clock.sleep(BETWEEN)
        second, unverified = await _look(rules, broker, clock, book, tracker)
    finally:
        if tracker is not None:
            await tracker.close()
    return _breaks(rules, [found for found in second if found in first], clock.now()), unverified


async def _look(
    rules: Rules, broker: Broker, clock: Clock, book: Book | None, tracker: Tracker | None
) -> tuple[list[Finding], list[str]]:
    unverified: list[str] = []
    record = await _record(rules, tracker, unverified)
    snapshot = Snapshot()
    strange = await _strange(broker, book)
    if strange:
        return [], [*unverified, f"{rules.account}: {strange}"]
    for kind in ("clock", "positions", "orders"):
        try:
            read = await getattr(broker, "working_orders" if kind == "orders" else kind)()
        except BrokerError as error:
            unverified.append(f"{rules.account}: {kind} not read: {error}")
            continue
        snapshot = replace(snapshot, **{kind: read})
    if snapshot.positions is None or snapshot.orders is None:
        return [], unverified
    book = book if book is not None else _book_of_what_is_held(rules, snapshot, clock.now())
    orders: dict[Holding, list[OrderReport]] = {}
    for report in snapshot.orders.orders.values():
        orders.setdefault(report.holding, []).append(report)
    situation = Situation(
        book=book,
        snapshot=replace(snapshot, clock=None),  # quotes are not read: what needs them is not judged
        rules=rules,
        contract=broker.contract,
        now=clock.now() + timedelta(seconds=30),
        orders_by_holding=orders,
        record=record,
    )
    holdings = sorted({*book.holdings(), *snapshot.positions.rows, *orders, *(record.held if record else ())})
    _note(situation, _exits_of_others(situation, holdings), clock.now())
    _note(situation, _what_is_naked(situation, holdings), clock.now())
    situation = replace(
        situation,
        snapshot=replace(situation.snapshot, positions_asked_after=book.head, orders_asked_after=book.head),
    )
    return [found for holding in holdings for found in _findings(situation, holding)], unverified


async def _strange(broker: Broker, book: Book | None) -> str:
    """Why nothing can be compared: the keys are of another account than the books."""
    known = book.state.number if book is not None else ""
    if not known:
        return ""
    try:
        told = (await broker.account()).number
    except BrokerError:
        return ""  # what else is asked says why
    return f"the keys are of account {told}, the ledger is of {known}" if told not in ("", known) else ""


def _findings(s: Situation, holding: Holding) -> Iterable[Finding]:
    """Of a structure only what the bot's record says: its quotes are not read."""
    whole = structure_at(s.book, holding)
    return reconcile(s, holding).findings if whole is None else structure_record_findings(s, whole) or ()


async def _record(rules: Rules, tracker: Tracker | None, unverified: list[str]) -> Tracked | None:
    if tracker is None:
        return None
    try:
        read = await tracker.read()
    except RecordUnreadable as error:
        unverified.append(f"{rules.account}: the bot's own record {tracker.label} {error}")
        return None
    return Tracked(label=tracker.label, held=held_in(read.entries), began=read.began)


def _exits_of_others(s: Situation, holdings: Sequence[Holding]) -> Iterator[OrderObserved]:
    """As a guard would tie them: the exits under what a bot holds are no strangers."""
    alone = [holding for holding in holdings if structure_at(s.book, holding) is None]
    for outcome in (each for holding in alone for each in ties(s, holding)):
        if isinstance(outcome, OrderObserved) and not is_own(outcome.report.client_id, s.book.account):
            yield outcome


def _what_is_naked(s: Situation, holdings: Sequence[Holding]) -> Iterator[NakedBegan]:
    """A lack of cover is a break once it has lasted, and here nobody has watched: the two looks stand for that."""
    for holding in holdings:
        yield from (outcome for outcome in naked_time(s, holding) if isinstance(outcome, NakedBegan))


def _note(s: Situation, facts: Iterable[Fact], now: datetime) -> None:
    """Into this book alone, which nobody keeps; each before the next is asked for."""
    for fact in facts:
        apply(s.book, Entry(EntryNumber(s.book.head + 1), 0, now, fact))


def _book_of_what_is_held(rules: Rules, snapshot: Snapshot, now: datetime) -> Book:
    book = Book.empty(rules.account)
    assert snapshot.positions is not None
    for number, (holding, row) in enumerate(sorted(snapshot.positions.rows.items()), start=1):
        adopted = PositionAdopted(
            position=position_id(rules.account, holding),
            holding=holding,
            quantity=row.quantity,
            price=row.average_price,
            anchor=None,
            strategy="foreign",
            by="scan",
        )
        apply(book, Entry(EntryNumber(number), 0, now, adopted))
    return book


def _breaks(rules: Rules, findings: Sequence[Finding], now: datetime) -> list[Break]:
    return [
        Break(
            id=BreakId(f"b{digest(rules.account, found.key)[:9]}"),
            finding=found,
            first_seen=now,
            last_seen=now,
            number=EntryNumber(0),
            confirmed=True,
        )
        for found in findings
    ]
