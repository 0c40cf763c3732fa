"""Answers that are well formed and wrong."""

import json

import pytest

from standfast.exchange.faults import AlteredIds, Misreport, NewState, NewType, OtherAccount, OtherInstrument
from standfast.exchange.misreport import misreported

LEG = {"client_order_id": "SF-Leg", "symbol": "KO", "status": "new", "type": "stop", "qty": "10", "legs": None}
BODY = json.dumps([LEG | {"client_order_id": "sfabcd-o1234567", "limit_price": "10.20", "legs": [LEG]}]).encode()


def told(fault: Misreport, name: str) -> list[object]:
    (row,) = json.loads(misreported(fault, BODY))
    return [row[name], row["legs"][0][name]]


@pytest.mark.parametrize(
    ("how", "ids"),
    [
        ("cut", ["sfabcd-o1234", "SF-Leg"]),
        ("lower", ["sfabcd-o1234567", "sf-leg"]),
        ("upper", ["SFABCD-O1234567", "SF-LEG"]),
        ("none", ["", ""]),
    ],
)
def test_ids_are_cut_off_change_their_letters_or_are_left_out(how: str, ids: list[str]) -> None:
    assert told(AlteredIds(how=how), "client_order_id") == ids  # type: ignore[arg-type]  # from the table above


def test_rows_bear_the_name_of_another_instrument() -> None:
    assert told(OtherInstrument(instrument="XY"), "symbol") == ["XY", "XY"]


def test_orders_are_in_a_state_or_of_a_type_nobody_knows() -> None:
    assert told(NewState(word="levitating"), "status") == ["levitating", "levitating"]
    assert told(NewType(word="hover"), "type") == ["hover", "hover"]


@pytest.mark.parametrize("fault", [AlteredIds(), OtherInstrument(), OtherAccount(), NewState(), NewType()])
@pytest.mark.parametrize("body", [b"", b"<html>", b'{"cash": "10.00"}', b"[1, null]"])
def test_what_says_nothing_of_the_kind_stays_as_it_is(fault: Misreport, body: bytes) -> None:
    assert misreported(fault, body).replace(b" ", b"") == body.replace(b" ", b"")


def test_an_account_is_somebody_elses() -> None:
    body = misreported(OtherAccount(number="PA1"), b'{"account_number": "PA9", "cash": "1"}')
    assert json.loads(body) == {"account_number": "PA1", "cash": "1"}


BYBIT = {"orderLinkId": "SF-Leg", "orderStatus": "New", "orderType": "Market", "symbol": "BTCUSDT"}
BINANCE = {"clientOrderId": "SF-Leg", "status": "NEW", "type": "MARKET", "side": "BUY"}
CONDITIONAL = {"clientAlgoId": "SF-Leg", "algoStatus": "NEW", "orderType": "STOP_MARKET", "side": "BUY"}


@pytest.mark.parametrize("row", [BYBIT, BINANCE, CONDITIONAL])
def test_orders_of_every_dialect_are_altered_in_their_own_words(row: dict[str, str]) -> None:
    id, state, kind, kept = row
    body = json.dumps({"result": {"list": [row]}}).encode()
    for fault, name, said in (
        (AlteredIds(how="lower"), id, "sf-leg"),
        (NewState(), state, "levitating"),
        (NewType(), kind, "hovering"),
    ):
        (found,) = json.loads(misreported(fault, body))["result"]["list"]
        assert found == row | {name: said}
        assert found[kept] == row[kept]


def test_an_acknowledgement_gets_no_state_it_did_not_have() -> None:
    body = b'{"orderId": "1", "orderLinkId": "mine"}'
    assert json.loads(misreported(NewState(), body)) == {"orderId": "1", "orderLinkId": "mine"}
