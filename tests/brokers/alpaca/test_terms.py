"""Our terms in Alpaca's words."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from standfast.brokers.alpaca.terms import replacement, submission
from standfast.brokers.shared.writing import text
from standfast.model.errors import Rejected
from standfast.model.ids import ClientOrderId
from standfast.model.order import OrderType, Side, Terms, TimeInForce
from tests.brokers.served import SPY

ID = ClientOrderId("mine")
STOP = Terms(
    side=Side.SELL,
    quantity=Decimal(10),
    type=OrderType.STOP,
    time_in_force=TimeInForce.GTC,
    stop_price=Decimal("590.50"),
    reduces=True,
)
PAIR = Terms(
    side=Side.SELL,
    quantity=Decimal(10),
    type=OrderType.STOP,
    time_in_force=TimeInForce.GTC,
    stop_price=Decimal("590.50"),
    target_price=Decimal(700),
    reduces=True,
)


def test_a_stop_says_that_it_closes() -> None:
    assert submission(ID, SPY, STOP) == {
        "symbol": "SPY", "qty": "10", "side": "sell", "type": "stop", "time_in_force": "gtc",
        "client_order_id": "mine", "stop_price": "590.5", "position_intent": "sell_to_close",
    }  # fmt: skip


def test_a_stop_with_a_target_is_a_pair_whose_parent_is_the_target() -> None:
    assert submission(ID, SPY, PAIR) == {
        "symbol": "SPY", "qty": "10", "side": "sell", "type": "limit", "time_in_force": "gtc",
        "client_order_id": "mine", "order_class": "oco", "take_profit": {"limit_price": "700"},
        "stop_loss": {"stop_price": "590.5"},
    }  # fmt: skip


def test_a_replace_names_the_quantity_only_where_it_differs() -> None:
    assert replacement(ID, STOP, standing=Decimal(10)) == {"client_order_id": "mine", "stop_price": "590.5"}
    assert replacement(ID, STOP, standing=Decimal(9))["qty"] == "10"
    assert replacement(ID, STOP, standing=None)["qty"] == "10"


@pytest.mark.parametrize("kind", [OrderType.TRAILING_STOP, OrderType.UNKNOWN])
def test_what_has_no_form_is_refused(kind: OrderType) -> None:
    wanted = Terms(side=Side.BUY, quantity=Decimal(1), type=kind, time_in_force=TimeInForce.DAY, reduces=False)

    with pytest.raises(Rejected, match="not sent"):
        submission(ID, SPY, wanted)


@given(st.decimals(min_value=0, max_value=10**9, places=9))
def test_a_number_travels_exactly_and_without_an_exponent(number: Decimal) -> None:
    plain = text(number)

    assert Decimal(plain) == number
    assert set(plain) <= set("0123456789.")
