"""Replies, refusals and frames have the shapes recorded from Alpaca, and its client's requests are answered."""

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import msgspec
import pytest

from standfast.exchange.assets import Asset
from standfast.exchange.dialects.venue import Venue
from standfast.exchange.engine import Engine
from standfast.exchange.server import ExchangeServer
from tests.contract.asked import BUY, STOP, Asker, asking
from tests.contract.served import KEY, SECRET, STILL

PAPER = "recorded_paper_2026-10-08"
NANOSECONDS = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,9})?Z")
MICROSECONDS = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z")
PLAIN = re.compile(r"-?\d+(\.\d*[1-9])?")


def recorded(shared: Path, name: str) -> Any:
    return msgspec.json.decode((shared / "brokers/data/alpaca" / name).read_bytes())


def kind(value: object) -> str:
    """How a value is written. Null says nothing."""
    if isinstance(value, str):
        return next((name for name, form in FORMS.items() if form.fullmatch(value)), "text")
    return type(value).__name__


FORMS = {"number": PLAIN, "microseconds": MICROSECONDS, "time": NANOSECONDS}


def differences(ours: dict[str, Any], theirs: dict[str, Any]) -> dict[str, tuple[object, object]]:
    """Keys that are missing, and values written otherwise than recorded."""
    missing = {key: (None, theirs[key]) for key in theirs.keys() - ours.keys()}
    return missing | {
        key: (ours[key], theirs[key])
        for key in theirs.keys() & ours.keys()
        if None not in (ours[key], theirs[key]) and kind(ours[key]) != kind(theirs[key])
    }


async def test_the_account_is_written_as_recorded(shared: Path) -> None:
    async with asking() as asker:
        ours = await asker.get("/v2/account")

    theirs = recorded(shared, f"{PAPER}/account.json")
    assert differences(ours, theirs) == {}
    assert ours.keys() == theirs.keys()


async def test_positions_are_written_as_recorded(shared: Path) -> None:
    async with asking() as asker:
        empty = await asker.get("/v2/positions")
        await asker.submit(symbol="KO", qty="0.557436865")
        asker.quote("KO", "86.92", "86.94")
        (ours,) = await asker.get("/v2/positions")

    (theirs,) = recorded(shared, f"{PAPER}/positions_held.json")
    assert empty == recorded(shared, f"{PAPER}/positions_empty.json")
    assert differences(ours, theirs) == {}
    assert ours.keys() == theirs.keys()
    assert (ours["qty"], ours["avg_entry_price"], ours["cost_basis"]) == ("0.557436865", "86.89", "48.435689")


@pytest.mark.parametrize(
    ("name", "order"),
    [
        ("order_notional_buy_submit_pending_new.json", {"symbol": "KO", "qty": None, "notional": 5}),
        ("order_notional_buy_filled.json", {"symbol": "KO", "qty": None, "notional": "5"}),
        ("order_limit_buy_canceled.json", {"symbol": "KO", "qty": 1, "type": "limit", "limit_price": 78.19}),
    ],
)
async def test_orders_are_written_as_recorded(shared: Path, name: str, order: dict[str, object]) -> None:
    theirs = recorded(shared, f"{PAPER}/{name}")
    async with asking() as asker:
        asker.venue.advance(asker.venue.now.replace(microsecond=123456))
        ours = await asker.submit(**order)
        if theirs["status"] == "canceled":
            await asker.ask("DELETE", f"/v2/orders/{ours['id']}")
        if theirs["status"] != "pending_new":
            ours = await asker.get(f"/v2/orders/{ours['id']}")

    assert differences(ours, theirs) == {}
    words = ("status", "qty", "notional", "limit_price", "type", "order_type", "order_class", "position_intent", "legs")
    assert {word: ours[word] for word in words} == {word: theirs[word] for word in words}
    assert [key for key, value in theirs.items() if value is None and ours[key] is not None] == []


