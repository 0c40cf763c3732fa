"""Alpaca's replies become values or `Malformed`, and nothing else."""

import json
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from standfast.brokers.alpaca import parse, refusals, rows
from standfast.brokers.alpaca.kept import POSITIONS, KeptOrders, KeptPositions
from standfast.brokers.alpaca.stream import _event
from standfast.brokers.shared import reading
from standfast.brokers.shared.transport import Response
from standfast.model.errors import Malformed, OutcomeUnknown, Rejected
from standfast.model.ids import BrokerOrderId, ClientOrderId, Holding, InstrumentId
from standfast.model.order import Fill, Movement, MovementKind, OrderReport, OrderState, OrderType, Side
from tests.brokers.alpaca.replies import (
    ACTIVITIES,
    ATTEMPTS,
    FILL,
    ORDER,
    ORDERS,
    QUOTES,
    Payload,
    order_row,
    position_row,
)


def order(**changes: object) -> OrderReport:
    return parse.order(reading.rows(ORDER, json.dumps(order_row(**changes)).encode(), "order"))


def take(*found: Payload) -> dict[Holding, Decimal]:
    held, _ = KeptPositions().take(json.dumps(found).encode())
    return {holding: report.quantity for holding, report in held.items()}


def activity(**changes: object) -> Fill | Movement:
    (row,) = reading.rows(ACTIVITIES, json.dumps([changes]).encode(), "activities")
    return parse.activity(row)


def test_the_sign_of_a_position_comes_from_its_side() -> None:
    spy = Holding(InstrumentId("SPY"))

    assert take(position_row(qty="10", side="short")) == {spy: Decimal(-10)}
    assert take(position_row(qty="-10", side="short")) == {spy: Decimal(-10)}
    assert take(position_row(qty="10", side="long")) == {spy: Decimal(10)}


def test_trailing_spaces_are_no_part_of_a_name() -> None:
    assert set(take(position_row(symbol="SPY  "))) == {Holding(InstrumentId("SPY"))}


def test_a_row_of_zero_says_flat() -> None:
    assert take(position_row(qty="0")) == {}


@pytest.mark.parametrize(
    ("changes", "named"),
    [
        ({"side": "up"}, "side"),
        ({"qty": "ten"}, "qty is 'ten'"),
        ({"qty": "NaN"}, "NaN"),
        ({"qty": "1e9"}, "1e9"),
        ({"qty": "1_000"}, "1_000"),
        ({"qty": None}, "qty"),
        ({"avg_entry_price": "Infinity"}, "Infinity"),
        ({"symbol": ""}, "symbol"),
    ],
    ids=str,
)
def test_a_position_that_makes_no_sense_is_refused_by_field_and_value(changes: Payload, named: str) -> None:
    with pytest.raises(Malformed, match=named):
        take(position_row(**changes))


@pytest.mark.parametrize("names", [("SPY", "SPY"), ("SPY", "SPY ")])
def test_a_symbol_listed_twice_is_refused(names: tuple[str, str]) -> None:
    with pytest.raises(Malformed, match="listed twice"):
        take(*(position_row(symbol=name) for name in names))


def test_a_refused_list_leaves_what_is_kept_as_it_was() -> None:
    kept = KeptPositions()
    first, _ = kept.take(json.dumps([position_row()]).encode())
    with pytest.raises(Malformed):
        kept.take(json.dumps([position_row(qty="x")]).encode())

    assert kept.take(json.dumps([position_row()]).encode()) == (first, frozenset())


@given(st.lists(st.dictionaries(st.sampled_from("ABCDE"), st.integers(-3, 3)), min_size=1, max_size=8), st.randoms())
def test_what_is_kept_always_equals_what_a_fresh_reader_sees(reads: list[dict[str, int]], draw: Any) -> None:
    kept = KeptPositions()
    before: dict[Holding, Decimal] = {}
    for read in reads:
        found = [
            position_row(symbol=name, qty=str(abs(net)), side="long" if net > 0 else "short")
            for name, net in read.items()
        ]
        draw.shuffle(found)
        held, changed = kept.take(json.dumps(found).encode())
        seen = {holding: report.quantity for holding, report in held.items()}

        assert seen == take(*found)
        assert {
            holding for holding in seen.keys() | before.keys() if seen.get(holding) != before.get(holding)
        } <= changed
        before = seen


