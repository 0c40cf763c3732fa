"""Tests of `core/way_out.py`: out of a structure as one order, and leg by leg when that does not work."""

from dataclasses import dataclass, field, replace
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from standfast.core.shapes import booked, broken
from standfast.core.way_out import (
    MARKET,
    AskNets,
    Attempt,
    Done,
    LegOrder,
    SendLegs,
    SendTogether,
    State,
    Step,
    Wait,
    WayOut,
    Withdraw,
    next_step,
    own_nets,
    roll_back,
)
from standfast.core.worth import Sides
from standfast.model.ids import Holding
from standfast.model.order import OrderType, Side
from standfast.model.position import CloseReason
from standfast.model.structure import Structure
from tests.core.situations import NOW, D, after
from tests.core.structures import at, leg, put_spread, shares, structure

SHORT, LONG = at("P", 3800), at("P", 3700)
COSTS = Sides(worst=D("-4.30"), best=D("-4.00"))


def way(one: Structure, *attempts: Attempt, **changes: Any) -> WayOut:
    given_: dict[str, Any] = {
        "structure": one,
        "nets": booked([one]),
        "sides": COSTS,
        "attempts": attempts,
        "reason": CloseReason.STOP_LOSS,
        "multileg": True,
        "tick": D("0.05"),
        "began": NOW,
        "now": NOW,
        **changes,
    }
    return WayOut(**given_)


def tried(rung: int | None, state: State = State.OVER, seconds: float = -10, **changes: Any) -> Attempt:
    return Attempt(state=state, at=after(seconds), rung=rung, **changes)


def told(step: Step) -> list[str]:
    assert isinstance(step, SendTogether | SendLegs)
    return [f"{each.terms.side} {each.terms.quantity} {each.leg.holding}" for each in step.orders]


# --- as one order -------------------------------------------------------------------------------


def test_the_first_limit_lies_at_the_mid() -> None:
    step = next_step(way(put_spread(3)))

    assert isinstance(step, SendTogether)
    assert (step.net, step.kind, step.rung, step.units) == (D("-4.15"), "debit", 0, D(3))
    assert told(step) == ["buy 3 SPXW260304P03800000", "sell 3 SPXW260304P03700000"]
    assert all(each.terms.reduces and each.terms.type is OrderType.MARKET for each in step.orders)


def test_limits_walk_from_the_mid_to_the_worst_side_and_end_at_the_market() -> None:
    nets = []
    attempts: list[Attempt] = []
    for rung in range(MARKET + 1):
        step = next_step(way(put_spread(3), *attempts))
        assert isinstance(step, SendTogether)
        assert step.rung == rung
        nets.append(step.net)
        attempts.append(tried(rung))

    assert nets == [D("-4.15"), D("-4.20"), D("-4.25"), D("-4.30"), None]
    assert isinstance(next_step(way(put_spread(3), *attempts)), SendLegs)


def test_the_rungs_are_equally_far_apart() -> None:
    asked = [next_step(way(put_spread(3), *map(tried, range(rung)), tick=D("0.01"))) for rung in range(MARKET)]

    assert [step.net for step in asked if isinstance(step, SendTogether)] == [
        D("-4.150"),
        D("-4.200"),
        D("-4.250"),
        D("-4.300"),
    ]


def test_what_cannot_wait_begins_at_the_worst_side() -> None:
    step = next_step(way(put_spread(3), reason=CloseReason.EMERGENCY_STOP))

    assert isinstance(step, SendTogether)
    assert (step.net, step.rung) == (D("-4.30"), MARKET - 1)


def test_each_price_is_of_its_moment() -> None:
    step = next_step(way(put_spread(3), tried(0), sides=Sides(worst=D("-6.00"), best=D("-5.40"))))

    assert isinstance(step, SendTogether)
    assert step.net == D("-5.80")


def test_what_is_sold_for_money_is_a_credit_and_for_nothing_even() -> None:
    bought = structure((leg(1, "P", 3800), 4), (leg(-1, "P", 3700), 1))

    def kind(worst: str, best: str) -> str:
        step = next_step(way(bought, sides=Sides(D(worst), D(best))))
        assert isinstance(step, SendTogether)
        return step.kind

    assert (kind("2.90", "3.10"), kind("-0.04", "0.04"), kind("-0.30", "-0.10")) == ("credit", "even", "debit")


