"""The main job at Tradier over real sockets: what is held is protected, closed and proven, shares or an option."""

import json
import re
import urllib.request
from collections import Counter
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import pytest

from standfast.model.journal import AlertRaised, PositionSettled
from standfast.model.order import Role
from tests.acceptance.stage import BROKER_HOLDS, FOLLOWING, PATIENCE, WAIT, Exchange, Stage, until

NUMBER, TOKEN = "VA00000001", "secret"
PUT = "SPXW260105P06885000"
ACCOUNT = f"""\
[[accounts]]
name = "paper"
broker = "tradier"
mode = "repair"
secret = "{TOKEN}"
account_id = "{NUMBER}"
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
    """The exchange as a bot of Tradier's sees it."""

    def tradier(self, method: str, path: str, **form: str) -> Any:
        body = urlencode(form).encode() if form else None
        headers = {"Authorization": f"Bearer {TOKEN}", "Accept": "application/json"}
        request = urllib.request.Request(self.url + path, body, headers, method=method)
        with urllib.request.urlopen(request, timeout=PATIENCE) as reply:
            return json.loads(reply.read())

    def order(self, **form: str) -> int:
        placed = self.tradier("POST", f"/v1/accounts/{NUMBER}/orders", **({"duration": "day", "type": "market"} | form))
        return int(placed["order"]["id"])

    def rows(self) -> list[dict[str, Any]]:
        """Every order of today, groups as one."""
        found = self.tradier("GET", f"/v1/accounts/{NUMBER}/orders?includeTags=true")["orders"]
        if found == "null":
            return []
        each = found["order"]
        return each if isinstance(each, list) else [each]

    def resting(self) -> list[dict[str, Any]]:
        return [row for row in self.rows() if row["status"] in ("open", "pending", "partially_filled")]


class Place(Stage):
    def venue(self) -> Venue:
        named = ("--instrument", "SPY=400", "--instrument", f"{PUT}=5")
        still = ("--no-market", "--per-minute", "0", "--log", str(self.tape), "--dialect", "tradier")
        started = Venue(("--port", "0", "--clock", "x10", *still, *named), self.folder)
        self.started.append(started)
        started.quote("SPY", "399.99", "400.01")
        started.quote(PUT, "4.90", "5.00")
        return started

    def at(self, venue: Venue, policy: str = BROKER_HOLDS) -> None:
        self.config.write_text(ACCOUNT.format(url=venue.url, policy=policy))
        self.config.chmod(0o600)

    def stops(self) -> dict[str, Decimal]:
        """Working stops of ours by instrument, as the books have them."""
        found: dict[str, Decimal] = {}
        for order in self.book().state.orders.values():
            if order.role is Role.STOP and order.is_settled and not order.is_finished:
                found[str(order.holding.instrument)] = order.remaining
        return found


@pytest.fixture
def place(tmp_path: Path) -> Iterator[Place]:
    found = Place(tmp_path)
    with found:
        yield found


def settled(place: Place, count: int) -> list[PositionSettled]:
    facts = place.facts(PositionSettled)
    return facts if len(facts) == count else []


def test_shares_a_bot_buys_get_their_stop_and_are_closed_and_proven(place: Place) -> None:
    venue = place.venue()
    place.at(venue)
    guard = place.guarded()

    venue.order(**{"class": "equity", "symbol": "SPY", "side": "buy", "quantity": "10"})

    until(lambda: place.stops() == {"SPY": Decimal(10)}, "the stop", told=guard.tail)
    (stop,) = venue.resting()
    assert (stop["side"], stop["quantity"], stop["type"], stop["duration"]) == ("sell", 10.0, "stop", "gtc")
    assert stop["stop_price"] == 392.01  # 2 % under 400.01, to the cent on the safe side
    assert re.fullmatch(r"sf[a-z0-9]{4}-s[a-z0-9]{16}", stop["tag"])
    assert venue.positions() == place.held() == {"SPY": Decimal(10)}

    (position,) = place.book().state.positions
    closed = place.run("close", position, "--wait", WAIT)

    assert closed.code == 0, closed.out + closed.err
    assert venue.positions() == place.held() == {}
    assert venue.resting() == []


def test_an_opening_with_a_stop_runs_into_it(place: Place) -> None:
    venue = place.venue()
    place.at(venue)
    guard = place.guarded()

    opened = place.run("open", "paper", "SPY", "5", "--stop", "390", "--wait", WAIT)

    assert opened.code == 0, opened.out + opened.err
    until(lambda: place.stops() == {"SPY": Decimal(5)}, "the stop", told=guard.tail)
    venue.quote("SPY", "389.00", "389.02")
    (proof,) = until(lambda: settled(place, 1), "the position to be settled", told=guard.tail)
    assert proof.reason == "stop_loss"
    assert venue.positions() == place.held() == {}
    assert venue.resting() == []


