"""Tests of `core/structure_exits.py`: which rule of a structure is due now."""

from dataclasses import replace
from datetime import UTC, datetime, time, timedelta
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from standfast.core.policy import FlatBy, HeldBy, Mode, Policy, Rung
from standfast.core.situation import Outcome, Situation, Verdict
from standfast.core.structure_exits import structure_exits
from standfast.core.worth import net_at
from standfast.model import journal as j
from standfast.model.breaks import Break, BreakKind, Finding
from standfast.model.effects import WakeAt
from standfast.model.greeks import Greeks
from standfast.model.ids import BreakId, EntryNumber, Holding
from standfast.model.position import CloseReason, Closing, Standing, Trail
from standfast.model.structure import Structure
from tests.core.situations import BEGAN, NEW_YORK, NOW, D, P, folded, of, quoted, ruled, situation, told
from tests.core.structures import FRIDAY, at, leg, put_spread, structure

SHORT, LONG = at("P", 3800), at("P", 3700)
SPREAD = Policy(
    name="spreads",
    held_by=HeldBy.GUARD,
    stop_loss=D("0.15"),
    take_profit=D("0.5"),
    emergency_stop=D("0.4"),
    minimum_hold=timedelta(minutes=5),
)
LADDER = replace(SPREAD, take_profit=None, trailing=(Rung(D("0.1"), None), Rung(D("0.2"), D("0.08"))))


def costing(
    close: str | Decimal, *, mid: str | Decimal | None = None, policy: Policy = SPREAD, **changes: Any
) -> Situation:
    """The spread costs so much to close at the worst side; the long leg is worth 0.80."""
    ask = D(close) + D("0.80")
    bid = ask if mid is None else 2 * (D(mid) + D("0.80")) - ask
    quotes = {SHORT: quoted(str(bid), str(ask)), LONG: quoted("0.80", "0.80")}
    return situation(folded(), sights=quotes, policy=policy, **changes)


def due(s: Situation, one: Structure | None = None, policy: Policy | None = None) -> CloseReason | None:
    one = one or put_spread()
    closes = of(j.CloseRequested, structure_exits(s, one, policy or s.rules.policies[0]))
    return closes[0].reason if closes else None


def detail(s: Situation, policy: Policy = SPREAD) -> str:
    (close,) = of(j.CloseRequested, structure_exits(s, put_spread(), policy))
    return str(close.detail)


# --- price rules --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("cost", "reason"),
    [
        ("4.25", None),
        ("4.26", CloseReason.STOP_LOSS),
        ("5.17", CloseReason.STOP_LOSS),
        ("5.18", CloseReason.EMERGENCY_STOP),
        ("1.86", None),
        ("1.85", CloseReason.TAKE_PROFIT),
    ],
)
def test_a_stop_fires_once_closing_costs_so_much_more_than_was_received(cost: str, reason: CloseReason | None) -> None:
    assert due(costing(cost)) is reason


def test_the_worst_side_decides_and_the_mid_is_shown_beside_it() -> None:
    s = costing("4.30", mid="4.10")

    assert due(s) is CloseReason.STOP_LOSS
    assert detail(s) == "-16.22% at -4.3 (mid -4.1, entry -3.7)"


def test_a_debit_is_stopped_by_what_its_value_lost() -> None:
    bought = structure((leg(1, "P", 3800), "4.50"), (leg(-1, "P", 3700), "0.80"))
    quotes = {SHORT: quoted("3.94", "4.00"), LONG: quoted("0.70", "0.80")}

    assert due(situation(folded(), sights=quotes, policy=SPREAD), bought) is CloseReason.STOP_LOSS


def test_the_minimum_hold_delays_stop_target_and_trailing_and_nothing_else() -> None:
    young = put_spread(at=NOW - timedelta(minutes=4))

    assert due(costing("4.26"), young) is None
    assert due(costing("1.00"), young) is None
    assert list(structure_exits(costing("3.00", policy=LADDER), young, LADDER)) == [
        WakeAt(at=NOW + timedelta(minutes=1), holding=SHORT)
    ]
    assert due(costing("5.18"), young) is CloseReason.EMERGENCY_STOP


def test_the_ladder_climbs_from_break_even_and_its_stop_closes_as_trailing() -> None:
    def moved(cost: str, trail: Trail | None = None) -> list[Trail]:
        outcomes = structure_exits(costing(cost, policy=LADDER), put_spread(trail=trail), LADDER)
        return [each.trail for each in of(j.TrailMoved, outcomes)]

    first = Trail(rung=0, peak=D("0.1"), stop=D(0))
    assert moved("3.34") == []
    assert moved("3.33") == [first]
    assert moved("2.96", first) == [Trail(rung=1, peak=D("0.2"), stop=D("0.12"))]
    assert due(costing("3.70", policy=LADDER), put_spread(trail=first)) is CloseReason.TRAILING
    assert due(costing("3.69", policy=LADDER), put_spread(trail=first)) is None


