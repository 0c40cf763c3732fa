"""What Alpaca says of an account's money, and when that can be held against the books."""

import json
from decimal import Decimal

import pytest

from standfast.brokers.alpaca import parse
from standfast.brokers.alpaca.adapter import ACCOUNT
from standfast.brokers.shared import reading
from standfast.model.evidence import AccountRead
from standfast.model.order import Movement
from tests.brokers.alpaca.replies import ACTIVITIES

ROW = {
    "account_number": "PA1",
    "status": "ACTIVE",
    "currency": "USD",
    "equity": "100005.83",
    "buying_power": "400023.32",
    "cash": "-2300.5",
    "accrued_fees": "0",
    "pending_reg_taf_fees": "0",
    "intraday_adjustments": "0",
}


def account(**changes: object) -> AccountRead:
    return parse.account(reading.rows(ACCOUNT, json.dumps(ROW | changes).encode(), "account"))


def movement(**changes: object) -> Movement:
    row = {"id": "1", "activity_type": "CSD", "date": "2026-10-08", "net_amount": "12.5"} | changes
    (found,) = reading.rows(ACTIVITIES, json.dumps([row]).encode(), "activities")
    told = parse.activity(found)
    assert isinstance(told, Movement)
    return told


def test_cash_is_read_with_its_sign_and_with_the_charges_that_have_no_row_yet() -> None:
    read = account(accrued_fees="0.02", pending_reg_taf_fees="0.05")
    assert (read.cash, read.charges) == (Decimal("-2300.5"), Decimal("0.07"))


def test_what_options_may_take_is_read_where_it_is_named() -> None:
    assert account(options_buying_power="100005.83").options_power == Decimal("100005.83")
    assert account().options_power is None


@pytest.mark.parametrize(
    "changes",
    [
        {"pending_transfer_in": "500"},
        {"pending_transfer_out": "1"},
        {"intraday_adjustments": "-20"},
        {"currency": "EUR"},
        {"cash": None},
        {"cash": "a lot"},
        {"accrued_fees": ""},
    ],
)
def test_cash_that_says_nothing_of_profit_is_not_told_and_the_account_is_read_all_the_same(
    changes: dict[str, object],
) -> None:
    read = account(**changes)
    assert read.cash is None
    assert read.equity == Decimal("100005.83")


def test_a_row_tells_its_amount_and_when_it_was_booked() -> None:
    told = movement(created_at="2026-10-08T13:00:00Z")
    assert (told.amount, str(told.told_at)) == (Decimal("12.5"), "2026-10-08 13:00:00+00:00")
    assert movement().told_at is None


def test_an_amount_in_another_money_is_none() -> None:
    assert movement(currency="EUR").amount is None
    assert movement(currency=None).amount == movement(currency="USD").amount == Decimal("12.5")
