"""Tests of `core/exits.py`: which rule is due, and who carries it out."""

from dataclasses import replace
from datetime import time, timedelta
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from standfast.core.bands import band
from standfast.core.exits import climb, exits
from standfast.core.policy import FlatBy, HeldBy, Mode, Policy, Rung
from standfast.core.situation import Sight, Situation, Verdict
from standfast.model import journal as j
from standfast.model.breaks import BreakKind, Finding
from standfast.model.effects import WakeAt
from standfast.model.ids import BreakId
from standfast.model.order import OrderType
from standfast.model.position import CloseReason, Standing, Trail
from tests.core.situations import (
    BEGAN,
    NEW_YORK,
    NOW,
    SPY,
    D,
    P,
    adopted,
    after,
    closing_of,
    folded,
    of,
    opening_of,
    position,
    quoted,
    report,
    resting_stop,
    ruled,
    situation,
    the,
    told,
)

GUARD = Policy(name="guard", held_by=HeldBy.GUARD, stop_loss=D("0.02"), take_profit=D("0.1"), emergency_stop=D("0.2"))


def due(s: Situation) -> CloseReason | None:
    """The reason of the close this look asks for."""
    requests = of(j.CloseRequested, exits(s, the(s.book)))
    assert len(requests) <= 1
    return requests[0].reason if requests else None


def at_price(price: str, facts: list[j.Fact] | None = None, policy: Policy = GUARD, **changes: Any) -> Situation:
    given: dict[str, Any] = {"sights": {SPY: quoted(price)}, **changes}
    return situation(folded(*(facts or position(10))), policy=policy, **given)


# --- price rules --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("quantity", "price", "reason"),
    [
        (10, "98.01", None),
        (10, "98", CloseReason.STOP_LOSS),
        (10, "80", CloseReason.EMERGENCY_STOP),
        (10, "109.99", None),
        (10, "110", CloseReason.TAKE_PROFIT),
        (-10, "101.99", None),
        (-10, "102", CloseReason.STOP_LOSS),
        (-10, "120", CloseReason.EMERGENCY_STOP),
        (-10, "90", CloseReason.TAKE_PROFIT),
    ],
)
def test_a_rule_is_due_at_its_price_and_not_before(quantity: int, price: str, reason: CloseReason | None) -> None:
    assert due(at_price(price, position(quantity))) is reason


def test_a_long_is_judged_at_the_bid_and_a_short_at_the_ask() -> None:
    tight = replace(GUARD, emergency_stop=None, take_profit=None)
    narrow = {SPY: quoted("98", "98.02")}
    assert due(at_price("0", position(10), tight, sights=narrow)) is CloseReason.STOP_LOSS
    above = {SPY: quoted("101.98", "102")}
    assert due(at_price("0", position(-10), tight, sights=above)) is CloseReason.STOP_LOSS


def test_no_price_rule_fires_without_a_session_a_price_or_an_explained_quantity() -> None:
    assert due(at_price("50", is_open=False)) is None
    assert due(at_price("50", sights={})) is None
    assert due(at_price("50", sights={SPY: quoted("50", "0")})) is None
    assert due(at_price("50", sights={SPY: quoted("50", "49")})) is None
    assert due(at_price("50", sights={SPY: quoted("50", at=after(-16))})) is None
    suspended = [*position(10), j.PricesSuspended(holding=SPY, reason="split?")]
    assert due(at_price("50", suspended)) is None
    less = Finding(kind=BreakKind.QUANTITY, holding=SPY, booked="10", reported="5")
    seen: list[j.Fact] = [*position(10), j.BreakSeen(id=BreakId("b"), finding=less)]
    assert due(at_price("50", [*seen, j.BreakConfirmed(id=BreakId("b"))])) is None


def test_an_orphan_beside_ours_does_not_switch_our_rules_off() -> None:
    orphan = Finding(kind=BreakKind.ORPHAN_ORDER, holding=SPY, booked="-", reported="sell 5")
    facts = [*position(10), j.BreakSeen(id=BreakId("b"), finding=orphan)]

    assert due(at_price("50", facts)) is CloseReason.EMERGENCY_STOP