def test_brokers_price_the_smallest_unit_there_is() -> None:
    double = structure((leg(-2, "P", 3800), 4), (leg(2, "P", 3700), 1), units=3)

    step = next_step(way(double, sides=Sides(D("-8.60"), D("-8.60"))))

    assert isinstance(step, SendTogether)
    assert (step.units, step.net) == (D(6), D("-4.30"))
    assert told(step) == ["buy 6 SPXW260304P03800000", "sell 6 SPXW260304P03700000"]


def test_a_limit_has_its_time_and_is_then_withdrawn() -> None:
    under_way = tried(0, State.UNDER_WAY, seconds=-4)

    assert next_step(way(put_spread(3), under_way)) == Wait(after(1))
    assert next_step(way(put_spread(3), replace(under_way, at=after(-5)))) == Withdraw("unfilled for 5 s")
    assert next_step(way(put_spread(3), replace(under_way, at=after(-5), withdrawn=True))) == Wait(None)


def test_what_is_left_of_a_limit_filled_in_part_goes_on_as_one() -> None:
    sold, bought = put_spread(3).legs
    left = replace(put_spread(3), legs=(replace(sold, closed=D(2)), replace(bought, closed=D(2))))

    step = next_step(way(left, tried(0)))

    assert isinstance(step, SendTogether)
    assert (step.units, step.rung) == (D(1), 1)


def test_without_a_price_it_waits_as_long_as_the_ladder_and_takes_the_market() -> None:
    assert next_step(way(put_spread(3), sides=None)) == Wait(after(20), is_blind=True)
    assert next_step(way(put_spread(3), sides=None, reason=CloseReason.FLAT_BY)) == Wait(after(180), is_blind=True)
    late = next_step(way(put_spread(3), sides=None, now=after(20)))
    urgent = next_step(way(put_spread(3), sides=None, reason=CloseReason.EMERGENCY_STOP))
    for step in (late, urgent):
        assert isinstance(step, SendTogether)
        assert (step.net, step.kind, step.rung) == (None, "market", MARKET)


def test_what_shall_remain_is_left_whole() -> None:
    step = next_step(way(put_spread(3), remain=D(1)))

    assert told(step) == ["buy 2 SPXW260304P03800000", "sell 2 SPXW260304P03700000"]
    assert next_step(way(put_spread(3), remain=D(3))) == Done()


def test_so_it_is_where_a_unit_has_several_of_a_contract() -> None:
    butterfly = structure((leg(1, "P", 3700), 1), (leg(-2, "P", 3750), 3), (leg(1, "P", 3800), 7), units=5)

    step = next_step(way(butterfly, remain=D(2)))

    assert isinstance(step, SendTogether)
    assert step.units == 3
    assert told(step) == ["sell 3 SPXW260304P03700000", "buy 6 SPXW260304P03750000", "sell 3 SPXW260304P03800000"]


def test_a_contract_shared_with_others_is_closed_by_no_more_than_is_this_one_s() -> None:
    step = next_step(way(put_spread(3), nets={SHORT: D(-5), LONG: D(4)}))

    assert told(step) == ["buy 3 SPXW260304P03800000", "sell 3 SPXW260304P03700000"]


def test_and_by_no_more_than_the_broker_has() -> None:
    step = next_step(way(put_spread(3), nets={SHORT: D(-2), LONG: D(3)}))

    assert told(step) == ["buy 2 SPXW260304P03800000", "sell 2 SPXW260304P03700000"]


def test_what_others_hold_of_a_contract_the_other_way_is_no_obstacle_where_the_books_explain_the_net() -> None:
    ours, lower = put_spread(3), structure((leg(-1, "P", 3700), 1), (leg(1, "P", 3600), "0.2"), units=5)
    all_of_it = booked([ours, lower])
    assert all_of_it[LONG] == -2

    nets = own_nets(ours, booked=all_of_it, reported=all_of_it)

    assert nets == {SHORT: D(-3), LONG: D(3)}
    assert told(next_step(way(ours, nets=nets))) == ["buy 3 SPXW260304P03800000", "sell 3 SPXW260304P03700000"]


