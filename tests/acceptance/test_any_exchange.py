"""An exchange that Standfast has no dialect for: guarded through ccxt alone, by real processes over real sockets."""

import json
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path

import pytest

from tests.acceptance.perpetuals import BTC, LONG, NAME, SHORT, Place
from tests.acceptance.stage import WAIT, until


class AnyPlace(Place):
    """ccxt knows Bybit of Indonesia as an exchange of its own; we do not, and it is served all the same."""

    broker = "ccxt:bybitid"


@pytest.fixture
def place(tmp_path: Path) -> Iterator[AnyPlace]:
    found = AnyPlace(tmp_path)
    with found:
        yield found


def test_what_a_bot_buys_there_gets_its_stop_and_is_closed_and_proven(place: AnyPlace) -> None:
    venue = place.venue()
    place.at(venue)
    guard = place.guarded()

    venue.trade("buy", "0.02")

    until(lambda: place.stops() == {NAME: Decimal("0.02")}, "the stop", told=guard.tail)
    (stop,) = venue.resting()
    assert (stop["side"], Decimal(stop["quantity"]), stop["reduce_only"]) == ("sell", Decimal("0.02"), True)
    assert Decimal(stop["trigger_price"]) == Decimal("49000.1")
    (position,) = place.book().state.positions
    closed = place.run("close", position, "--wait", WAIT)
    assert closed.code == 0, closed.out + closed.err
    assert (venue.held(), venue.resting(), place.nets()) == ({}, [], {})


def test_a_stop_that_fires_there_closes_the_position_once(place: AnyPlace) -> None:
    venue = place.venue()
    place.at(venue)
    guard = place.guarded()
    opened = place.run("open", "paper", NAME, "-0.03", "--wait", WAIT)
    assert opened.code == 0, opened.out + opened.err
    until(lambda: place.stops() == {NAME: Decimal("0.03")}, "the stop", told=guard.tail)

    venue.moved("51001")

    until(lambda: place.settled(1), "the position to be settled", told=guard.tail)
    assert (venue.held(), venue.resting(), place.nets()) == ({}, [], {})
    assert venue.traded() == Decimal("0.06")


def test_both_sides_of_a_hedged_account_there_are_kept_and_a_liquidation_takes_its_own(place: AnyPlace) -> None:
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

    venue.ask("POST", "/sim/liquidate", {"instrument": BTC, "index": 2})
    proofs = until(lambda: place.settled(2), "the short to be settled", told=guard.tail)
    assert proofs[-1].reason == "liquidation", "among no trades there: from the list of its own"


def test_doctor_and_the_guard_say_what_is_guarded_there(place: AnyPlace) -> None:
    venue = place.venue()
    place.at(venue)

    ran = place.run("doctor", "--json")

    told = {each["name"]: each for each in json.loads(ran.out)["checks"]}
    assert told["paper: orders"]["ok"], told
    assert "hedge mode (each side by itself, by the exchange's own `positionIdx`)" in told["paper: positions"]["detail"]
    assert "funding is booked as a fee" in told["paper: causes"]["detail"]
    assert "stops rest at the exchange" in told["paper: protection"]["detail"]
    guard = place.guarded()
    until(lambda: "stops rest at the exchange" in guard.said(), "what is guarded, in its log", told=guard.tail)