def test_a_single_option_is_protected_closed_and_proven(place: Place) -> None:
    venue = place.venue()
    place.at(venue, 'exits_held_by = "broker"\nstop_loss = "20%"\n')
    guard = place.guarded()
    contract = {"class": "option", "symbol": "SPX", "option_symbol": PUT}

    venue.order(**contract, side="buy_to_open", quantity="2")

    until(lambda: place.stops() == {PUT: Decimal(2)}, "the stop", told=guard.tail)
    (stop,) = venue.resting()
    assert (stop["side"], stop["symbol"], stop["option_symbol"]) == ("sell_to_close", "SPX", PUT)
    assert stop["stop_price"] == 4.0  # 20 % under 5.00, in steps of ten cents
    assert venue.positions() == place.held() == {PUT: Decimal(2)}

    (position,) = place.book().state.positions
    closed = place.run("close", position, "--wait", WAIT)

    assert closed.code == 0, closed.out + closed.err
    assert venue.positions() == place.held() == {}
    assert venue.resting() == []


LOST_ANSWER = {"kind": "server_error", "status": 504, "after": True}
NEVER_THERE = {"kind": "server_error", "status": 502}


def sent(venue: Venue) -> Counter[str]:
    """How often each tag of ours is at the exchange."""
    return Counter(row["tag"] for row in venue.rows() if row.get("tag", "").startswith("sf"))


@pytest.mark.parametrize("fault", [LOST_ANSWER, NEVER_THERE], ids=["taken", "not taken"])
def test_orders_whose_answers_are_lost_are_found_or_given_up_and_never_doubled(
    place: Place, fault: dict[str, object]
) -> None:
    venue = place.venue()
    place.at(venue)
    guard = place.guarded()
    venue.trouble({"operation": "submit", "fault": fault, "count": 2})

    venue.ask("POST", "/sim/order", {"instrument": "SPY", "side": "buy", "quantity": "10"})  # past the trouble

    until(lambda: place.stops() == {"SPY": Decimal(10)}, "the stop", told=guard.tail)
    (position,) = place.book().state.positions
    closed = place.run("close", position, "--wait", WAIT)
    assert closed.code == 0, closed.out + closed.err
    assert venue.positions() == place.held() == {}
    assert venue.resting() == []
    assert max(sent(venue).values()) == 1


def test_a_guard_that_is_killed_goes_on_where_it_was(place: Place) -> None:
    venue = place.venue()
    place.at(venue)
    guard = place.guarded()
    slow = {"kind": "slow", "seconds": 4, "late": "answer"}
    venue.trouble({"operation": "submit", "fault": slow, "count": 1, "skip": 1})
    venue.order(**{"class": "equity", "symbol": "SPY", "side": "buy", "quantity": "10"})

    until(lambda: sent(venue).total() == 1, "the stop to be at the exchange", told=guard.tail)
    guard.kill()
    again = place.guarded()

    until(lambda: place.stops() == {"SPY": Decimal(10)}, "the stop to be known", told=again.tail)
    assert sent(venue).total() == 1
    assert venue.positions() == place.held() == {"SPY": Decimal(10)}


def test_a_fraction_of_a_share_that_no_order_closes_is_told_and_not_tried_for_ever(place: Place) -> None:
    venue = place.venue()
    place.at(venue)
    venue.ask("POST", "/sim/order", {"instrument": "SPY", "side": "buy", "quantity": "10.5"})
    guard = place.guarded()
    (position,) = until(lambda: list(place.book().state.positions), "the position", told=guard.tail)

    closed = place.run("close", position, "--wait", WAIT)

    assert closed.code == 1
    assert "closed down to 0.5: the broker takes no order for a fraction" in closed.out
    assert venue.positions() == place.held() == {"SPY": Decimal("0.5")}
    told = [alert.text for alert in place.facts(AlertRaised) if "fraction" in alert.text]
    assert len(told) == 1
    assert venue.resting() == []
    sent, said = len(venue.rows()), len(guard.lines("status"))
    until(lambda: len(guard.lines("status")) > said + 1, "a minute to pass", told=guard.tail)
    assert len(venue.rows()) == sent


def checks(place: Place) -> dict[str, tuple[bool, str]]:
    found = json.loads(place.run("doctor", "--json").out)["checks"]
    return {each["name"]: (each["ok"], each["detail"]) for each in found}


def test_doctor_tries_account_and_token_and_says_which_of_them_is_wrong(place: Place) -> None:
    venue = place.venue()
    place.at(venue)
    assert place.run("doctor").code == 0
    assert checks(place)["paper: broker"] == (True, "tradier (simulator) answers; 0 position(s)")

    right = place.config.read_text()
    place.config.write_text(right.replace(f'secret = "{TOKEN}"', 'secret = "another"'))
    is_well, why = checks(place)["paper: broker"]
    assert not is_well
    assert "the token is refused" in why
    place.config.write_text(right.replace(NUMBER, "VA00000009"))
    is_well, why = checks(place)["paper: broker"]
    assert not is_well
    assert "the token does not reach the account" in why
