"""The main job on perpetual futures over real sockets at each served exchange: one-way, hedged, protected and proven.

How stops rest (orders with a trigger, algo orders) is the exchange's; what comes of them is not.
"""

import re
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path

import pytest

from tests.acceptance.perpetuals import BTC, LONG, NAME, SHORT, AnyPlace, BinancePlace, Place
from tests.acceptance.stage import WAIT, until


@pytest.fixture(params=[Place, BinancePlace, AnyPlace], ids=["bybit", "binance", "through ccxt alone"])
def place(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Place]:
    found: Place = request.param(tmp_path)
    with found:
        yield found


def test_what_a_bot_buys_gets_its_stop_at_the_exchange_and_is_closed_and_proven(place: Place) -> None:
    venue = place.venue()
    place.at(venue)
    guard = place.guarded()

    venue.trade("buy", "0.02")

    until(lambda: place.stops() == {NAME: Decimal("0.02")}, "the stop", told=guard.tail)
    (stop,) = venue.resting()
    assert (stop["side"], Decimal(stop["quantity"]), stop["reduce_only"]) == ("sell", Decimal("0.02"), True)
    assert Decimal(stop["trigger_price"]) == Decimal("49000.1")  # 2 % under 50000.1, to the tick on the safe side
    assert re.fullmatch(place.stop_ids, stop["client_order_id"])

    (position,) = place.book().state.positions
    closed = place.run("close", position, "--wait", WAIT)

    assert closed.code == 0, closed.out + closed.err
    assert (venue.held(), venue.resting(), place.nets()) == ({}, [], {})


def test_a_short_opened_through_the_guard_runs_into_its_stop(place: Place) -> None:
    venue = place.venue()
    place.at(venue)
    guard = place.guarded()

    opened = place.run("open", "paper", NAME, "-0.03", "--wait", WAIT)

    assert opened.code == 0, opened.out + opened.err
    until(lambda: place.stops() == {NAME: Decimal("0.03")}, "the stop", told=guard.tail)
    venue.moved("51001")
    (proof,) = until(lambda: place.settled(1), "the position to be settled", told=guard.tail)
    assert proof.reason == "stop_loss"
    assert (venue.held(), venue.resting(), place.nets()) == ({}, [], {})
    assert venue.traded() == Decimal("0.06")


def test_both_sides_of_a_hedged_account_are_kept_and_closed_by_themselves(place: Place) -> None:
    venue = place.venue()
    venue.ask("POST", "/sim/mode", {"instrument": BTC, "hedged": True})
    place.at(venue)
    guard = place.guarded()

    venue.trade("buy", "0.02", index=1)
    venue.trade("sell", "0.05", index=2)

    wanted = {LONG: Decimal("0.02"), SHORT: Decimal("0.05")}
    until(lambda: place.stops() == wanted, "a stop for each side", told=guard.tail)
    assert {(row["side"], row["index"]) for row in venue.resting()} == {("sell", 1), ("buy", 2)}

    (long,) = (each.id for each in place.book().state.positions.values() if each.sign > 0)
    closed = place.run("close", long, "--wait", WAIT)

    assert closed.code == 0, closed.out + closed.err
    assert (venue.held(), place.nets()) == ({2: Decimal("-0.05")}, {SHORT: Decimal("-0.05")})
    assert place.stops() == {SHORT: Decimal("0.05")}