def test_rows_in_another_order_are_the_same_list() -> None:
    kept = KeptPositions()
    one, two = position_row(), position_row(symbol="AAPL")
    held, _ = kept.take(json.dumps([one, two]).encode())
    again, changed = kept.take(json.dumps([two, one]).encode())

    assert again is held
    assert changed == frozenset()


def test_a_working_stop_is_understood() -> None:
    report = order()

    assert (report.type, report.state, report.side) == (OrderType.STOP, OrderState.WORKING, Side.SELL)
    assert (report.stop_price, report.quantity, report.triggered) == (Decimal("590.5"), Decimal(10), False)
    assert report.placed_at == datetime(2026, 10, 8, 15, 10, 21, 375005, tzinfo=UTC)


def test_what_was_never_seen_before_is_alive_and_could_protect() -> None:
    report = order(status="quantum", type="iceberg", time_in_force="gtx")

    assert (report.state, report.type) == (OrderState.UNKNOWN, OrderType.UNKNOWN)
    assert not report.is_finished
    assert "quantum" in report.reason


def test_a_stop_that_began_to_fill_has_triggered() -> None:
    assert order(status="partially_filled", filled_qty="4", filled_avg_price="589").triggered
    assert not order(type="limit", status="partially_filled", filled_qty="4", filled_avg_price="1").triggered


def test_legs_name_their_parent() -> None:
    report = order(type="limit", order_class="oco", legs=[order_row(id="o-2", status="held")])

    (leg,) = report.legs
    assert (leg.parent_id, leg.state) == (BrokerOrderId("o-1"), OrderState.HELD)


def test_a_multi_leg_parent_has_no_instrument_and_does_not_blind_the_list() -> None:
    report = order(symbol="", side="", type="limit", order_class="mleg", legs=[order_row(id="o-2", side="buy")])

    assert (report.holding, report.side) == (Holding(InstrumentId("")), Side.BUY)


@pytest.mark.parametrize(
    "changes",
    [
        {"side": "hold"},
        {"qty": None},
        {"qty": "∞"},
        {"symbol": " "},
        {"submitted_at": "2026-10-08T15:10:21"},
        {"id": 1},
    ],
    ids=str,
)
def test_an_order_that_makes_no_sense_is_refused(changes: Payload) -> None:
    with pytest.raises(Malformed):
        order(**changes)


def test_an_order_by_amount_is_bounded_while_it_lives_and_exact_when_it_is_over() -> None:
    live = order(qty=None, notional="5", type="market", status="accepted")
    done = order(qty=None, notional="5", type="market", status="filled", filled_qty="0.05", filled_avg_price="100")

    assert (live.quantity, done.quantity, done.remaining) == (Decimal(5), Decimal("0.05"), Decimal(0))


def test_only_differing_orders_are_named_and_vanished_ones_too() -> None:
    def listed(*found: Payload) -> list[rows.OrderRow]:
        return reading.rows(ORDERS, json.dumps(found).encode(), "orders")

    kept = KeptOrders()
    one, two, three = (order_row(id=f"o-{number}") for number in range(3))
    kept.take(listed(one, two))
    orders, changed = kept.take(listed(three, two | {"qty": "9"}))

    assert changed == {"o-0", "o-1", "o-2"}
    assert set(orders) == {"o-1", "o-2"}
    assert kept.take(listed(two | {"qty": "9"}, three)) == (orders, frozenset())


def test_a_fill_is_keyed_by_its_activity() -> None:
    fill = activity(**FILL)

    assert isinstance(fill, Fill)
    assert (fill.execution_id, fill.signed, fill.price) == ("20261008::f", Decimal(-1), Decimal("86.88"))


def test_a_fill_that_is_taken_back_is_a_movement_against_it() -> None:
    movement = activity(**FILL, status="canceled")

    assert isinstance(movement, Movement)
    assert (movement.quantity, movement.status) == (Decimal(1), "canceled")


