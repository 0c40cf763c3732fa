"""Tests of `core/shapes.py`: the name of a shape, its sums, its ratio, its cost."""

from dataclasses import replace
from decimal import Decimal
from itertools import permutations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from standfast.core.shapes import booked, broken, cost, entry, fees, in_order, kind_of, realised, whole_units
from standfast.model.breaks import BreakKind
from standfast.model.ids import PositionId
from standfast.model.structure import HeldLeg, Leg, Structure, StructureKind
from tests.core.situations import D
from tests.core.structures import FRIDAY, at, held, leg, put_spread, shares, structure

SHAPES: list[tuple[StructureKind, list[Leg]]] = [
    (StructureKind.SINGLE, [leg(-2, "P", 3800)]),
    (StructureKind.SINGLE, [shares(10)]),
    (StructureKind.VERTICAL, [leg(-1, "P", 3800), leg(1, "P", 3700)]),
    (StructureKind.RATIO, [leg(-2, "P", 3700), leg(1, "P", 3800)]),
    (StructureKind.BUTTERFLY, [leg(1, "C", 3700), leg(-2, "C", 3750), leg(1, "C", 3900)]),
    (StructureKind.CONDOR, [leg(1, "C", 3700), leg(-1, "C", 3750), leg(-1, "C", 3800), leg(1, "C", 3850)]),
    (StructureKind.IRON_CONDOR, [leg(1, "P", 3600), leg(-1, "P", 3700), leg(-1, "C", 3800), leg(1, "C", 3900)]),
    (StructureKind.IRON_CONDOR, [leg(-1, "P", 3600), leg(1, "P", 3700), leg(1, "C", 3800), leg(-1, "C", 3900)]),
    (StructureKind.IRON_BUTTERFLY, [leg(1, "P", 3600), leg(-1, "P", 3700), leg(-1, "C", 3700), leg(1, "C", 3900)]),
    (StructureKind.CALENDAR, [leg(-1, "C", 3700), leg(1, "C", 3700, FRIDAY)]),
    (StructureKind.CALENDAR, [leg(-1, "C", 3700), leg(1, "C", 3700, root="SPX")]),
    (StructureKind.DIAGONAL, [leg(-1, "C", 3750), leg(1, "C", 3700, FRIDAY)]),
    (StructureKind.STRADDLE, [leg(-1, "C", 3700), leg(-1, "P", 3700)]),
    (StructureKind.STRANGLE, [leg(1, "C", 3800), leg(1, "P", 3700)]),
    (StructureKind.COVERED_STOCK, [shares(100), leg(-1, "C", 600, root="SPY")]),
    (StructureKind.COVERED_STOCK, [shares(-100), leg(-1, "P", 600, root="SPY")]),
    (StructureKind.COVERED_STOCK, [shares(100, "BRK/B"), leg(-1, "C", 600, root="BRKB")]),
    (StructureKind.COVERED_STOCK, [shares(100, "BRK.B"), leg(-1, "C", 600, root="BRKB")]),
    (StructureKind.PROTECTED_STOCK, [shares(100), leg(1, "P", 600, root="SPY")]),
    (StructureKind.COLLAR, [shares(100), leg(-1, "C", 650, root="SPY"), leg(1, "P", 600, root="SPY")]),
]
NAMELESS: list[list[Leg]] = [
    [leg(1, "P", 3800), leg(1, "P", 3700)],
    [leg(1, "C", 3800), leg(-1, "P", 3700)],
    [leg(-1, "C", 3800), leg(-2, "P", 3700)],
    [leg(-2, "C", 3700), leg(1, "C", 3700, FRIDAY)],
    [leg(1, "C", 3700), leg(-1, "C", 3750), leg(1, "C", 3900)],
    [leg(1, "C", 3700), leg(-1, "C", 3750), leg(1, "C", 3800), leg(-1, "C", 3850)],
    [leg(1, "P", 3600), leg(-1, "P", 3900), leg(-1, "C", 3800), leg(1, "C", 4000)],
    [leg(1, "P", 3600), leg(-1, "P", 3700), leg(-2, "C", 3800), leg(2, "C", 3900)],
    [leg(2, "P", 3600), leg(-1, "P", 3700), leg(-1, "C", 3800), leg(1, "C", 3900)],
    [leg(1, "P", 3600), leg(-1, "P", 3700), leg(-1, "C", 3800, FRIDAY), leg(1, "C", 3900, FRIDAY)],
    [leg(1, "P", 3600), leg(-1, "P", 3650), leg(-1, "P", 3700), leg(1, "C", 3900)],
    [leg(-1, "P", 600, root="SPY"), leg(1, "P", 590)],
    [shares(99), leg(-1, "C", 600, root="SPY")],
    [shares(100), leg(-1, "P", 600, root="SPY")],
    [shares(100), leg(-1, "C", 600, root="SPY"), leg(-1, "C", 610, root="SPY")],
    [shares(100), leg(-1, "C", 600)],
    [leg(-1, "P", 3800), leg(1, "P", 3800)],
    [replace(leg(-1, "P", 3800), multiplier=Decimal(10)), leg(1, "P", 3700)],
    [leg(1, "C", strike) for strike in (3600, 3650, 3700, 3750, 3800)],
]


