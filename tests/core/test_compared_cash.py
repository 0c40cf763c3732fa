"""Tests of `core/cash.py` and `core/compared_cash.py`: profit beside the broker's cash."""

from dataclasses import replace
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from standfast.core.book import Book
from standfast.core.decide import decide
from standfast.core.fills import book_fill
from standfast.model import journal as j
from standfast.model.breaks import Break, BreakKind
from standfast.model.evidence import CashRead
from standfast.model.ids import AlertId
from standfast.model.order import Fill, Movement, MovementKind, Side
from tests.core.situations import SPY, D, adopted, after, began, fill, folded, ruled, situation, told

START = D(100_000)
STALE = timedelta(seconds=12)
HOUR = 3600.0
RULES = ruled()


def read_at(book: Book, seconds: float, cash: Decimal | str | int, charges: str = "0") -> CashRead:
    """What the broker's cash was at that time, within its staleness."""
    at = after(seconds)
    return CashRead(cash=D(cash), charges=D(charges), since=at - STALE, until=at, asked_at=at, asked_after=book.head)


def look(book: Book, read: CashRead, *, now: datetime | None = None, **changes: Any) -> list[j.Fact]:
    """One look with this reading, ten seconds and more after it was made; what it records is recorded."""
    s = situation(book, now=now or read.until + STALE, **changes)
    s = replace(s, snapshot=replace(s.snapshot, cash=read))
    facts = list(decide(s, ()).facts)
    told(book, *facts, at=s.now)
    return facts


def books(*fills: Fill) -> Book:
    """Cash was read at the beginning; these were booked since."""
    book = folded()
    look(book, read_at(book, 0, START))
    return book_all(book, *fills)


def book_all(book: Book, *fills: Fill) -> Book:
    for each in fills:
        told(book, *book_fill(book, RULES, each), at=each.at)
    return book


def trip(name: str, seconds: float, bought: str, sold: str, quantity: str = "10") -> tuple[Fill, Fill]:
    """Bought and sold again, of an order of somebody else's."""
    return (
        fill(f"{name}-in", f"{name}-buy", Side.BUY, quantity, bought, at=after(seconds)),
        fill(f"{name}-out", f"{name}-sell", Side.SELL, quantity, sold, at=after(seconds + 1)),
    )


def row(amount: str | None, seconds: float, kind: MovementKind = MovementKind.FEE, **changes: Any) -> j.MovementBooked:
    given: dict[str, Any] = {"quantity": D(0), "holding": None, "told_at": after(seconds), **changes}
    named = f"row of {seconds}"
    money = D(amount) if amount is not None else None
    return j.MovementBooked(
        movement=Movement(id=named, kind=kind, broker_kind=kind.name, amount=money, at=after(seconds), **given)
    )


def profit_breaks(book: Book) -> list[Break]:
    return [found for found in book.breaks_at(None) if found.finding.kind is BreakKind.PNL]


def alarms(book: Book) -> list[str]:
    return [alert.text for alert in book.state.alerts.values()]


def test_a_round_trip_the_books_never_got_is_a_difference_to_the_cent() -> None:
    book = books(*trip("known", 60, "100", "101"))
    look(book, read_at(book, 300, START + 10 - 90))
    (found,) = profit_breaks(book)
    assert (found.finding.booked, found.finding.reported, found.finding.gap) == ("10.00", "-80.00", D(90))
    assert "cash went from 100000.00 to 99920.00" in found.finding.evidence
    assert "2 fills" in found.finding.evidence
    assert "100010.00: -90.00 is unexplained" in found.finding.evidence
    assert not found.confirmed
    assert not alarms(book)


def test_what_is_booked_explains_the_cash_whether_it_is_held_or_sold() -> None:
    book = books(*trip("known", 60, "100", "101"), fill("held", "other", Side.BUY, 5, "50", at=after(70)))
    look(book, read_at(book, 300, START + 10 - 250))
    assert not profit_breaks(book)


def test_a_difference_is_told_when_it_has_stood_for_an_hour_of_the_session() -> None:
    book = books(*trip("known", 60, "100", "101"))
    look(book, read_at(book, 300, START - 80))
    look(book, read_at(book, 300 + HOUR - 60, START - 80))
    assert not profit_breaks(book)[0].confirmed
    look(book, read_at(book, 300 + HOUR, START - 80), is_open=False)
    assert not profit_breaks(book)[0].confirmed, "at night a row may come in the morning"
    look(book, read_at(book, 360 + HOUR, START - 80))
    look(book, read_at(book, 420 + HOUR, START - 80))
    assert profit_breaks(book)[0].confirmed
    (text,) = alarms(book)
    assert "Booked 10.00, by the broker's cash -80.00" in text
    assert "standfast ack" in text


