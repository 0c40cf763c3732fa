"""Every declared reply validates against Alpaca's own OpenAPI files."""

import json
from decimal import Decimal
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from openapi_core import OpenAPI
from openapi_core.testing import MockRequest, MockResponse

from tests.contract.asked import BUY, STOP, Answer, Asker, asking

TRADING, DATA = "trading-api.json", "market-data-api.json"
HOSTS = {TRADING: "https://paper-api.alpaca.markets", DATA: "https://data.alpaca.markets"}

BRACKET = BUY | {
    "symbol": "AAPL",
    "type": "limit",
    "limit_price": "245",
    "time_in_force": "gtc",
    "order_class": "bracket",
    "take_profit": {"limit_price": "300"},
    "stop_loss": {"stop_price": "200"},
}
CASES: list[tuple[str, str, str, object]] = [
    (TRADING, "GET", "/v2/account", None),
    (TRADING, "GET", "/v2/account/configurations", None),
    (TRADING, "PATCH", "/v2/account/configurations", {"suspend_trade": True}),
    (TRADING, "GET", "/v2/account/activities", None),
    (TRADING, "GET", "/v2/account/activities/FEE", None),
    (TRADING, "GET", "/v2/positions", None),
    (TRADING, "GET", "/v2/positions/SPY", None),
    (TRADING, "DELETE", "/v2/positions/AAPL", None),
    (TRADING, "DELETE", "/v2/positions/AAPL?qty=1", None),
    (TRADING, "DELETE", "/v2/positions?cancel_orders=true", None),
    (TRADING, "GET", "/v2/orders?status=all&nested=true", None),
    (TRADING, "GET", "/v2/orders?status=all", None),
    (TRADING, "GET", "/v2/orders/{working}", None),
    (TRADING, "GET", "/v2/orders:by_client_order_id?client_order_id=the-stop", None),
    (TRADING, "POST", "/v2/orders", BUY),
    (TRADING, "POST", "/v2/orders", BRACKET),
    (TRADING, "POST", "/v2/orders", BUY | {"qty": "1000000"}),
    (TRADING, "POST", "/v2/orders", BUY | {"client_order_id": "the-stop"}),
    (TRADING, "PATCH", "/v2/orders/{working}", {"stop_price": "591"}),
    (TRADING, "DELETE", "/v2/orders/{working}", None),
    (TRADING, "DELETE", "/v2/orders/{filled}", None),
    (TRADING, "DELETE", "/v2/orders", None),
    (TRADING, "GET", "/v2/clock", None),
    (TRADING, "GET", "/v3/clock", None),
    (TRADING, "GET", "/v2/calendar?start=2026-01-02&end=2026-01-09", None),
    (TRADING, "GET", "/v3/calendar/NYSE?start=2026-01-02&end=2026-01-09", None),
    (TRADING, "GET", "/v2/assets", None),
    (TRADING, "GET", "/v2/assets/SPY", None),
    (TRADING, "GET", "/v2/assets/ZZZZ", None),
    (DATA, "GET", "/v2/stocks/quotes/latest?symbols=SPY,AAPL", None),
    (DATA, "GET", "/v2/stocks/SPY/quotes/latest", None),
    (DATA, "GET", "/v2/stocks/trades/latest?symbols=SPY", None),
    (DATA, "GET", "/v2/stocks/SPY/trades/latest", None),
    (DATA, "GET", "/v2/stocks/snapshots?symbols=SPY,AAPL", None),
    (DATA, "GET", "/v2/stocks/SPY/snapshot", None),
    (DATA, "GET", "/v2/stocks/quotes/latest?symbols=ZZZZ", None),
]

# Replies that cannot validate, each with Alpaca's own reply that does not validate either (proven below).
EXCEPTIONS = {
    # `oneOf` two schemas without a required key: a fill matches both, and so is declared impossible.
    "/v2/account/activities/FILL": "recorded_paper_2026-10-08/activities_FILL.json",
}


@cache
def specification(folder: Path, name: str) -> OpenAPI:
    return OpenAPI.from_dict(json.loads((folder / name).read_bytes()))


@pytest.mark.parametrize(("file", "method", "path", "body"), CASES, ids=lambda value: str(value)[:50])
async def test_every_declared_reply_validates(shared: Path, file: str, method: str, path: str, body: object) -> None:
    api = specification(shared / "brokers/data/alpaca/spec", file)
    async with asking() as asker:
        path = path.format(**await busy(asker))
        answer = await asker.ask(method, path, body)

    bare, _, query = path.partition("?")
    asked = MockRequest(HOSTS[file], method, bare, args=dict(pair.split("=") for pair in query.split("&") if pair))
    faults = list(api.iter_response_errors(asked, given(answer)))

    assert [detail(fault) for fault in faults] == []


async def test_a_reply_of_the_wrong_shape_would_be_found(shared: Path) -> None:
    api = specification(shared / "brokers/data/alpaca/spec", TRADING)
    asked = MockRequest(HOSTS[TRADING], "GET", "/v2/positions")

    faults = list(api.iter_response_errors(asked, given(Answer(200, b'[{"symbol": "SPY"}]', {}))))

    assert faults


@pytest.mark.parametrize(("path", "recorded"), EXCEPTIONS.items())
async def test_where_ours_does_not_validate_neither_does_alpacas(shared: Path, path: str, recorded: str) -> None:
    api = specification(shared / "brokers/data/alpaca/spec", TRADING)
    theirs = (shared / "brokers/data/alpaca" / recorded).read_bytes()
    async with asking() as asker:
        await busy(asker)
        ours = await asker.ask("GET", path)

    faults = [
        {detail(fault).partition(":")[0] for fault in api.iter_response_errors(asked, given(reply))}
        for asked in [MockRequest(HOSTS[TRADING], "GET", path)]
        for reply in (ours, Answer(200, theirs, {}))
    ]

    assert faults[0] == faults[1] != set()


async def busy(asker: Asker) -> dict[str, str]:
    """Orders of many kinds and ends, two positions, fees and a split, so that lists have something in them."""
    filled = await asker.submit()
    await asker.submit(symbol="AAPL", qty="4")
    await asker.submit(symbol="AAPL", qty=None, notional="100.50")
    working = await asker.submit(**STOP, client_order_id="the-stop")
    await asker.ask("POST", "/v2/orders", BRACKET)
    doomed = await asker.submit(symbol="KO", type="limit", limit_price="80.5", time_in_force="gtc")
    await asker.ask("DELETE", f"/v2/orders/{doomed['id']}")
    moved = await asker.submit(symbol="KO", type="limit", limit_price="81", time_in_force="gtc")
    await asker.ask("PATCH", f"/v2/orders/{moved['id']}", {"limit_price": "82"})
    asker.venue.engine.move_cash("paper", Decimal(-1), "FEE")
    asker.venue.engine.split("AAPL", Decimal(2))
    return {"filled": filled["id"], "working": working["id"]}


def given(answer: Answer) -> MockResponse:
    return MockResponse(answer.body, answer.status, content_type=answer.headers.get("Content-Type", "application/json"))


def detail(fault: Any) -> str:
    below = getattr(fault.__cause__, "schema_errors", None) or []
    return "; ".join([str(fault), *(f"{'/'.join(map(str, error.path))}: {error.message}" for error in below)])
