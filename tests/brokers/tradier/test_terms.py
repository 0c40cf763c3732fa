"""Our terms in Tradier's forms: the side says what an order is for, and nothing else is ever asked for."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from standfast.brokers.tradier.order_rows import CLOSING, SIDES
from standfast.brokers.tradier.terms import side_of, submission, underlying_of
from standfast.core.orders import reducing
from standfast.model.errors import Rejected
from standfast.model.ids import ClientOrderId, Holding, InstrumentId
from standfast.model.order import OrderType, Side, Terms, TimeInForce
from tests.brokers.tradier.served import PUT, SPY

ID = ClientOrderId("sfabcd-s1")
holdings = st.sampled_from([SPY, PUT])
nets = st.integers(-1000, 1000).filter(bool).map(Decimal)
prices = st.decimals("0.01", "9999", places=2)


def form(holding: Holding, terms: Terms) -> dict[str, str]:
    return submission(ID, holding, terms, underlying_of(holding.instrument))


@given(holdings, nets, st.integers(1, 2000), st.none() | prices, st.none() | prices)
def test_an_order_that_may_only_reduce_has_a_closing_side_that_goes_against_the_net(
    holding: Holding, net: Decimal, quantity: int, stop: Decimal | None, target: Decimal | None
) -> None:
    terms = reducing(net, Decimal(quantity), stop_price=stop, target_price=target, resting=True)

    asked = form(holding, terms)

    sides = {value for key, value in asked.items() if key.startswith("side")}
    assert sides <= CLOSING
    assert {SIDES[side].sign * net < 0 for side in sides} == {True}
    quantities = {Decimal(value) for key, value in asked.items() if key.startswith("quantity")}
    assert quantities == {min(Decimal(quantity), abs(net))}


@given(holdings, st.sampled_from(Side))
def test_an_opening_never_has_a_closing_side(holding: Holding, side: Side) -> None:
    assert side_of(holding, side, reduces=False) not in CLOSING
    assert SIDES[side_of(holding, side, reduces=False)] is side


def test_a_stop_under_shares() -> None:
    terms = reducing(Decimal(10), Decimal(10), stop_price=Decimal("392.010"), resting=True)

    assert form(SPY, terms) == {
        "tag": ID, "duration": "gtc", "class": "equity", "type": "stop", "side": "sell", "quantity": "10",
        "stop": "392.01", "symbol": "SPY",
    }  # fmt: skip


def test_a_weekly_index_option_is_ordered_under_its_index() -> None:
    terms = reducing(Decimal(-2), Decimal(1))

    assert form(PUT, terms) == {
        "tag": ID, "duration": "day", "class": "option", "type": "market", "side": "buy_to_close", "quantity": "1",
        "symbol": "SPX", "option_symbol": "SPXW260105P06885000",
    }  # fmt: skip
    assert underlying_of(InstrumentId("AAPL260105C00200000")) == "AAPL"


def test_a_pair_of_exits() -> None:
    terms = reducing(Decimal(-3), Decimal(3), stop_price=Decimal(6), target_price=Decimal(2), resting=True)

    assert form(PUT, terms) == {
        "tag": ID, "duration": "gtc", "class": "oco",
        "type[0]": "limit", "side[0]": "buy_to_close", "price[0]": "2", "quantity[0]": "3",
        "symbol[0]": "SPX", "option_symbol[0]": "SPXW260105P06885000",
        "type[1]": "stop", "side[1]": "buy_to_close", "stop[1]": "6", "quantity[1]": "3",
        "symbol[1]": "SPX", "option_symbol[1]": "SPXW260105P06885000",
    }  # fmt: skip


@pytest.mark.parametrize(
    "changes",
    [
        {"quantity": Decimal("0.5")},
        {"quantity": Decimal(0)},
        {"time_in_force": TimeInForce.FOK},
        {"type": OrderType.TRAILING_STOP},
        {"attached_stop": Decimal(5)},
    ],
    ids=str,
)
def test_what_tradier_has_no_form_for_is_not_sent(changes: dict[str, object]) -> None:
    given: dict[str, object] = {
        "side": Side.BUY,
        "quantity": Decimal(1),
        "type": OrderType.MARKET,
        "time_in_force": TimeInForce.DAY,
        "reduces": False,
    }
    with pytest.raises(Rejected, match="not sent"):
        form(SPY, Terms(**(given | changes)))  # type: ignore[arg-type]  # a test's shorthand