async def test_fills_are_written_as_recorded(shared: Path) -> None:
    async with asking() as asker:
        assert await asker.get("/v2/orders") == recorded(shared, f"{PAPER}/open_orders_empty.json")
        await asker.submit(symbol="KO", qty="1")
        (ours,) = await asker.get("/v2/account/activities/FILL")

    theirs = recorded(shared, f"{PAPER}/activities_FILL.json")[1]
    assert differences(ours, theirs) == {}
    assert ours.keys() == theirs.keys()
    assert re.fullmatch(r"\d{17}::[0-9a-f-]{36}", ours["id"])


async def test_the_clock_is_written_as_recorded(shared: Path) -> None:
    theirs = recorded(shared, "ccxt_static/clock.json")
    async with asking() as asker:
        ours = await asker.get("/v2/clock")

    assert ours.keys() == theirs.keys()
    assert re.fullmatch(r"2026-01-05T09:30:00(\.\d+)?-05:00", ours["timestamp"])
    assert ours["next_open"] == "2026-01-06T09:30:00-05:00"


async def refused(asker: Asker, order: Mapping[str, object]) -> tuple[int, Any]:
    answer = await asker.ask("POST", "/v2/orders", order)
    return answer.status, answer.json


async def test_a_used_client_order_id_is_refused_as_recorded(shared: Path) -> None:
    theirs = recorded(shared, f"{PAPER}/error_422_duplicate_client_order_id.json")
    async with asking() as asker:
        await asker.submit(client_order_id="once")
        ours = await refused(asker, BUY | {"client_order_id": "once"})

    assert ours == (theirs["http_status"], theirs["body"])


async def test_more_than_is_held_is_refused_as_recorded(shared: Path) -> None:
    theirs = recorded(shared, f"{PAPER}/error_403_insufficient_qty.json")
    async with asking() as asker:
        await asker.submit(symbol="KO", qty="0.557436865")
        ours = await refused(asker, BUY | {"symbol": "KO", "side": "sell", "qty": "1.057436865"})

    assert ours == (theirs["http_status"], theirs["body"])


async def test_a_close_under_a_resting_stop_is_refused_as_recorded(shared: Path) -> None:
    theirs = recorded(shared, "errors/403_held_for_orders_related.json")
    async with asking() as asker:
        await asker.submit()
        stop = await asker.submit(**STOP)
        status, ours = await refused(asker, BUY | {"side": "sell"})

    assert (status, ours.keys()) == (theirs["http_status"], theirs["body"].keys())
    assert (ours["code"], ours["related_orders"]) == (theirs["body"]["code"], [stop["id"]])
    assert (ours["available"], ours["held_for_orders"]) == ("0", "10")


async def test_a_wash_trade_is_refused_as_recorded(shared: Path) -> None:
    theirs = recorded(shared, "errors/403_wash_trade.json")
    async with asking() as asker:
        await asker.submit()
        stop = await asker.submit(**STOP)
        status, ours = await refused(asker, BUY)

    assert (status, ours) == (theirs["http_status"], theirs["body"] | {"existing_order_id": stop["id"]})


async def test_a_fraction_of_a_cent_is_refused_as_recorded(shared: Path) -> None:
    theirs = recorded(shared, "errors/422_sub_penny.json")
    async with asking() as asker:
        status, ours = await refused(asker, BUY | {"type": "limit", "limit_price": "290.123"})

    assert (status, ours["code"], ours["message"]) == (
        theirs["http_status"], theirs["body"]["code"], theirs["body"]["message"],
    )  # fmt: skip


async def test_the_quantity_of_a_bracket_leg_cannot_change_as_recorded(shared: Path) -> None:
    theirs = recorded(shared, "errors/422_qty_cannot_change_advanced.json")
    exits = {"take_profit": {"limit_price": "700"}, "stop_loss": {"stop_price": "500"}}
    async with asking() as asker:
        parent = await asker.submit(**exits, order_class="bracket")
        answer = await asker.ask("PATCH", f"/v2/orders/{parent['legs'][1]['id']}", {"qty": "5"})

    assert (answer.status, answer.json) == (theirs["http_status"], theirs["body"])


