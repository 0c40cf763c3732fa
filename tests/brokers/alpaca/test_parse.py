"""Alpaca's replies become values or `Malformed`, and nothing else."""

import json
from collections.abc import Callable
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from standfast.brokers.alpaca import parse, refusals, rows
from standfast.brokers.alpaca.kept import POSITIONS, KeptOrders, KeptPositions
from standfast.brokers.alpaca.quote_stream import _messages
from standfast.brokers.alpaca.stream import _authorization, _event, _listening
from standfast.brokers.shared.transport import Response, TransportError
from standfast.model.errors import BrokerError, Malformed, OutcomeUnknown, Rejected, Unauthorised
from standfast.model.ids import BrokerOrderId, ClientOrderId, Holding, InstrumentId
from standfast.model.order import Fill, Movement, MovementKind, OrderReport, OrderState, OrderType, Side

Payload = dict[str, Any]

ORDERS = msgspec.json.Decoder(list[rows.OrderRow])
ORDER = msgspec.json.Decoder(rows.OrderRow)
ACTIVITIES = msgspec.json.Decoder(list[rows.ActivityRow])
QUOTES = msgspec.json.Decoder(rows.QuotesReply)


def order_row(**changes: object) -> Payload:
    return {
        "id": "o-1",
        "client_order_id": "mine",
        "symbol": "SPY",
        "side": "sell",
        "status": "new",
        "time_in_force": "gtc",
        "type": "stop",
        "qty": "10",
        "filled_qty": "0",
        "stop_price": "590.5",
        "submitted_at": "2026-10-08T15:10:21.375005748Z",
    } | changes


def position_row(**changes: object) -> Payload:
    return {"symbol": "SPY", "qty": "10", "side": "long", "avg_entry_price": "600.25"} | changes


def order(**changes: object) -> OrderReport:
    return parse.order(parse.rows(ORDER, json.dumps(order_row(**changes)).encode(), "order"))


def take(*found: Payload) -> dict[Holding, Decimal]:
    held, _ = KeptPositions().take(json.dumps(found).encode())
    return {holding: report.quantity for holding, report in held.items()}


def activity(**changes: object) -> Fill | Movement:
    (row,) = parse.rows(ACTIVITIES, json.dumps([changes]).encode(), "activities")
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
        return parse.rows(ORDERS, json.dumps(found).encode(), "orders")

    kept = KeptOrders()
    one, two, three = (order_row(id=f"o-{number}") for number in range(3))
    kept.take(listed(one, two))
    orders, changed = kept.take(listed(three, two | {"qty": "9"}))

    assert changed == {"o-0", "o-1", "o-2"}
    assert set(orders) == {"o-1", "o-2"}
    assert kept.take(listed(two | {"qty": "9"}, three)) == (orders, frozenset())


FILL = {
    "activity_type": "FILL", "id": "20261008::f", "order_id": "o-1", "price": "86.88", "qty": "1",
    "side": "sell_short", "symbol": "KO", "transaction_time": "2026-10-08T15:10:19.061299Z",
}  # fmt: skip


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

    quote = parse.quote(parse.rows(QUOTES, body, "quotes").quotes["SPY"], datetime(2026, 10, 8, tzinfo=UTC))

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


