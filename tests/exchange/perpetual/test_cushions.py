"""Who is called safe is safe, whatever has happened since it was last counted."""

import pytest

from standfast.exchange.perpetual.cushions import Cushions
from standfast.exchange.perpetual.orders import PriceBy
from tests.exchange.perpetual.desk import BTC, D, Desk, desk
from tests.exchange.perpetual.test_engine import Crowd, whatever_is_asked


@whatever_is_asked
def test_an_account_that_is_called_safe_has_more_equity_than_it_has_to_maintain(
    seed: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    called = list[bool]()
    usual = Cushions.is_safe

    def judged(self: Cushions, books: object, instrument: str) -> bool:
        said = usual(self, books, instrument)  # type: ignore[arg-type]  # books
        engine = crowd.desk.engine
        if said:
            assert engine.equity("a") > engine.maintenance("a")
        called.append(said)
        return said

    crowd = Crowd(seed, cash="500")
    monkeypatch.setattr(Cushions, "is_safe", judged)
    crowd.run(200)
    assert True in called


def isolated() -> Desk:
    d = desk(cash="100000")
    d.engine.set_leverage("a", BTC, D(100))
    d.engine.set_margin_mode("a", BTC, is_isolated=True)
    d.buy("1")
    return d


def test_money_that_came_later_does_not_back_a_position_that_stands_alone() -> None:
    d = isolated()
    d.quote("49990")
    d.engine.move_cash("a", D(1_000_000))
    d.quote("49000")
    assert d.net() == 0


def test_a_deposit_saves_a_position_that_draws_on_the_whole_account() -> None:
    d = desk(cash="1000")
    d.engine.set_leverage("a", BTC, D(100))
    d.buy("1")
    d.engine.move_cash("a", D(10_000))
    d.quote("49000")
    assert d.net() == 1


def test_a_withdrawal_is_felt_at_once() -> None:
    d = desk(cash="10000")
    d.engine.set_leverage("a", BTC, D(100))
    d.buy("1")
    d.quote("49500")
    d.engine.move_cash("a", D(-9250))
    assert d.net() == 0


def test_a_mark_that_is_held_counts_as_any_other() -> None:
    d = desk(cash="1000")
    d.engine.set_leverage("a", BTC, D(100))
    d.buy("1")
    d.quote("50010")
    d.engine.pin(BTC, PriceBy.MARK, D(40_000))
    assert d.net() == 0
