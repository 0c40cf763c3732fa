"""Single sold options at Tradier over real sockets: bought back once the broker's delta says that they are too near."""

import json
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path

import pytest

from standfast.model.journal import AlertRaised, CloseRequested
from tests.acceptance.stage import WAIT, until
from tests.acceptance.test_found_spreads import Market
from tests.acceptance.test_spreads import guarded
from tests.acceptance.test_tradier import Venue

SOLD, BOUGHT = "SPY260116P00380000", "SPY260116P00370000"
PRICES = {"SPY": ("399.99", "400.01"), SOLD: ("4.00", "4.10"), BOUGHT: ("2.00", "2.10")}

NEAR = """\
match = { kind = "option" }
exits_held_by = "guard"
emergency_stop = "900%"
short_delta_limit = 0.01
[[policies]]
name = "rest"
match = { account = "*" }
"""
FAR = NEAR.replace("0.01", "0.99")


class Desk(Market):
    prices = PRICES


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    found = Desk(tmp_path)
    with found:
        yield found


def sold_by_a_bot(venue: Venue) -> None:
    option = {"class": "option", "symbol": "SPY", "option_symbol": SOLD}
    venue.order(**option, side="sell_to_open", quantity="2")
    assert venue.positions() == {SOLD: Decimal(-2)}, venue.rows()


def test_one_that_a_bot_sold_is_bought_back_and_one_of_our_own_is_refused(desk: Desk) -> None:
    venue, guard = guarded(desk, NEAR)
    refused = desk.run("open", "paper", SOLD, "-1", "--wait", WAIT)
    assert (refused.code, "short_delta_limit = 0.01 would close it at once" in refused.out) == (1, True), refused.out

    sold_by_a_bot(venue)

    (asked,) = until(lambda: desk.facts(CloseRequested), "the close", told=guard.tail)
    assert (asked.reason, asked.detail.startswith("short delta 0.")) == ("stop_loss", True)
    until(lambda: venue.positions() == desk.held() == {}, "nothing to be held", told=guard.tail)
    told = desk.run("explain", asked.position).out
    assert f"of {SOLD} is at the limit of 0.01" in told


def test_one_that_is_far_enough_stays_and_a_bought_one_is_not_judged(desk: Desk) -> None:
    venue, guard = guarded(desk, FAR)
    sold_by_a_bot(venue)
    until(lambda: len(desk.book().state.positions) == 1, "the sold option", told=guard.tail)
    opened = desk.run("open", "paper", BOUGHT, "1", "--wait", WAIT)
    assert opened.code == 0, opened.out + opened.err + guard.tail()

    shown = {row["legs"][0]["instrument"]: row for row in json.loads(desk.run("positions", "--json").out)["positions"]}

    assert {name: row["short_delta_limit"] for name, row in shown.items()} == {SOLD: "0.99", BOUGHT: None}
    priced = json.loads(desk.run("portfolio", "--json").out)["portfolio"][0]["positions"]
    deltas = {row["legs"][0]["instrument"]: row["short_delta"] for row in priced}
    assert (0 < float(deltas[SOLD]) < 1, deltas[BOUGHT]) == (True, None)
    assert desk.facts(CloseRequested) == []
    assert [fact.text for fact in desk.facts(AlertRaised) if "delta" in fact.text] == []
