"""What an option's name says."""

from datetime import date
from decimal import Decimal

import pytest

from standfast.exchange.assets import asset_of
from standfast.exchange.contracts import contract_of


def test_a_name_says_root_day_right_and_strike() -> None:
    contract = contract_of("SPXW210106P03800000")

    assert contract is not None
    assert (contract.root, contract.underlying, contract.expiry, contract.right, contract.strike) == (
        "SPXW",
        "SPX",
        date(2021, 1, 6),
        "put",
        Decimal(3800),
    )
    assert contract.is_cash_settled
    assert not contract.settles_at_open


def test_a_stock_option_is_settled_in_shares_and_a_monthly_index_option_at_the_open() -> None:
    stock, monthly = contract_of("AAPL260116C00252500"), contract_of("SPX260116C06000000")

    assert stock is not None
    assert monthly is not None
    assert (stock.underlying, stock.strike, stock.is_cash_settled) == ("AAPL", Decimal("252.5"), False)
    assert monthly.settles_at_open


@pytest.mark.parametrize("name", ["SPY", "SPXW210106X03800000", "SPXW211306P03800000", "spxw210106P03800000", ""])
def test_what_is_no_option_has_no_contract(name: str) -> None:
    assert contract_of(name) is None


def test_an_option_counts_a_hundredfold_and_a_share_once() -> None:
    assert [asset_of(name).multiplier for name in ("SPXW210106P03800000", "SPY", "SPX")] == [100, 1, 1]
    assert not asset_of("SPX").tradable
