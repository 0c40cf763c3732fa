"""What a contract is: its names, its steps and what it is worth."""

import pytest

from standfast.exchange.perpetual.contract import perpetual, symbol_of
from tests.exchange.perpetual.desk import D


def test_both_forms_of_a_name_mean_one_symbol() -> None:
    assert symbol_of("BTC/USDT:USDT") == symbol_of("BTCUSDT") == "BTCUSDT"


def test_a_name_without_a_currency_is_no_linear_perpetual() -> None:
    with pytest.raises(ValueError, match="USDT or USDC"):
        perpetual("BTCEUR")


def test_a_symbol_nobody_knows_is_made_in_the_exchanges_manner() -> None:
    made = perpetual("PEPEUSDC", contract_size=D(1000))
    assert (made.base, made.settles_in, made.contract_size) == ("PEPE", "USDC", D(1000))


def test_prices_go_to_the_nearest_tick_and_quantities_down_to_a_step() -> None:
    btc = perpetual("BTCUSDT")
    assert btc.on_tick(D("50000.06")) == D("50000.1")
    assert btc.on_step(D("0.0019")) == D("0.001")


def test_value_counts_the_size_of_a_contract() -> None:
    assert perpetual("BTCUSDT", contract_size=D("0.01")).value(D(-5), D(50_000)) == D(-2500)
