"""What is refused, and for which reason."""

import pytest

from standfast.exchange.perpetual.contract import Standing, perpetual
from standfast.exchange.perpetual.orders import Attached
from standfast.exchange.perpetual.refusal import No, PerpetualRefused
from standfast.exchange.perpetual.rules import PerpetualRules
from tests.exchange.perpetual.desk import BTC, BUY, LONG, SHORT, D, desk, ticket


def refused(**asked: object) -> No:
    """Why an order for so much is refused by a flat account in one-way mode."""
    with pytest.raises(PerpetualRefused) as caught:
        desk().buy(str(asked.pop("quantity", "0.1")), **asked)
    return caught.value.why


@pytest.mark.parametrize(
    ("asked", "why"),
    [
        ({"quantity": "0.0001"}, No.LEAST_QUANTITY),
        ({"quantity": "2000"}, No.MOST_QUANTITY),
        ({"quantity": "0.0015"}, No.PRICE_STEP),
        ({"price": "50000.05"}, No.PRICE_STEP),
        ({"price": "200000"}, No.PRICE_RANGE),
        ({"quantity": "0.001", "price": "4999.9"}, No.PRICE_RANGE),
        ({"quantity": "3"}, No.NO_MONEY),
        ({"reduce_only": True}, No.REDUCE_ONLY),
        ({"index": LONG}, No.MODE),
        ({"rises_to": "49000"}, No.WOULD_TRIGGER_RISING),
        ({"falls_to": "51000"}, No.WOULD_TRIGGER_FALLING),
        ({"stop_loss": Attached(price=D(51_000))}, No.WRONG_STOP),
        ({"take_profit": Attached(price=D(49_000))}, No.WRONG_STOP),
    ],
)
def test_an_order_is_refused_for_its_own_reason(asked: dict[str, object], why: No) -> None:
    assert refused(**asked) is why


def test_a_refused_order_leaves_nothing_behind() -> None:
    d = desk()
    with pytest.raises(PerpetualRefused):
        d.buy("3")
    assert d.engine.orders("a") == []
    assert d.events == []


def test_the_least_value_binds_what_may_open_and_not_what_reduces() -> None:
    d = desk(least_value=D(100))
    with pytest.raises(PerpetualRefused) as caught:
        d.buy("0.001")
    assert caught.value.why is No.LEAST_VALUE
    d.buy("0.003")
    d.sell("0.001", reduce_only=True)
    assert d.net() == D("0.002")


def test_a_client_order_id_stays_taken_after_its_order_has_finished() -> None:
    d = desk()
    d.buy("0.01", link_id="mine")
    with pytest.raises(PerpetualRefused) as caught:
        d.buy("0.01", link_id="mine")
    assert caught.value.why is No.DUPLICATE_ID


def test_where_ids_are_freed_only_a_working_order_keeps_its_own() -> None:
    d = desk(rules=PerpetualRules(ids_stay_taken=False))
    d.buy("0.01", link_id="mine")
    d.buy("0.01", link_id="mine", price="40000")
    with pytest.raises(PerpetualRefused) as caught:
        d.buy("0.01", link_id="mine")
    assert caught.value.why is No.DUPLICATE_ID


def test_in_hedge_mode_an_order_has_to_name_its_side() -> None:
    d = desk()
    d.engine.set_mode("a", BTC, is_hedged=True)
    with pytest.raises(PerpetualRefused) as caught:
        d.buy("0.01")
    assert caught.value.why is No.MODE


def test_in_hedge_mode_the_opposite_order_of_a_side_only_reduces_it() -> None:
    d = desk()
    d.engine.set_mode("a", BTC, is_hedged=True)
    with pytest.raises(PerpetualRefused) as caught:
        d.sell("0.01", index=LONG)
    assert caught.value.why is No.REDUCE_ONLY
    d.buy("0.02", index=LONG)
    d.sell("0.05", index=LONG)
    assert (d.net(LONG), d.net(SHORT)) == (D(0), D(0))


def test_a_conditional_order_needs_no_margin_and_nothing_to_reduce_yet() -> None:
    d = desk()
    d.sell("3", falls_to="45000")
    d.sell("0.1", falls_to="45000", reduce_only=True)
    assert len(d.engine.working("a")) == 2


def test_there_are_only_so_many_conditional_orders() -> None:
    d = desk(rules=PerpetualRules(conditional_max=2))
    for _ in range(2):
        d.sell("0.1", falls_to="45000")
    with pytest.raises(PerpetualRefused) as caught:
        d.sell("0.1", falls_to="45000")
    assert caught.value.why is No.TOO_MANY_STOPS


def test_there_are_only_so_many_working_orders() -> None:
    d = desk(rules=PerpetualRules(working_max=2))
    for _ in range(2):
        d.buy("0.001", price="45000")
    with pytest.raises(PerpetualRefused) as caught:
        d.buy("0.001", price="45000")
    assert caught.value.why is No.TOO_MANY_ORDERS


def test_resting_orders_tie_up_margin() -> None:
    d = desk()
    d.buy("1.9", price="49000")
    with pytest.raises(PerpetualRefused) as caught:
        d.buy("0.5", price="49000")
    assert caught.value.why is No.NO_MONEY


def test_a_market_that_is_settling_takes_only_what_reduces() -> None:
    d = desk()
    d.buy("0.1")
    d.engine.list_contract(perpetual(BTC, standing=Standing.SETTLING))
    with pytest.raises(PerpetualRefused) as caught:
        d.buy("0.1")
    assert caught.value.why is No.NOT_TRADING
    d.sell("0.1", reduce_only=True)


def test_an_unknown_instrument_is_refused() -> None:
    d = desk()
    with pytest.raises(PerpetualRefused) as caught:
        d.engine.judge("a", ticket(BUY, "0.1", instrument="NOUSDT"))
    assert caught.value.why is No.UNKNOWN_INSTRUMENT
