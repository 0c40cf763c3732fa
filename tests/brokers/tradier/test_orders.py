"""A list of orders is whole, also of those that rest from days before; who asks in time shares one."""

import asyncio
from datetime import timedelta
from decimal import Decimal

import pytest

from standfast.brokers.shared.transport import Response
from standfast.model.effects import Turn, Urgency
from standfast.model.errors import Incomplete, Malformed, OutcomeUnknown
from standfast.model.ids import BrokerOrderId, ClientOrderId
from standfast.model.order import OrderState, OrderType, Side, Terms, TimeInForce
from tests.brokers.clocks import ManualClock, settle
from tests.brokers.tradier.replies import order_row
from tests.brokers.tradier.scripted import Script, broker, order, orders
from tests.brokers.tradier.served import SPY

TODAY, PAST = "/orders", "/orders?all"
OLD = order_row(id=7, tag="sfabcd-s7", create_date="2026-09-30T14:00:00.000Z")


def script(*today: dict[str, object], past: tuple[dict[str, object], ...] = ()) -> Script:
    found = Script()
    found.tell(TODAY, orders(*today))
    found.tell_pages(PAST, orders(*past), orders())
    return found


async def test_pages_are_read_until_one_brings_nothing_new() -> None:
    pages = [[order_row(id=1 + n + 25 * page, tag=f"t{n}-{page}") for n in range(25)] for page in range(2)]
    found = script()
    found.tell_pages(TODAY, *(orders(*page) for page in pages))

    read = await broker(found, ManualClock()).working_orders()

    assert len(read.orders) == 50
    assert found.asked.count(TODAY) == 3


async def test_where_pages_are_not_served_a_full_one_is_not_asked_for_twice_in_vain() -> None:
    found = script(*(order_row(id=n, tag=f"t{n}") for n in range(1, 26)))

    read = await broker(found, ManualClock()).working_orders()

    assert len(read.orders) == 25
    assert found.asked.count(TODAY) == 2


async def test_a_list_as_it_was_is_the_same_list() -> None:
    at = broker(script(order_row(id=1), order_row(id=2, tag="x", status="filled")), ManualClock())

    first, second = await at.working_orders(), await at.working_orders()

    assert first.changed == {BrokerOrderId("1")}
    assert second.changed == frozenset()
    assert second.orders == first.orders


async def test_an_order_of_days_before_that_todays_list_leaves_out_is_listed_all_the_same() -> None:
    found = script(order_row(id=9), past=(OLD, order_row(id=8, status="canceled", tag="gone")))
    found.tell("/orders/7", order(OLD))
    clock = ManualClock()
    at = broker(found, clock)

    assert set((await at.working_orders()).orders) == {"7", "9"}
    assert set((await at.working_orders()).orders) == {"7", "9"}
    assert found.asked.count(PAST) == 2, "a page and the end of them, once a day"

    found.tell("/orders/7", order({**OLD, "status": "canceled"}))
    await clock.advance(13)
    assert set((await at.working_orders()).orders) == {"9"}, "it is read by its id again and again"


async def test_who_cannot_wait_has_what_is_carried_read_at_once() -> None:
    found = script(past=(OLD,))
    found.tell("/orders/7", order(OLD))
    at = broker(found, ManualClock())
    await at.working_orders()

    found.tell("/orders/7", order({**OLD, "status": "filled", "exec_quantity": 10.0, "avg_fill_price": 590.4}))

    assert set((await at.working_orders()).orders) == {"7"}
    assert (await at.working_orders(urgency=Urgency.VERIFY)).orders == {}
    (total,) = (await at.activities("2026-10-08/")).totals
    assert (total.broker_order_id, total.quantity) == ("7", Decimal(10))


async def test_what_is_carried_and_cannot_be_read_leaves_no_list() -> None:
    found = script(past=(OLD,))
    found.tell("/orders/7", Response(500, {}, b""))
    clock = ManualClock()
    at = broker(found, clock)
    await at.working_orders()

    reading = asyncio.ensure_future(at.working_orders(urgency=Urgency.VERIFY))
    await clock.advance(30)

    with pytest.raises(OutcomeUnknown):
        await reading


async def test_on_another_day_the_month_is_read_again() -> None:
    found = script(order_row(id=9))
    clock = ManualClock()
    at = broker(found, clock)
    await at.working_orders()
    found.tell(TODAY, orders())
    found.tell_pages(PAST, orders(order_row(id=9)), orders())
    found.tell("/orders/9", order(order_row(id=9)))

    await clock.advance(timedelta(days=1).total_seconds())

    assert set((await at.working_orders()).orders) == {"9"}


async def test_reads_that_have_not_left_are_one() -> None:
    found, clock = script(order_row(id=1)), ManualClock()
    at = broker(found, clock, requests_per_minute=1)
    found.tell("/positions", b'{"positions": "null"}')
    await at.positions()
    listing = at._orders

    both = [asyncio.ensure_future(listing.today(Urgency.READ)) for _ in range(3)]
    await settle()
    assert found.asked.count(TODAY) == 0, "the budget is spent"
    await clock.advance(61)

    assert len({id(each.result()) for each in both}) == 1
    assert found.asked.count(TODAY) == 1


async def test_a_read_that_has_left_serves_nobody_who_asks_after() -> None:
    found, clock = script(order_row(id=1)), ManualClock()
    at = broker(found, clock)

    await at._orders.today(Urgency.READ)
    await at._orders.today(Urgency.READ)

    assert found.asked.count(TODAY) == 2