def test_what_is_foreign_closing_or_empty_is_left_alone() -> None:
    foreign = j.StandingChanged(position=P, standing=Standing.FOREIGN, by="op")
    assert due(at_price("50", [*position(10), foreign])) is None
    assert due(at_price("50", [*position(10), closing_of()])) is None
    assert due(at_price("50", opening_of(10))) is None


def test_a_wide_quote_fires_only_when_two_in_a_row_agree() -> None:
    """The mid of one wide quote may be anything: neither a loss nor a gain is taken on its word alone."""
    cases = {
        ("90", "104", "100", "100"): None,
        ("90", "104", "90", "104"): CloseReason.STOP_LOSS,
        ("100", "130", "100", "100"): None,
        ("100", "130", "100", "130"): CloseReason.TAKE_PROFIT,
    }
    for (bid, ask, *before), reason in cases.items():
        sight = quoted(bid, ask, before=(before[0], before[1]))
        assert due(at_price("0", sights={SPY: sight})) is reason, (bid, ask, before)
        mirrored = Sight(_mirrored(sight.quote), _mirrored(sight.before))
        assert due(at_price("0", position(-10), sights={SPY: mirrored})) is reason


def _mirrored(quote: Any) -> Any:
    return replace(quote, bid=200 - quote.ask, ask=200 - quote.bid)


def test_one_wide_quote_arms_no_trailing_stop() -> None:
    ladder = replace(GUARD, take_profit=None, trailing=(Rung(D("0.1"), D("0.02")),))
    sight = quoted("100", "130", before=("100", "100"))

    assert of(j.TrailMoved, exits(at_price("0", policy=ladder, sights={SPY: sight}), the(folded(*position(10))))) == []


# --- what rests at the broker is the broker's -----------------------------------------------------

BROKER = Policy(name="broker", stop_loss=D("0.02"))


def test_a_resting_stop_is_left_to_the_broker_for_five_seconds() -> None:
    facts = [*position(10), *resting_stop(10, "98")]

    assert due(at_price("97", facts, BROKER)) is None
    assert due(at_price("97", facts, BROKER, beyond_since={P: after(-4)})) is None
    assert due(at_price("97", facts, BROKER, beyond_since={P: after(-5)})) is CloseReason.STOP_LOSS


def test_a_stop_that_fired_and_did_not_fill_for_five_seconds_is_no_cover() -> None:
    facts = [*position(10), *resting_stop(10, "98")]
    fired = report("p1-stop-1", client=of(j.OrderIntended, facts)[1].id, type=OrderType.STOP, stop="98", triggered=True)
    book = told(folded(*facts), j.OrderObserved(report=fired, position=P))

    sights = {SPY: quoted("97", at=after(6))}
    assert due(situation(book, policy=BROKER, sights=sights, now=after(4))) is None
    assert due(situation(book, policy=BROKER, sights=sights, now=after(6))) is CloseReason.STOP_LOSS


def test_a_stop_that_covers_less_or_stands_further_off_is_no_excuse() -> None:
    assert due(at_price("97", [*position(10), *resting_stop(9, "98")], BROKER)) is CloseReason.STOP_LOSS
    assert due(at_price("97", [*position(10), *resting_stop(10, "90")], BROKER)) is CloseReason.STOP_LOSS


def test_a_loose_foreign_stop_counts_where_it_stands() -> None:
    near = report("loose", type=OrderType.STOP, stop="98")
    far = report("loose", type=OrderType.STOP, stop="50")

    assert due(at_price("97", [adopted(10)], BROKER, listed=[near])) is None
    assert due(at_price("97", [adopted(10)], BROKER, listed=[far])) is CloseReason.STOP_LOSS


def test_the_guard_holds_the_fraction_that_cannot_rest() -> None:
    facts = [*position("10.5"), *resting_stop(10, "98")]

    assert due(at_price("98.01", facts, BROKER)) is None
    assert due(at_price("98", facts, BROKER)) is CloseReason.STOP_LOSS


