"""A list that shows what it showed before orders filled is an old one, and the orders are the second source."""

from datetime import timedelta
from decimal import Decimal

import pytest

from standfast.model.effects import Turn, Urgency
from standfast.model.ids import ClientOrderId
from standfast.model.order import OrderType, Side, Terms, TimeInForce
from tests.brokers.clocks import ManualClock
from tests.brokers.tradier.replies import order_row, position_row, positions_reply
from tests.brokers.tradier.scripted import Script, broker, order, orders
from tests.brokers.tradier.served import SPY, desk

NOTHING = b'{"positions": "null"}'


def held(quantity: float) -> bytes:
    return positions_reply(position_row(quantity=quantity, cost_basis=quantity * 600)) if quantity else NOTHING


def sold(clock: ManualClock, quantity: float) -> dict[str, object]:
    """Placed and filled now."""
    stamp = clock.now().isoformat().replace("+00:00", "Z")
    row = order_row(id=9, type="market", status="filled", stop_price=None, create_date=stamp, transaction_date=stamp)
    return row | {"exec_quantity": quantity, "avg_fill_price": 600.0, "quantity": quantity}


async def by_name(script: Script, clock: ManualClock, *shown: float) -> Decimal:
    """Lists that show these, the last of them for good; ten were sold after the first, and half a minute has passed."""
    at = broker(script, clock)
    script.tell_pages("/orders?all", orders())
    script.tell("/orders", orders())
    script.tell("/positions", held(shown[0]))
    await at.positions()
    await clock.advance(60)
    script.tell("/orders", orders(sold(clock, 10.0)))
    for quantity in shown[1:]:
        await clock.advance(15)
        script.tell("/positions", held(quantity))
        await at.positions()
    await clock.advance(15)
    return await at.position(SPY)


@pytest.mark.parametrize(
    ("shown", "told"),
    [
        ((30.0, 20.0), 20),
        ((30.0, 30.0), 20),
        ((10.0, 0.0, 10.0), 0),
        ((10.0, 10.0), 0),
        ((0.0, -10.0, 0.0), -10),
        ((30.0, 25.0), 25),
    ],
    ids=["what is left", "as before", "gone and back", "as before, of all", "short and back", "what no order explains"],
)
async def test_a_quantity_of_before_the_orders_filled_is_not_believed(shown: tuple[float, ...], told: int) -> None:
    assert await by_name(Script(), ManualClock(), *shown) == told


async def test_an_order_that_may_not_show_yet_is_not_counted() -> None:
    script, clock = Script(), ManualClock()
    at = broker(script, clock)
    script.tell_pages("/orders?all", orders())
    script.tell("/orders", orders())
    script.tell("/positions", held(30.0))
    await at.positions()
    await clock.advance(60)
    script.tell("/orders", orders(sold(clock, 10.0)))

    await clock.advance(10)
    assert await at.position(SPY) == 30
    await clock.advance(10)
    assert await at.position(SPY) == 20


async def test_another_day_begins_anew() -> None:
    script, clock = Script(), ManualClock()
    script.tell("/orders/9", order(sold(clock, 10.0)))
    assert await by_name(script, clock, 30.0, 30.0) == 20
    at = broker(script, clock)
    await at.positions()
    await clock.advance(timedelta(days=1).total_seconds())
    script.tell("/orders", orders())

    await at.positions()

    assert await at.position(SPY) == 30


async def test_what_is_bought_and_sold_at_the_exchange_agrees_with_the_list() -> None:
    async with desk() as at:
        for number, side in enumerate((Side.BUY, Side.SELL, Side.BUY)):
            await at.broker.positions()
            terms = Terms(
                side=side,
                quantity=Decimal(3),
                type=OrderType.MARKET,
                time_in_force=TimeInForce.DAY,
                reduces=side is Side.SELL,
            )
            await at.broker.submit(ClientOrderId(f"sfabcd-o{number}"), SPY, terms, Turn(Urgency.OPEN))
            assert await at.broker.position(SPY) == (0 if side is Side.SELL else 3)