@pytest.mark.parametrize(("kind", "legs"), SHAPES)
def test_every_shape_has_one_name_whatever_the_order_of_its_legs(kind: StructureKind, legs: list[Leg]) -> None:
    assert {kind_of(ordered) for ordered in permutations(legs)} == {kind}


@pytest.mark.parametrize("legs", NAMELESS)
def test_other_legs_have_no_name_together(legs: list[Leg]) -> None:
    assert {kind_of(ordered) for ordered in permutations(legs)} == {StructureKind.OTHER}


def test_a_shape_turned_around_keeps_its_name() -> None:
    turned = [(kind, [replace(each, ratio=-each.ratio) for each in legs]) for kind, legs in SHAPES]

    for kind, legs in turned:
        if all(each.contract is not None for each in legs):  # shares are covered one way and protected the other
            assert kind_of(legs) is kind


def test_legs_stand_in_one_order() -> None:
    legs = [leg(1, "P", 3700), leg(1, "C", 3900, FRIDAY), leg(-1, "P", 3800), leg(1, "C", 3900), shares(100)]

    assert [str(each.holding) for each in in_order(legs)] == [
        "SPY",
        "SPXW260304C03900000",
        "SPXW260304P03700000",
        "SPXW260304P03800000",
        "SPXW260306C03900000",
    ]


# --- sums ---------------------------------------------------------------------------------------


def test_structures_that_share_a_contract_are_booked_by_their_sum() -> None:
    ours = put_spread(3)
    lower = structure((leg(-1, "P", 3700), 1), (leg(1, "P", 3600), "0.2"), units=3, id=PositionId("p2"))

    assert booked([ours, lower]) == {
        at("P", 3600): D(3),
        at("P", 3700): D(0),
        at("P", 3800): D(-3),
    }


structures = st.lists(
    st.builds(
        lambda strikes, ratios, units, number: structure(
            *((leg(ratio, "P", strike), 1) for strike, ratio in zip(strikes, ratios, strict=False)),
            units=units,
            id=PositionId(f"p{number}"),
        ),
        st.lists(st.sampled_from([3600, 3700, 3750, 3800]), min_size=1, max_size=4, unique=True),
        st.lists(st.sampled_from([-2, -1, 1, 2]), min_size=4, max_size=4),
        st.integers(0, 5),
        st.integers(),
    ),
    max_size=6,
)


@given(structures)
def test_the_sum_over_structures_is_what_the_broker_holds_for_them(found: list[Structure]) -> None:
    nets = booked(found)

    for holding, net in nets.items():
        mine = [each for one in found for each in one.legs if each.leg.holding == holding]
        assert net == sum(each.leg.ratio * (each.opened / abs(each.leg.ratio)) for each in mine)


# --- ratio --------------------------------------------------------------------------------------


def test_a_structure_held_in_its_ratio_is_whole() -> None:
    assert broken(put_spread(3)) is None
    assert whole_units(put_spread(3)) == 3
    assert broken(put_spread(0)) is None


def test_a_structure_that_lost_a_leg_is_a_break_of_its_own_kind() -> None:
    sold, bought = put_spread(3).legs
    lost = replace(put_spread(3), legs=(sold, replace(bought, closed=D(1))))

    found = broken(lost)

    assert found is not None
    assert found.is_uncovered
    assert (found.whole, found.excess) == (D(2), ((sold.leg, D(-1)),))
    assert found.finding().kind is BreakKind.STRUCTURE
    assert found.finding().holding == at("P", 3800)
    assert found.finding().subject == "p1"
    assert found.finding().booked == "3 x SPXW260304P03800000:-1 SPXW260304P03700000:+1"
    assert found.finding().reported == "SPXW260304P03800000:-3 SPXW260304P03700000:+2"
    assert found.finding().evidence == ("2 whole, beyond them -1 SPXW260304P03800000; something sold is left uncovered")


def test_a_bought_leg_left_alone_is_not_uncovered() -> None:
    sold, bought = put_spread(3).legs

    found = broken(replace(put_spread(3), legs=(replace(sold, closed=D(3)), bought)))

    assert found is not None
    assert not found.is_uncovered
    assert (found.whole, found.excess) == (D(0), ((bought.leg, D(3)),))


