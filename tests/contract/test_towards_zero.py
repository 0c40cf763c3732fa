"""From a signed net to what the exchange does: a closing order of ours moves what is held towards zero, never past it.

The whole way an order takes: built by `core.orders.reducing`, written by the adapter's forms, read by the exchange's
dialect, traded by its engine, with whatever is held by the time it arrives or its trigger is reached.
"""

from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from standfast.brokers.ccxt.binance import forms as binance_forms
from standfast.brokers.ccxt.bybit import forms as bybit_forms
from standfast.brokers.ccxt.markets import Market
from standfast.core.orders import reducing
from standfast.exchange.dialects.binance import asking as binance_asking
from standfast.exchange.dialects.bybit import asking as bybit_asking
from standfast.exchange.perpetual.orders import Ticket
from standfast.exchange.perpetual.refusal import PerpetualRefused
from standfast.model.errors import Rejected
from standfast.model.ids import ClientOrderId, Holding, InstrumentId
from standfast.model.instrument import Instrument
from standfast.model.order import Terms
from tests.exchange.perpetual.desk import BTC, BUY, LONG, ONE_WAY, SELL, Desk, desk, ticket

NAME = InstrumentId("BTC/USDT:USDT")
MARKET = Market(
    id=BTC,
    instrument=Instrument(id=NAME, tick=Decimal("0.1"), lot=Decimal("0.001")),
    settle="USDT",
    least=Decimal("0.001"),
)
HEDGES = ("", "long", "short")
Write = Callable[[Holding, Terms], Ticket]


def at_bybit(holding: Holding, terms: Terms) -> Ticket:
    return bybit_asking.ticket(bybit_forms.submission(ClientOrderId("x"), holding, MARKET, terms))


def at_binance(holding: Holding, terms: Terms) -> Ticket:
    form = {
        name: str(value) for name, value in binance_forms.submission(ClientOrderId("x"), holding, MARKET, terms).items()
    }
    is_hedged = bool(holding.hedge)
    if "algoType" in form:
        return binance_asking.conditional_ticket(form, is_hedged=is_hedged, now=Decimal(50_000))
    return binance_asking.plain_ticket(form, is_hedged=is_hedged)


steps = st.integers(min_value=1, max_value=200).map(lambda count: count * Decimal("0.001"))


def held(index: int, quantity: Decimal) -> Desk:
    """An account that holds so much there, and on the other side of a hedge something else."""
    at = desk(cash="1000000")
    if index != ONE_WAY:
        at.engine.set_account_mode("a", is_hedged=True)
    at.quote("50000")
    if quantity:
        at.engine.submit("a", ticket(BUY if quantity > 0 else SELL, str(abs(quantity)), index=index))
    if index != ONE_WAY:
        other = 3 - index
        at.engine.submit("a", ticket(BUY if other == LONG else SELL, "0.123", index=other))
    return at


@dataclass(frozen=True, slots=True)
class Drawn:
    """An order for at most `quantity` of `size` held; `later`: what may be held of it by the time it works."""

    index: int
    size: Decimal
    quantity: Decimal
    later: Decimal
    is_short: bool
    stops: bool


drawn = st.builds(
    Drawn,
    index=st.sampled_from([0, 1, 2]),
    size=steps,
    quantity=steps,
    later=st.one_of(st.just(Decimal(0)), steps),
    is_short=st.booleans(),
    stops=st.booleans(),
)


@pytest.mark.parametrize("write", [at_bybit, at_binance])
@given(drawn=drawn)
def test_a_closing_order_takes_what_is_held_towards_zero_whatever_that_is_when_it_arrives(
    write: Write, drawn: Drawn
) -> None:
    index, size, quantity, later = drawn.index, drawn.size, drawn.quantity, drawn.later
    sign = -1 if index == 2 or (index == ONE_WAY and drawn.is_short) else 1
    net = sign * size
    terms = reducing(
        net, quantity, stop_price=Decimal(50_000 - 500 * sign) if drawn.stops else None, resting=drawn.stops
    )
    asked = write(Holding(NAME, HEDGES[index]), terms)
    for now in {net, sign * later, -sign * later if index == ONE_WAY else net}:
        at = held(index, now)
        beside = at.net(3 - index) if index else Decimal(0)
        try:
            at.engine.submit("a", asked)
        except PerpetualRefused:
            assert now * sign <= 0, "refused only where there is nothing of that side to reduce"
        at.quote("49400" if sign > 0 else "50600")

        left = at.net(index)
        assert abs(left) <= abs(now)
        assert left * now >= 0
        assert now != net or left == net - sign * min(quantity, size), "what was built for what is held does its work"
        assert (at.net(3 - index) if index else Decimal(0)) == beside, "the other side is not touched"


@pytest.mark.parametrize("write", [at_bybit, at_binance])
@pytest.mark.parametrize(("hedge", "net"), [("long", -1), ("short", 1)])
def test_an_order_that_would_go_the_other_way_of_its_side_does_not_leave(write: Write, hedge: str, net: int) -> None:
    """No net of a side has that sign; should one ever be told, nothing is sent."""
    with pytest.raises(Rejected):
        write(Holding(NAME, hedge), reducing(Decimal(net), Decimal(1)))
