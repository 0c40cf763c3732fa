"""Tests of `core/unexplained.py`: a leg that fits nowhere is told for as long as nobody knows of it."""

from datetime import timedelta
from decimal import Decimal

import pytest

from standfast.core.book import Book
from standfast.core.decide import decide
from standfast.core.situation import Situation
from standfast.core.unexplained import unexplained_legs
from standfast.model import journal as j
from standfast.model.alert import Severity
from standfast.model.breaks import BreakKind
from standfast.model.ids import PositionId
from tests.core.situations import SPY, D, P, adopted, folded, of, position, situation, told
from tests.core.spreads import BOUGHT, SOLD, SPREADS, prices
from tests.core.structures import at
from tests.core.test_forming import R, bare, formed

CALL = at("C", 3900)


def left(quantity: int = -1) -> Book:
    """A put spread, and a call that belongs to nothing."""
    s = bare(-3, 3)
    told(s.book, *formed(s), adopted(quantity, 2, id=R, holding=CALL))
    return s.book


def seen(book: Book, **changes: object) -> Situation:
    return situation(book, policy=SPREADS, **{"sights": prices(), **changes})  # type: ignore[arg-type]  # any change


@pytest.mark.parametrize(("quantity", "risk"), [(-1, "it is sold"), (2, "it is bought")])
def test_an_option_beside_a_spread_that_has_no_place_in_it_is_named(quantity: int, risk: str) -> None:
    book = left(quantity)
    (structure,) = book.state.structures

    (found,) = unexplained_legs(seen(book), CALL).findings

    assert (found.kind, found.subject, found.reported) == (BreakKind.STRUCTURE, R, f"{quantity:+}")
    assert structure in found.booked
    assert risk in found.evidence


def test_legs_singles_and_what_stands_alone_are_not() -> None:
    book = left()
    alone = folded(adopted(-1, 2, id=R, holding=CALL))
    owned = left()
    told(owned, *position(-1, 2, id=PositionId("p9"), holding=at("C", 3950)))

    assert unexplained_legs(seen(book), SOLD).findings == unexplained_legs(seen(book), BOUGHT).findings == ()
    assert unexplained_legs(seen(alone), CALL).findings == ()
    assert unexplained_legs(seen(owned), at("C", 3950)).findings == (), "it was opened on purpose"


@pytest.mark.parametrize(("lots", "named"), [((60, 40), [R]), ((60, 39), []), ((60, 140), []), ((100,), [])])
def test_a_call_is_named_that_shares_deliver_and_no_lot_of_them_alone(
    lots: tuple[int, ...], named: list[PositionId]
) -> None:
    shares = [adopted(each, "100", id=PositionId(f"s{place}"), holding=SPY) for place, each in enumerate(lots)]
    call = at("C", 110, root="SPY")
    book = folded(*shares, adopted(-1, "2.00", id=R, holding=call))

    found = unexplained_legs(seen(book), call).findings

    assert [each.subject for each in found] == named


@pytest.mark.parametrize(
    "chosen",
    [
        j.ProtectionChosen(position=R, stop=Decimal(5), target=None, bare=False, by="op"),
        j.ProtectionChosen(position=R, stop=None, target=None, bare=True, by="op"),
    ],
)
def test_once_somebody_has_chosen_how_it_is_protected_it_is_known(chosen: j.ProtectionChosen) -> None:
    assert unexplained_legs(seen(told(left(), chosen)), CALL).findings == ()


def test_it_is_told_once_it_has_lasted_and_over_when_it_is_gone() -> None:
    book = left()
    s = seen(book)
    told(book, *decide(s, [CALL]).facts)
    s = seen(book, now=s.now + timedelta(seconds=3))
    told(book, *decide(s, [CALL]).facts)
    told(book, *decide(s, [CALL]).facts)
    (alert,) = (each for each in book.state.alerts.values() if "fit in no structure" in each.text)
    assert alert.severity is Severity.CRITICAL
    assert f"standfast protect {R}" in alert.text

    told(book, j.ProtectionChosen(position=R, stop=D(5), target=None, bare=False, by="op"))
    ended = of(j.BreakEnded, decide(s, [CALL]).facts)

    assert len(ended) == 1
    assert P in book.state.positions