def test_wide_quotes_close_only_when_two_in_a_row_agree() -> None:
    def wide(before: str) -> Situation:
        quotes = {
            SHORT: quoted("4.50", "5.50", before=(before, str(D(before) + 1))),
            LONG: quoted("0.40", "0.40", before=("0.40", "0.40")),
        }
        return situation(folded(), sights=quotes, policy=SPREAD)

    assert due(wide("4.00")) is None
    assert due(wide("4.40")) is CloseReason.STOP_LOSS
    assert "judged at the mid: spread 1.00 on -4.60" in detail(wide("4.40"))


def test_no_price_rule_fires_while_a_leg_is_blind() -> None:
    s = costing("9")

    assert due(replace(s, sights={SHORT: s.sights[SHORT]})) is None


def test_a_rule_of_the_operators_own_closes() -> None:
    own = replace(SPREAD, user_rule="mine:late")
    s = costing("3.70", policy=own, verdicts={P: Verdict(detail="it fades", at=NOW)})

    assert due(s) is CloseReason.USER_RULE
    assert due(replace(s, now=NOW + timedelta(seconds=6))) is None


def test_chosen_levels_hold_without_a_policy() -> None:
    assert due(costing("3.90", policy=Policy(name="off")), put_spread(stop=D("-3.90"))) is CloseReason.STOP_LOSS


# --- what must be so before a price rule may fire -----------------------------------------------


def test_a_broken_structure_has_no_price_and_keeps_its_time_rules() -> None:
    sold, bought = put_spread().legs
    lost = replace(put_spread(), legs=(sold, replace(bought, closed=D(1))))

    assert due(costing("9"), lost) is None
    held = replace(SPREAD, maximum_hold=timedelta(minutes=10))
    assert due(costing("9", policy=held), lost) is CloseReason.MAXIMUM_HOLD


def unexplained(s: Situation, holding: Holding) -> Situation:
    finding = Finding(kind=BreakKind.QUANTITY, holding=holding, booked="3", reported="2")
    s.book.state.breaks[BreakId("b1")] = Break(
        id=BreakId("b1"), finding=finding, first_seen=NOW, last_seen=NOW, number=EntryNumber(1), confirmed=True
    )
    s.book.breaks_on[holding][BreakId("b1")] = None
    return s


def test_a_sold_leg_whose_quantity_is_unexplained_stops_every_price_rule() -> None:
    assert due(unexplained(costing("9"), SHORT)) is None


def test_a_bought_leg_that_may_be_gone_stops_no_rule_that_ends_a_loss() -> None:
    """What is sold beside it is held, and quoted: buying it back opens nothing, and without the other it loses more."""
    assert due(unexplained(costing("9"), LONG)) is CloseReason.EMERGENCY_STOP
    assert due(unexplained(costing("4.40"), LONG)) is CloseReason.STOP_LOSS


def test_no_gain_is_taken_of_a_leg_that_may_be_gone() -> None:
    assert due(costing("1.00")) is CloseReason.TAKE_PROFIT
    assert due(unexplained(costing("1.00"), LONG)) is None
    climbing = list(structure_exits(unexplained(costing("3.00", policy=LADDER), LONG), put_spread(), LADDER))
    assert of(j.TrailMoved, climbing) == []


def test_a_price_that_jumped_like_a_split_says_nothing_of_a_bought_leg_either() -> None:
    s = unexplained(costing("9"), LONG)
    told(s.book, j.PricesSuspended(holding=LONG, reason="twice as much"))

    assert due(s) is None


def test_outside_the_session_prices_say_nothing() -> None:
    assert due(costing("9", is_open=False)) is None


@pytest.mark.parametrize(
    "one",
    [
        put_spread(standing=Standing.FOREIGN),
        put_spread(closing=Closing(reason=CloseReason.OPERATOR, by="", detail="", remain=D(0), at=NOW)),
        put_spread(0),
    ],
)
def test_what_is_foreign_closing_or_flat_is_left_alone(one: Structure) -> None:
    assert list(structure_exits(costing("9"), one, SPREAD)) == []


def test_what_may_not_be_done_is_said_once() -> None:
    s = costing("4.26", rules=ruled(SPREAD, mode=Mode.ALERT))

    (alert,) = structure_exits(s, put_spread(), SPREAD)

    assert isinstance(alert, j.AlertRaised)
    assert alert.text.startswith(
        "p1 3 x SPXW260304P03800000:-1 SPXW260304P03700000:+1: stop_loss is due, -15.14% at -4.26"
    )
    again = costing("4.26", rules=ruled(SPREAD, mode=Mode.ALERT))
    assert list(structure_exits(replace(again, book=told(folded(), alert)), put_spread(), SPREAD)) == []


# --- short delta --------------------------------------------------------------------------------


