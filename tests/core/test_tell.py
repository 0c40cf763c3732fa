"""Tests of `core/tell.py`: what an alarm says to somebody who was asleep."""

from standfast.core.tell import wording
from standfast.model.breaks import Break, BreakKind, Finding
from standfast.model.ids import BreakId, EntryNumber, PositionId
from tests.core.situations import NOW, folded, position, resting_stop, situation


def test_a_blind_guard_says_what_still_protects_and_what_does_not() -> None:
    book = folded(*position(10), *resting_stop(10), *position(5, id=PositionId("p2")))
    finding = Finding(
        kind=BreakKind.BLIND, holding=None, subject="reads", booked="nothing new", reported="no answer", evidence=""
    )
    blind = Break(id=BreakId("b1"), finding=finding, first_seen=NOW, last_seen=NOW, number=EntryNumber(1))

    _, text = wording(situation(book), blind)

    assert "1 of 2 positions have their stop at the broker" in text
    assert "Only this guard protects p2." in text
    assert "Needed:" in text
