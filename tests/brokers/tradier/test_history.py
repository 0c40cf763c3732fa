"""Totals after a watermark: nothing of before, nothing lost over a night, the same after a crash."""

import json
from datetime import date, timedelta
from decimal import Decimal

import pytest

from standfast.model.errors import Malformed
from standfast.model.order import MovementKind, Side
from tests.brokers.clocks import ManualClock
from tests.brokers.tradier.replies import order_row
from tests.brokers.tradier.scripted import Script, broker, order, orders
from tests.brokers.tradier.served import SPY

DAY = timedelta(days=1).total_seconds()


def bought(id: int, filled: float, price: float = 600.0, **changes: object) -> dict[str, object]:
    row = order_row(id=id, type="market", side="buy", stop_price=None, tag=f"t{id}", status="open")
    return row | {"exec_quantity": filled, "avg_fill_price": price} | changes


def script(*today: dict[str, object]) -> Script:
    found = Script()
    found.tell("/orders", orders(*today))
    found.tell_pages("/orders?all", orders())
    return found


async def test_what_had_filled_before_is_not_told() -> None:
    found = script(bought(1, 10.0, status="filled"), bought(2, 4.0, 600.0))
    at = broker(found, ManualClock())

    mark = (await at.activities("")).watermark
    assert mark == "2026-10-08/1:10:600 2:4:600"
    assert (await at.activities(mark)).totals == ()

    found.tell("/orders", orders(bought(1, 10.0, status="filled"), bought(2, 10.0, 603.0), bought(3, 1.0)))
    read = await at.activities(mark)

    told = {each.broker_order_id: (each.quantity, each.average_price, each.side) for each in read.totals}
    assert told == {"2": (Decimal(6), Decimal(605), Side.BUY), "3": (Decimal(1), Decimal(600), Side.BUY)}
    assert read.watermark == mark, "nothing to remember: a total is told again"


async def test_what_filled_while_nobody_looked_is_told_on_another_day() -> None:
    found, clock = script(bought(2, 4.0)), ManualClock()
    mark = (await broker(found, clock).activities("")).watermark
    await clock.advance(3 * DAY)
    found.tell("/orders", orders(bought(9, 2.0)))
    late = order(bought(2, 10.0, status="filled"))
    found.tell_pages("/orders?all", orders(bought(2, 10.0, status="filled"), bought(5, 1.0, status="filled")), orders())
    found.tell("/orders/2", late)

    read = await broker(found, clock).activities(mark)

    assert {each.broker_order_id: each.quantity for each in read.totals} == {"2": 6, "5": 1, "9": 2}
    assert read.watermark == "2026-10-11/"
    again = await broker(found, clock).activities(mark)
    assert again.totals == read.totals, "after a crash the same watermark tells the same"


async def test_what_rests_from_the_day_guarding_began_keeps_what_it_had_filled() -> None:
    found, clock = script(bought(2, 4.0, duration="gtc")), ManualClock()
    at = broker(found, clock)
    mark = (await at.activities("")).watermark
    await clock.advance(DAY)
    found.tell("/orders", orders())
    found.tell_pages("/orders?all", orders(bought(2, 4.0)), orders())
    found.tell("/orders/2", order(bought(2, 4.0)))

    read = await at.activities(mark)

    assert read.totals == ()
    assert read.watermark == "2026-10-09/2:4:600"


async def test_a_day_of_a_clock_that_was_wrong_is_not_searched_from() -> None:
    """1970: every month since would be read, which no budget of requests allows, and no fill be told."""
    found = script(bought(9, 2.0))
    found.tell_pages("/orders?all", *([orders()] * 30))

    read = await broker(found, ManualClock()).activities("1969-12-31/")

    assert [each.broker_order_id for each in read.totals] == ["9"]
    assert read.watermark == "2026-10-08/"
    assert found.asked.count("/orders?all") < 20, "thirteen months, and the last one for what rests"


async def test_a_day_that_lies_ahead_is_today() -> None:
    """Of a clock a day too far on: else what fills between here and midnight would be left behind with today."""
    found = script(bought(9, 2.0))

    read = await broker(found, ManualClock()).activities("2026-10-09/")

    assert read.watermark == "2026-10-08/"


async def test_how_options_of_a_past_day_ended_is_told_without_their_names() -> None:
    rows = [
        {"amount": 0, "date": "2026-10-07T00:00:00Z", "type": "option", "option": ended("OPTEXP", -3.0)},
        {"amount": -3750.0, "date": "2026-10-07T00:00:00Z", "type": "option", "option": ended("OPTASN", 3.0)},
        {"amount": 1.0, "date": "2026-10-07T00:00:00Z", "type": "option", "option": ended("OPTOTHER", 1.0)},
        {"amount": -5.0, "date": "2026-10-07T00:00:00Z", "type": "fee"},
    ]
    found = script()
    found.tell("/history", json.dumps({"history": {"event": rows}}).encode())
    at = broker(found, ManualClock())

    told = await at.ends(date(2026, 10, 7))

    assert told is not None
    assert [(each.kind, each.quantity, each.amount) for each in told] == [
        (MovementKind.EXPIRY, Decimal(-3), Decimal(0)),
        (MovementKind.ASSIGNMENT, Decimal(3), Decimal(-3750)),
    ]


def ended(word: str, quantity: float) -> dict[str, object]:
    return {"option_type": word, "description": "", "quantity": quantity}


async def test_an_order_without_a_price_for_what_it_filled_is_not_told_yet() -> None:
    found = script(bought(2, 4.0, 0.0, status="filled"))
    at = broker(found, ManualClock())

    assert (await at.activities("2026-10-08/")).totals == ()
    found.tell("/orders", orders(bought(2, 4.0, 600.0, status="filled")))
    assert [each.quantity for each in (await at.activities("2026-10-08/")).totals] == [4]


@pytest.mark.parametrize("mark", ["yesterday", "2026-10-08/1:2", "2026-10-08/1:x:y", "2026-13-08/", "/"])
async def test_a_watermark_that_is_not_ours_is_refused(mark: str) -> None:
    with pytest.raises(Malformed, match="watermark"):
        await broker(script(), ManualClock()).activities(mark)


async def test_an_order_told_under_a_name_that_nobody_quotes_is_not_believed() -> None:
    found = script(bought(2, 4.0, status="filled", symbol="WRONG"))
    at = broker(found, ManualClock())

    with pytest.raises(Malformed, match="order 2 is of WRONG"):
        await at.activities("2026-10-08/")

    found.tell("/orders", orders(bought(2, 4.0, status="filled")))
    assert [each.holding for each in (await at.activities("2026-10-08/")).totals] == [SPY]
