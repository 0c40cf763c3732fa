"""The option model: parity, bounds, its own inversion, and derivatives that are those of its prices."""

from datetime import UTC, datetime
from decimal import Decimal

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from standfast.exchange.contracts import Contract, contract_of
from standfast.exchange.greeks import days_left, greeks, scale_from, scale_of, value

spots = st.floats(50, 5000)
scales = st.floats(0.5, 200)
strikes = st.sampled_from([100, 600, 1500, 3800])


def option(right: str, strike: int) -> Contract:
    contract = contract_of(f"XYZ261009{right}{strike * 1000:08d}")
    assert contract is not None
    return contract


@given(spots, scales, strikes)
def test_call_less_put_is_spot_less_strike_and_neither_is_worth_less_than_exercised(
    spot: float, scale: float, strike: int
) -> None:
    call, put = value(option("C", strike), spot, scale), value(option("P", strike), spot, scale)

    assert call - put == pytest.approx(spot - strike, abs=1e-6)
    assert call >= max(0.0, spot - strike) - 1e-6
    assert put >= max(0.0, strike - spot) - 1e-6


@given(spots, scales, strikes, st.sampled_from("CP"))
def test_the_scale_is_found_again_in_the_price(spot: float, scale: float, strike: int, right: str) -> None:
    assume(abs(spot - strike) < 20 * scale)
    contract = option(right, strike)
    price = Decimal(value(contract, spot, scale))

    assert scale_from(contract, price, Decimal(spot)) == pytest.approx(scale, rel=1e-3)


@given(spots, scales, strikes, st.sampled_from("CP"))
def test_delta_and_gamma_are_the_slopes_of_the_price(spot: float, scale: float, strike: int, right: str) -> None:
    contract, step = option(right, strike), scale / 1000
    found = greeks(contract, spot, scale, 1.0)
    up, down = (value(contract, spot + change, scale) for change in (step, -step))

    assert found.delta == pytest.approx((up - down) / (2 * step), abs=1e-4)
    assert found.gamma == pytest.approx((up + down - 2 * value(contract, spot, scale)) / step**2, abs=1e-3 / scale)
    assert -1 <= found.delta <= 1


def test_at_the_money_it_costs_what_the_normal_model_says() -> None:
    scale = scale_of(0.16, 6000.0, 1.0)

    assert value(option("C", 6000), 6000.0, scale) == pytest.approx(0.4 * 0.16 * 6000 * (1 / 365) ** 0.5, rel=0.01)
    assert greeks(option("C", 6000), 6000.0, scale, 1.0).volatility == pytest.approx(0.16)
    assert greeks(option("C", 6000), 6000.0, scale, 1.0).theta < 0


def test_time_ends_at_the_close_in_new_york() -> None:
    assert days_left(option("C", 100), datetime(2026, 10, 8, 20, 0, tzinfo=UTC)) == 1.0
    assert days_left(option("C", 100), datetime(2026, 10, 9, 20, 0, tzinfo=UTC)) == pytest.approx(1 / 1440)
