"""The main job on perpetual futures over real sockets: at a served Bybit, one-way and hedged, protected and proven."""

import json
import re
import signal
from collections.abc import Iterator
from decimal import Decimal
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from standfast.model.journal import AlertRaised, MovementBooked, PositionSettled
from standfast.model.order import Role
from tests.acceptance.stage import BROKER_HOLDS, FOLLOWING, Exchange, Stage, until

BTC = "BTCUSDT"
ACCOUNT = f"""\
[[accounts]]
name = "paper"
broker = "ccxt:bybit"
mode = "repair"
key_id = "key"
secret = "secret"
rest_url = "{{url}}"
foreign = "adopt"
{FOLLOWING}
[[policies]]
name = "default"
{{policy}}
[[alerts]]
url = "log://"
from = "info"
"""


class Venue(Exchange):
    """The exchange as its operator sees it, and as somebody who trades on the account without a word to us."""

    def trade(self, side: str, quantity: str, **more: object) -> None:
        self.ask("POST", "/sim/order", {"instrument": BTC, "side": side, "quantity": quantity, **more})

    def truth(self) -> Any:
        return self.ask("GET", "/sim/truth")["accounts"]["paper"]

    def held(self) -> dict[int, Decimal]:
        """By side of the account."""
        rows = self.truth()["positions"]
        return {int(row["index"]): Decimal(row["quantity"]) for row in rows if Decimal(row["quantity"])}

    def resting(self) -> list[Any]:
        return list(self.truth()["orders"])

    def is_stopped_once_above(self, floor: Decimal) -> bool:
        return [Decimal(row["trigger_price"]) >= floor for row in self.resting()] == [True]

    def traded(self) -> Decimal:
        """Quantity of every trade there ever was."""
        return sum((abs(Decimal(row["quantity"])) for row in self.truth()["fills"]), Decimal(0))

    def moved(self, bid: str) -> None:
        self.quote(BTC, bid, str(Decimal(bid) + Decimal("0.1")))


class Place(Stage):
    def venue(self, clock: str = "x10") -> Venue:
        still = ("--no-market", "--per-minute", "0", "--log", str(self.tape), "--dialect", "bybit")
        started = Venue(("--port", "0", "--clock", clock, *still, "--instrument", f"{BTC}=50000"), self.folder)
        self.started.append(started)
        started.moved("50000")
        return started

    def at(self, venue: Venue, policy: str = BROKER_HOLDS) -> None:
        self.config.write_text(ACCOUNT.format(url=venue.url, policy=policy))
        self.config.chmod(0o600)

    def stops(self) -> dict[str, Decimal]:
        """Working stops of ours by holding, as the books have them."""
        return {
            str(order.holding): order.remaining
            for order in self.book().state.orders.values()
            if order.role is Role.STOP and order.is_settled and not order.is_finished
        }

    def nets(self) -> dict[str, Decimal]:
        return {str(each.holding): each.net for each in self.book().state.positions.values() if each.held}

    def settled(self, count: int) -> list[PositionSettled]:
        facts = self.facts(PositionSettled)
        return facts if len(facts) == count else []


@pytest.fixture
def place(tmp_path: Path) -> Iterator[Place]:
    found = Place(tmp_path)
    with found:
        yield found


NAME = "BTC/USDT:USDT"
LONG, SHORT = f"{NAME}:long", f"{NAME}:short"


def test_what_a_bot_buys_gets_its_stop_at_the_exchange_and_is_closed_and_proven(place: Place) -> None:
    venue = place.venue()
    place.at(venue)
    guard = place.guarded()

    venue.trade("buy", "0.02")

    until(lambda: place.stops() == {NAME: Decimal("0.02")}, "the stop", told=guard.tail)
    (stop,) = venue.resting()
    assert (stop["side"], Decimal(stop["quantity"]), stop["reduce_only"]) == ("sell", Decimal("0.02"), True)
    assert Decimal(stop["trigger_price"]) == Decimal("49000.1")  # 2 % under 50000.1, to the tick on the safe side
    assert re.fullmatch(r"sf[a-z0-9]{4}-s[a-z0-9]{16}", stop["client_order_id"])

    (position,) = place.book().state.positions
    closed = place.run("close", position, "--wait", "30s")

    assert closed.code == 0, closed.out + closed.err
    assert (venue.held(), venue.resting(), place.nets()) == ({}, [], {})


