"""Tests of `core/compared_ends.py`: what was inferred, beside the broker's own account of the day."""

from datetime import date, timedelta

from standfast.core.compared_ends import compared, days_to_compare
from standfast.model import journal as j
from standfast.model.alert import Severity
from standfast.model.evidence import EndTold
from standfast.model.ids import Holding
from standfast.model.order import INFERRED, Movement, MovementKind
from tests.core.situations import NOW, SPY, D, folded, situation, told
from tests.core.structures import at

DAY = date(2026, 3, 4)
NEXT = NOW + timedelta(days=1)
SOLD, BOUGHT = at("P", 3800), at("P", 3700)
DELIVERED = at("P", 600, root="SPY")


def ended(holding: Holding, left: int, price: str = "0", kind: MovementKind = MovementKind.EXPIRY) -> j.MovementBooked:
    """So many contracts, signed as they were held, are gone."""
    movement = Movement(
        id=f"{INFERRED}-{holding}",
        kind=kind,
        broker_kind=INFERRED,
        holding=holding,
        quantity=D(-left),
        price=D(price),
        at=NOW,
    )
    return j.MovementBooked(movement=movement)


def row(kind: MovementKind, quantity: int, amount: str = "0") -> EndTold:
    return EndTold(kind=kind, quantity=D(quantity), amount=D(amount))


EXPIRED, ASSIGNED, EXERCISED = MovementKind.EXPIRY, MovementKind.ASSIGNMENT, MovementKind.EXERCISE


def found(facts: list[j.MovementBooked], *rows: EndTold, days: int = 1) -> list[j.Fact]:
    return list(compared(situation(folded(*facts), now=NOW + timedelta(days=days)), DAY, rows))


def test_a_day_is_compared_once_it_is_over() -> None:
    book = folded(ended(SOLD, -3), ended(BOUGHT, 3))

    assert days_to_compare(book, DAY) == []
    assert days_to_compare(book, NEXT.date()) == [DAY]
    (fact,) = compared(situation(book, now=NEXT), DAY, [row(EXPIRED, -3), row(EXPIRED, 3)])
    assert isinstance(fact, j.EndsCompared)
    assert fact.agrees
    told(book, fact)
    assert days_to_compare(book, NEXT.date()) == []


def test_shares_that_came_are_no_option_that_ended() -> None:
    facts = [ended(DELIVERED, -1, kind=ASSIGNED), ended(SPY, 100, "600", EXERCISED)]

    (fact,) = found(facts, row(ASSIGNED, 1))

    assert isinstance(fact, j.EndsCompared)
    assert fact.agrees


def test_what_became_cash_is_compared_to_the_cent() -> None:
    """Sold three, worth 12.50 at their end: 3,750 paid; the other leg expired."""
    facts = [ended(SOLD, -3, "12.50"), ended(BOUGHT, 3)]

    assert [type(fact) for fact in found(facts, row(ASSIGNED, 3, "-3750"), row(EXPIRED, -3))] == [j.EndsCompared]
    fact, alert = found(facts, row(ASSIGNED, 3, "-3765"), row(EXPIRED, -3))
    assert isinstance(fact, j.EndsCompared)
    assert isinstance(alert, j.AlertRaised)
    assert not fact.agrees
    assert alert.severity is Severity.WARNING
    assert "booked 3 assigned, 3 expired, -3750.00 in cash; the broker tells" in alert.text
    assert "-3765.00" in alert.text


def test_an_assignment_taken_for_an_expiry_is_told() -> None:
    """The short put was assigned, and the shares were not on the list yet when it was gone."""
    fact, alert = found([ended(DELIVERED, -1)], row(ASSIGNED, 1))

    assert isinstance(fact, j.EndsCompared)
    assert not fact.agrees
    assert "booked 1 expired" in fact.told
    assert "1 assigned" in fact.told
    assert isinstance(alert, j.AlertRaised)


def test_an_account_of_the_day_that_is_lacking_is_waited_for_and_not_for_ever() -> None:
    assert found([ended(SOLD, -3)], days=3) == []
    fact, _ = found([ended(SOLD, -3)], days=4)
    assert isinstance(fact, j.EndsCompared)
    assert fact.told.endswith("the broker tells nothing, +0.00")