def test_a_sold_option_too_near_the_money_closes_the_structure() -> None:
    limited = replace(SPREAD, short_delta_limit=D("0.35"))

    def with_delta(value: str, age: timedelta = timedelta(0)) -> CloseReason | None:
        greeks = {SHORT: Greeks(delta=D(value), theta=D(-1), at=NOW - age)}
        return due(costing("3.70", policy=limited, greeks=greeks), put_spread(at=NOW - timedelta(minutes=1)))

    assert with_delta("-0.3499") is None
    assert with_delta("-0.35") is CloseReason.STOP_LOSS
    assert with_delta("-0.60", timedelta(hours=2)) is None
    assert due(costing("3.70", policy=limited)) is None


def test_it_does_so_even_when_prices_cannot_be_judged() -> None:
    limited = replace(SPREAD, short_delta_limit=D("0.35"))
    greeks = {SHORT: Greeks(delta=D("-0.5"), theta=D(-1), at=NOW)}
    s = situation(folded(), sights={}, policy=limited, greeks=greeks)

    (close,) = of(j.CloseRequested, structure_exits(s, put_spread(), limited))

    assert close.detail == "short delta 0.5 of SPXW260304P03800000 is at the limit of 0.35"


# --- time rules ---------------------------------------------------------------------------------

TEN_PAST_THREE = FlatBy(time(15, 10), NEW_YORK)


def clocked(policy: Policy, now: datetime = NOW) -> Situation:
    return situation(folded(), sights={}, policy=policy, now=now)


def test_an_option_on_its_last_day_is_flat_in_time_adopted_ones_too() -> None:
    ending = Policy(name="ending", expiring_flat_by=TEN_PAST_THREE)
    late = datetime(2026, 3, 4, 20, 10, tzinfo=UTC)

    found = put_spread(standing=Standing.ADOPTED, adopted_at=BEGAN)

    (close,) = of(j.CloseRequested, structure_exits(clocked(ending, late), found, ending))
    assert close.reason is CloseReason.FLAT_BY
    assert close.detail == "SPXW260304P03800000 is traded for the last time today; what is left becomes cash"
    assert due(clocked(ending, late), structure((leg(-1, "P", 3800, FRIDAY), 5))) is None


def test_time_rules_need_no_price() -> None:
    held = Policy(name="held", maximum_hold=timedelta(minutes=59))
    flat = Policy(name="flat", flat_by=FlatBy(time(9, 45), NEW_YORK))

    assert due(clocked(held)) is CloseReason.MAXIMUM_HOLD
    assert due(clocked(flat), put_spread(at=NOW - timedelta(minutes=20))) is CloseReason.FLAT_BY
    assert due(clocked(flat), put_spread(at=NOW - timedelta(minutes=10))) is None
    assert due(clocked(flat), replace(put_spread(), opened_at=None)) is None


def test_an_adopted_structure_keeps_its_owner_s_hours() -> None:
    held = Policy(name="held", maximum_hold=timedelta(minutes=59))
    found = put_spread(standing=Standing.ADOPTED, adopted_at=BEGAN)

    assert due(clocked(held), found) is None
    assert due(clocked(replace(held, adopted_too=True)), found) is CloseReason.MAXIMUM_HOLD


def test_the_next_times_wake_the_loop() -> None:
    policy = Policy(
        name="all",
        maximum_hold=timedelta(hours=2),
        flat_by=FlatBy(time(15, 55), NEW_YORK),
        expiring_flat_by=TEN_PAST_THREE,
    )
    outcomes: list[Outcome] = list(structure_exits(clocked(policy), put_spread(), policy))

    assert outcomes == [
        WakeAt(at=BEGAN + timedelta(hours=2), holding=SHORT),
        WakeAt(at=datetime(2026, 3, 4, 20, 10, tzinfo=UTC), holding=SHORT),
        WakeAt(at=datetime(2026, 3, 4, 20, 55, tzinfo=UTC), holding=SHORT),
    ]


# --- for every price ----------------------------------------------------------------------------


@given(st.integers(5, 1200).map(lambda cents: Decimal(cents) / 100), st.integers(0, 20).map(lambda c: Decimal(c) / 100))
def test_rules_that_end_a_loss_fire_exactly_where_the_worst_side_has_lost_it(cost: Decimal, half: Decimal) -> None:
    """Whatever the mid: half the spread lies between the two."""
    bid = max(cost + D("0.80") - 2 * half, D("0.01"))
    quotes = {SHORT: quoted(str(bid), str(cost + D("0.80"))), LONG: quoted("0.80", "0.80")}
    found = due(situation(folded(), sights=quotes, policy=SPREAD))

    credit = D("-3.70")
    if -cost <= net_at(D("-0.4"), credit):
        assert found is CloseReason.EMERGENCY_STOP
    elif -cost <= net_at(D("-0.15"), credit):
        assert found is CloseReason.STOP_LOSS
    elif -cost >= net_at(D("0.5"), credit):
        assert found is CloseReason.TAKE_PROFIT
    else:
        assert found is None
