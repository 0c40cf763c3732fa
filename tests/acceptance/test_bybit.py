"""A guard of perpetual futures at a served Bybit: liquidations, lost answers, kills, late lists, trailing stops."""

import json
import signal
from collections.abc import Iterator
from decimal import Decimal
from functools import partial
from pathlib import Path

import pytest

from standfast.model.journal import AlertRaised, MovementBooked
from tests.acceptance.perpetuals import ACCOUNT, BTC, LONG, NAME, SHORT, Place, Venue, lost_answers
from tests.acceptance.stage import BROKER_HOLDS, FOLLOWING, WAIT, until


@pytest.fixture
def place(tmp_path: Path) -> Iterator[Place]:
    found = Place(tmp_path)
    with found:
        yield found


def test_each_side_is_opened_by_its_name_and_the_other_way_is_refused(place: Place) -> None:
    venue = place.venue()
    venue.ask("POST", "/sim/mode", {"instrument": BTC, "hedged": True})
    place.at(venue)
    place.guarded()

    wrong = place.run("open", "paper", LONG, "-0.02", "--wait", WAIT)
    long = place.run("open", "paper", LONG, "0.02", "--wait", WAIT)
    short = place.run("open", "paper", SHORT, "-0.03", "--wait", WAIT)
    plain = place.run("open", "paper", NAME, "0.02", "--wait", WAIT)

    assert (wrong.code, long.code, short.code, plain.code) == (1, 0, 0, 1), (long.out, short.out)
    assert "the quantity has the other sign" in wrong.out
    assert "position mode" in plain.out
    assert venue.held() == {1: Decimal("0.02"), 2: Decimal("-0.03")}
    assert place.nets() == {LONG: Decimal("0.02"), SHORT: Decimal("-0.03")}
    assert place.stops() == {LONG: Decimal("0.02"), SHORT: Decimal("0.03")}


def test_a_liquidation_is_booked_with_its_cause_and_a_person_is_told(place: Place) -> None:
    venue = place.venue()
    place.at(venue)
    guard = place.guarded()
    venue.trade("buy", "0.02")
    until(lambda: place.stops() == {NAME: Decimal("0.02")}, "the stop", told=guard.tail)

    venue.ask("POST", "/sim/fund", {"instrument": BTC, "rate": "0.001"})
    venue.ask("POST", "/sim/liquidate", {"instrument": BTC})

    (proof,) = until(lambda: place.settled(1), "the position to be settled", told=guard.tail)
    assert proof.reason == "liquidation"
    assert [alert for alert in place.facts(AlertRaised) if "liquidation" in alert.text]
    funding = until(lambda: place.facts(MovementBooked), "the funding", told=guard.tail)
    assert {fact.movement.broker_kind for fact in funding} == {"Funding"}


@lost_answers
def test_orders_whose_answers_are_lost_are_never_doubled(place: Place, fault: dict[str, object]) -> None:
    venue = place.venue()
    place.at(venue)
    guard = place.guarded()
    venue.trouble({"operation": "submit", "fault": fault, "count": 2})

    venue.trade("buy", "0.02")

    until(lambda: place.stops() == {NAME: Decimal("0.02")}, "the stop", told=guard.tail)
    (position,) = place.book().state.positions
    closed = place.run("close", position, "--wait", WAIT)
    assert closed.code == 0, closed.out + closed.err
    assert (venue.held(), venue.resting(), place.nets()) == ({}, [], {})
    assert venue.traded() == Decimal("0.04")


def test_a_guard_that_is_killed_goes_on_where_it_was(place: Place) -> None:
    venue = place.venue()
    place.at(venue)
    guard = place.guarded()
    venue.trouble({"operation": "submit", "fault": {"kind": "slow", "seconds": 4, "late": "answer"}, "count": 1})
    venue.trade("buy", "0.02")

    until(lambda: len(venue.resting()) == 1, "the stop to be at the exchange", told=guard.tail)
    guard.kill()
    again = place.guarded()

    until(lambda: place.stops() == {NAME: Decimal("0.02")}, "the stop to be known", told=again.tail)
    assert len(venue.resting()) == 1
    assert venue.held() == {0: Decimal("0.02")}


