"""Tests of `desk/acts.py`: what may be asked of a guard, as it travels."""

from datetime import UTC, datetime
from decimal import Decimal

import pytest

from standfast.desk.acts import Act, Wanted, instrument_named, net_of, opening, opening_of_legs, protecting
from standfast.model.errors import Misasked
from standfast.model.ids import AccountId

PAPER = AccountId("paper")
TWO = Decimal(2)


def test_what_is_empty_does_not_travel() -> None:
    assert Act(PAPER, "thaw", {"scope": "", "reason": "over"}).arguments == {"reason": "over"}


def test_an_opening_is_flat_text_with_numbers_as_people_write_them() -> None:
    until = datetime(2026, 11, 20, 14, 30, tzinfo=UTC)
    wanted = Wanted(key="k", strategy="trend", stop=Decimal("98.010"), until=until)

    assert opening(PAPER, "SPY", Decimal("1E+1"), wanted, limit=Decimal("100.50")).arguments == {
        "instrument": "SPY",
        "quantity": "10",
        "limit": "100.5",
        "strategy": "trend",
        "stop": "98.01",
        "key": "k",
        "until": "2026-11-20T14:30:00Z",
    }


@pytest.mark.parametrize(
    ("net", "price"), [(Decimal("3.70"), {"credit": "3.7"}), (Decimal("-0.5"), {"debit": "0.5"}), (None, {})]
)
def test_a_unit_brings_a_credit_or_costs_a_debit_or_goes_at_the_market(
    net: Decimal | None, price: dict[str, str]
) -> None:
    sent = opening_of_legs(PAPER, " spxw1:-1   spxw2:+1 ", TWO, Wanted(), net=net)

    assert sent.arguments == {"legs": "SPXW1:-1 SPXW2:+1", "quantity": "2", **price}


def test_a_price_of_nothing_is_no_word_for_the_market() -> None:
    with pytest.raises(Misasked, match="leave it out to open at the market"):
        opening_of_legs(PAPER, "A:1 B:-1", TWO, Wanted(), net=Decimal(0))


def test_a_credit_and_a_debit_are_one_too_many() -> None:
    assert (net_of(TWO, None), net_of(None, TWO), net_of(None, None)) == (TWO, -TWO, None)
    with pytest.raises(Misasked, match="give one of them"):
        net_of(TWO, TWO)


def test_bare_is_bare() -> None:
    assert protecting(PAPER, "p1", stop=None, target=None, bare=True).arguments == {"position": "p1", "none": "true"}
    with pytest.raises(Misasked, match="--none leaves a position without protection"):
        protecting(PAPER, "p1", stop=TWO, target=None, bare=True)


@pytest.mark.parametrize(
    ("written", "named"),
    [("brk/b", "BRK/B"), ("btc/usdt:usdt", "BTC/USDT:USDT"), ("BTC/USDT:USDT:LONG", "BTC/USDT:USDT:long")],
)
def test_an_instrument_has_the_broker_s_letters_and_its_side_ours(written: str, named: str) -> None:
    assert instrument_named(written) == named
