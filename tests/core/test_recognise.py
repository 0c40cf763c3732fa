"""Tests of `core/recognise.py`: which structures loose legs form, and what is left over."""

import random
from collections import Counter
from collections.abc import Iterable, Mapping
from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st

from standfast.core.recognise import Leftover, Recognised, recognise
from standfast.core.shapes import kind_of
from standfast.model.ids import Holding, InstrumentId
from standfast.model.instrument import Instrument
from standfast.model.structure import Leg, StructureKind
from tests.core.situations import D
from tests.core.structures import FRIDAY, TODAY, at, leg, option, shares

EVERY_OPTION = [
    option(right, strike, expiry, root)
    for right in "CP"
    for strike in (3600, 3700, 3750, 3800, 3900)
    for expiry in (TODAY, FRIDAY)
    for root in ("SPXW", "SPY")
]
INSTRUMENTS = {each.id: each for each in [*EVERY_OPTION, Instrument(id=InstrumentId("SPY"))]}
SPY = Holding(InstrumentId("SPY"))


def grouped(*legs: Leg, orders: Iterable[list[Leg]] = (), **plain: int) -> Recognised:
    nets = {each.holding: D(each.ratio) for each in legs}
    nets |= {Holding(InstrumentId(name)): D(quantity) for name, quantity in plain.items()}
    return recognise(nets, INSTRUMENTS, orders=orders)


def shown(found: Recognised) -> list[str]:
    return [str(each) for each in found.structures]


def test_two_legs_of_a_spread_are_a_spread() -> None:
    found = grouped(leg(-3, "P", 3800), leg(3, "P", 3700))

    assert shown(found) == ["3 x SPXW260304P03700000:+1 SPXW260304P03800000:-1 (vertical)"]
    assert found.leftover == ()


def test_six_legs_are_a_condor_and_a_vertical() -> None:
    condor = [leg(1, "P", 3600), leg(-1, "P", 3700), leg(-1, "C", 3800), leg(1, "C", 3900)]
    vertical = [leg(-2, "P", 3750, FRIDAY), leg(2, "P", 3600, FRIDAY)]

    found = grouped(*condor, *vertical)

    assert Counter(each.kind for each in found.structures) == {
        StructureKind.IRON_CONDOR: 1,
        StructureKind.VERTICAL: 1,
    }
    assert found.leftover == ()


def test_verticals_of_one_day_become_a_condor_where_their_quantities_allow() -> None:
    found = grouped(leg(3, "P", 3600), leg(-3, "P", 3700), leg(-2, "C", 3800), leg(2, "C", 3900))

    assert shown(found) == [
        "2 x SPXW260304C03800000:-1 SPXW260304C03900000:+1 SPXW260304P03600000:+1 SPXW260304P03700000:-1 (iron_condor)",
        "1 x SPXW260304P03600000:+1 SPXW260304P03700000:-1 (vertical)",
    ]


def test_a_leg_explained_in_part_is_left_over() -> None:
    found = grouped(leg(-3, "P", 3800), leg(2, "P", 3700))

    assert shown(found) == ["2 x SPXW260304P03700000:+1 SPXW260304P03800000:-1 (vertical)"]
    assert found.leftover == (Leftover(holding=at("P", 3800), quantity=D(-1), why="is more than its structures need"),)


def test_a_leg_that_stands_beside_structures_it_has_no_place_in_is_left_over() -> None:
    found = grouped(leg(-1, "P", 3800), leg(1, "P", 3700), leg(-1, "C", 3900, FRIDAY))

    assert [each.holding for each in found.leftover] == [at("C", 3900, FRIDAY)]
    assert found.leftover[0].why == "has no place in the structures beside it"


def test_an_option_alone_is_a_position_of_its_own() -> None:
    found = grouped(leg(-2, "P", 3800), leg(1, "P", 3800, root="SPY"))

    assert shown(found) == ["2 x SPXW260304P03800000:-1 (single)", "1 x SPY260304P03800000:+1 (single)"]
    assert found.leftover == ()


def test_one_against_two_is_a_ratio_and_two_against_three_a_spread_with_one_too_many() -> None:
    assert shown(grouped(leg(3, "P", 3800), leg(-6, "P", 3700))) == [
        "3 x SPXW260304P03700000:-2 SPXW260304P03800000:+1 (ratio)"
    ]
    assert len(grouped(leg(2, "P", 3800), leg(-3, "P", 3700)).leftover) == 1


def test_a_butterfly_is_taken_whole_beside_other_legs() -> None:
    butterfly = [leg(1, "P", 3600), leg(-2, "P", 3700), leg(1, "P", 3800)]

    found = grouped(*butterfly, leg(-1, "C", 3800), leg(1, "C", 3900))

    assert Counter(each.kind for each in found.structures) == {
        StructureKind.BUTTERFLY: 1,
        StructureKind.VERTICAL: 1,
    }


def test_equal_quantities_belong_together() -> None:
    found = grouped(leg(-3, "P", 3900), leg(3, "P", 3750), leg(-1, "P", 3800), leg(1, "P", 3700))

    assert shown(found) == [
        "1 x SPXW260304P03700000:+1 SPXW260304P03800000:-1 (vertical)",
        "3 x SPXW260304P03750000:+1 SPXW260304P03900000:-1 (vertical)",
    ]


def test_calendars_come_before_diagonals() -> None:
    found = grouped(leg(-1, "C", 3700), leg(-1, "C", 3800), leg(1, "C", 3750, FRIDAY), leg(1, "C", 3800, FRIDAY))

    assert shown(found) == [
        "1 x SPXW260304C03800000:-1 SPXW260306C03800000:+1 (calendar)",
        "1 x SPXW260304C03700000:-1 SPXW260306C03750000:+1 (diagonal)",
    ]


