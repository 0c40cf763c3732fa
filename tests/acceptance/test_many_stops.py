"""More positions of one contract than stops may rest there: every one is covered, by a stop that several share.

The bot trades through ccxt as it is, and reads through it what rests.
"""

import asyncio
import json
from collections.abc import Awaitable, Callable, Iterator
from decimal import Decimal
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from standfast.model.journal import NakedBegan, OrderIntended
from tests.acceptance.perpetuals import NAME, BinancePlace, Place, Venue
from tests.acceptance.stage import WAIT, until
from tests.contract.ccxt_clients import client

LOTS, EACH = 13, Decimal("0.01")
MOST = 10
CLIENTS = {"ccxt:bybit": "bybit", "ccxt:binanceusdm": "binanceusdm"}


@pytest.fixture(params=[Place, BinancePlace], ids=["bybit", "binance"])
def place(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Place]:
    found: Place = request.param(tmp_path)
    with found:
        yield found


def through_ccxt(place: Place, venue: Venue, what: Callable[[Any], Awaitable[Any]]) -> Any:
    server = SimpleNamespace(url=venue.url, stream_url=venue.url.replace("http", "ws", 1))

    async def run() -> Any:
        async with client(CLIENTS[place.broker], server, "key", "secret", fetchCurrencies=False) as exchange:
            return await what(exchange)

    return asyncio.run(run())


def all_bought(place: Place, venue: Venue) -> None:
    """Each at another price, so that each has another stop."""

    async def buys(exchange: Any) -> None:
        for number in range(LOTS):
            venue.moved(str(50_000 + 10 * number))
            await exchange.create_order(NAME, "market", "buy", float(EACH))

    through_ccxt(place, venue, buys)


def seen_by_ccxt(place: Place, venue: Venue) -> list[Decimal]:
    async def stops(exchange: Any) -> Any:
        return await exchange.fetch_open_orders(NAME, None, 50, {"trigger": True})

    return [Decimal(str(row["amount"])) for row in through_ccxt(place, venue, stops)]


def quantities(venue: Venue) -> list[Decimal]:
    return [Decimal(row["quantity"]) for row in venue.resting()]


def covered(place: Place) -> list[bool]:
    shown = json.loads(place.run("positions", "--json").out)["positions"]
    return [each["protection"]["covered"] for each in shown]


def filled_up(place: Place, venue: Venue, guard: Any) -> None:
    all_bought(place, venue)
    until(lambda: len(place.book().state.positions) == LOTS, "every lot to be booked", told=guard.tail)
    until(lambda: sum(quantities(venue)) == LOTS * EACH, "all of it to be covered", told=guard.tail)
    until(lambda: covered(place) == [True] * LOTS, "the books to say so", told=guard.tail)


def test_thirteen_positions_are_covered_and_end_at_their_stops(place: Place) -> None:
    venue = place.venue()
    place.at(venue)
    guard = place.guarded()

    filled_up(place, venue, guard)

    assert len(quantities(venue)) < MOST, "one place is kept for the stop that takes another's place"
    assert sorted(seen_by_ccxt(place, venue)) == sorted(quantities(venue))
    shared = [fact for fact in place.facts(OrderIntended) if fact.also]
    assert shared

    venue.moved("48500")
    proofs = until(lambda: place.settled(LOTS), "all to be settled", told=guard.tail)
    assert {proof.reason for proof in proofs} == {"stop_loss"}
    until(lambda: (venue.held(), venue.resting()) == ({}, []), "nothing to be left", told=guard.tail)
    assert venue.traded() == 2 * LOTS * EACH, "nothing was sold twice"


def test_each_has_its_own_again_when_so_many_fit(place: Place) -> None:
    venue = place.venue()
    place.at(venue)
    guard = place.guarded()
    filled_up(place, venue, guard)
    before = place.entries()[-1].number

    for position in list(place.book().state.positions)[-5:]:
        closed = place.run("close", position, "--wait", WAIT)
        assert closed.code == 0, closed.out + closed.err

    until(lambda: quantities(venue) == [EACH] * (LOTS - 5), "each to have its own", told=guard.tail)
    assert covered(place) == [True] * (LOTS - 5)
    assert place.facts(NakedBegan, after=before) == [], "none was bare in between"
    assert venue.traded() == (LOTS + 5) * EACH
