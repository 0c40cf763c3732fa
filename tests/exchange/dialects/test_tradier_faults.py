"""The fault layer on Tradier's dialect: what a client is told, and what is so all the same."""

import asyncio
from datetime import timedelta
from typing import Any

import aiohttp
import pytest

from standfast.exchange.faults import (
    AnyFault,
    EmptyList,
    Garbled,
    NeverArrives,
    PartialList,
    RateLimited,
    RefusedWith,
    Reset,
    ServerError,
    Slow,
    Stale,
)
from tests.exchange.dialects.test_tradier_orders import OPTION, STOCK
from tests.exchange.dialects.tradier_desk import TradierDesk, each, tradier_desk
from tests.exchange.option_desk import C600, CLOSE

WITHIN_SECONDS = 120


async def test_lists_can_be_empty_partial_or_stale() -> None:
    async with tradier_desk() as desk:
        await desk.place(**STOCK)
        desk.wait(10)
        await desk.place(**OPTION)
        desk.fault("positions", EmptyList(), count=1)
        desk.fault("positions", PartialList(without=("SPY",)), count=1)
        desk.fault("positions", Stale(age=5), count=1)
        desk.fault("orders", Stale(age=5), count=1)

        assert [await desk.held() for _ in range(4)] == [{}, {C600: 2.0}, {"SPY": 10.0}, {"SPY": 10.0, C600: 2.0}]
        assert len(each((await desk.get("@/orders"))["orders"], "order")) == 1


async def test_a_stale_list_shows_what_has_expired_since() -> None:
    async with tradier_desk() as desk:
        await desk.place(**OPTION)
        desk.quote("SPY", "590.00", "590.02")
        desk.venue.advance(CLOSE + timedelta(hours=1, seconds=5))
        desk.fault("positions", Stale(age=10), count=1)

        assert [await desk.held(), await desk.held()] == [{C600: 2.0}, {}]


@pytest.mark.parametrize(
    ("fault", "is_taken"),
    [
        (Reset(after=True), True),
        (Reset(), False),
        (NeverArrives(hold=0), False),
    ],
)
async def test_a_lost_answer_does_not_tell_whether_the_order_was_taken(fault: AnyFault, *, is_taken: bool) -> None:
    async with tradier_desk() as desk:
        desk.fault("submit", fault, count=1, instrument=C600)

        asked = asyncio.ensure_future(desk.place(**OPTION))
        await _keep_time(desk, asked)

        assert isinstance(asked.exception(), aiohttp.ClientError)
        assert await desk.held() == ({C600: 2.0} if is_taken else {})


async def _keep_time(desk: TradierDesk, until: "asyncio.Future[Any]") -> None:
    """Waits of the exchange are in its own seconds, which stand still unless somebody moves them."""
    async with asyncio.timeout(WITHIN_SECONDS):
        while not until.done():
            desk.wait(1)
            await desk.get("/markets/clock")


@pytest.mark.parametrize(
    ("fault", "status", "says"),
    [
        (ServerError(), 500, b"fault"),
        (ServerError(status=502), 502, b"<html>"),
        (ServerError(status=503, body="closed for maintenance"), 503, b"maintenance"),
        (Garbled(), 200, b"<html>"),
        (RateLimited(), 429, b"QuotaViolation"),
        (
            RefusedWith(status=200, body={"errors": {"error": "Backoffice rejected override of the order."}}),
            200,
            b"Backoffice",
        ),
    ],
)
async def test_what_a_broken_broker_says(fault: AnyFault, status: int, says: bytes) -> None:
    async with tradier_desk() as desk:
        desk.fault("submit", fault, count=1)

        answer = await desk.place_form(OPTION)

        assert answer.status == status
        assert says in answer.body


async def test_a_late_answer_shows_what_was_so_when_it_was_asked() -> None:
    async with tradier_desk() as desk:
        desk.fault("positions", Slow(seconds=5), count=1)
        asked = asyncio.ensure_future(desk.held())
        while not desk.venue.faults.struck:
            await desk.get("/markets/clock")
        await desk.place(**OPTION)
        await _keep_time(desk, asked)

        assert (asked.result(), await desk.held()) == ({}, {C600: 2.0})


async def test_a_reverse_split_cancels_what_rests() -> None:
    async with tradier_desk() as desk:
        await desk.place(**STOCK)
        number = await desk.place(**STOCK | {"side": "sell", "type": "stop", "stop": "590", "duration": "gtc"})

        async with desk.session.post(
            f"{desk.server.url}/sim/split", json={"instrument": "SPY", "ratio": "0.1"}
        ) as reply:
            assert reply.status == 200

        assert (await desk.order(number))["status"] == "canceled"
        assert await desk.held() == {"SPY": 1.0}