def test_a_short_opened_through_the_guard_runs_into_its_stop(place: Place) -> None:
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
    closed = place.run("close", long, "--wait", "30s")

    assert closed.code == 0, closed.out + closed.err
    assert (venue.held(), place.nets()) == ({2: Decimal("-0.05")}, {SHORT: Decimal("-0.05")})
    assert place.stops() == {SHORT: Decimal("0.05")}


def test_each_side_is_opened_by_its_name_and_the_other_way_is_refused(place: Place) -> None:
    venue = place.venue()
    venue.ask("POST", "/sim/mode", {"instrument": BTC, "hedged": True})
    place.at(venue)
    place.guarded()

    wrong = place.run("open", "paper", LONG, "-0.02", "--wait", "30s")
    long = place.run("open", "paper", LONG, "0.02", "--wait", "30s")
    short = place.run("open", "paper", SHORT, "-0.03", "--wait", "30s")
    plain = place.run("open", "paper", NAME, "0.02", "--wait", "30s")

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


LOST_ANSWER = {"kind": "server_error", "status": 504, "after": True}
NEVER_THERE = {"kind": "server_error", "status": 502}


@pytest.mark.parametrize("fault", [LOST_ANSWER, NEVER_THERE], ids=["taken", "not taken"])
def test_orders_whose_answers_are_lost_are_never_doubled(place: Place, fault: dict[str, object]) -> None:
    venue = place.venue()
    place.at(venue)
    guard = place.guarded()
    venue.trouble({"operation": "submit", "fault": fault, "count": 2})

    venue.trade("buy", "0.02")

    until(lambda: place.stops() == {NAME: Decimal("0.02")}, "the stop", 60, told=guard.tail)
    (position,) = place.book().state.positions
    closed = place.run("close", position, "--wait", "60s")
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

    until(lambda: place.stops() == {NAME: Decimal("0.02")}, "the stop to be known", 60, told=again.tail)
    assert len(venue.resting()) == 1
    assert venue.held() == {0: Decimal("0.02")}


def test_positions_that_are_shown_late_double_nothing(place: Place) -> None:
    """The worst founding loss: a roll-back that did not know what it rolled back."""
    venue = place.venue()
    place.at(venue)
    guard = place.guarded()
    venue.trouble({"operation": "positions", "fault": {"kind": "stale", "age": 0, "at_most": 30}})

    venue.trade("sell", "0.04")
    until(lambda: place.stops() == {NAME: Decimal("0.04")}, "the stop", 60, told=guard.tail)
    (position,) = place.book().state.positions
    closed = place.run("close", position, "--wait", "90s")

    assert closed.code == 0, closed.out + closed.err
    until(lambda: (venue.held(), venue.resting()) == ({}, []), "nothing to be left", 30, told=guard.tail)


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
    """One process, two exchanges; one stands still in the middle of its answers."""
    venue = place.venue("real")
    folder = place.folder / "dead"
    folder.mkdir()
    keys = ("--account", "second:key2:secret2")
    dead = Venue(("--port", "0", "--clock", "real", "--no-market", "--dialect", "bybit", *keys), folder)
    place.started.append(dead)
    text = ACCOUNT.format(url=venue.url, policy=BROKER_HOLDS).replace(FOLLOWING, "")
    place.config.write_text(text.replace("[[policies]]", TWIN.format(url=dead.url) + "[[policies]]"))
    place.config.chmod(0o600)
    guard = place.guarded()
    until(lambda: '"account": "second"' in guard.said(), "the second account", told=guard.tail)
    dead.send(signal.SIGSTOP)

    for _ in range(3):
        venue.trade("buy", "0.02")
        until(lambda: place.stops() == {NAME: Decimal("0.02")}, "the stop", told=guard.tail)
        (position,) = place.book().state.positions
        closed = place.run("close", position, "--wait", "30s")
        assert closed.code == 0, closed.out + closed.err

    naked = [position.naked_seconds for position in place.book().state.closed.values()]
    assert max(naked) < 2, naked
    assert not guard.lines("the loop does not go round")


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
        until(partial(venue.is_stopped_once_above, Decimal(bid) - 600), f"one stop near {bid}", 60, told=guard.tail)

    resting = 0
    least = None
    for row in map(json.loads, place.tape.read_text().splitlines()):
        if row["row"] != "event" or not row.get("client_order_id", "").startswith("sf"):
            continue
        resting += {"placed": 1, "cancelled": -1, "ended": -1}.get(row["kind"], 0)
        least = resting if least is None else min(least, resting)
    assert least == 1
    assert venue.held() == {0: Decimal("0.02")}