async def test_what_cannot_be_split_is_refused_as_recorded(shared: Path) -> None:
    theirs = recorded(shared, f"{PAPER}/error_403_not_fractionable.json")
    async with asking() as asker:
        whole = Asset(instrument="OCGN", fractionable=False)
        other = Engine([whole], STILL.accounts, start=asker.venue.now)
        async with ExchangeServer(Venue(other, ["paper"]), per_minute=None) as server:
            asker.server = server
            ours = await refused(asker, BUY | {"symbol": "OCGN", "qty": "0.5"})

    assert ours == (theirs["http_status"], theirs["body"])


async def test_a_stranger_is_refused_as_recorded(shared: Path) -> None:
    theirs = recorded(shared, "errors/401_unauthorized.json")
    async with asking(key="a stranger") as asker:
        answers = [await asker.ask("GET", path) for path in ("/v2/account", "/v2/stocks/quotes/latest?symbols=SPY")]

    assert [(answer.status, answer.json) for answer in answers] == [(theirs["http_status"], theirs["body"])] * 2


async def test_the_order_stream_speaks_as_recorded(shared: Path) -> None:
    frames = {
        name: recorded(shared, f"trade_updates/{name}.json")
        for name in ("authenticate", "listen", "listening", "authorization_authorized_authenticate",
                     "authorization_unauthorized_authenticate", "authorization_unauthorized_listen",
                     "trade_updates_fill")
    }  # fmt: skip
    async with asking() as asker, asker.session.ws_connect(f"{asker.server.url}/stream") as stream:

        async def said(frame: object) -> Any:
            await stream.send_bytes(msgspec.json.encode(frame))
            return msgspec.json.decode(await stream.receive_bytes())

        assert await said(frames["listen"]) == frames["authorization_unauthorized_listen"]
        assert await said(frames["authenticate"]) == frames["authorization_unauthorized_authenticate"]
        assert await said(authenticated(frames["authenticate"])) == frames["authorization_authorized_authenticate"]
        assert await said(frames["listen"]) == frames["listening"]
        await asker.submit()
        heard = [msgspec.json.decode(await stream.receive_bytes())]
        while heard[-1]["data"]["event"] != "fill":
            heard.append(msgspec.json.decode(await stream.receive_bytes()))

    fill, theirs = heard[-1], frames["trade_updates_fill"]
    assert fill["stream"] == theirs["stream"]
    assert differences(fill["data"], theirs["data"]) == {}
    assert theirs["data"]["order"].keys() <= fill["data"]["order"].keys()
    assert all(PLAIN.fullmatch(fill["data"][key]) for key in ("price", "qty", "position_qty"))


async def test_every_request_the_official_client_was_seen_to_send_is_answered(shared: Path) -> None:
    requests = msgspec.json.decode(
        (shared / "brokers/data/client_requests_recorded/alpaca_py.json").read_bytes()
    )["requests"]  # fmt: skip
    answers = []
    async with asking() as asker:
        for seen in requests:
            if seen["path"] == "/stream":
                continue
            query = "&".join(f"{key}={value}" for key, value in seen["query"].items())
            answer = await asker.ask(seen["method"], f"{seen['path']}?{query}", seen["body"])
            answers.append((seen["method"], seen["path"].removeprefix("/v2/")[:16], answer.status))

    assert [answer for answer in answers if answer[2] not in (200, 207)] == [
        ("GET", "positions/ZZZ", 404),  # nobody holds it
        ("POST", "orders", 422),  # an id used before
        ("POST", "orders", 422),
        ("POST", "orders", 422),
        ("DELETE", "positions/AAPL", 404),
        ("GET", "orders/83f37e9f-", 404),
        ("DELETE", "orders/83f37e9f-", 404),
        ("PATCH", "orders/83f37e9f-", 404),
    ]


def authenticated(frame: dict[str, Any]) -> dict[str, Any]:
    return frame | {"data": {"key_id": KEY, "secret_key": SECRET}}
