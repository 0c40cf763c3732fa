"""Faults as a client meets them, over HTTP."""

import asyncio
from collections.abc import Callable
from datetime import timedelta

import aiohttp
import pytest

from standfast.exchange.faults import (
    AnyFault,
    EmptyList,
    Garbled,
    NeverAnswered,
    NeverArrives,
    PartialList,
    RateLimited,
    RefusedWith,
    Reset,
    Rule,
    ServerError,
    Slow,
    Stale,
)
from tests.contract.asked import BUY, Asker, asking

PATIENCE = 120.0
"""Real seconds after which a test gives up on what should have come at once."""
TURNS = 200
"""Of the event loop: what is answered at all is answered within them."""


def strike(asker: Asker, operation: str, fault: AnyFault, **when: object) -> None:
    asker.venue.faults.install(Rule(operation=operation, fault=fault, **({"count": 1} | when)))  # type: ignore[arg-type]  # keywords of a rule


async def waits_in_vain(asker: Asker, method: str, path: str, body: object) -> None:
    """Until the exchange has struck, and then until the client gives up."""
    before = len(asker.venue.faults.struck)
    asked = asyncio.ensure_future(asker.session.request(method, asker.server.url + path, json=body))
    await until(lambda: len(asker.venue.faults.struck) > before)
    for _ in range(TURNS):
        await asyncio.sleep(0)
    assert not asked.done()
    asked.cancel()
    await asyncio.wait({asked})


async def until(is_so: Callable[[], bool]) -> None:
    async with asyncio.timeout(PATIENCE):
        while not is_so():  # noqa: ASYNC110 - what is looked at has no event
            await asyncio.sleep(0)


def working(asker: Asker) -> int:
    return len(asker.venue.engine.positions("paper"))


async def test_a_request_that_never_arrives_is_not_carried_out() -> None:
    async with asking() as asker:
        strike(asker, "submit", NeverArrives())

        await waits_in_vain(asker, "POST", "/v2/orders", BUY)

        assert working(asker) == 0
        assert await asker.submit()


async def test_a_request_that_is_never_answered_is_carried_out() -> None:
    async with asking() as asker:
        strike(asker, "submit", NeverAnswered())

        await waits_in_vain(asker, "POST", "/v2/orders", BUY | {"client_order_id": "mine"})

        assert working(asker) == 1
        assert (await asker.get("/v2/orders:by_client_order_id?client_order_id=mine"))["status"] == "filled"


@pytest.mark.parametrize(
    ("fault", "held"), [(ServerError(status=504), 0), (ServerError(status=504, after=True), 1)], ids=["before", "after"]
)
async def test_a_server_error_strikes_before_or_after(fault: AnyFault, held: int) -> None:
    async with asking() as asker:
        strike(asker, "submit", fault)

        answer = await asker.ask("POST", "/v2/orders", BUY)

        assert (answer.status, answer.headers["Content-Type"]) == (504, "text/html")
        assert working(asker) == held


async def test_an_internal_error_has_a_body_with_a_code() -> None:
    async with asking() as asker:
        strike(asker, "account", ServerError())

        answer = await asker.ask("GET", "/v2/account")

        assert (answer.status, answer.json["code"]) == (500, 50010000)


@pytest.mark.parametrize(("fault", "held"), [(Reset(), 0), (Reset(after=True), 1)], ids=["before", "after"])
async def test_a_connection_is_reset_before_or_after(fault: AnyFault, held: int) -> None:
    async with asking() as asker:
        strike(asker, "submit", fault)

        with pytest.raises(aiohttp.ClientConnectionError):
            await asker.ask("POST", "/v2/orders", BUY)

        assert working(asker) == held


async def test_a_garbled_answer_is_html_with_status_200() -> None:
    async with asking() as asker:
        strike(asker, "positions", Garbled())

        answer = await asker.ask("GET", "/v2/positions")

        assert (answer.status, answer.body[:6]) == (200, b"<html>")


async def test_a_refusal_can_be_put_into_the_brokers_mouth() -> None:
    async with asking() as asker:
        body: dict[str, object] = {"code": 40310000, "message": "account is restricted"}
        strike(asker, "submit", RefusedWith(status=403, body=body))

        answer = await asker.ask("POST", "/v2/orders", BUY)

        assert (answer.status, answer.json) == (403, body)
        assert working(asker) == 0


async def test_a_rate_limit_fault_says_when_to_come_back() -> None:
    async with asking() as asker:
        strike(asker, "submit", RateLimited(reset_after=30))

        answer = await asker.ask("POST", "/v2/orders", BUY)

        assert (answer.status, answer.json["code"]) == (429, 42910000)
        assert answer.headers["X-RateLimit-Remaining"] == "0"
        assert int(answer.headers["X-RateLimit-Reset"]) == int(asker.venue.now.timestamp()) + 30
        assert working(asker) == 0


async def test_lists_are_emptied_and_thinned() -> None:
    async with asking() as asker:
        for symbol in ("SPY", "AAPL", "KO"):
            await asker.submit(symbol=symbol, qty="1")
        strike(asker, "positions", EmptyList())
        strike(asker, "positions", PartialList(without=("KO",)))
        strike(asker, "orders", PartialList(missing=1))

        assert await asker.get("/v2/positions") == []
        assert [row["symbol"] for row in await asker.get("/v2/positions")] == ["AAPL", "SPY"]
        assert [row["symbol"] for row in await asker.get("/v2/positions")] == ["AAPL", "KO", "SPY"]
        assert len(await asker.get("/v2/orders?status=all")) == 2