def test_a_wider_stop_at_the_broker_does_not_do_the_nearer_one_of_the_loop_however_near_they_are() -> None:
    both = Policy(name="both", held_by=HeldBy.BOTH, stop_loss=D("0.001"), emergency_stop=D("0.0015"))
    facts = [*position(10), *resting_stop(10, "99.85")]

    assert due(at_price("99.89", facts, both)) is CloseReason.STOP_LOSS


def test_with_both_the_guard_holds_the_stop_and_the_broker_the_emergency() -> None:
    both = Policy(name="both", held_by=HeldBy.BOTH, stop_loss=D("0.02"), emergency_stop=D("0.1"))
    facts = [*position(10), *resting_stop(10, "90")]

    assert due(at_price("97", facts, both)) is CloseReason.STOP_LOSS
    assert due(at_price("89", facts, both)) is CloseReason.STOP_LOSS
    gone = situation(folded(*facts), policy=both, sights={SPY: quoted("89")}, beyond_since={P: after(-5)})
    assert due(gone) is CloseReason.EMERGENCY_STOP


# --- told, not done -----------------------------------------------------------------------------


def test_in_alert_mode_a_due_rule_is_told_once_and_nothing_is_put_down_to_be_done_later() -> None:
    book = folded(*position(10))
    rules = ruled(GUARD, mode=Mode.ALERT)
    look = situation(book, rules=rules, sights={SPY: quoted("97")})

    (told_once,) = list(exits(look, the(book)))
    assert isinstance(told_once, j.AlertRaised)
    assert "stop_loss is due, -3.00% at 97 (entry 100)" in told_once.text
    assert "mode is alert" in told_once.text

    told(book, told_once)
    assert list(exits(situation(book, rules=rules, sights={SPY: quoted("97")}), the(book))) == []
    (another,) = exits(situation(book, rules=rules, sights={SPY: quoted("70")}), the(book))
    assert isinstance(another, j.AlertRaised)
    assert another.id != told_once.id


def test_a_halted_account_tells_and_an_observed_one_is_silent() -> None:
    book = folded(*position(10))
    sights = {SPY: quoted("97")}

    (halted,) = exits(situation(book, policy=GUARD, sights=sights, halted=True), the(book))
    assert isinstance(halted, j.AlertRaised)
    assert "halted" in halted.text
    observed = situation(book, rules=ruled(GUARD, mode=Mode.OBSERVE), sights=sights)
    assert list(exits(observed, the(book))) == []


# --- minimum hold -------------------------------------------------------------------------------

YOUNG = replace(GUARD, minimum_hold=timedelta(hours=2), trailing=(Rung(D("0.05"), D("0.01")),))


def test_minimum_hold_delays_stop_target_and_trailing_only() -> None:
    assert due(at_price("97", policy=YOUNG)) is None
    assert due(at_price("111", policy=YOUNG)) is None
    assert of(j.TrailMoved, exits(at_price("106", policy=YOUNG), the(folded(*position(10))))) == []
    assert due(at_price("80", policy=YOUNG)) is CloseReason.EMERGENCY_STOP
    assert due(at_price("100", policy=replace(YOUNG, maximum_hold=timedelta(hours=1)))) is CloseReason.MAXIMUM_HOLD
    ten = FlatBy(time(10, 0), NEW_YORK)
    assert due(at_price("100", policy=replace(YOUNG, flat_by=ten), now=NOW)) is CloseReason.FLAT_BY


def test_when_the_minimum_hold_is_over_the_rules_are_on_and_somebody_wakes_for_it() -> None:
    waits = of(WakeAt, exits(at_price("97", policy=YOUNG), the(folded(*position(10)))))
    assert BEGAN + timedelta(hours=2) in [wait.at for wait in waits]

    later = BEGAN + timedelta(hours=2)
    assert due(at_price("97", policy=YOUNG, now=later, sights={SPY: quoted("97", at=later)})) is CloseReason.STOP_LOSS


# --- the ladder ---------------------------------------------------------------------------------

LADDER = replace(GUARD, take_profit=None, trailing=(Rung(D("0.1"), None), Rung(D("0.2"), D("0.08"))))