def _attempts() -> dict[str, Callable[[bytes], object]]:
    def listed(body: bytes) -> object:
        return [parse.order(row) for row in parse.rows(ORDERS, body, "orders")]

    def single(body: bytes) -> object:
        return parse.order(parse.rows(ORDER, body, "order"))

    def activities(body: bytes) -> object:
        found = parse.rows(ACTIVITIES, body, "activities")
        return [(parse.activity(row), parse.booked_at(row)) for row in found]

    def quotes(body: bytes) -> object:
        now = datetime(2026, 1, 1, tzinfo=UTC)
        return [parse.quote(row, now) for row in parse.rows(QUOTES, body, "quotes").quotes.values()]

    return {
        "positions": lambda body: KeptPositions().take(body),
        "orders": listed,
        "order": single,
        "activities": activities,
        "quotes": quotes,
        "account": lambda body: parse.account(parse.rows(msgspec.json.Decoder(rows.AccountRow), body, "account")),
        "clock": lambda body: parse.clock(parse.rows(msgspec.json.Decoder(rows.ClockRow), body, "clock")),
        "asset": lambda body: parse.equity(parse.rows(msgspec.json.Decoder(rows.AssetRow), body, "asset")),
        "contract": lambda body: parse.option(parse.rows(msgspec.json.Decoder(rows.ContractRow), body, "contract")),
        "refusal": lambda body: refusals.failure("POST", Response(403, {}, body), None),
        "event": _event,
        "authorization": _authorization,
        "listening": _listening,
        "market data": _messages,
    }


ATTEMPTS = _attempts()

