"""Tests of `core/bounding.py`: what was bought is not taken away from what was sold while both still stand alone."""

from dataclasses import replace
from datetime import UTC, datetime, time
from typing import Any

import pytest

from standfast.core.decide import decide
from standfast.core.handover import handing_over
from standfast.core.policy import FlatBy, HeldBy
from standfast.core.situation import Situation
from standfast.model import journal as j
from standfast.model.effects import SubmitOrder
from standfast.model.ids import Holding, PositionId
from standfast.model.position import CloseReason
from tests.core.situations import NEW_YORK, NOW, D, P, adopted, folded, quoted, situation
from tests.core.spreads import BOUGHT, SOLD, SPREADS, prices
from tests.core.structures import FRIDAY, TODAY, at

Q = PositionId("p2")
FALLEN = prices(("0.40", "0.45"), ("0.20", "0.22"))
"""The bought leg has lost three quarters of what it cost."""


def legs(sold: int = -3, bought: Holding = BOUGHT, *more: j.Fact, **changes: Any) -> Situation:
    held = [adopted(sold, "4.50", id=P, holding=SOLD), adopted(3, "0.80", id=Q, holding=bought)]
    return situation(folded(*held, *more), **{"policy": SPREADS, "sights": FALLEN, **changes})


def closed(s: Situation) -> list[PositionId]:
    return [fact.position for fact in decide(s, s.book.holdings()).facts if isinstance(fact, j.CloseRequested)]


@pytest.mark.parametrize(
    "changes",
    [
        {"sights": {SOLD: quoted("0", "4.50"), BOUGHT: quoted("0.20", "0.22")}},
        {"held": {SOLD: -3, BOUGHT: 3, at("C", 3900): -3}},
        {"asked_after": 0},
    ],
    ids=["the sold leg has no price", "the broker lists what is not booked", "the list is older than the books"],
)
def test_a_bought_leg_is_not_sold_alone_while_its_spread_cannot_be_formed(changes: dict[str, Any]) -> None:
    s = legs(**changes)

    facts = decide(s, s.book.holdings()).facts

    assert closed(s) == []
    assert any("stop_loss is due" in fact.text and P in fact.text for fact in facts if isinstance(fact, j.AlertRaised))


def test_no_stop_rests_for_it_either() -> None:
    policy = replace(SPREADS, held_by=HeldBy.BROKER)
    sights = {SOLD: quoted("0", "4.50"), BOUGHT: quoted("0.78", "0.80")}
    s = legs(policy=policy, sights=sights)

    sent = [effect for effect in decide(s, s.book.holdings()).effects if isinstance(effect, SubmitOrder)]

    assert BOUGHT not in {effect.intent.holding for effect in sent}


def test_by_the_clock_what_is_sold_goes_first() -> None:
    policy = replace(SPREADS, stop_loss=None, expiring_flat_by=FlatBy(time(15, 10), NEW_YORK))
    late = datetime.combine(NOW.date(), time(15, 10), NEW_YORK).astimezone(UTC)
    sights = {SOLD: quoted("0", "4.50", at=late), BOUGHT: quoted("0.20", "0.22", at=late)}

    assert closed(legs(policy=policy, sights=sights, now=late)) == [P]


def test_with_nothing_sold_that_it_may_bound_it_is_judged_as_any_option() -> None:
    blind = {"held": {SOLD: -3, BOUGHT: 3, at("C", 3900): -3}}
    out = j.PositionSettled(position=P, reason=CloseReason.STOP_LOSS, proof="test")
    call, sooner, later = at("C", 3700), at("P", 3700, TODAY), at("P", 3800, FRIDAY)

    assert closed(legs(-3, BOUGHT, out, **blind)) == [Q]
    assert closed(legs(-3, call, sights={SOLD: quoted("0", "4.5"), call: quoted("0.20", "0.22")})) == [Q]
    assert closed(legs(-3, later, sights={SOLD: quoted("0", "4.5"), later: quoted("0.20", "0.22")})) == []
    found = [adopted(-3, "4.50", id=P, holding=later), adopted(3, "0.80", id=Q, holding=sooner)]
    sights = {later: quoted("0", "4.5"), sooner: quoted("0.20", "0.22")}
    assert closed(situation(folded(*found), policy=SPREADS, sights=sights)) == [Q]


def test_a_guard_that_stops_rests_no_stop_for_it() -> None:
    s = legs(policy=replace(SPREADS, stop_loss=None, emergency_stop=D("0.9")), sights=prices())

    sent = [each for each in handing_over(s) if isinstance(each, SubmitOrder)]

    assert [effect.intent.holding for effect in sent] == [SOLD]
