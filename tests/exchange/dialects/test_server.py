"""The served exchange keeps time, feeds prices, and can be started from options."""

import asyncio
import json
import os
import signal
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path

import aiohttp
import pytest

from standfast.exchange.accounts import AccountSpec
from standfast.exchange.dialects.venue import Venue
from standfast.exchange.quotes_file import quotes
from standfast.exchange.script import Script
from standfast.exchange.server import ExchangeServer, Options, build, serve
from tests.contract.served import STILL

OPEN = datetime(2026, 1, 5, 14, 30, tzinfo=UTC)
WITHIN_SECONDS = 120
FAST = 36_000.0  # ten hours in a second


def scripted(*, speed: float | None) -> Venue:
    """SPY at 600, and 500 from ten minutes on."""
    still = build(STILL)
    minutes = timedelta(minutes=10)
    prices = Script({"SPY": [(timedelta(0), Decimal(599), Decimal(600)), (minutes, Decimal(500), Decimal(501))]})
    return Venue(still.engine, ["paper"], sessions=still.sessions, prices=prices, speed=speed)


async def until(venue: Venue, at: datetime) -> None:
    """Wait for exchange time, on its own pace."""
    reached = asyncio.Event()
    venue.later((at - venue.now).total_seconds(), reached.set)
    async with asyncio.timeout(WITHIN_SECONDS):
        await reached.wait()


async def test_time_moves_prices_without_anybody_asking() -> None:
    venue = scripted(speed=FAST)
    async with ExchangeServer(venue):
        await until(venue, OPEN + timedelta(minutes=11))

        quote = venue.last_quote("SPY")
        assert quote is not None
        assert quote.bid == 500
        assert quote.at >= OPEN + timedelta(minutes=10)


async def test_time_stands_still_without_a_pace() -> None:
    venue = scripted(speed=None)
    async with ExchangeServer(venue) as server, aiohttp.ClientSession() as session:
        for _ in range(3):
            async with session.get(f"{server.url}/sim/clock") as reply:
                assert (await reply.json()) == {"now": "2026-01-05T14:30:00Z", "speed": None}


async def test_quotes_on_the_way_of_a_jump_are_all_taken() -> None:
    venue = scripted(speed=None)
    seen: list[datetime] = []
    venue.advance(OPEN)
    venue.later(300, lambda: seen.append(venue.now))

    venue.jump(OPEN + timedelta(hours=1))

    quote = venue.last_quote("SPY")
    assert quote is not None
    assert quote.bid == 500
    assert seen == [OPEN + timedelta(minutes=5)]
    assert venue.now == OPEN + timedelta(hours=1)


async def test_a_failing_pump_ends_the_server_instead_of_hanging_it() -> None:
    venue = scripted(speed=FAST)

    def fail() -> None:
        raise RuntimeError("planted")

    async def wait_for_ever() -> None:
        async with ExchangeServer(venue), asyncio.timeout(WITHIN_SECONDS):
            venue.later(60, fail)
            await asyncio.Event().wait()

    with pytest.raises(ExceptionGroup, match="unhandled") as raised:
        await wait_for_ever()

    assert raised.group_contains(RuntimeError, match="planted")


async def test_it_is_served_from_options_until_a_signal() -> None:
    announced: asyncio.Queue[str] = asyncio.Queue()
    async with asyncio.timeout(WITHIN_SECONDS), asyncio.TaskGroup() as tasks:
        tasks.create_task(serve(Options(), announced.put_nowait))
        url = await announced.get()
        headers = {"APCA-API-KEY-ID": "key", "APCA-API-SECRET-KEY": "secret"}
        async with (
            aiohttp.ClientSession(headers=headers) as session,
            session.get(f"{url}/v2/stocks/quotes/latest?symbols=SPY,AAPL") as reply,
        ):
            quotes = (await reply.json())["quotes"]
        os.kill(os.getpid(), signal.SIGTERM)

    assert {name: round(quote["ap"]) for name, quote in quotes.items()} == {"SPY": 600, "AAPL": 250}


async def test_a_fault_script_is_read_from_a_file(tmp_path: Path) -> None:
    script = tmp_path / "faults.json"
    script.write_text(json.dumps([{"operation": "positions", "fault": {"kind": "empty"}}]))

    venue = build(Options(seed=None, speed=None, faults=script))

    assert venue.faults.decide("positions", None, venue.now) is not None


async def test_a_recorded_day_is_replayed_from_its_opening(shared: Path) -> None:
    recording = shared / "data/market/equity/spy/second/20131007_quote.zip"

    venue = build(Options(replay=(recording,), instruments={}, speed=None))
    venue.jump(venue.now + timedelta(minutes=5))

    quote = venue.last_quote("SPY")
    assert venue.now == datetime(2013, 10, 7, 13, 35, tzinfo=UTC)
    assert quote is not None
    assert Decimal(167) < quote.bid <= quote.ask < Decimal(169)
    assert venue.now - quote.at < timedelta(seconds=5)
    assert venue.engine.clock().is_open
    venue.stop()


async def test_every_contract_of_a_recorded_chain_is_quoted(shared: Path) -> None:
    recording = shared / "data/market/indexoption/spxw/20210106_quote_european.zip"

    venue = build(Options(replay=(recording,), instruments={}, speed=None))
    venue.jump(venue.now + timedelta(minutes=5))

    assert len(quotes(recording).instruments) > 1
    for name in quotes(recording).instruments:
        assert venue.last_quote(name) is not None, name
    venue.stop()


@pytest.mark.parametrize("other", [("paper", "another key"), ("another", "PKTEST")])
def test_two_accounts_of_one_name_or_key_are_refused(other: tuple[str, str]) -> None:
    name, key = other
    with pytest.raises(ValueError, match="stands for 2 accounts"):
        replace(STILL, accounts=(*STILL.accounts, AccountSpec(name=name, key_id=key, secret="another secret")))
