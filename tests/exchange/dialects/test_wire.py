"""How numbers and times are written and read."""

from datetime import UTC, datetime
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from standfast.exchange.dialects.alpaca import asking
from standfast.exchange.dialects.alpaca.wire import instant, local_instant, money, number, parse_instant, share
from standfast.exchange.orders import Intent, OrderClass
from standfast.exchange.queries import Portion
from standfast.exchange.refusal import Refused

AT = datetime(2026, 7, 8, 15, 10, 18, 94153, tzinfo=UTC)
ORDER = b'{"symbol":"KO","qty":%s,"side":"buy","type":"limit","limit_price":78.19,"time_in_force":"day"%s}'


@pytest.mark.parametrize(
    ("value", "text"),
    [("1E+1", "10"), ("10.00", "10"), ("0.050", "0.05"), ("-0.0", "0"), ("100", "100"), ("-3.10", "-3.1")],
)
def test_numbers_are_plain_and_without_trailing_zeros(value: str, text: str) -> None:
    assert number(Decimal(value)) == text


@given(st.decimals(allow_nan=False, allow_infinity=False, min_value=-(10**12), max_value=10**12, places=9))
def test_a_number_reads_back_as_it_was(value: Decimal) -> None:
    assert Decimal(number(value)) == value
    assert "E" not in number(value)


def test_money_has_six_decimals_and_a_share_five() -> None:
    assert money(Decimal(100) / 3) == "33.333333"
    assert share(Decimal("1.06"), Decimal("85.82")) == "0.01235"
    assert share(Decimal(1), Decimal(0)) == "0"


def test_times_have_nine_digits_and_whole_seconds_none() -> None:
    assert instant(AT) == "2026-07-08T15:10:18.094153153Z"
    assert instant(AT.replace(microsecond=0)) == "2026-07-08T15:10:18Z"
    assert local_instant(AT) == "2026-07-08T11:10:18.094153153-04:00"


@given(st.datetimes(min_value=datetime(1990, 1, 1), max_value=datetime(2100, 1, 1), timezones=st.just(UTC)))  # noqa: DTZ001  # hypothesis adds the zone
def test_a_time_reads_back_as_it_was(at: datetime) -> None:
    assert parse_instant(instant(at), "after") == at
    assert parse_instant(local_instant(at), "after") == at


def test_a_plus_that_became_a_space_in_an_address_is_read() -> None:
    assert parse_instant("2026-07-08T15:10:18 00:00", "after") == AT.replace(microsecond=0)


@pytest.mark.parametrize("quantity", [b"1", b"1.0", b'"1"', b'"1.000"'])
def test_a_number_may_be_sent_as_text_or_as_number(quantity: bytes) -> None:
    ticket = asking.ticket(ORDER % (quantity, b',"position_intent":"buy_to_open","order_class":""'))

    assert (ticket.terms.quantity, ticket.terms.limit_price) == (Decimal(1), Decimal("78.19"))
    assert (ticket.intent, ticket.order_class) == (Intent.BUY_TO_OPEN, OrderClass.SIMPLE)


@pytest.mark.parametrize(
    ("body", "status"),
    [
        (b"", 400),
        (b"{", 400),
        (b"[]", 422),
        (b"{}", 422),
        (ORDER % (b'"NaN"', b""), 422),
        (ORDER % (b'"Infinity"', b""), 422),
        (ORDER % (b'"1E+999999"', b""), 422),
        (ORDER % (b"1e-999999", b""), 422),
        (ORDER % (b'"many"', b""), 422),
        (ORDER % (b"true", b""), 422),
        (ORDER % (b"1", b',"order_class":"mleg"'), 422),
        (ORDER % (b"1", b',"take_profit":{}'), 422),
        (ORDER % (b"1", b',"stop_loss":{"limit_price":"1"}'), 422),
        (ORDER % (b"1", b',"client_order_id":"' + b"x" * 129 + b'"'), 422),
    ],
)
def test_an_order_that_cannot_be_read_is_refused(body: bytes, status: int) -> None:
    with pytest.raises(Refused) as refused:
        asking.ticket(body)

    assert refused.value.http_status == status


@given(st.binary(max_size=200))
def test_no_bytes_do_worse_than_be_refused(body: bytes) -> None:
    for read in (asking.ticket, asking.change, asking.configurations):
        with pytest.raises(Refused):
            read(body if body != b"{}" else b"")


@pytest.mark.parametrize(
    "query",
    [
        {"limit": "501"},
        {"limit": "0"},
        {"limit": "-1"},
        {"status": "opne"},
        {"direction": "up"},
        {"side": "long"},
        {"after": "yesterday"},
        {"after": "2026-01-01", "after_order_id": "x"},
    ],
)
def test_a_bad_order_query_is_refused(query: dict[str, str]) -> None:
    with pytest.raises(Refused):
        asking.order_query(query)


@pytest.mark.parametrize(
    "query",
    [
        {"page_size": "101"},
        {"category": "trades"},
        {"category": "trade_activity", "activity_types": "FILL"},
        {"date": "today"},
    ],
)
def test_a_bad_activity_query_is_refused(query: dict[str, str]) -> None:
    with pytest.raises(Refused):
        asking.activity_query(query, None)


def test_a_part_of_a_position_is_a_quantity_or_a_percentage() -> None:
    assert asking.portion({"qty": "1.5"}) == Portion(quantity=Decimal("1.5"))
    assert asking.portion({"percentage": "50"}) == Portion(percentage=Decimal(50))
    assert asking.portion({}) == Portion(percentage=Decimal(100))
    for query in ({"qty": "1", "percentage": "5"}, {"qty": "NaN"}, {"qty": "some"}):
        with pytest.raises(Refused):
            asking.portion(query)