@pytest.mark.parametrize(
    ("broker_kind", "kind", "quantity"),
    [
        ("SPLIT", MovementKind.SPLIT, Decimal(-3)),
        ("OPEXP", MovementKind.EXPIRY, Decimal(-3)),
        ("OPASN", MovementKind.ASSIGNMENT, Decimal(-3)),
        ("OPEXC", MovementKind.EXERCISE, Decimal(-3)),
        ("OPTRD", MovementKind.EXERCISE, Decimal(-3)),
        ("ACATS", MovementKind.TRANSFER, Decimal(-3)),
        ("NC", MovementKind.RENAMED, Decimal(-3)),
        ("FEE", MovementKind.FEE, Decimal(0)),
        ("CFEE", MovementKind.FEE, Decimal(-3)),
        ("DIVNRA", MovementKind.CASH, Decimal(0)),
        ("CSD", MovementKind.CASH, Decimal(0)),
        ("SPIN", MovementKind.OTHER, Decimal(-3)),
        ("NEVERSEEN", MovementKind.OTHER, Decimal(-3)),
    ],
)
def test_other_rows_are_movements(broker_kind: str, kind: MovementKind, quantity: Decimal) -> None:
    movement = activity(id="m", activity_type=broker_kind, date="2024-03-01", qty="-3", symbol="KO", net_amount="1.5")

    assert isinstance(movement, Movement)
    assert (movement.kind, movement.quantity, movement.amount) == (kind, quantity, Decimal("1.5"))
    assert movement.at == datetime(2024, 3, 1, 5, tzinfo=UTC), "a day is the exchange's day"


def test_prices_of_quotes_are_taken_as_written() -> None:
    body = b'{"quotes":{"SPY":{"bp":599.10,"ap":600.01,"t":"2026-10-08T15:10:19.061299123Z","bs":1}}}'

    quote = parse.quote(reading.rows(QUOTES, body, "quotes").quotes["SPY"], datetime(2026, 10, 8, tzinfo=UTC))

    assert (str(quote.bid), str(quote.ask)) == ("599.10", "600.01")


@pytest.mark.parametrize(
    ("status", "body", "kind"),
    [
        (403, {"code": 40310000, "message": "x", "held_for_orders": "121", "existing_qty": "121"}, "held_quantity"),
        (403, {"code": 40310000, "message": "x", "held_for_orders": "0", "existing_qty": "1"}, "other"),
        (403, {"code": 40310000, "message": "x", "reject_reason": "opposite side"}, "wash_trade"),
        (403, {"code": 40310000, "message": "x", "options_buying_power": "7"}, "buying_power"),
        (403, {"code": 40310000, "message": "insufficient buying power"}, "buying_power"),
        (403, {"code": 40310000, "message": 'asset "OCGN" is not fractionable'}, "not_fractionable"),
        (403, {"code": 40310000, "message": "account not eligible"}, "other"),
        (404, {"code": 40410000, "message": "order not found"}, "not_found"),
        (422, {"code": 40010001, "message": "client_order_id must be unique"}, "duplicate_id"),
        (422, {"code": 42210000, "message": "sub-penny increment"}, "price"),
    ],
)
def test_a_refusal_is_told_apart_by_its_keys(status: int, body: Payload, kind: str) -> None:
    error = refusals.failure("POST", Response(status, {}, json.dumps(body).encode()), None)

    assert isinstance(error, Rejected)
    assert (error.kind, error.code) == (kind, str(body["code"]))


@pytest.mark.parametrize(
    ("status", "body"),
    [(403, b"<html>"), (404, b'{"code":40410000,"message":"endpoint not found."}'), (404, b"{}"), (418, b"{}")],
)
def test_a_page_of_somebody_else_proves_nothing(status: int, body: bytes) -> None:
    assert isinstance(refusals.failure("POST", Response(status, {}, body), None), OutcomeUnknown)


def test_the_filled_event_names_its_order() -> None:
    frame = {"stream": "trade_updates", "data": {"event": "never seen", "order": order_row()}}
    event = _event(json.dumps(frame).encode())

    assert event is not None
    assert (event.event, event.broker_id, event.client_id) == ("never seen", "o-1", ClientOrderId("mine"))
    assert POSITIONS.decode(b"[]") == []


def test_what_is_no_equity_is_not_given_an_equitys_rules() -> None:
    row = {"symbol": "BTCUSD", "class": "crypto", "status": "active", "tradable": True}

    with pytest.raises(Rejected, match="crypto"):
        ATTEMPTS["asset"](json.dumps(row).encode())
