"""What Bybit was recorded or documented to answer is understood, or refused as what it is: nothing else is raised."""

import json
from decimal import Decimal
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from standfast.brokers.ccxt.bybit import parse, refusals
from standfast.brokers.ccxt.bybit.calls import EXECUTIONS, ORDERS, POSITIONS
from standfast.brokers.ccxt.bybit.rows import ExecutionRow, OrderRow, PositionRow
from standfast.brokers.ccxt.markets import Market, Markets
from standfast.brokers.shared.reading import rows
from standfast.brokers.shared.transport import Response
from standfast.model.errors import BrokerError, Malformed, OutcomeUnknown, Rejected, Unauthorised
from standfast.model.ids import Holding, InstrumentId
from standfast.model.instrument import Instrument, Kind
from standfast.model.order import OrderType, Side
from tests.brokers.ccxt.scripted import enveloped, execution_row, order_row, position_row

LISTS: dict[str, tuple[Any, Any]] = {
    "size": (POSITIONS, parse.held),
    "orderStatus": (ORDERS, parse.order),
    "execId": (EXECUTIONS, lambda row, markets: _executed(row)),
}
"""By a field only such rows have: how the list decodes, and how a row is understood."""


def markets(*symbols: str) -> Markets:
    found = {
        symbol: Market(
            id=symbol,
            instrument=Instrument(id=InstrumentId(symbol), kind=Kind.PERPETUAL),
            settle="USDT",
        )
        for symbol in symbols
    }
    return Markets(found, {each.name: each for each in found.values()})


def _executed(row: ExecutionRow) -> object:
    understand = parse.fill if row.exec_type in parse.TRADES | parse.FORCED.keys() else parse.movement
    return understand(row, Holding(InstrumentId(row.symbol)), Decimal(1))


def recorded(shared: Path) -> list[tuple[str, Any]]:
    folder = shared / "brokers" / "data" / "bybit"
    return [(path.name, json.loads(path.read_text(encoding="utf-8"))) for path in sorted(folder.rglob("*.json"))]


def test_every_recorded_list_of_linear_contracts_is_understood(shared: Path) -> None:
    understood = 0
    for name, payload in recorded(shared):
        result = payload.get("result") if isinstance(payload, dict) else None
        listing = (result.get("list") if isinstance(result, dict) else None) or []
        kind = next((each for each in LISTS if listing and all(each in row for row in listing)), None)
        if kind is None or "market" in name:
            continue
        decoder, understand = LISTS[kind]
        body = json.dumps(result).encode()
        for row in rows(decoder, body, name).list:  # raises Malformed otherwise
            understand(row, markets(row.symbol))
            understood += 1
    assert understood > 15


def test_every_recorded_message_of_the_stream_is_the_same_kind_of_row(shared: Path) -> None:
    kinds = {"order": (OrderRow, LISTS["orderStatus"][1]), "execution": (ExecutionRow, LISTS["execId"][1])}
    understood = 0
    for name, payload in recorded(shared):
        topic = str(payload.get("topic", "")) if isinstance(payload, dict) else ""
        if topic.partition(".")[0] not in kinds or "fast" in name:
            continue
        row_type, understand = kinds[topic.partition(".")[0]]
        for told in payload["data"]:
            row = msgspec.convert(told, row_type)
            understand(row, markets(told["symbol"]))
            understood += 1
    assert understood > 10


def test_every_recorded_refusal_has_its_kind(shared: Path) -> None:
    kinds: dict[str, str] = {}
    for path in sorted((shared / "brokers" / "data" / "bybit" / "errors").glob("*.json")):
        try:
            refusals.taken(Response(200, {}, path.read_bytes()), "answer")
            kinds[path.stem.partition("_")[0]] = "taken"
        except Rejected as refusal:
            kinds[path.stem.partition("_")[0]] = refusal.kind
    assert kinds == {
        "10002": "clock", "10006": "rate_limited", "110001": "not_found", "110007": "buying_power",
        "110017": "other", "110025": "taken", "110043": "taken", "110072": "duplicate_id", "110092": "price",
        "110094": "other",
    }  # fmt: skip


@pytest.mark.parametrize(
    ("code", "error"),
    [
        (10003, Unauthorised), (10004, Unauthorised), (33004, Unauthorised), (10016, OutcomeUnknown),
        (10000, OutcomeUnknown), (110079, OutcomeUnknown), (999999, OutcomeUnknown), (-1, OutcomeUnknown),
        (110017, Rejected), (10001, Rejected), (10018, Rejected),
    ],
)  # fmt: skip
def test_only_what_is_known_to_change_nothing_is_a_refusal(code: int, error: type[BrokerError]) -> None:
    with pytest.raises(error):
        refusals.taken_write(Response(200, {}, enveloped({}, code=code)), "order/create")


@pytest.mark.parametrize("body", [b"", b"null", b"[]", b"<html>", b'{"retCode": "x"}', b'{"retCode": 1.5}', b"{}"])
def test_an_answer_to_a_write_that_is_none_leaves_the_outcome_open(body: bytes) -> None:
    with pytest.raises(OutcomeUnknown):
        refusals.taken_write(Response(200, {}, body), "order/create")


pieces = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=12) | st.lists(st.integers())
strange = st.sampled_from(["1e99999", "NaN", "-1", "0", "", "9" * 40, "Infinity", "Buy", "Sell"])
samples = {**position_row(), **order_row(), **execution_row()}


@given(st.dictionaries(st.sampled_from(sorted(samples)), pieces | strange, max_size=6))
def test_no_row_raises_anything_but_malformed(changes: dict[str, Any]) -> None:
    body = json.dumps({"list": [samples | changes]}).encode()
    for decoder, understand in LISTS.values():
        try:
            (row,) = rows(decoder, body, "rows").list
            understand(row, markets("BTCUSDT"))
        except Malformed:
            continue


def test_a_trigger_that_waits_for_a_better_price_is_no_stop() -> None:
    known = markets("BTCUSDT")
    stop = parse.order(msgspec.convert(order_row(), OrderRow), known)
    target = parse.order(msgspec.convert(order_row(triggerDirection=1), OrderRow), known)
    short = parse.order(msgspec.convert(order_row(side="Buy", triggerDirection=1), OrderRow), known)

    assert (stop.type, stop.side) == (OrderType.STOP, Side.SELL)
    assert (target.type, target.stop_price) == (OrderType.LIMIT, None)
    assert (short.type, short.side) == (OrderType.STOP, Side.BUY)


def test_a_side_of_a_hedged_account_that_contradicts_itself_is_refused() -> None:
    row = msgspec.convert(position_row(side="Buy", positionIdx=2), PositionRow)
    with pytest.raises(Malformed, match="positionIdx 2"):
        parse.held(row, markets("BTCUSDT"))