def climbed(price: str, before: Trail | None = None) -> Trail | None:
    book = folded(*position(10))
    if before is not None:
        told(book, j.TrailMoved(position=P, trail=before))
    s = situation(book, policy=LADDER)
    return climb(s, the(book), LADDER, D(price))


def test_the_ladder_arms_rung_by_rung_beginning_with_break_even() -> None:
    assert climbed("109.99") is None
    assert climbed("110") == Trail(rung=0, peak=D("0.1"), stop=D(0))
    assert climbed("120", Trail(rung=0, peak=D("0.1"), stop=D(0))) == Trail(rung=1, peak=D("0.2"), stop=D("0.12"))


def test_an_armed_rung_follows_by_a_tenth_of_what_it_gives_back() -> None:
    armed = Trail(rung=1, peak=D("0.2"), stop=D("0.12"))
    assert climbed("120.79", armed) is None
    assert climbed("120.8", armed) == Trail(rung=1, peak=D("0.208"), stop=D("0.128"))


def test_a_trailing_stop_that_is_reached_closes_as_trailing() -> None:
    trail = j.TrailMoved(position=P, trail=Trail(rung=0, peak=D("0.1"), stop=D(0)))

    assert due(at_price("100", [*position(10), trail], LADDER)) is CloseReason.TRAILING


rungs = st.lists(
    st.tuples(
        st.integers(1, 40).map(lambda n: Decimal(n) / 100),
        st.one_of(st.none(), st.integers(1, 20).map(lambda n: Decimal(n) / 100)),
    ),
    min_size=1,
    max_size=3,
).map(lambda rows: tuple(Rung(arm, back) for arm, back in sorted(rows, key=lambda row: row[0])))


@given(st.sampled_from([1, -1]), rungs, st.lists(st.integers(60, 160), max_size=25))
def test_a_ladder_never_lowers_its_stop_nor_forgets_a_rung(
    sign: int, ladder: tuple[Rung, ...], path: list[int]
) -> None:
    policy = Policy(name="ladder", held_by=HeldBy.GUARD, trailing=ladder)
    book = folded(*position(10 * sign))
    for price in path:
        before = the(book).trail
        trail = climb(situation(book, policy=policy), the(book), policy, D(price))
        if trail is None:
            continue
        told(book, j.TrailMoved(position=P, trail=trail))
        if before is not None:
            assert trail.stop >= before.stop
            assert trail.rung >= before.rung
            assert trail.peak >= before.peak


# --- a rule of the operator's own ---------------------------------------------------------------


def test_what_a_rule_of_the_operators_own_has_said_closes_for_as_long_as_it_is_fresh() -> None:
    own = replace(GUARD, user_rule="mypackage.rules:late_fade")
    said = {P: Verdict(detail="it fades", at=NOW)}

    (close,) = of(j.CloseRequested, (lambda s: exits(s, the(s.book)))(at_price("100", policy=own, verdicts=said)))
    assert (close.reason, close.detail) == (CloseReason.USER_RULE, "mypackage.rules:late_fade: it fades")

    assert due(at_price("100", policy=own, verdicts=said, now=after(5))) is None
    assert due(at_price("100", policy=own, verdicts=said, is_open=False)) is None
    assert due(at_price("100", policy=GUARD, verdicts=said)) is None, "its policy has no such rule any more"


def test_while_a_part_is_being_closed_the_rules_hold_for_all_of_it() -> None:
    """A close of a part that is refused for ever would switch the stop off with it."""
    part = j.CloseRequested(position=P, reason=CloseReason.OPERATOR, by="op", detail="", remain=D(6))
    book = folded(*position(10), part)
    policy = Policy(name="held here", held_by=HeldBy.GUARD, stop_loss=D("0.02"))
    s = situation(book, policy=policy, sights={SPY: quoted("90", "90.02")})

    (asked,) = of(j.CloseRequested, exits(s, the(book)))
    assert (asked.reason, asked.remain) == (CloseReason.STOP_LOSS, 0)
    assert not band(s, SPY).is_quiet(90, 90.02)  # type: ignore[union-attr]  # it is watched
    told(book, asked)
    assert of(j.CloseRequested, exits(s, the(book))) == []