def test_where_the_books_do_not_explain_it_the_net_itself_counts() -> None:
    reported = {SHORT: D(-2)}

    assert own_nets(put_spread(3), booked=booked([put_spread(3)]), reported=reported) == {SHORT: D(-2), LONG: D(0)}


# --- leg by leg ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "changes",
    [
        {"multileg": False},
        {"attempts": [tried(0, State.REFUSED), tried(1, State.REFUSED)]},
        {"attempts": [tried(MARKET)]},
        {"attempts": [tried(0), tried(None, State.REFUSED)]},
    ],
)
def test_where_one_order_does_not_work_what_is_sold_is_bought_back_first(changes: dict[str, Any]) -> None:
    step = next_step(way(put_spread(3), **changes))

    assert isinstance(step, SendLegs)
    assert told(step) == ["buy 3 SPXW260304P03800000"]


def test_one_refusal_is_no_reason_to_go_alone() -> None:
    assert isinstance(next_step(way(put_spread(3), tried(0, State.REFUSED))), SendTogether)


def test_what_was_bought_goes_when_nothing_sold_is_left() -> None:
    sold, bought = put_spread(3).legs
    covered = replace(put_spread(3), legs=(replace(sold, closed=D(3)), bought))

    assert told(next_step(way(covered))) == ["sell 3 SPXW260304P03700000"]
    assert next_step(way(covered, tried(None, State.UNDER_WAY))) == Wait(None)


def test_a_structure_out_of_its_ratio_goes_leg_by_leg() -> None:
    sold, bought = put_spread(3).legs
    uneven = replace(put_spread(3), legs=(replace(sold, closed=D(1)), bought))

    assert told(next_step(way(uneven, tried(0)))) == ["buy 2 SPXW260304P03800000"]


def test_shares_go_after_what_was_sold_against_them() -> None:
    covered = structure((shares(100), 600), (leg(-1, "C", 610, root="SPY"), 3), units=2)

    assert told(next_step(way(covered, multileg=False))) == ["buy 2 SPY260304C00610000"]


def test_a_single_option_is_no_order_of_many_legs() -> None:
    assert isinstance(next_step(way(structure((leg(-1, "P", 3800), 4)))), SendLegs)


# --- nothing is sent against what the broker says -----------------------------------------------


def test_what_the_broker_does_not_hold_that_way_is_asked_for_again() -> None:
    step = next_step(way(put_spread(3), nets={SHORT: D(2), LONG: D(3)}))

    assert step == AskNets((SHORT,), "the broker holds SPXW260304P03800000 +2")
    assert isinstance(next_step(way(put_spread(3), nets={LONG: D(3)})), AskNets)


def test_what_is_flat_is_done() -> None:
    assert next_step(way(put_spread(0))) == Done()


# --- rolling back -------------------------------------------------------------------------------


def half_made(short: int, long: int) -> Structure:
    sold, bought = put_spread(3).legs
    return replace(put_spread(3), legs=(replace(sold, opened=D(short)), replace(bought, opened=D(long))))


def test_a_half_made_opening_waits_for_its_orders_before_it_is_undone() -> None:
    half = half_made(3, 0)
    working = tried(None, State.UNDER_WAY)

    assert roll_back(half, booked([half]), openers=[tried(None), working]) == Withdraw(
        "what it would open is being rolled back"
    )
    assert roll_back(half, booked([half]), openers=[replace(working, withdrawn=True)]) == Wait(None)


def test_legs_that_filled_alone_go_what_is_sold_first() -> None:
    condor = structure((leg(1, "P", 3600), 1), (leg(-1, "P", 3700), 3), (leg(-1, "C", 3800), 4), (leg(1, "C", 3900), 1))
    refused = replace(condor.legs[3], opened=D(0))
    half = replace(condor, legs=(*condor.legs[:3], refused))

    assert told(roll_back(half, booked([half]), openers=[tried(None), tried(None, State.REFUSED)])) == [
        "buy 1 SPXW260304P03700000",
        "buy 1 SPXW260304C03800000",
    ]


