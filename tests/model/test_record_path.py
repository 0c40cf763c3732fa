"""Paths into a record: what they select, what they refuse, and that a renamed key is no empty record."""

import pytest

from standfast.model.record_path import Unlike, path

RECORD = {
    "open": [
        {"id": 1, "legs": [{"symbol": "A"}, {"symbol": "B"}], "odd.name": "x"},
        {"id": 2, "legs": []},
    ],
    "by_symbol": {"AAPL": {"quantity": 3}, "MSFT": {"quantity": 5}},
}


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("$.open[*].id", [1, 2]),
        ("$.open[*].legs[*].symbol", ["A", "B"]),
        ("$['open'][0]['odd.name']", ["x"]),
        ('$["open"][-1].id', [2]),
        ("open[*].id", [1, 2]),
        ("@.open[1].id", [2]),
        ("$.by_symbol.*~", ["AAPL", "MSFT"]),
        ("$.by_symbol[*].quantity", [3, 5]),
        ("$.open[5].id", []),
        ("$", [RECORD]),
    ],
)
def test_a_path_selects_in_the_order_of_the_document(text: str, found: list[object]) -> None:
    assert path(text).of(RECORD) == found


@pytest.mark.parametrize("text", ["", "$..id", "$.open[?(@.id)]", "$.open[", "$.a b", "[0]", "*", "$.open[*"])
def test_what_is_no_path_we_know_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r".+"):
        path(text)


@pytest.mark.parametrize(
    "text", ["$.closed[*].id", "$.open[*].symbol", "$.open[*].id[*]", "$.by_symbol.AAPL.quantity.x"]
)
def test_a_name_that_nothing_has_is_another_document_and_not_an_empty_one(text: str) -> None:
    with pytest.raises(Unlike):
        path(text).of(RECORD)


def test_an_empty_list_is_an_empty_record() -> None:
    assert path("$[*].symbol").of([]) == []
    assert path("$.open[*].symbol").of({"open": []}) == []
    assert path("$.open[*]").of({"open": None}) == []
