"""Tests of `model/structure.py`: a leg is what its name says, a structure speaks in points of its options."""

from decimal import Decimal

import pytest

from standfast.model.ids import PositionId
from standfast.model.instrument import Instrument
from standfast.model.option import Right
from standfast.model.position import Standing
from standfast.model.structure import HeldLeg, Leg, Series, Structure, weight
from tests.core.structures import FRIDAY, leg, put_spread, shares


def test_a_leg_is_an_option_if_its_name_is_one() -> None:
    put = leg(-2, "P", 3800)

    assert put.contract is not None
    assert (put.contract.right, put.sign, put.series) == (Right.PUT, -1, Series("2026-03-04", "SPXW"))
    assert (shares(100).contract, shares(100).series, shares(100).sign) == (None, None, 1)


def test_a_leg_of_nothing_is_none() -> None:
    with pytest.raises(AssertionError):
        leg(0, "P", 3800)


def test_a_structure_names_each_contract_once() -> None:
    twice = (HeldLeg(leg=leg(-1, "P", 3800)), HeldLeg(leg=leg(1, "P", 3800)))
    with pytest.raises(AssertionError):
        Structure(id=PositionId("p1"), strategy="", legs=twice, units=Decimal(1))


def test_a_point_of_a_structure_is_a_point_of_its_options() -> None:
    covered = (shares(100), leg(-1, "C", 610, FRIDAY, root="SPY"))
    whole = Structure(
        id=PositionId("p1"), strategy="", legs=tuple(HeldLeg(leg=each) for each in covered), units=Decimal(1)
    )

    assert whole.multiplier == 100
    assert [weight(each, whole.multiplier) for each in covered] == [1, -1]
    assert Leg.of(Instrument(id=covered[0].holding.instrument), 10).multiplier == 1


def test_a_structure_is_told_as_its_opening_is_written() -> None:
    assert str(put_spread(3)) == "p1 3 x SPXW260304P03800000:-1 SPXW260304P03700000:+1"
    assert put_spread(3).is_guarded
    assert not put_spread(3, standing=Standing.FOREIGN).is_guarded
    assert not put_spread(3).is_flat
    assert put_spread(0).is_flat