pieces = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=12)
    | st.sampled_from(["buy", "sell", "FILL", "long", "NaN", "1e99999", "2026-01-01", "9999-12-31T23:59:59-23:59"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=8,
)  # fmt: skip
samples = {
    **position_row(), **order_row(), **FILL, "quotes": {}, "stream": "trade_updates", "data": {}, "T": "q", "S": "SPY",
    "bp": 1.5, "ap": 2, "t": "2026-01-01T00:00:00Z", "message": "m", "code": 1, "legs": [], "date": "2026-01-01",
    "order": {}, "event": "fill", "equity": "1", "buying_power": "1", "timestamp": "2026-01-01T00:00:00Z",
    "is_open": True, "next_open": "0001-01-01T00:00:00+23:00", "next_close": "x", "tradable": True, "size": "100",
}  # fmt: skip
objects = st.dictionaries(st.sampled_from(sorted(samples)), pieces).map(lambda changes: samples | changes)
bodies = (
    st.binary(max_size=200)
    | pieces.map(lambda value: json.dumps(value).encode())
    | objects.map(lambda value: json.dumps(value).encode())
    | objects.map(lambda value: json.dumps([value]).encode())
    | st.tuples(objects, st.integers(0, 2_000)).map(lambda pair: json.dumps([pair[0]]).encode()[: pair[1]])
)


def refused_as(attempt: Callable[[bytes], object], body: bytes) -> str | None:
    """The words of the refusal; None when the bytes were understood. Any other error passes through."""
    try:
        attempt(body)
    except (Malformed, TransportError) as error:
        return str(error)
    return None


@pytest.mark.parametrize("name", sorted(ATTEMPTS))
@given(body=bodies)
def test_no_bytes_raise_anything_but_malformed(name: str, body: bytes) -> None:
    assert refused_as(ATTEMPTS[name], body) != ""


@pytest.mark.parametrize("name", sorted(ATTEMPTS))
@pytest.mark.parametrize("body", [b"[" * 100_000, b'{"legs":' * 50_000, b'[{"id":"x","legs":' * 50_000])
def test_endless_nesting_is_malformed(name: str, body: bytes) -> None:
    try:
        ATTEMPTS[name](body)
    except Malformed:
        return
    assert name == "refusal", "a refusal that cannot be read is an outcome that is not known"


def recorded(shared: Path) -> dict[str, object]:
    folder = shared / "brokers" / "data" / "alpaca"
    files = [path for path in sorted(folder.rglob("*.json")) if "spec" not in path.relative_to(folder).parts]
    assert len(files) > 100, "the recordings are not where they were"
    return {str(path.relative_to(folder)): json.loads(path.read_bytes()) for path in files}


def test_every_recorded_payload_parses_or_is_refused_clearly(shared: Path) -> None:
    for name, payload in recorded(shared).items():
        body = json.dumps(payload).encode()
        for attempt in ATTEMPTS.values():
            said = refused_as(attempt, body)
            assert said is None or len(said) > 10, (name, said)


PARSED = {
    "recorded_paper_2026-10-08/positions_held.json": "positions",
    "recorded_paper_2026-10-08/positions_empty.json": "positions",
    "recorded_paper_2026-10-08/open_orders_empty.json": "orders",
    "recorded_paper_2026-10-08/order_limit_buy_canceled.json": "order",
    "recorded_paper_2026-10-08/order_notional_buy_filled.json": "order",
    "recorded_paper_2026-10-08/order_notional_buy_submit_pending_new.json": "order",
    "recorded_paper_2026-10-08/activities_FILL.json": "activities",
    "recorded_paper_2026-10-08/account.json": "account",
    "spec_examples/schema_Account_example-1.json": "account",
    "spec_examples/CryptoOrderResponse.json": "order",
    "spec_examples/EquityOrderResponse.json": "order",
    "spec_examples/OptionOrderResponse.json": "order",
    "spec_examples/MultilegOptionsOrderResponse.json": "order",
    "spec_examples/schema_Assets_example-1.json": "asset",
    "options/contract.json": "contract",
    "options/activities_assignment_call.json": "activities",
    "options/activities_assignment_put.json": "activities",
    "options/activities_exercise_call.json": "activities",
    "options/activities_exercise_put.json": "activities",
    "options/activities_expiration.json": "activities",
    "alpaca-py-tests/test_order_routes__test_get_orders__1.json": "orders",
    "alpaca-py-tests/test_position_routes__test_get_all_positions__1.json": "positions",
    "alpaca-py-tests/test_account_routes__test_get_account__1.json": "account",
    "alpaca-py-tests/test_asset_routes__test_get_asset__1.json": "asset",
    "alpaca-py-tests/test_account_activities_routes__setup_reqmock_for_paginated_account_activities_response__1.json": (
        "activities"
    ),
    "ccxt_static/clock.json": "clock",
    "trade_updates/trade_updates_fill.json": "event",
    "trade_updates/authorization_authorized_authenticate.json": "authorization",
    "trade_updates/listening.json": "listening",
}


@pytest.mark.parametrize("name", sorted(PARSED))
def test_what_alpaca_was_recorded_to_answer_is_understood(name: str, shared: Path) -> None:
    body = (shared / "brokers" / "data" / "alpaca" / name).read_bytes()

    assert ATTEMPTS[PARSED[name]](body) is not None


KINDS = {
    "401_unauthorized": "",
    "403_covered_call_underlying": "other",
    "403_held_for_orders_no_related": "held_quantity",
    "403_held_for_orders_related": "held_quantity",
    "403_options_bp": "buying_power",
    "403_options_level": "other",
    "403_wash_trade": "wash_trade",
    "403_wash_trade_limit": "wash_trade",
    "422_qty_cannot_change_advanced": "other",
    "422_sub_penny": "price",
    "error_403_insufficient_qty": "other",
    "error_403_not_fractionable": "not_fractionable",
    "error_422_duplicate_client_order_id": "duplicate_id",
}


def test_every_recorded_refusal_has_its_kind(shared: Path) -> None:
    folder = shared / "brokers" / "data" / "alpaca"
    found = {}
    for path in [*folder.glob("errors/*.json"), *folder.glob("recorded_paper*/error_*.json")]:
        recording = json.loads(path.read_bytes())
        body = json.dumps(recording["body"]).encode()
        error: BrokerError = refusals.failure("POST", Response(recording["http_status"], {}, body), None)
        assert isinstance(error, Rejected | Unauthorised)
        found[path.stem] = error.kind if isinstance(error, Rejected) else ""

    assert found == KINDS


def test_the_filled_event_names_its_order() -> None:
    frame = {"stream": "trade_updates", "data": {"event": "never seen", "order": order_row()}}
    event = _event(json.dumps(frame).encode())

    assert event is not None
    assert (event.event, event.broker_id, event.client_id) == ("never seen", "o-1", ClientOrderId("mine"))
    assert POSITIONS.decode(b"[]") == []
