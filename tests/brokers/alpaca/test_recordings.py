"""What Alpaca was recorded to answer is understood; what nobody should answer is refused and nothing worse."""

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from standfast.brokers.alpaca import refusals
from standfast.brokers.shared.transport import Response
from standfast.model.errors import BrokerError, Malformed, Rejected, Unauthorised
from tests.brokers.alpaca.replies import ATTEMPTS, FILL, order_row, position_row, refused_as

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
