"""Tests of `core/handover.py`: nothing that only the guard protects goes unnamed when it stops."""

from typing import Any

from standfast.core.handover import handing_over
from standfast.core.policy import HeldBy, Mode, Policy
from standfast.model import journal as j
from standfast.model.effects import SubmitOrder
from standfast.model.order import OrderType
from standfast.model.position import Standing
from tests.core.situations import (
    SPY,
    D,
    P,
    adopted,
    closing_of,
    folded,
    of,
    opening_of,
    position,
    report,
    resting_stop,
    ruled,
    situation,
)

GUARD = Policy(name="guard", held_by=HeldBy.GUARD, stop_loss=D("0.02"), emergency_stop=D("0.1"))


def left(*facts: j.Fact, policy: Policy = GUARD, **changes: Any) -> list[Any]:
    return list(handing_over(situation(folded(*facts), policy=policy, **changes)))


def test_the_emergency_stop_is_rested_and_the_position_named() -> None:
    stop, alarm = left(*position(10))

    assert (stop.intent.terms.quantity, stop.intent.terms.stop_price) == (D(10), D(90))
    assert "p1 +10 SPY (stop 90" in alarm.text
    assert alarm.severity.value == "critical"


def test_without_an_emergency_stop_the_stop_is_rested() -> None:
    plain = Policy(name="plain", held_by=HeldBy.GUARD, stop_loss=D("0.02"))

    assert of(SubmitOrder, left(*position(-10), policy=plain))[0].intent.terms.stop_price == D(102)


def test_what_rests_already_is_silent() -> None:
    broker = Policy(name="broker", stop_loss=D("0.02"))
    assert left(*position(10), *resting_stop(10), policy=broker) == []


def test_what_is_nobodys_or_bare_or_empty_is_not_named() -> None:
    foreign = j.StandingChanged(position=P, standing=Standing.FOREIGN, by="op")
    bare = j.ProtectionChosen(position=P, stop=None, target=None, bare=True, by="op")
    assert left(*position(10), foreign) == []
    assert left(*position(10), bare) == []
    assert left(*opening_of(10)) == []


def test_where_no_stop_can_be_rested_it_is_named_all_the_same() -> None:
    off = Policy(name="off", held_by=HeldBy.GUARD)
    for outcomes in (
        left(*position(10), policy=off),
        left(*position("0.5")),
        left(*position(10), rules=ruled(GUARD, mode=Mode.ALERT)),
    ):
        (alarm,) = outcomes
        assert "(nothing rests for it)" in alarm.text


def test_a_close_that_is_not_on_its_way_is_no_protection() -> None:
    assert [type(each) for each in left(*position(10), closing_of())] == [SubmitOrder, j.AlertRaised]


def test_beside_somebody_elses_stop_only_the_rest_is_covered() -> None:
    loose = report("loose", type=OrderType.STOP, stop="95", quantity=4)

    (stop,) = of(SubmitOrder, left(adopted(10), listed=[loose]))

    assert stop.intent.terms.quantity == D(6)
    assert stop.intent.holding == SPY
