"""No reply makes a number without end, a text without end, or a text that quotes a key."""

import json
from typing import Any

import pytest

from standfast.brokers.alpaca.client import Access
from standfast.brokers.shared.transport import TransportError
from standfast.model import secret
from standfast.model.errors import Malformed
from standfast.model.secret import remember
from tests.brokers.alpaca.replies import ATTEMPTS, FILL, order_row, position_row, refused_as

MILLION = 1_000_000
NO_NUMBERS = {
    "beyond every float": "1e400",
    "an exponent": '"1e5"',
    "an exponent of nine digits": '"1e999999999"',
    "not a number": '"NaN"',
    "endless": '"Infinity"',
    "thirty digits": "1" * 30,
    "a million digits": "1" * MILLION,
    "a text of a million digits": f'"{"1" * MILLION}"',
    "a million decimals": f'"0.{"1" * MILLION}"',
    "Arabic digits": '"\u0661\u0662"',
    "a thousand in groups": '"1,000"',
    "underscores": '"1_000"',
    "hexadecimal": '"0x10"',
    "blanks": '" 10 "',
    "nothing": '""',
    "true": "true",
    "a list": "[10]",
}
ACCOUNT = {"equity": "1", "buying_power": "1", "status": "ACTIVE"}
CONTRACT = {"symbol": "SPY261120C00600000", "status": "active", "tradable": True, "size": "100"}
QUOTE = {"quotes": {"SPY": {"bp": 1, "ap": 1, "t": "2026-11-20T14:30:00Z"}}}
NUMBERS: list[tuple[str, Any, str]] = [
    *(("positions", [position_row()], field) for field in ("qty", "avg_entry_price")),
    *(("order", order_row(filled_qty="1"), field) for field in ("qty", "filled_qty", "stop_price", "limit_price")),
    ("order", order_row(filled_qty="1"), "filled_avg_price"),
    ("order", order_row(qty=None), "notional"),
    *(("activities", [FILL], field) for field in ("qty", "price")),
    ("activities", [{**FILL, "activity_type": "DIV", "qty": "1"}], "net_amount"),
    *(("account", ACCOUNT, field) for field in ("equity", "buying_power")),
    ("contract", CONTRACT, "size"),
    *(("quotes", QUOTE, field) for field in ("bp", "ap")),
]
MARK = "8754321"


def put(document: Any, field: str) -> Any:
    """The document with a mark in place of that field, wherever its table is."""
    table = document[0] if isinstance(document, list) else document
    if "quotes" in table:
        return {"quotes": {"SPY": {**table["quotes"]["SPY"], field: int(MARK)}}}
    changed = {**table, field: int(MARK)}
    return [changed] if isinstance(document, list) else changed


@pytest.mark.parametrize("number", NO_NUMBERS.values(), ids=NO_NUMBERS)
@pytest.mark.parametrize(
    ("reader", "document", "field"), NUMBERS, ids=[f"{name}-{field}" for name, _, field in NUMBERS]
)
def test_what_is_no_number_of_sane_length_is_malformed_in_every_field(
    reader: str, document: Any, field: str, number: str
) -> None:
    body = json.dumps(put(document, field)).replace(MARK, number).encode()

    with pytest.raises(Malformed) as refused:
        ATTEMPTS[reader](body)

    assert len(str(refused.value)) < 400


@pytest.mark.parametrize("field", ["id", "client_order_id", "status", "type", "side", "time_in_force", "replaced_by"])
def test_a_text_without_end_is_malformed_and_not_repeated(field: str) -> None:
    body = json.dumps(order_row(**{field: "x" * MILLION})).encode()

    with pytest.raises(Malformed) as refused:
        ATTEMPTS["order"](body)

    assert len(str(refused.value)) < 400


def test_a_side_without_end_is_not_repeated() -> None:
    """The decoder quotes a word that is none of those it knows."""
    refused = refused_as(ATTEMPTS["positions"], json.dumps([position_row(side="x" * MILLION)]).encode())

    assert refused is not None
    assert len(refused) < 400


# --- what a reply says about a key ----------------------------------------------------------------

KEY = "AKXV4O2LQ7WZPJ3M9TBS6DHC8RNY0EFGUI1KALMX"


@pytest.fixture
def _known_key(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(secret, "_loaded", {})
    remember(KEY)


def quoting(key: str) -> list[tuple[str, bytes]]:
    """Replies that quote the key, some so that a text of bounded length would cut it in the middle."""
    cut = "x" * 40
    rows: list[tuple[str, Any]] = [
        ("refusal", {"message": f"no such key {key}", "code": 40310000}),
        ("refusal", {"message": "x" * 275 + key, "code": 40310000}),
        ("order", order_row(side=f"{cut}{key}")),
        ("order", order_row(submitted_at=f"{cut}{key}")),
        ("positions", [position_row(side=key)]),
        ("positions", [position_row(qty=f"{cut}{key}")]),
        ("account", {**ACCOUNT, "equity": f"{cut}{key}"}),
        ("market data", [{"T": "error", "msg": f"auth failed for {key}", "code": 402}]),
        ("market data", [{"T": "error", "msg": "x" * 280 + key, "code": 402}]),
    ]
    bodies = [(name, json.dumps(document).encode()) for name, document in rows]
    return [*bodies, ("orders", b"no key " + key.encode()), ("orders", cut.encode() + key.encode())]


def readable(text: str, key: str) -> list[str]:
    """Every piece of five characters of the key that the text shows."""
    return [key[at : at + 5] for at in range(len(key) - 4) if key[at : at + 5] in text]


@pytest.mark.parametrize("number", range(len(quoting(KEY))))
@pytest.mark.usefixtures("_known_key")
def test_no_error_shows_a_piece_of_a_key_that_the_reply_quotes(number: int) -> None:
    reader, body = quoting(KEY)[number]

    if reader == "refusal":
        said = str(ATTEMPTS[reader](body))
    else:
        refused = refused_as(ATTEMPTS[reader], body)
        assert refused is not None
        said = refused

    assert readable(body.decode(), KEY) != []
    assert readable(said, KEY) == []


@pytest.mark.usefixtures("_known_key")
def test_what_an_account_is_blocked_for_and_an_unknown_status_show_no_key() -> None:
    account: Any = ATTEMPTS["account"](json.dumps({**ACCOUNT, "status": KEY}).encode())
    order: Any = ATTEMPTS["order"](json.dumps(order_row(status="x" * 40 + KEY)).encode())

    assert account.blocked
    assert readable(account.reason + order.reason, KEY) == []


@pytest.mark.usefixtures("_known_key")
def test_no_failure_of_the_transport_and_no_access_shows_a_key() -> None:
    access = Access(key_id=remember(KEY), secret=remember(KEY), rest_url="https://h", data_url="https://h")

    assert readable(str(TransportError("x" * 280 + KEY)) + repr(access), KEY) == []