def test_a_straddle_and_a_strangle() -> None:
    assert [each.kind for each in grouped(leg(-1, "C", 3700), leg(-1, "P", 3700)).structures] == ["straddle"]
    assert [each.kind for each in grouped(leg(2, "C", 3800), leg(2, "P", 3700)).structures] == ["strangle"]


def test_shares_are_taken_for_what_is_sold_against_them_and_the_rest_is_plain() -> None:
    found = grouped(leg(-2, "C", 3900, root="SPY"), SPY=250)

    assert shown(found) == ["2 x SPY:+100 SPY260304C03900000:-1 (covered_stock)"]
    assert found.plain == {SPY: D(50)}
    assert found.leftover == ()


def test_a_collar_comes_before_its_halves() -> None:
    found = grouped(leg(-2, "C", 3900, root="SPY"), leg(1, "P", 3700, root="SPY"), SPY=200)

    assert [each.kind for each in found.structures] == ["collar", "covered_stock"]


def test_bought_options_beside_shares_protect_them() -> None:
    found = grouped(leg(1, "P", 3700, root="SPY"), SPY=100)

    assert [each.kind for each in found.structures] == ["protected_stock"]


def test_shares_too_few_cover_nothing() -> None:
    found = grouped(leg(-1, "C", 3900, root="SPY"), SPY=99)

    assert [each.kind for each in found.structures] == ["single"]
    assert found.plain == {SPY: D(99)}


def test_a_ratio_with_shares_is_a_spread_and_a_covered_call() -> None:
    found = grouped(leg(1, "C", 3800, root="SPY"), leg(-2, "C", 3900, root="SPY"), SPY=100)

    assert [each.kind for each in found.structures] == ["vertical", "covered_stock"]


def test_shares_alone_are_no_business_of_options() -> None:
    found = recognise({SPY: D("10.5")}, INSTRUMENTS)

    assert (found.structures, found.leftover, found.plain) == ((), (), {SPY: D("10.5")})


def test_parts_of_a_contract_are_left_over() -> None:
    found = recognise({at("P", 3800): D("-1.5")}, INSTRUMENTS)

    assert [(each.quantity, each.why) for each in found.leftover] == [(D("-0.5"), "is no whole contract")]


def test_legs_that_one_order_opened_belong_together() -> None:
    """By their looks these were one condor; the orders say two spreads, of which one has no name."""
    puts, calls = [leg(1, "P", 3600), leg(-1, "P", 3700)], [leg(-1, "C", 3800), leg(1, "C", 3900)]
    odd = [leg(1, "P", 3750), leg(1, "C", 3750)]

    found = grouped(*puts, *calls, *odd, orders=[[*puts, odd[0]], [*calls, odd[1]], [shares(100)]])

    assert [each.kind for each in found.structures] == [StructureKind.OTHER, StructureKind.OTHER]
    assert found.leftover == ()


def test_orders_explain_no_more_than_is_held() -> None:
    spread = [leg(-1, "P", 3800), leg(1, "P", 3700)]

    found = grouped(leg(-2, "P", 3800), leg(1, "P", 3700), orders=[[leg(-3, "P", 3800), leg(3, "P", 3700)], spread])

    assert shown(found) == ["1 x SPXW260304P03700000:+1 SPXW260304P03800000:-1 (vertical)"]
    assert [each.quantity for each in found.leftover] == [D(-1)]


holdings = st.sampled_from([each.id for each in EVERY_OPTION]).map(Holding) | st.just(SPY)
quantities = st.integers(-5, 5).map(Decimal) | st.decimals("-3", "3", places=1)
found_nets = st.dictionaries(holdings, quantities, max_size=10).map(
    lambda nets: nets | ({SPY: nets[SPY] * 60} if SPY in nets else {})
)
orders_before = st.lists(st.sampled_from([[leg(-1, "P", 3800), leg(1, "P", 3700)], [leg(1, "C", 3800)]]), max_size=2)


@given(found_nets, orders_before)
def test_nothing_is_lost(nets: Mapping[Holding, Decimal], orders: list[list[Leg]]) -> None:
    found = recognise(nets, INSTRUMENTS, orders=orders)

    total: dict[Holding, Decimal] = dict(found.plain)
    for each in found.structures:
        assert each.units > 0
        for one in each.legs:
            total[one.holding] = total.get(one.holding, D(0)) + one.ratio * each.units
    for left in found.leftover:
        assert left.quantity
        assert left.why
        total[left.holding] = total.get(left.holding, D(0)) + left.quantity
    assert {holding: net for holding, net in total.items() if net} == {h: net for h, net in nets.items() if net}


@given(found_nets, st.randoms(use_true_random=False))
def test_equal_findings_give_equal_answers(nets: Mapping[Holding, Decimal], draw: random.Random) -> None:
    shuffled = list(nets.items())
    draw.shuffle(shuffled)

    assert recognise(dict(shuffled), INSTRUMENTS) == recognise(nets, INSTRUMENTS)


@given(found_nets)
def test_every_structure_found_has_a_name(nets: Mapping[Holding, Decimal]) -> None:
    for each in recognise(nets, INSTRUMENTS).structures:
        assert each.kind is kind_of(each.legs) is not StructureKind.OTHER
        assert all(one.contract is not None for one in each.legs[1:])


@given(found_nets)
def test_a_leg_is_left_over_only_beside_structures_of_its_underlying(nets: Mapping[Holding, Decimal]) -> None:
    found = recognise(nets, INSTRUMENTS)

    explained = {one.holding.instrument[:3] for each in found.structures for one in each.legs}
    for left in found.leftover:
        assert left.why == "is no whole contract" or left.holding.instrument[:3] in explained