def test_a_difference_is_not_explained_by_what_many_rows_may_have_rounded_off() -> None:
    book = books(*trip("known", 60, "100", "101"))
    look(book, read_at(book, 300, START + 10 - D("0.80")))
    assert profit_breaks(book)

    for number in range(200):
        book_all(book, *trip(f"more-{number}", 400 + 3 * number, "100", "100"))
    look(book, read_at(book, 1200, START + 10 - D("0.80")))
    assert profit_breaks(book), "400 rows may have rounded off 2.00"

    look(book, read_at(book, 1300, START + 10))
    assert not profit_breaks(book)


def test_an_amount_of_any_size_is_compared() -> None:
    book = books(*trip("nonsense", 60, "99999999999999", "99999999999999", quantity="99999999999999"))
    look(book, read_at(book, 300, START))
    book_all(book, fill("half", "half", Side.BUY, "99999999999999", "99999999999999", at=after(310)))
    look(book, read_at(book, 400, START))
    assert profit_breaks(book)


def test_an_old_reading_confirms_nothing() -> None:
    book = books()
    first = read_at(book, 300, START - 80)
    look(book, first)
    look(book, first, now=after(300 + 2 * HOUR))
    assert not profit_breaks(book)[0].confirmed


def test_a_fill_that_comes_late_explains_it_and_the_difference_is_over() -> None:
    book = books()
    look(book, read_at(book, 300, START - 80))
    book_all(book, *trip("late", 200, "100", "92"))
    look(book, read_at(book, 360, START - 80))
    assert not profit_breaks(book)
    (ended,) = book.state.ended_breaks.values()
    assert ended.ended_by == "the two agree again"


def test_a_difference_that_stays_is_not_seen_anew_with_each_fill() -> None:
    book = books()
    look(book, read_at(book, 300, START - 80))
    book_all(book, *trip("more", 400, "100", "103"))
    facts = look(book, read_at(book, 500, START - 80 + 30))
    assert not facts
    facts = look(book, read_at(book, 600, START - 80 + 30 - 200))
    (seen,) = facts
    assert isinstance(seen, j.BreakSeen)
    assert seen.finding.gap == D(280)


def test_nothing_is_compared_where_something_moved_as_the_cash_was_read() -> None:
    book = books(fill("now", "other", Side.BUY, 10, "100", at=after(295)))
    assert not look(book, read_at(book, 300, START))
    assert not look(book, read_at(book, 300, START - 1000))
    assert not look(book, read_at(book, 400, START - 1000)), "later it is, and agrees"


def test_what_moved_after_the_reading_is_not_missing_from_it() -> None:
    book = books(fill("later", "other", Side.BUY, 10, "100", at=after(301)))
    assert not look(book, read_at(book, 300, START))


def test_charges_deposits_and_dividends_are_told_by_rows() -> None:
    book = books()
    told(book, row("-1.25", 60), row("5000", 70, MovementKind.CASH), row("3.20", 80, MovementKind.OTHER))
    look(book, read_at(book, 300, START - D("1.25") + D("5003.20")))
    assert not profit_breaks(book)


def test_charges_that_are_named_and_have_no_row_yet_may_be_taken_already_or_not() -> None:
    book = books(*trip("known", 60, "100", "101"))
    assert not look(book, read_at(book, 300, START + 10, charges="0.07"))
    assert not look(book, read_at(book, 360, START + 10 - D("0.07"), charges="0.07"))
    told(book, row("-0.07", 400))
    assert not look(book, read_at(book, 500, START + 10 - D("0.07")))


def test_a_row_that_says_no_amount_ends_the_comparison_and_another_begins() -> None:
    book = books()
    told(book, row(None, 60, MovementKind.TRANSFER, holding=SPY, quantity=D(-5)), at=after(60))
    assert not look(book, read_at(book, 62, START - 80)), "it may be older than what is in doubt"
    (fact,) = look(book, read_at(book, 300, START - 80))
    assert isinstance(fact, j.CashCompared)
    assert not fact.agrees
    assert "TRANSFER" in fact.why
    assert not look(book, read_at(book, 360, START - 80))


def test_what_was_taken_in_without_a_fill_ends_the_comparison_and_its_fill_may_come_late() -> None:
    book = books()
    told(book, adopted(10, 100), at=after(100))
    look(book, read_at(book, 300, START - 1000))
    told(
        book, j.FillMatched(fill=fill("late", "other", Side.BUY, 10, "100", at=after(90)), position=None), at=after(310)
    )
    look(book, read_at(book, 400, START - 1000))
    assert not profit_breaks(book)


def test_nothing_is_said_while_a_quantity_differs() -> None:
    book = books()
    s = situation(book, held={SPY: 10}, now=after(290))
    told(book, *decide(s, [SPY]).facts, at=s.now)
    assert not look(book, read_at(book, 300, START - 1000))
    assert not profit_breaks(book)


