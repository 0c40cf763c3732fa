"""The main job at a served Binance USD-M over real sockets: stops as algo orders, one-way and hedged."""

from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path

import pytest

from tests.acceptance.stage import BROKER_HOLDS, until
from tests.acceptance.test_bybit import ACCOUNT, BTC, LONG, NAME, SHORT, Place, Venue


class BinancePlace(Place):
    def venue(self, clock: str = "x10") -> Venue:
        still = ("--no-market", "--per-minute", "0", "--log", str(self.tape), "--dialect", "binance")
        started = Venue(("--port", "0", "--clock", clock, *still, "--instrument", f"{BTC}=50000"), self.folder)
        self.started.append(started)
        started.moved("50000")
        return started

    def at(self, venue: Venue, policy: str = BROKER_HOLDS) -> None:
        text = ACCOUNT.format(url=venue.url, policy=policy).replace("ccxt:bybit", "ccxt:binanceusdm")
        self.config.write_text(text)
        self.config.chmod(0o600)


@pytest.fixture
def place(tmp_path: Path) -> Iterator[BinancePlace]:
    found = BinancePlace(tmp_path)
    with found:
        yield found


def test_what_a_bot_buys_gets_its_stop_at_the_exchange_and_is_closed_and_proven(place: BinancePlace) -> None:
    venue = place.venue()
    place.at(venue)
    guard = place.guarded()

    venue.trade("buy", "0.02")

    until(lambda: place.stops() == {NAME: Decimal("0.02")}, "the stop", told=guard.tail)
    (stop,) = venue.resting()
    assert (stop["side"], Decimal(stop["quantity"]), stop["reduce_only"]) == ("sell", Decimal("0.02"), True)
    (position,) = place.book().state.positions
    closed = place.run("close", position, "--wait", "30s")
    assert closed.code == 0, closed.out + closed.err
    assert (venue.held(), venue.resting(), place.nets()) == ({}, [], {})


def test_a_short_opened_through_the_guard_runs_into_its_stop(place: BinancePlace) -> None:
    venue = place.venue()
    place.at(venue)
    guard = place.guarded()

    opened = place.run("open", "paper", NAME, "-0.03", "--wait", "30s")

    assert opened.code == 0, opened.out + opened.err
    until(lambda: place.stops() == {NAME: Decimal("0.03")}, "the stop", told=guard.tail)
    venue.moved("51001")
    (proof,) = until(lambda: place.settled(1), "the position to be settled", told=guard.tail)
    assert proof.reason == "stop_loss"
    assert (venue.held(), venue.resting(), place.nets()) == ({}, [], {})


def test_both_sides_of_a_hedged_account_are_kept_and_closed_by_themselves(place: BinancePlace) -> None:
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
    closed = place.run("close", long, "--wait", "30s")
    assert closed.code == 0, closed.out + closed.err
    assert (venue.held(), place.nets()) == ({2: Decimal("-0.05")}, {SHORT: Decimal("-0.05")})


LOST_ANSWER = {"kind": "server_error", "status": 504, "after": True}
NEVER_THERE = {"kind": "server_error", "status": 502}


@pytest.mark.parametrize("fault", [LOST_ANSWER, NEVER_THERE], ids=["taken", "not taken"])
def test_orders_whose_answers_are_lost_are_never_doubled(place: BinancePlace, fault: dict[str, object]) -> None:
    """Client ids may be used again here: what is in doubt is looked for, and not sent again."""
    venue = place.venue()
    place.at(venue)
    guard = place.guarded()
    venue.trouble({"operation": "submit", "fault": fault, "count": 1})

    venue.trade("buy", "0.02")

    until(lambda: place.stops() == {NAME: Decimal("0.02")}, "the stop", 50, told=guard.tail)
    assert len(venue.resting()) == 1
    (position,) = place.book().state.positions
    closed = place.run("close", position, "--wait", "60s")
    assert closed.code == 0, closed.out + closed.err
    assert (venue.held(), venue.resting(), place.nets()) == ({}, [], {})
    assert venue.traded() == Decimal("0.04")