async def test_one_that_is_given_up_leaves_the_others_an_error() -> None:
    found, clock = script(order_row(id=1)), ManualClock()
    found.tell("/positions", b'{"positions": "null"}')
    at = broker(found, clock, requests_per_minute=1)
    await at.positions()
    first, second = (asyncio.ensure_future(at._orders.today(Urgency.READ)) for _ in range(2))
    await settle()

    first.cancel()
    await settle()

    assert first.cancelled()
    assert "given up" in str(second.exception())


async def test_unknown_is_said_only_when_no_list_shows_it() -> None:
    found = script(order_row(id=9))
    clock = ManualClock()
    at = broker(found, clock)

    assert await at.order(broker_id=BrokerOrderId("5")) is None
    assert (found.asked.count(TODAY), found.asked.count(PAST)) == (1, 1)
    shown = await at.order(broker_id=BrokerOrderId("9"))
    assert shown is not None, "its own address does not know it, the list does"
    assert shown.state is OrderState.WORKING


async def test_an_order_of_before_is_found_by_its_tag_and_looked_for_in_the_past_once() -> None:
    found = script(past=(OLD,))
    at = broker(found, ManualClock())

    known = await at.order(client_id=ClientOrderId("sfabcd-s7"))
    assert known is not None
    assert known.broker_id == "7"
    for _ in range(3):
        assert await at.order(client_id=ClientOrderId("sfabcd-nothing")) is None
    assert found.asked.count(PAST) == 4, "two searches of two pages"


async def test_a_leg_is_read_with_its_parent() -> None:
    legs = [
        order_row(id=2, side="buy_to_open", option_symbol="SPXW261008P06885000", type="debit", quantity=1.0, tag=None),
        order_row(id=3, side="sell_to_open", option_symbol="SPXW261008P06880000", type="debit", quantity=1.0, tag=None),
    ]
    spread = order_row(id=1, type="debit", side="buy", quantity=2.0, price=1.5, leg=legs, stop_price=None) | {
        "class": "multileg"
    }
    found = script(spread)
    found.tell("/orders/1", order(spread))
    at = broker(found, ManualClock())
    await at.working_orders()

    parent = await at.order(broker_id=BrokerOrderId("3"))

    assert parent is not None
    assert (parent.broker_id, parent.quantity, parent.limit_price) == ("1", Decimal(1), Decimal("1.5"))
    assert [leg.broker_id for leg in parent.legs] == ["2", "3"]


async def test_another_order_than_was_asked_for_is_refused() -> None:
    found = script()
    found.tell("/orders/5", order(order_row(id=6)))

    with pytest.raises(Malformed, match="asked for order 5, told of 6"):
        await broker(found, ManualClock()).order(broker_id=BrokerOrderId("5"))


async def test_a_list_that_is_behind_what_is_known_does_not_say_unknown() -> None:
    placed = order_row(id=9, create_date="2026-10-08T14:20:00.000Z", transaction_date="2026-10-08T14:20:00.000Z")
    found = script(placed)
    found.tell("/orders/9", order({**placed, "status": "canceled", "transaction_date": "2026-10-08T14:29:00.000Z"}))
    at = broker(found, ManualClock())
    assert await at.order(client_id=ClientOrderId("sfabcd-c1")) is None
    await at.order(broker_id=BrokerOrderId("9"))

    with pytest.raises(Incomplete, match="behind what is known of 9"):
        await at.order(client_id=ClientOrderId("sfabcd-c1"))

    found.tell(TODAY, orders({**placed, "status": "canceled", "transaction_date": "2026-10-08T14:29:00.000Z"}))
    assert await at.order(client_id=ClientOrderId("sfabcd-c1")) is None


async def test_a_list_without_what_was_just_sent_does_not_say_unknown() -> None:
    found = script()
    at = broker(found, ManualClock())
    found.tell(TODAY, order({"id": 9, "status": "ok"}))
    terms = Terms(
        side=Side.BUY, quantity=Decimal(1), type=OrderType.MARKET, time_in_force=TimeInForce.DAY, reduces=False
    )
    await at.submit(ClientOrderId("sfabcd-o1"), SPY, terms, Turn(Urgency.OPEN))
    found.tell(TODAY, orders())

    with pytest.raises(Incomplete):
        await at.order(client_id=ClientOrderId("sfabcd-c1"))


async def test_a_leg_read_before_its_pair_is_nothing_of_its_own_afterwards() -> None:
    """As after a restart: its own address does not say whose leg it is."""
    day = "2026-10-08T14:20:00.000Z"
    legs = [
        order_row(id=5, type="limit", price=620.5, stop_price=None, tag=None, create_date=day, transaction_date=day),
        order_row(id=6, tag=None, create_date=day, transaction_date=day),
    ]
    pair = {"id": 88, "status": "open", "class": "oco", "tag": "sfabcd-s8", "leg": legs}
    found = script(pair)
    found.tell("/orders/6", order(legs[1]))
    found.tell("/orders/88", order(pair))
    at = broker(found, ManualClock())
    alone = await at.order(broker_id=BrokerOrderId("6"))

    listed = (await at.working_orders()).orders
    again = await at.order(broker_id=BrokerOrderId("6"))

    assert alone is not None
    assert again is not None
    assert set(listed) == {"88"}
    assert (alone.parent_id, again.parent_id) == (None, "88")
    assert await at.order(client_id=ClientOrderId("sfabcd-nothing")) is None
