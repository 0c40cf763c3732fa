"""Tests of `core/orders.py`: no order that may only reduce can point the wrong way."""

import re
from decimal import Decimal
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from standfast.core import orders
from standfast.core.orders import intent, opening, reducing
from standfast.model.ids import is_own
from standfast.model.order import OrderType, Role, Side, TimeInForce, side_towards_zero
from tests.core.situations import ACCOUNT, D, P, exit_intended, folded, own_id, position, the, told

PACKAGE = Path(orders.__file__).parents[1]
MAKES_TERMS = re.compile(r"(?<!\w)Terms\(")
quantities = st.decimals(min_value="0.001", max_value="1000", places=3)
nets = st.one_of(quantities, quantities.map(lambda value: -value))
prices = st.one_of(st.none(), st.decimals(min_value="0.01", max_value="500", places=2))


@given(nets, quantities, prices, prices, st.booleans())
def test_every_reducing_order_moves_the_net_towards_zero_and_never_past_it(
    net: Decimal,
    quantity: Decimal,
    stop: Decimal | None,
    target: Decimal | None,
    resting: bool,  # noqa: FBT001  # drawn by hypothesis
) -> None:
    terms = reducing(net, quantity, stop_price=stop, target_price=target, resting=resting)

    left = net + terms.quantity * terms.side.sign
    assert abs(left) < abs(net)
    assert left * net >= 0
    assert terms.quantity <= quantity
    assert terms.reduces


def test_nobody_else_makes_terms_of_an_order_that_is_sent() -> None:
    """Who makes none cannot name a side. (The fold writes down what the order of a whole spread comes to: a record.)"""
    rooms = (PACKAGE / "core", PACKAGE / "runtime")
    makers = {path.name for room in rooms for path in room.rglob("*.py") if MAKES_TERMS.search(path.read_text())}

    assert makers == {"orders.py", "fold_structures.py"}


def test_a_flat_net_has_nothing_to_reduce() -> None:
    with pytest.raises(AssertionError):
        reducing(D(0), D(1))
    with pytest.raises(AssertionError):
        reducing(D(1), D(0))
    with pytest.raises(ValueError, match="no closing side"):
        side_towards_zero(D(0))


def test_prices_decide_the_type() -> None:
    assert reducing(D(1), D(1)).type is OrderType.MARKET
    stop = reducing(D(1), D(1), stop_price=D(9), resting=True)
    assert (stop.type, stop.stop_price, stop.time_in_force) == (OrderType.STOP, D(9), TimeInForce.GTC)
    limit = reducing(D(1), D(1), target_price=D(11))
    assert (limit.type, limit.limit_price, limit.target_price) == (OrderType.LIMIT, D(11), None)
    pair = reducing(D(1), D(1), stop_price=D(9), target_price=D(11))
    assert (pair.type, pair.limit_price, pair.stop_price, pair.target_price) == (OrderType.STOP, None, D(9), D(11))


def test_an_opening_is_what_was_asked_for() -> None:
    assert (opening(D(5), None).side, opening(D(-5), None).side) == (Side.BUY, Side.SELL)
    assert (opening(D(-5), None).quantity, opening(D(-5), None).reduces) == (D(5), False)
    limit = opening(D(5), D(100), D(98))
    assert (limit.type, limit.limit_price, limit.attached_stop) == (OrderType.LIMIT, D(100), D(98))
    assert limit.time_in_force is TimeInForce.DAY
    assert opening(D(5), None, D(98)).time_in_force is TimeInForce.GTC


def test_each_attempt_has_its_own_id_and_the_same_attempt_the_same() -> None:
    book = folded(*position(10))
    made = [intent(book, the(book), Role.STOP, reducing(D(10), D(10)), reason="") for _ in range(2)]
    told(book, exit_intended(Role.STOP, stop="98"))
    second = intent(book, the(book), Role.STOP, reducing(D(10), D(10)), reason="")

    assert made[0] == made[1]
    assert (made[0].id, made[0].attempt) == (own_id(Role.STOP, 1), 1)
    assert (second.id, second.attempt) == (own_id(Role.STOP, 2), 2)
    assert made[0].position == P
    assert is_own(second.id, ACCOUNT)