async def test_a_stale_read_shows_what_was() -> None:
    async with asking() as asker:
        await asker.submit(client_order_id="early")
        asker.venue.advance(asker.venue.now + timedelta(seconds=10))
        await asker.submit(qty="5", client_order_id="late")
        await asker.submit(symbol="KO", qty="1")
        for operation in ("positions", "position", "orders", "order", "activities"):
            strike(asker, operation, Stale(age=3))

        assert [(row["symbol"], row["qty"]) for row in await asker.get("/v2/positions")] == [("SPY", "10")]
        assert (await asker.get("/v2/positions/SPY"))["qty"] == "10"
        assert [row["client_order_id"] for row in await asker.get("/v2/orders?status=all")] == ["early"]
        assert (await asker.ask("GET", "/v2/orders:by_client_order_id?client_order_id=late")).status == 404
        assert len(await asker.get("/v2/account/activities")) == 1
        assert [row["qty"] for row in await asker.get("/v2/positions")] == ["1", "15"]


async def test_a_stale_quote_is_the_one_of_then() -> None:
    async with asking() as asker:
        asker.venue.advance(asker.venue.now + timedelta(seconds=10))
        asker.quote("SPY", "605", "605.02")
        strike(asker, "quotes", Stale(age=3))

        prices = [(await asker.get("/v2/stocks/SPY/quotes/latest"))["quote"]["bp"] for _ in range(2)]

        assert prices == [599.99, 605]


async def asked_later(asker: Asker, fault: AnyFault) -> tuple[int, int]:
    """Positions when the request had arrived, and the answer's status after five seconds."""
    strike(asker, "submit", fault)
    async with asyncio.timeout(PATIENCE), asyncio.TaskGroup() as tasks:
        asked = tasks.create_task(asker.ask("POST", "/v2/orders", BUY))
        await until(lambda: bool(asker.venue.faults.struck))
        at_once = working(asker)
        asker.venue.advance(asker.venue.now + timedelta(seconds=5))
        answer = await asked
    return at_once, answer.status


async def test_a_slow_answer_comes_after_the_act() -> None:
    async with asking() as asker:
        assert await asked_later(asker, Slow(seconds=5)) == (1, 200)


async def test_a_slow_request_is_carried_out_when_it_arrives() -> None:
    async with asking() as asker:
        assert await asked_later(asker, Slow(seconds=5, late="request")) == (0, 200)
        assert working(asker) == 1


async def test_a_slow_request_is_carried_out_even_if_its_client_is_gone() -> None:
    async with asking() as asker:
        strike(asker, "submit", Slow(seconds=5, late="request"))
        await waits_in_vain(asker, "POST", "/v2/orders", BUY)
        assert working(asker) == 0

        asker.venue.advance(asker.venue.now + timedelta(seconds=5))
        await until(lambda: working(asker) == 1)


async def test_a_fault_for_an_instrument_finds_orders_by_body_path_and_id() -> None:
    async with asking() as asker:
        order = await asker.submit(symbol="KO", type="limit", limit_price="80")
        strike(asker, "*", ServerError(), instrument="KO", count=None)

        asked = [
            await asker.ask("POST", "/v2/orders", BUY | {"symbol": "KO"}),
            await asker.ask("GET", f"/v2/orders/{order['id']}"),
            await asker.ask("DELETE", f"/v2/orders/{order['id']}"),
            await asker.ask("GET", "/v2/positions/KO"),
            await asker.ask("GET", "/v2/stocks/quotes/latest?symbols=KO"),
            await asker.ask("GET", "/v2/positions"),
            await asker.ask("POST", "/v2/orders", BUY),
        ]

        assert [answer.status for answer in asked] == [500, 500, 500, 500, 500, 200, 200]


async def test_a_stranger_uses_up_no_fault() -> None:
    async with asking(key="a stranger") as asker:
        strike(asker, "account", ServerError())

        assert (await asker.ask("GET", "/v2/account")).status == 401
        assert asker.venue.faults.struck == []


async def test_the_budget_is_told_kept_and_renewed() -> None:
    async with asking(per_minute=3) as asker:
        answers = [await asker.ask("GET", "/v2/account") for _ in range(4)]
        data = await asker.ask("GET", "/v2/stocks/SPY/quotes/latest")
        asker.venue.advance(asker.venue.now + timedelta(minutes=1))
        later = await asker.ask("GET", "/v2/account")

        assert [answer.status for answer in answers] == [200, 200, 200, 429]
        assert [answer.headers["X-RateLimit-Remaining"] for answer in answers] == ["2", "1", "0", "0"]
        assert answers[0].headers["X-RateLimit-Limit"] == "3"
        assert int(answers[3].headers["X-RateLimit-Reset"]) == int(asker.venue.now.timestamp())
        assert (data.status, later.status) == (200, 200)


async def test_every_request_is_logged_with_its_fault() -> None:
    async with asking() as asker:
        strike(asker, "positions", EmptyList())
        await asker.ask("GET", "/v2/positions")
        await asker.ask("POST", "/v2/orders", BUY)

        log = (await asker.get("/sim/log"))["requests"]

        assert [(row["operation"], row["instrument"], row["status"], row["fault"]) for row in log] == [
            ("positions", None, 200, "empty"),
            ("submit", "SPY", 200, ""),
        ]
