"""Tests of `model/instrument.py`: rounding says which way."""

from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st

from standfast.model.ids import InstrumentId
from standfast.model.instrument import Instrument

EQUITY = Instrument(id=InstrumentId("SPY"))
prices = st.decimals(min_value="0.0001", max_value="5000", places=7)
ticks = st.one_of(st.none(), st.sampled_from([Decimal("0.01"), Decimal("0.5"), Decimal("0.0005")]))


@given(prices, ticks)
def test_rounding_stays_within_a_tick_and_on_its_side(price: Decimal, tick: Decimal | None) -> None:
    instrument = Instrument(id=InstrumentId("X"), tick=tick)
    down, up, near = instrument.round_down(price), instrument.round_up(price), instrument.round_nearest(price)
    step = instrument.tick_at(price)

    assert down <= price <= up
    assert up - down in (Decimal(0), step)
    assert abs(near - price) <= step / 2
    assert all(value % step == 0 for value in (down, up, near))


def test_an_equity_steps_in_cents_from_a_dollar_up() -> None:
    assert (EQUITY.tick_at(Decimal(1)), EQUITY.tick_at(Decimal("0.9999"))) == (Decimal("0.01"), Decimal("0.0001"))


def test_only_whole_numbers_rest() -> None:
    assert EQUITY.is_whole(Decimal("10.0"))
    assert not EQUITY.is_whole(Decimal("10.5"))
