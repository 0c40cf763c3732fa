"""An exchange that Standfast has no dialect for, through ccxt alone: what `test_perpetuals` does not ask of it."""

import json
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path

import pytest

from tests.acceptance.perpetuals import BTC, LONG, SHORT, AnyPlace
from tests.acceptance.stage import until


@pytest.fixture
def place(tmp_path: Path) -> Iterator[AnyPlace]:
    found = AnyPlace(tmp_path)
    with found:
        yield found


def test_a_liquidation_there_takes_one_side_of_a_hedged_account_and_is_booked_as_one(place: AnyPlace) -> None:
    venue = place.venue()
    venue.ask("POST", "/sim/mode", {"instrument": BTC, "hedged": True})
    place.at(venue)
    guard = place.guarded()
    venue.trade("buy", "0.02", index=1)
    venue.trade("sell", "0.05", index=2)
    wanted = {LONG: Decimal("0.02"), SHORT: Decimal("0.05")}
    until(lambda: place.stops() == wanted, "a stop for each side", told=guard.tail)

    venue.ask("POST", "/sim/liquidate", {"instrument": BTC, "index": 2})

    (proof,) = until(lambda: place.settled(1), "the short to be settled", told=guard.tail)
    assert proof.reason == "liquidation", "among no trades there: from the list of its own"
    assert (venue.held(), place.nets()) == ({1: Decimal("0.02")}, {LONG: Decimal("0.02")})


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