def test_positions_that_are_shown_late_double_nothing(place: Place) -> None:
    """The worst founding loss: a roll-back that did not know what it rolled back."""
    venue = place.venue()
    place.at(venue)
    guard = place.guarded()
    venue.trouble({"operation": "positions", "fault": {"kind": "stale", "age": 0, "at_most": 30}})

    venue.trade("sell", "0.04")
    until(lambda: place.stops() == {NAME: Decimal("0.04")}, "the stop", told=guard.tail)
    (position,) = place.book().state.positions
    closed = place.run("close", position, "--wait", WAIT)

    assert closed.code == 0, closed.out + closed.err
    until(lambda: (venue.held(), venue.resting()) == ({}, []), "nothing to be left", told=guard.tail)


TWIN = """\
[[accounts]]
name = "second"
broker = "ccxt:bybit"
mode = "repair"
key_id = "key2"
secret = "secret2"
rest_url = "{url}"
foreign = "adopt"
"""


def test_an_exchange_that_does_not_answer_delays_no_other_account(place: Place) -> None:
    """One process, two exchanges; one stands still in the middle of its answers, and for good: whatever waits for it
    waits for ever. That it costs the other no second either is proven in tests/sim/test_blindness.py."""
    venue = place.venue("real")
    folder = place.folder / "dead"
    folder.mkdir()
    keys = ("--account", "second:key2:secret2")
    dead = Venue(("--port", "0", "--clock", "real", "--no-market", "--dialect", "bybit", *keys), folder)
    place.started.append(dead)
    text = ACCOUNT.format(broker=place.broker, url=venue.url, policy=BROKER_HOLDS).replace(FOLLOWING, "")
    place.configure(text.replace("[[policies]]", TWIN.format(url=dead.url) + "[[policies]]"))
    guard = place.guarded()
    until(lambda: '"account": "second"' in guard.said(), "the second account", told=guard.tail)
    dead.send(signal.SIGSTOP)

    for _ in range(3):
        venue.trade("buy", "0.02")
        until(lambda: place.stops() == {NAME: Decimal("0.02")}, "the stop", told=guard.tail)
        (position,) = place.book().state.positions
        closed = place.run("close", position, "--wait", WAIT)
        assert closed.code == 0, closed.out + closed.err

    assert len(place.book().state.closed) == 3
    assert len(guard.workers()) == 1, guard.tail()


TRAILING = """\
exits_held_by = "broker"
stop_loss = "2%"
trailing = [ { arm = "1%", give_back = "1pt" } ]
"""


@pytest.mark.parametrize("lost", [0, 2], ids=["", "cancels lost"])
def test_a_trailing_stop_moves_without_a_moment_in_which_none_rests(place: Place, lost: int) -> None:
    venue = place.venue()
    place.at(venue, TRAILING)
    guard = place.guarded()
    venue.trade("buy", "0.02")
    until(lambda: place.stops() == {NAME: Decimal("0.02")}, "the stop", told=guard.tail)
    if lost:
        venue.trouble({"operation": "cancel", "fault": {"kind": "never_arrives"}, "count": lost})

    for bid in ("50600", "51000", "51500"):
        venue.moved(bid)
        until(partial(venue.is_stopped_once_above, Decimal(bid) - 600), f"one stop near {bid}", told=guard.tail)

    resting = 0
    least = None
    for row in map(json.loads, place.tape.read_text().splitlines()):
        if row["row"] != "event" or not row.get("client_order_id", "").startswith("sf"):
            continue
        resting += {"placed": 1, "cancelled": -1, "ended": -1}.get(row["kind"], 0)
        least = resting if least is None else min(least, resting)
    assert least == 1
    assert venue.held() == {0: Decimal("0.02")}
