"""What a broker's contract promises and an answer shows to be broken: said aloud, and nothing is opened on it.

Every decision rests on the contract (reliability.md §4.1): a read is at most `staleness` old (A1), a request arrives
within `flight` or never (A2), what is over stays as it is (A3). An answer that proves otherwise changes no book by
itself. Protecting and closing go on; an operator says when openings may.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta

from standfast.core.book import Book
from standfast.model.alert import Severity
from standfast.model.booked import BookedOrder
from standfast.model.contract import Contract
from standfast.model.ids import AlertId, digest
from standfast.model.journal import AlertRaised, Fact, Frozen
from standfast.model.order import OrderReport, OrderState, OrderType

OURSELVES = "standfast"
"""Who freezes an account whose ledger or broker is not what it should be."""
CLOCKS = timedelta(seconds=2)
"""How far two clocks may differ without a word (A6)."""
NEEDED = "Openings are frozen. Needed: see what the broker says of it, then `standfast thaw`."


@dataclass(frozen=True, slots=True, kw_only=True)
class Heard:
    """One answer about one order. `began`: when it was asked for, by the broker's clock."""

    report: OrderReport
    began: datetime
    clock_set_at: datetime | None = None
    """When our clock was last set, by the broker's: earlier moments of ours say nothing."""


def breaches(book: Book, contract: Contract, heard: Heard, ahead: timedelta = timedelta(0)) -> Iterator[Fact]:
    """What an answer about an order of the book proves. `ahead`: the broker's clock before ours."""
    report = heard.report
    known = book.order_by_broker(report.broker_id) or book.state.orders.get(report.client_id)
    yield from _unheard_of(book, report)
    if known is None:
        return
    over = known.report if known.report is not None and known.report.is_finished else None
    if over is not None:
        yield from _changed(book, known, over, report)
        yield from _old(book, contract, known, over, heard)
    elif known.is_own and known.is_finished:
        text = f"{known.id} is there ({report.state}) and was settled as {known.refusal or 'never sent'}."
        yield from breach(book, f"{text} {NEEDED}", key=f"A2/{known.id}", freezes="an order came after it was given up")
    elif known.is_own and not known.is_settled:
        yield from _late(book, contract, known, heard, ahead)


def _changed(book: Book, known: BookedOrder, over: OrderReport, report: OrderReport) -> Iterator[Fact]:
    """A3: what was over is something else, by a newer word of the broker's own."""
    if report.updated_at is None or over.updated_at is None or report.updated_at <= over.updated_at:
        return
    if (report.state, report.filled) == (over.state, over.filled):
        return
    before, now = f"{over.state}, {over.filled} filled", f"{report.state}, {report.filled} filled"
    text = f"{known.id} was over ({before}) and is {now}. What is held is compared anew. {NEEDED}"
    yield from breach(book, text, key=f"A3/{known.id}/{now}", freezes="an order that was over has changed")


def _old(book: Book, contract: Contract, known: BookedOrder, over: OrderReport, heard: Heard) -> Iterator[Fact]:
    """A1: an answer shows as alive what was over longer ago than any answer may be old."""
    since = over.updated_at
    is_set_since = since is None or (heard.clock_set_at is not None and heard.clock_set_at > since)
    if heard.report.is_finished or since is None or is_set_since:
        return
    age = heard.began - since
    if age <= contract.staleness + CLOCKS:
        return
    most = f"{contract.staleness.total_seconds():.0f} s at most is promised"
    text = f"A read shows {known.id} as it was {age.total_seconds():.0f} s before, {most}"
    key = f"A1/{known.id}"
    yield from breach(book, f"{text}. {NEEDED}", key=key, freezes="reads are older than the broker's contract says")


def _late(book: Book, contract: Contract, known: BookedOrder, heard: Heard, ahead: timedelta) -> Iterator[Fact]:
    """A2: the broker took it later than anything sent can still have been on its way."""
    placed, started = heard.report.placed_at, book.state.started_at or known.intended_at
    last = max(known.changed_at, started)  # its outcome was noted, or another life of ours began
    sent = last + ahead
    is_set_since = heard.clock_set_at is not None and heard.clock_set_at > sent
    if placed is None or is_set_since or last <= known.intended_at:
        return  # it may have waited for its turn
    late = placed - sent
    if late > contract.flight + CLOCKS:
        text = f"{known.id} arrived {late.total_seconds():.0f} s after it could last have left"
        yield from breach(book, f"{text}. {NEEDED}", key=f"A2/{known.id}", freezes="an order was under way too long")


def _unheard_of(book: Book, report: OrderReport) -> Iterator[Fact]:
    """A state or type this version has no word for: taken as alive, and able to protect."""
    for each in (report, *report.legs):
        what = each.reason if each.state is OrderState.UNKNOWN else ""
        if each.type is OrderType.UNKNOWN:
            what = f"{what}, an unknown type" if what else "an unknown type"
        if what:
            text = (
                f"{each.holding}: order {each.broker_id} has {what}. It counts as alive and as protecting what it may."
            )
            key = f"unheard of/{each.broker_id}/{what}"
            yield from breach(book, f"{text} Needed: see it in the broker's own screen.", key=key)


def misread(book: Book, why: str, *, subject: str, day: datetime) -> Iterator[Fact]:
    """An answer that is about something else than what was asked."""
    text = f"The broker's answer is about something else: {why}. Nothing of it is taken into the books."
    key = f"misread/{subject}/{day:%Y%m%d}"
    yield from breach(book, f"{text} {NEEDED}", key=key, freezes="the broker answers about something else")


def strange(book: Book, number: str, *, day: datetime) -> Iterator[Fact]:
    """The broker answers for another account than the ledger is of. Once a day."""
    id = AlertId(f"a{digest(book.account, f'strange/{number}/{day:%Y%m%d}')[:9]}")
    if id in book.state.alerts:
        return
    text = (
        f"{book.account} is halted: its keys are of account {number} at the broker, and its ledger is of account "
        f"{book.state.number}. Nothing that is read goes into the books and nothing is sent; what rests at the broker "
        f"goes on. Needed: the keys of {book.state.number}, and a restart. If {number} is meant (a paper account that "
        "was reset), another `name` for it under [[accounts]]: that begins a journal of its own."
    )
    yield AlertRaised(id=id, severity=Severity.CRITICAL, text=text)


def breach(book: Book, text: str, *, key: str, freezes: str = "") -> Iterator[Fact]:
    """Say it once for each `key`; `freezes` says why nothing is opened."""
    id = AlertId(f"a{digest(book.account, key)[:9]}")
    if id in book.state.alerts:
        return
    if freezes and "" not in book.state.frozen:
        yield Frozen(scope="", by=OURSELVES, reason=freezes)
    yield AlertRaised(id=id, severity=Severity.CRITICAL if freezes else Severity.WARNING, text=text)
