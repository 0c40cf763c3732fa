"""Tests of `model/settlement.py`: the root of a contract says how it ends."""

import pytest

from standfast.model.settlement import settlement
from tests.core.structures import contract


@pytest.mark.parametrize(
    ("root", "underlying", "cash", "at_open", "american"),
    [
        ("SPX", "SPX", True, True, False),
        ("SPXW", "SPX", True, False, False),
        ("NDXP", "NDX", True, False, False),
        ("OEX", "OEX", True, False, True),
        ("SPY", "SPY", False, False, True),
        ("AAPL1", "AAPL1", False, False, True),
    ],
)
def test_the_root_of_a_contract_says_how_it_ends(
    root: str, underlying: str, *, cash: bool, at_open: bool, american: bool
) -> None:
    found = settlement(contract("P", 100, root=root))

    assert (found.underlying, found.cash, found.at_open, found.american) == (underlying, cash, at_open, american)
