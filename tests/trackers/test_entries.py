"""Rows of any record become entries, all of them or none; whatever is not understood is named."""

import json
from datetime import UTC, datetime
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from standfast.model.tracked import RecordMap, TrackedEntry, entry_of, entry_values, import_key
from standfast.trackers.entries import NotUnderstood
from standfast.trackers.files import csv_entries, json_entries
from tests.trackers.records import BOUGHT, SOLD, D, held, json_map


def of(document: object, record: RecordMap) -> tuple[TrackedEntry, ...]:
    return json_entries(json.dumps(document).encode(), record)


SPREAD = {
    "id": "t-17",
    "strategy": "gamma",
    "status": "OPEN",
    "option_symbols": [SOLD, BOUGHT],
    "sides": ["sell_to_open", "buy_to_open"],
    "contracts": 3,
    "credit": 3.70,
    "entered": "2026-01-05T11:30:00-05:00",
    "stop": 4.26,
    "target": None,
}
SPREADS = json_map(
    symbols=("option_symbols[*]",),
    quantity=("contracts",),
    side=("sides[*]",),
    entry_price=("credit",),
    strategy="strategy",
    position="id",
    entry_time="entered",
    stop="stop",
    target="target",
    only={"status": ("open",)},
)


def test_the_names_alone_are_a_record() -> None:
    found = of([SPREAD], RecordMap(kind="json", symbols=("$[*].option_symbols[*]",)))

    assert held(found) == {SOLD: None, BOUGHT: None}


def test_a_spread_is_one_entry_with_all_that_is_recorded_of_it() -> None:
    (found,) = of([SPREAD, {**SPREAD, "status": "closed", "id": "t-16"}], SPREADS)

    assert held((found,)) == {SOLD: D(-3), BOUGHT: D(3)}
    assert (found.name, found.strategy, found.price) == ("t-17", "gamma", D("3.7"))
    assert (found.stop, found.target) == (D("4.26"), None)
    assert found.opened_at == datetime(2026, 1, 5, 16, 30, tzinfo=UTC)


def test_quantities_are_signed_by_themselves_by_a_side_or_by_a_ratio() -> None:
    assert held(of([{"symbol": "SPY", "quantity": -5}], json_map())) == {"SPY": D(-5)}
    assert held(of([{"symbol": "SPY", "quantity": 5, "side": "SHORT"}], json_map(side=("side",)))) == {"SPY": D(-5)}
    legs = {"legs": [{"s": SOLD, "r": -1}, {"s": BOUGHT, "r": 2}], "quantity": 3}
    assert held(of([legs], json_map(symbols=("legs[*].s",), ratio=("legs[*].r",)))) == {SOLD: D(-3), BOUGHT: D(6)}


def test_a_column_may_be_a_value_itself() -> None:
    record = json_map(symbols=("short", "long"), side=("=sell", "=buy"))

    assert held(of([{"short": SOLD, "long": BOUGHT, "quantity": 2}], record)) == {SOLD: D(-2), BOUGHT: D(2)}


def test_rows_of_one_position_are_its_legs() -> None:
    text = f"id,symbol,quantity,price,strategy\n7,{SOLD},-3,4.50,gamma\n7,{BOUGHT},3,0.80,gamma\n8,SPY,10,600,\n"
    record = RecordMap(
        kind="csv",
        symbols=("symbol",),
        quantity=("quantity",),
        entry_price=("price",),
        position="id",
        strategy="strategy",
    )

    spread, shares = csv_entries(text.encode(), record)

    assert [(leg.quantity, leg.price) for leg in spread.legs] == [(D(-3), D("4.50")), (D(3), D("0.80"))]
    assert (spread.name, spread.price, spread.strategy) == ("7", None, "gamma")
    assert (shares.name, shares.price) == ("8", D(600))


def test_entries_against_each_other_are_nothing_together() -> None:
    rows = [{"symbol": "SPY", "quantity": 5}, {"symbol": "SPY", "quantity": -5}, {"symbol": "QQQ", "quantity": 0}]

    assert held(of(rows, json_map())) == {}


@pytest.mark.parametrize("written", ["SPXW  260105P06885000", "spxw260105p06885000", f"O:{SOLD}", f".{SOLD}"])
def test_a_contract_is_known_however_it_is_written(written: str) -> None:
    assert held(of([{"symbol": written, "quantity": 1}], json_map())) == {SOLD: D(1)}


@pytest.mark.parametrize(
    ("row", "told"),
    [
        ({"quantity": 1}, "entry 2: none of 1 has 'symbol'"),
        ({"symbol": "SPY"}, "entry 2: none of 1 has 'quantity'"),
        ({"symbol": None, "quantity": 1}, "entry 2: None is no instrument"),
        ({"symbol": "two words!", "quantity": 1}, "entry 2: 'two words!' is no instrument"),
        ({"symbol": "SPY", "quantity": "ten"}, "entry 2: quantity 'ten' is no number"),
        ({"symbol": "SPY", "quantity": True}, "entry 2: quantity True is no number"),
        ({"symbol": "SPY", "quantity": [1, 2]}, "entry 2: quantity [1, 2] is no number"),
        ({"symbol": "SPY", "quantity": "1e400"}, "entry 2: quantity '1e400' is no quantity or price"),
        ({"symbol": "SPY", "quantity": "NaN"}, "entry 2: quantity 'NaN' is no quantity or price"),
    ],
)
def test_an_entry_that_is_not_understood_ends_the_reading_and_is_named(row: dict[str, object], told: str) -> None:
    with pytest.raises(NotUnderstood) as error:
        of([{"symbol": "QQQ", "quantity": 1}, row], json_map())

    assert str(error.value).startswith(told)


def test_a_side_that_closes_is_not_taken_for_one() -> None:
    with pytest.raises(NotUnderstood, match="'buy_to_close' is neither bought nor sold"):
        of([{"symbol": "SPY", "quantity": 1, "side": "buy_to_close"}], json_map(side=("side",)))


def test_as_many_sides_as_symbols_or_one() -> None:
    with pytest.raises(NotUnderstood, match="2 symbols and 3 times side"):
        of([{**SPREAD, "sides": ["buy", "sell", "buy"]}], SPREADS)


@pytest.mark.parametrize(
    ("written", "year"),
    [("2026-01-05 11:30:00", 2026), (1767630600, 2026), (1767630600000, 2026), ("1767630600.5", 2026)],
)
def test_times_in_every_usual_form(written: object, year: int) -> None:
    (found,) = of([{"symbol": "SPY", "quantity": 1, "at": written}], json_map(entry_time="at"))

    assert found.opened_at is not None
    assert found.opened_at.year == year


def test_entries_travel_exactly_and_keep_their_key() -> None:
    (found,) = of([SPREAD], SPREADS)
    again = entry_of(json.loads(json.dumps(entry_values(found))))

    assert again == found
    assert import_key(again) == import_key(found)


LEAVES = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=5)
DOCUMENTS = st.recursive(
    LEAVES,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from([*SPREAD, "x"]), inner, max_size=6),
    max_leaves=12,
)


@given(st.lists(DOCUMENTS, max_size=3))
def test_no_document_breaks_it(document: list[object]) -> None:
    try:
        found = of(document, SPREADS)
    except NotUnderstood:
        return
    assert all(isinstance(quantity, Decimal) for quantity in held(found).values())