def test_one_sold_leg_left_alone_is_enough_to_be_uncovered() -> None:
    condor = structure(
        (leg(1, "P", 3600), 1), (leg(-1, "P", 3700), 3), (leg(-1, "C", 3800), 4), (leg(1, "C", 3900), 1), units=3
    )
    far_put, near_put, near_call, far_call = condor.legs
    lost = (far_put, near_put, near_call, replace(far_call, closed=D(3)))

    found = broken(replace(condor, legs=(replace(far_put, closed=D(1)), *lost[1:])))

    assert found is not None
    assert [quantity for _, quantity in found.excess] == [D(2), D(-3), D(-3)]
    assert found.is_uncovered
    assert found.finding().gap == 3


ratios = st.lists(st.sampled_from([-3, -2, -1, 1, 2, 3]), min_size=1, max_size=4)


@given(ratios, st.lists(st.integers(0, 9), min_size=4, max_size=4))
def test_whole_units_and_what_exceeds_them_add_up_to_what_is_held(ratio: list[int], quantities: list[int]) -> None:
    legs = tuple(
        HeldLeg(leg=leg(each, "P", 3600 + 10 * number), opened=D(quantity))
        for number, (each, quantity) in enumerate(zip(ratio, quantities, strict=False))
    )
    found = broken(Structure(id=PositionId("p1"), strategy="", legs=legs, units=D(1)))
    whole = whole_units(Structure(id=PositionId("p1"), strategy="", legs=legs, units=D(1)))

    excess = dict(found.excess) if found is not None else {}
    for each in legs:
        assert each.net == whole * each.leg.ratio + excess.get(each.leg, D(0))
    assert found is None or all(quantity for _, quantity in found.excess)
    assert all(each.held >= whole * abs(each.leg.ratio) for each in legs)
    assert any(each.held < (whole + 1) * abs(each.leg.ratio) for each in legs)


# --- cost ---------------------------------------------------------------------------------------


def test_a_credit_is_a_negative_price_and_a_debit_a_positive_one() -> None:
    bought = structure((leg(1, "P", 3800), "4.50"), (leg(-1, "P", 3700), "0.80"))

    assert entry(put_spread()) == D("-3.70")
    assert cost(put_spread(3)) == D("-1110")
    assert entry(bought) == D("3.70")


def test_a_leg_without_a_fill_has_no_price_yet() -> None:
    sold, bought = put_spread(3).legs

    assert entry(replace(put_spread(3), legs=(sold, HeldLeg(leg=bought.leg)))) is None
    assert cost(replace(put_spread(3), legs=(sold, HeldLeg(leg=bought.leg)))) == D("-1350")


def test_shares_count_in_the_points_of_their_options() -> None:
    covered = structure((shares(100), "605.10"), (leg(-1, "C", 610, root="SPY"), "3.10"), units=2)

    assert entry(covered) == D("602")
    assert cost(covered) == D("120400")


def test_fills_of_a_leg_are_averaged_and_their_fees_kept_apart() -> None:
    sold = HeldLeg(leg=leg(-1, "P", 3800))

    sold = sold.after(signed=D(-1), price=D("4.40"), fee=D("0.65"))
    sold = sold.after(signed=D(-2), price=D("4.55"), fee=D("1.30"))
    assert sold.entry_price == D("4.50")

    sold = sold.after(signed=D(1), price=D("6.00"), fee=D("0.65"))
    assert (sold.net, sold.exit_price, sold.entry_price) == (D(-2), D(6), D("4.50"))
    spread = replace(put_spread(3), legs=(sold, put_spread(3).legs[1]))
    assert realised(spread) == D("-150")
    assert fees(spread) == D("2.60")


def test_more_cannot_be_closed_than_is_held() -> None:
    with pytest.raises(AssertionError):
        held(leg(-1, "P", 3800), 4).after(signed=D(2), price=D(4))


prices = st.decimals("0.05", "20", places=2)


@given(st.lists(st.tuples(st.integers(1, 5), prices), min_size=1, max_size=6), st.integers(0, 30), prices)
def test_profit_comes_from_fills_at_average_cost(
    opened: list[tuple[int, Decimal]], closed: int, price: Decimal
) -> None:
    sold = HeldLeg(leg=leg(-1, "P", 3800))
    for quantity, paid in opened:
        sold = sold.after(signed=-D(quantity), price=paid)
    closed = min(closed, int(sold.held))
    if closed:
        sold = sold.after(signed=D(closed), price=price)
    total = sum(quantity for quantity, _ in opened)
    value = sum((quantity * paid for quantity, paid in opened), D(0))

    one = Structure(id=PositionId("p1"), strategy="", legs=(sold,), units=D(1))

    assert abs(realised(one) - (value / total - price) * closed * 100) < D("0.0000001")
    assert abs(cost(one) + value / total * (total - closed) * 100) < D("0.0000001")
