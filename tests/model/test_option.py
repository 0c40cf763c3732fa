"""Tests of `model/option.py`: a contract and its name are the same thing said twice."""

from datetime import date
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from standfast.model.option import OptionContract, Right, listed_under, option_contract

contracts = st.builds(
    OptionContract,
    st.from_regex(r"[A-Z][A-Z0-9]{0,5}", fullmatch=True),
    st.dates(date(2000, 1, 1), date(2099, 12, 31)),
    st.sampled_from(Right),
    st.decimals("0.001", "99999.999", places=3),
)


@given(contracts)
def test_a_contract_is_what_its_name_says(contract: OptionContract) -> None:
    assert option_contract(contract.instrument) == contract


@given(st.text(max_size=30) | st.from_regex(r"[A-Z0-9]{1,6}[0-9]{6}[CP][0-9]{8}", fullmatch=True))
def test_any_text_is_a_contract_that_writes_itself_so_or_none(text: str) -> None:
    contract = option_contract(text)

    assert contract is None or contract.instrument == text.replace(" ", "")


@pytest.mark.parametrize(
    ("shares", "root"),
    [
        ("BRK.B", "BRKB"),
        ("BRK/B", "BRKB"),
        ("AAPL", "AAPL"),
        ("BTC/USDT:USDT", "BTC/USDT:USDT"),
        ("ETH/BTC", "ETH/BTC"),
    ],
)
def test_options_on_a_class_of_shares_leave_its_mark_out(shares: str, root: str) -> None:
    assert listed_under(shares) == root


def test_the_parts_of_a_name() -> None:
    weekly = OptionContract("SPXW", date(2026, 2, 4), Right.PUT, Decimal(6885))

    assert option_contract("SPXW260204P06885000") == weekly
    assert option_contract("SPXW  260204P06885000") == weekly
    assert option_contract("XSP260204C00688500") == OptionContract(
        "XSP", date(2026, 2, 4), Right.CALL, Decimal("688.5")
    )


@pytest.mark.parametrize(
    "name",
    [
        "AAPL",
        "BTC/USDT:USDT",
        "SPXW260230P06885000",
        "SPXW260204P00000000",
        "SPXW260204X06885000",
        "TOOLONG260204P06885000",
        "260204P06885000",
        "spxw260204p06885000",
        "SPXW260204P0688500\N{ARABIC-INDIC DIGIT ZERO}",
    ],
)
def test_other_names_are_no_contracts(name: str) -> None:
    assert option_contract(name) is None


@pytest.mark.parametrize(
    "contract",
    [
        OptionContract("SPXW", date(2026, 2, 4), Right.PUT, Decimal("0.0005")),
        OptionContract("SPXW", date(2026, 2, 4), Right.PUT, Decimal(100000)),
        OptionContract("SPXW", date(1999, 2, 4), Right.PUT, Decimal(100)),
        OptionContract("spxw", date(2026, 2, 4), Right.PUT, Decimal(100)),
        OptionContract("SPXW", date(2026, 2, 4), Right.PUT, Decimal(-5)),
    ],
)
def test_what_cannot_be_named_is_refused(contract: OptionContract) -> None:
    with pytest.raises(ValueError, match="no OSI name"):
        _ = contract.instrument
