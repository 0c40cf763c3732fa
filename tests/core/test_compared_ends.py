"""Tests of `core/compared_ends.py`: what was inferred, beside the broker's own account of the day."""

from dataclasses import replace
from datetime import date, timedelta

import pytest

from standfast.core.compared_ends import compared, days_to_compare
from standfast.model import journal as j
from standfast.model.alert import Severity
from standfast.model.evidence import EndTold
from standfast.model.ids import Holding, PositionId
from standfast.model.order import INFERRED, Movement, MovementKind
from standfast.model.position import CloseReason
from standfast.stores.codec import decode_fact, encode_fact
from tests.core.situations import NOW, SPY, D, P, folded, position, situation, told
from tests.core.structures import at

Q, R = PositionId("p2"), PositionId("p3")
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


def held_and_ended(price: str, proof: str = "", **sizes: int) -> list[j.Fact]:
    """Three sold and three bought, gone at their end: booked as worth so much, and nothing."""
    facts: list[j.Fact] = []
    for id, holding, size, worth in ((P, SOLD, -3, price), (Q, BOUGHT, sizes.get("bought", 3), "0")):
        sign = 1 if size > 0 else -1
        part = j.Allocation(position=id, quantity=D(abs(size)), opens=False, realised=(D(worth) - 5) * size * 100)
        gone = j.MovedOut(
            holding=holding,
            movements=(f"{INFERRED}-{holding}",),
            parts=(part,),
            sign=sign,
            reason=CloseReason.EXPIRY,
            price=D(worth),
        )
        settled = j.PositionSettled(
            position=id,
            reason=CloseReason.EXPIRY,
            proof=proof or f"fills add up to 3: left by no trade ({gone.movements[0]})",
        )
        facts += [*position(size, 5, id=id, holding=holding), ended(holding, size, worth), gone, settled]
    return facts


def test_what_the_broker_tells_of_one_contract_alone_is_restated_to_the_cent() -> None:
    """The last price of what lay under it was 6.50 in the money; it was settled at 6.00."""
    book = folded(*held_and_ended("6.50", bought=2))
    s = situation(book, now=NEXT)

    facts = list(compared(s, DAY, [row(ASSIGNED, 3, "-1800"), row(EXPIRED, -2)]))
    told(book, *facts)

    restated, alarm, agreed = facts
    assert isinstance(restated, j.EndRestated)
    assert (restated.was, restated.price) == (D("6.50"), D(6))
    assert isinstance(alarm, j.AlertRaised)
    assert "restated by +150.00" in alarm.text
    assert isinstance(agreed, j.EndsCompared)
    assert agreed.agrees
    closed = book.state.closed[P]
    assert (closed.pnl, closed.exit_value) == (D(-300), D(18))
    assert decode_fact(1, encode_fact(restated)) == restated


def test_what_was_taken_for_worthless_and_was_assigned_is_restated_too() -> None:
    book = folded(*held_and_ended("0", bought=2))

    told(book, *compared(situation(book, now=NEXT), DAY, [row(ASSIGNED, 3, "-90"), row(EXPIRED, -2)]))

    assert book.state.closed[P].pnl == D(1500) - 90
    assert book.state.inferred == {}


@pytest.mark.parametrize(
    ("facts", "rows"),
    [
        (held_and_ended("6.50"), [row(ASSIGNED, 2, "-1200"), row(ASSIGNED, 1, "-600"), row(EXPIRED, -3)]),
        (held_and_ended("6.50"), [row(ASSIGNED, 3, "1800"), row(EXPIRED, -3)]),
        (held_and_ended("6.50", proof="an operator's word"), [row(ASSIGNED, 3, "-1800"), row(EXPIRED, -3)]),
    ],
    ids=["in two rows", "money the wrong way", "closed by other means"],
)
def test_what_may_be_of_another_is_left_to_a_person(facts: list[j.Fact], rows: list[EndTold]) -> None:
    outcomes = list(compared(situation(folded(*facts), now=NEXT), DAY, rows))

    assert [type(fact) for fact in outcomes] == [j.EndsCompared, j.AlertRaised]


def test_a_day_waits_for_what_is_not_booked_yet_and_is_of_the_contracts_last_one() -> None:
    """Booked the next morning, when no shares have come: the broker tells it of the evening before."""
    book = folded(*held_and_ended("0"), *position(-1, 5, id=R, holding=DELIVERED))
    later = NEXT.date()
    assert days_to_compare(book, later) == []

    told(book, j.MovementBooked(movement=replace(ended(DELIVERED, -1).movement, at=NEXT)))
    told(book, j.PositionWrittenOff(position=R, reason=CloseReason.EXPIRY, by="op", detail=""))

    assert days_to_compare(book, later) == [DAY]


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
