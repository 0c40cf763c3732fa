"""Tests of `core/policy.py`: what the operator wrote is what holds."""

from datetime import timedelta

import pytest

from standfast.core.policy import NO_POLICY, Foreign, Match, Mode, Policy, Rung
from standfast.model.breaks import BreakKind
from tests.core.situations import QQQ, SPY, D, ruled

TREND = Policy(name="trend", match=Match(strategy="trend*", instrument="S*"))
OPTIONS = Policy(name="options", match=Match(kind="option"))
REST = Policy(name="rest")


def test_the_first_policy_that_matches_everything_holds() -> None:
    rules = ruled(policies=(TREND, OPTIONS, REST))

    assert rules.policy("trend-1", SPY) is TREND
    assert rules.policy("trend-1", QQQ) is REST
    assert rules.policy("trend-1", QQQ, "option") is OPTIONS
    assert rules.policy("fade", SPY) is REST
    assert ruled(policies=(TREND,)).policy("fade", SPY) is NO_POLICY
    assert ruled(policies=(Policy(name="x", match=Match(account="other")),)).policy("fade", SPY) is NO_POLICY


def test_a_minimum_hold_without_an_emergency_stop_cannot_be_built() -> None:
    with pytest.raises(AssertionError):
        Policy(name="young", minimum_hold=timedelta(minutes=5))
    with pytest.raises(AssertionError):
        Policy(name="ladder", trailing=(Rung(D("0.2"), None), Rung(D("0.1"), None)))


def test_modes_and_foreign_quantity_may_differ_by_kind_and_instrument() -> None:
    rules = ruled(
        mode=Mode.ALERT,
        modes={BreakKind.STRAY_EXIT: Mode.REPAIR},
        foreign=Foreign.ADOPT,
        foreign_ignore=("Q*",),
        foreign_strategies={"gamma-*": "gamma"},
    )

    assert (rules.mode_for(BreakKind.STRAY_EXIT), rules.mode_for(BreakKind.SIDE)) == (Mode.REPAIR, Mode.ALERT)
    assert (rules.foreign_for(SPY), rules.foreign_for(QQQ)) == (Foreign.ADOPT, Foreign.IGNORE)
    assert (rules.foreign_strategy("gamma-7"), rules.foreign_strategy("x")) == ("gamma", "foreign")


def test_a_rung_gives_back_from_the_peak_or_to_entry() -> None:
    assert Rung(D("0.1"), D("0.03")).stop(D("0.2")) == D("0.17")
    assert Rung(D("0.1"), None).stop(D("0.2")) == D(0)
