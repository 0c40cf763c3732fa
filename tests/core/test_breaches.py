"""Tests of `core/breaches.py`: what an answer proves of the broker's contract."""

from dataclasses import replace
from datetime import datetime, timedelta

from standfast.core.book import Book
from standfast.core.breaches import Heard, breaches, misread
from standfast.model import journal as j
from standfast.model.alert import Severity
from standfast.model.order import OrderReport, OrderState, OrderType, Role
from tests.core.situations import (
    CONTRACT,
    NOW,
    after,
    exit_intended,
    folded,
    own_id,
    position,
    report,
    resting_stop,
    told,
)

STOP = own_id(Role.STOP)


def seen(state: OrderState = OrderState.WORKING, *, at: datetime = NOW, **changes: object) -> OrderReport:
    """Our stop as it was at that time."""
    found = report("p1-stop-1", client=STOP, type=OrderType.STOP, stop="98", state=state, updated_at=at)
    return replace(found, **changes)  # type: ignore[arg-type]  # a report's own fields


def proven(book: Book, answer: OrderReport, *, began: datetime = NOW, set_at: datetime | None = None) -> list[j.Fact]:
    return list(breaches(book, CONTRACT, Heard(report=answer, began=began, clock_set_at=set_at)))


def frozen(facts: list[j.Fact]) -> list[str]:
    return [fact.reason for fact in facts if isinstance(fact, j.Frozen)]


def cancelled() -> Book:
    over = seen(OrderState.CANCELLED)
    return folded(*position(), *resting_stop(), j.OrderObserved(report=over, position=None, role=Role.STOP))


def doubted(at: datetime) -> Book:
    meant = exit_intended(Role.STOP, stop="98")
    book = folded(*position(), meant, at=at - timedelta(seconds=5))
    return told(book, j.OrderInDoubt(id=meant.id, reason="no answer"), at=at)


def test_an_answer_as_old_as_the_contract_allows_proves_nothing() -> None:
    assert proven(cancelled(), seen(at=after(-1)), began=NOW + CONTRACT.staleness) == []
    assert proven(cancelled(), seen(OrderState.CANCELLED), began=after(500)) == []


def test_an_answer_that_shows_alive_what_was_over_before_is_too_old_and_said_once() -> None:
    book = cancelled()
    facts = proven(book, seen(at=after(-1)), began=after(60))
    assert frozen(facts) == ["reads are older than the broker's contract says"]

    told(book, *facts)

    assert proven(book, seen(at=after(-1)), began=after(70)) == []


def test_ages_say_nothing_over_a_clock_that_was_set() -> None:
    assert proven(cancelled(), seen(at=after(-1)), began=after(60), set_at=after(1)) == []
    late = seen(placed_at=after(100))
    assert proven(doubted(NOW), late, set_at=after(1)) == []


def test_an_order_that_is_there_after_it_was_given_up_freezes_openings() -> None:
    book = doubted(NOW)
    told(book, j.OrderNeverArrived(id=STOP, reason="not known to the broker 40 s after it could have left"))

    (freeze, alarm) = proven(book, seen())

    assert isinstance(freeze, j.Frozen)
    assert isinstance(alarm, j.AlertRaised)
    assert alarm.severity is Severity.CRITICAL
    assert "given up" in freeze.reason


def test_an_order_taken_later_than_it_can_have_been_under_way_freezes_openings() -> None:
    flight = CONTRACT.flight
    assert proven(doubted(NOW), seen(placed_at=NOW + flight)) == []
    assert frozen(proven(doubted(NOW), seen(placed_at=NOW + flight + timedelta(seconds=5))))


def test_one_that_waited_for_its_turn_was_not_under_way() -> None:
    book = folded(*position(), exit_intended(Role.STOP, stop="98"), at=NOW)
    assert proven(book, seen(placed_at=after(300))) == []


def test_what_was_over_and_is_not_by_a_newer_word_has_changed() -> None:
    assert frozen(proven(cancelled(), seen(at=after(5)), began=after(5)))
    assert frozen(proven(cancelled(), seen(OrderState.FILLED, at=after(5), filled=seen().quantity)))
    assert proven(cancelled(), seen(OrderState.CANCELLED, at=after(5))) == []


def test_a_state_or_type_nobody_knows_is_said_and_freezes_nothing() -> None:
    book = folded(*position(), *resting_stop())
    (state,) = proven(book, seen(OrderState.UNKNOWN, reason="unknown status 'levitating'"))
    (kind,) = proven(book, seen(type=OrderType.UNKNOWN))

    assert isinstance(state, j.AlertRaised)
    assert isinstance(kind, j.AlertRaised)
    assert "levitating" in state.text
    assert "unknown type" in kind.text
    assert "counts as alive" in kind.text


def test_an_answer_about_something_else_is_said_once_a_day_and_freezes() -> None:
    book = folded(*position(), *resting_stop())
    facts = list(misread(book, "asked for a, told of b", subject="a", day=NOW))
    assert frozen(facts)

    told(book, *facts)

    assert list(misread(book, "asked for a, told of c", subject="a", day=after(60))) == []
    assert len(list(misread(book, "asked for a, told of c", subject="a", day=NOW + timedelta(days=1)))) == 1