def test_hourly_it_is_written_down_that_it_agrees_and_counted_from_there() -> None:
    book = books(*trip("known", 60, "100", "101"))
    assert not look(book, read_at(book, HOUR - 60, START + 10))
    (fact,) = look(book, read_at(book, HOUR + 60, START + 10))
    assert isinstance(fact, j.CashCompared)
    assert (fact.agrees, fact.profit, fact.rows) == (True, D(10), 2)
    assert not look(book, read_at(book, 3 * HOUR, START + 10)), "nothing was booked since"
    book_all(book, *trip("heard late", 30, "100", "107"))
    look(book, read_at(book, 3 * HOUR + 60, START + 10))
    (found,) = profit_breaks(book)
    assert found.finding.gap == D(70), "the cash agreed without it"


def test_cents_rounded_off_are_no_difference_and_a_cent_more_is() -> None:
    fills = [fill(f"f{n}", f"o{n}", Side.BUY, "0.1", "10.0333", at=after(60 + n)) for n in range(4)]
    book = books(*fills)
    exact = START - D("4.01332")
    assert not look(book, read_at(book, 300, exact - D("0.03")))
    look(book, read_at(book, 360, exact - D("0.04")))
    assert profit_breaks(book)


def test_cents_that_agreed_before_their_row_was_told_are_no_difference_when_it_comes() -> None:
    """Charges left the cash; ten rows may have rounded off as much, so it agreed; an hour later the row is there."""
    fills = [each for number in range(5) for each in trip(f"t{number}", 60 + 3 * number, "100", "100")]
    book = books(*fills)
    (fact,) = look(book, read_at(book, HOUR + 60, START - D("0.05")))
    assert isinstance(fact, j.CashCompared)
    assert (fact.agrees, fact.left) == (True, D("-0.05"))

    told(book, row("-0.05", HOUR + 120))
    look(book, read_at(book, HOUR + 180, START - D("0.05")))
    assert not profit_breaks(book)

    look(book, read_at(book, HOUR + 240, START - D("0.10")))
    assert not profit_breaks(book), "or it was rounding, and the row's own amount has left now"
    look(book, read_at(book, HOUR + 300, START - D("0.15")))
    assert profit_breaks(book)


def test_a_difference_that_nothing_can_be_said_of_any_more_is_told_all_the_same() -> None:
    book = books()
    look(book, read_at(book, 300, START - 90))
    told(book, row(None, 2400, MovementKind.TRANSFER, holding=SPY, quantity=D(-5)), at=after(2400))
    look(book, read_at(book, 2500, START - 90))
    assert not profit_breaks(book)
    (text,) = alarms(book)
    assert "-90.00" in text
    assert "TRANSFER" in text


def test_a_difference_that_its_reason_follows_within_minutes_is_not_told() -> None:
    book = books()
    look(book, read_at(book, 300, START - 90))
    told(book, row(None, 400, MovementKind.TRANSFER, holding=SPY, quantity=D(-5)), at=after(400))
    look(book, read_at(book, 500, START - 90))
    assert not profit_breaks(book)
    assert not alarms(book)


def test_an_acknowledged_difference_is_over_and_what_comes_next_is_counted_from_there() -> None:
    book = books()
    for seconds in (300, 300 + HOUR, 360 + HOUR):
        look(book, read_at(book, seconds, START - 80))
    (alert,) = book.state.alerts
    told(book, j.AlertAcknowledged(id=AlertId(alert), by="ann"), at=after(400 + HOUR))
    facts = look(book, read_at(book, 420 + HOUR, START - 80))
    assert [type(fact) for fact in facts] == [j.CashCompared, j.BreakEnded]
    assert not look(book, read_at(book, 480 + HOUR, START - 80))
    look(book, read_at(book, 540 + HOUR, START - 81))
    (found,) = profit_breaks(book)
    assert found.finding.gap == D(1)


def test_a_confirmed_difference_stands_where_it_cannot_be_compared_any_more() -> None:
    book = books()
    for seconds in (300, 300 + HOUR, 360 + HOUR):
        look(book, read_at(book, seconds, START - 80))
    told(book, adopted(10, 100), at=after(400 + HOUR))
    assert not look(book, read_at(book, 500 + HOUR, START))
    assert profit_breaks(book)


def test_without_a_reading_nothing_is_known() -> None:
    book = told(Book.empty(folded().account), began(), *trip_facts())
    assert book.state.cash.base is None
    (fact,) = look(book, read_at(book, 300, START))
    assert isinstance(fact, j.CashCompared)
    assert not fact.agrees


def trip_facts() -> list[j.Fact]:
    book = folded()
    return [fact for each in trip("before", 60, "100", "90") for fact in list(told_of(book, each))]


def told_of(book: Book, each: Fill) -> list[j.Fact]:
    facts = list(book_fill(book, RULES, each))
    told(book, *facts)
    return facts
