"""The history: one row per fill, rows that are no trades, paging that neither skips nor repeats."""

import re
from datetime import UTC, datetime

import pytest

from standfast.exchange.activities import Activity, FillActivity, activity_id
from standfast.exchange.fills import Scripted
from standfast.exchange.queries import ActivityQuery, Direction
from tests.exchange.desk import BUY, SELL, D, Desk, Rules, open_desk, refusal


def test_an_id_carries_new_york_time_to_the_millisecond() -> None:
    at = datetime(2026, 10, 8, 15, 10, 18, 97465, tzinfo=UTC)

    assert activity_id(at, "fc1f73e1") == "20261008111018097::fc1f73e1"


def test_every_execution_is_one_row() -> None:
    desk = open_desk(fills=Scripted({"one": [D("0.3")]}))
    order = desk.submit(BUY, client_order_id="one")
    desk.quote("101.00")

    first, second = desk.engine.activities("a", ActivityQuery(direction=Direction.ASC))

    assert isinstance(first, FillActivity)
    assert isinstance(second, FillActivity)
    assert (first.type, first.quantity, first.cumulative, first.leaves) == ("partial_fill", D(3), D(3), D(7))
    assert (second.type, second.quantity, second.cumulative, second.leaves) == ("fill", D(7), D(10), D(0))
    assert {first.order_id, second.order_id} == {order.id}
    assert re.fullmatch(r"\d{17}::[0-9a-f-]{36}", first.id)
    executions = [event.execution_id for event in desk.tape if event.execution_id]
    assert executions == [first.execution_id, second.execution_id]


def test_a_sale_from_flat_is_a_short_sale_and_its_cover_a_buy() -> None:
    desk = open_desk()
    desk.submit(BUY)
    desk.submit(SELL)
    desk.submit(SELL)
    desk.submit(BUY)

    rows = desk.engine.activities("a", ActivityQuery(direction=Direction.ASC))

    assert [row.side for row in rows if isinstance(row, FillActivity)] == ["buy", "sell", "sell_short", "buy"]


def test_fees_are_rows_of_their_own_kind() -> None:
    desk = _busy_desk()

    (fee,) = desk.engine.activities("a", ActivityQuery(types=frozenset({"FEE"})))

    assert not isinstance(fee, FillActivity)
    assert (fee.net_amount, fee.instrument) == (D("-0.01"), "KO")
    assert len(desk.engine.activities("a", ActivityQuery(category="non_trade_activity"))) == 1
    assert len(desk.engine.activities("a", ActivityQuery(category="trade_activity"))) == 5


@pytest.mark.parametrize("direction", list(Direction))
@pytest.mark.parametrize("size", [1, 2, 6, 100])
def test_pages_put_together_are_the_whole_history(direction: Direction, size: int) -> None:
    desk = _busy_desk()
    whole = desk.engine.activities("a", ActivityQuery(direction=direction))

    rows: list[Activity] = []
    while page := desk.engine.activities(
        "a", ActivityQuery(direction=direction, page_size=size, page_token=rows[-1].id if rows else None)
    ):
        rows.extend(page)

    assert rows == whole
    assert len(rows) == 6


def test_after_and_until_are_exclusive() -> None:
    desk = _busy_desk()
    times = sorted({row.at for row in desk.engine.activities("a")})

    found = desk.engine.activities("a", ActivityQuery(after=times[0], until=times[-1]))

    assert {row.at for row in found} == set(times[1:-1])


def test_rows_can_be_asked_for_by_the_day_in_new_york() -> None:
    desk = _busy_desk()
    day = datetime(2026, 10, 8, tzinfo=UTC).date()

    assert len(desk.engine.activities("a", ActivityQuery(day=day))) == 6
    assert desk.engine.activities("a", ActivityQuery(day=day.replace(day=9))) == []


def test_bad_paging_is_refused() -> None:
    desk = open_desk()

    assert refusal(desk.engine.activities, "a", ActivityQuery(page_size=101)).http_status == 422
    assert refusal(desk.engine.activities, "a", ActivityQuery(page_token="no")).http_status == 422


def _busy_desk() -> Desk:
    """Five fills and one fee."""
    desk = open_desk(Rules(fee_per_unit=D("0.001")))
    for _ in range(4):
        desk.submit(BUY)
        desk.quote("100.00")
    desk.submit(SELL)
    return desk
