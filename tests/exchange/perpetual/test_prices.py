"""The last, mark and index price follow the quote unless they are held."""

from standfast.exchange.perpetual.orders import PriceBy
from tests.exchange.perpetual.desk import BTC, D, desk


def test_they_follow_the_middle_of_the_quote() -> None:
    d = desk()
    d.quote("50000", spread="0.2")
    prices = d.engine.prices(BTC)
    assert [prices.get(by) for by in PriceBy] == [D("50000.1")] * 3


def test_the_last_price_lies_on_a_tick_and_the_mark_need_not() -> None:
    d = desk()
    d.quote("50000", spread="0.1")
    assert d.engine.prices(BTC).last == D("50000.0")
    assert d.engine.prices(BTC).mark == D("50000.05")


def test_one_that_is_held_stays_there_until_it_is_let_go() -> None:
    d = desk()
    d.engine.pin(BTC, PriceBy.MARK, D(48_000))
    d.quote("51000")
    assert d.engine.prices(BTC).mark == D(48_000)
    d.engine.pin(BTC, PriceBy.MARK, None)
    assert d.engine.prices(BTC).mark == D("51000.05")


def test_a_wick_of_the_last_price_fires_only_what_looks_at_it() -> None:
    d = desk()
    d.buy("0.1")
    by_last = d.sell("0.05", falls_to="49000", reduce_only=True)
    by_mark = d.sell("0.05", falls_to="49000", reduce_only=True, by=PriceBy.MARK)

    d.engine.pin(BTC, PriceBy.LAST, D(48_990))

    assert d.now(by_last).triggered_at is not None
    assert d.now(by_mark).is_conditional