def test_whole_units_stay_and_the_excess_goes() -> None:
    half = half_made(3, 2)

    assert told(roll_back(half, booked([half]), openers=[])) == ["buy 1 SPXW260304P03800000"]
    assert roll_back(half_made(2, 2), {}, openers=[tried(None)]) == Done()
    assert isinstance(roll_back(half, {}, openers=[]), AskNets)


# --- for every broker ---------------------------------------------------------------------------


@dataclass
class Toy:
    """A broker that fills, refuses, fills in part or out of ratio, as it is told; one answer a step."""

    one: Structure
    answers: list[int]
    attempts: list[Attempt] = field(default_factory=list)
    seconds: float = 0
    nets: dict[Holding, Decimal] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.nets = booked([self.one])

    def obey(self, step: Step) -> None:
        match step:
            case Withdraw():
                self.attempts[-1] = replace(self.attempts[-1], state=State.OVER, withdrawn=True)
            case Wait(until=until):
                assert until is not None
                self.seconds = (until - NOW).total_seconds()
            case SendTogether(orders=orders, rung=rung):
                assert broken(self.one) is None
                self.take(orders, rung)
            case SendLegs(orders=orders):
                is_uncovered = any(held.held and held.leg.sign < 0 for held in self.one.legs)
                assert all(order.terms.side is Side.BUY for order in orders) is is_uncovered
                for order in orders:
                    self.take((order,), None)
            case AskNets() | Done():
                raise AssertionError(step)

    def take(self, orders: tuple[LegOrder, ...], rung: int | None) -> None:
        answer = self.answers.pop() if self.answers else 0
        if answer == 3:
            self.attempts.append(Attempt(state=State.REFUSED, at=after(self.seconds), rung=rung))
            return
        under_way = rung is not None and answer == 4
        state = State.UNDER_WAY if under_way else State.OVER
        self.attempts.append(Attempt(state=state, at=after(self.seconds), rung=rung))
        for number, order in enumerate(orders):
            whole = order.terms.quantity
            part = {0: whole, 1: whole // 2, 2: whole if number == 0 else D(0), 4: D(0)}[answer]
            self.fill(order, part)

    def fill(self, order: LegOrder, quantity: Decimal) -> None:
        signed = quantity * order.terms.side.sign
        before = self.nets[order.leg.holding]
        self.nets[order.leg.holding] += signed
        assert abs(self.nets[order.leg.holding]) <= abs(before), "an order added to what is held"
        legs = tuple(
            each.after(signed=signed, price=D(1)) if quantity and each.leg == order.leg else each
            for each in self.one.legs
        )
        self.one = replace(self.one, legs=legs)


shapes = st.sampled_from(
    [
        put_spread(3),
        put_spread(1),
        structure((leg(1, "P", 3700), 1), (leg(-2, "P", 3750), 3), (leg(1, "P", 3800), 7), units=2),
        structure((leg(2, "C", 3900), 1), (leg(-1, "C", 3800), 3), units=3),
        structure((shares(100), 600), (leg(-1, "C", 610, root="SPY"), 3), units=2),
    ]
)


@given(shapes, st.lists(st.integers(0, 4), max_size=12), st.sampled_from([True, False]), st.sampled_from(CloseReason))
def test_whatever_the_broker_does_it_ends_flat_and_no_order_ever_adds(
    one: Structure,
    answers: list[int],
    multileg: bool,  # noqa: FBT001  # drawn, never written
    reason: CloseReason,
) -> None:
    toy = Toy(one, answers)
    for _ in range(60):
        toy.seconds += 1
        now, sides = after(toy.seconds), COSTS if toy.seconds % 7 else None
        given_way = way(toy.one, *toy.attempts, nets=toy.nets, multileg=multileg, reason=reason, sides=sides, now=now)
        step = next_step(given_way)
        if isinstance(step, Done):
            break
        toy.obey(step)
    assert toy.one.is_flat
    assert not any(toy.nets.values())
    assert toy.seconds < timedelta(minutes=5).total_seconds()
