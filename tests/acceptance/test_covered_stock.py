"""Shares with calls sold against them, found at Tradier: one position, and no call is left without its shares."""

import json
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path

import pytest

from standfast.model.journal import PositionSettled
from tests.acceptance.stage import WAIT, Guard, until
from tests.acceptance.test_found_spreads import Market, shapes
from tests.acceptance.test_spreads import cash, pnl
from tests.acceptance.test_tradier import Venue

CALL = "SPY260116C00420000"
POLICY = """\
match = { kind = "equity" }
stop_loss = "5%"
[[policies]]
name = "options"
match = { kind = "option" }
exits_held_by = "guard"
stop_loss = "200%"
[[policies]]
name = "rest"
match = { account = "*" }
"""


PRICES = {"SPY": ("399.99", "400.01"), CALL: ("4.00", "4.10")}


class Shares(Market):
    prices = PRICES


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Shares]:
    found = Shares(tmp_path)
    with found:
        yield found


def held(desk: Shares, shares: int, calls: int) -> tuple[Venue, Guard]:
    """A bot has bought shares and sold calls against them; then a guard is started."""
    venue = desk.venue()
    desk.at(venue, POLICY)
    venue.order(**{"class": "equity", "symbol": "SPY", "side": "buy", "quantity": str(shares)})
    traded(venue, "sell_to_open", calls)
    guard = desk.guarded()
    until(lambda: len(shapes(desk)) == 1, "the covered position", told=guard.tail)
    return venue, guard


def traded(venue: Venue, side: str, calls: int) -> None:
    option = {"class": "option", "symbol": "SPY", "option_symbol": CALL}
    venue.order(**option, side=side, quantity=str(calls))


def covered_worst(desk: Shares) -> str:
    """The worst that the portfolio shows of what ends with the call."""
    cases = json.loads(desk.run("portfolio", "--json").out)["portfolio"][0]["worst_cases"]
    return next(str(each["worst"]["amount"]) for each in cases if each["expiry"])


def combos(venue: Venue) -> list[str]:
    return [row["status"] for row in venue.rows() if row["class"] == "combo"]


def test_it_is_one_position_and_its_stop_closes_shares_and_calls_by_one_order(desk: Shares) -> None:
    venue, guard = held(desk, 250, 2)
    assert shapes(desk) == [(Decimal(2), {"SPY": 100, CALL: -1})]
    rows = json.loads(desk.run("positions", "--json").out)["positions"]
    (row,) = (each for each in rows if each.get("kind"))
    assert (row["kind"], row["units"], row["direction"]) == ("covered_stock", "2", "long")
    assert Decimal(row["protection"]["stop_price"]) == Decimal("376.0955")  # five per cent under 395.89
    until(lambda: desk.stops() == {"SPY": Decimal(50)}, "the stop of what no call needs", told=guard.tail)
    assert Decimal(covered_worst(desk)) == -(Decimal("400.01") - 4) * 200

    venue.quote(CALL, "0.30", "0.40")
    venue.quote("SPY", "376.00", "376.02")  # 375.60 at the worse side

    until(lambda: venue.positions() == {}, "all of it to be closed", told=guard.tail)
    until(lambda: len(desk.facts(PositionSettled)) == 4, "its proof", told=guard.tail)
    assert combos(venue)[-1] == "filled"
    assert desk.held() == {}
    assert venue.resting() == []


def test_a_call_the_bot_buys_back_leaves_the_shares_guarded_by_a_stop_of_their_own(desk: Shares) -> None:
    venue, guard = held(desk, 200, 2)
    before = cash(venue)

    traded(venue, "buy_to_close", 2)

    until(lambda: desk.stops() == {"SPY": Decimal(200)}, "the shares' own stop", told=guard.tail)
    assert venue.positions() == desk.held() == {"SPY": Decimal(200)}
    assert shapes(desk) == []
    assert combos(venue) == []
    assert cash(venue) - before == Decimal("-820")
    assert pnl(desk) == Decimal(-20)


def test_refused_as_one_order_it_is_closed_with_the_calls_first(desk: Shares) -> None:
    venue, guard = held(desk, 100, 1)
    words = {"kind": "refused", "status": 400, "body": {"errors": {"error": "no such class here"}}}
    venue.trouble({"operation": "submit", "fault": words, "count": 2})
    (id,) = desk.book().state.structures

    closed = desk.run("close", id, "--wait", WAIT)

    assert closed.code == 0, closed.out + closed.err + guard.tail()
    assert venue.positions() == desk.held() == {}
    singles = [row for row in venue.rows() if row["class"] in ("option", "equity") and row["status"] == "filled"]
    assert [row["side"] for row in sorted(singles, key=lambda each: each["id"])][-2:] == ["buy_to_close", "sell"]


def test_it_is_opened_and_closed_in_parts_as_one_order(desk: Shares) -> None:
    venue = desk.venue()
    desk.at(venue, POLICY)
    guard = desk.guarded()

    legs = ("--legs", f"SPY:+100 {CALL}:-1", "--quantity", "2", "--debit", "396.10")
    opened = desk.run("open", "paper", *legs, "--wait", WAIT)

    assert opened.code == 0, opened.out + opened.err + guard.tail()
    assert venue.positions() == desk.held() == {"SPY": Decimal(200), CALL: Decimal(-2)}
    (id,) = desk.book().state.structures
    half = desk.run("close", id, "--quantity", "1", "--wait", WAIT)
    assert half.code == 0, half.out + half.err + guard.tail()
    assert venue.positions() == desk.held() == {"SPY": Decimal(100), CALL: Decimal(-1)}
    rest = desk.run("close", id, "--wait", WAIT)
    assert rest.code == 0, rest.out + rest.err + guard.tail()
    assert venue.positions() == desk.held() == {}
    assert combos(venue)[0] == combos(venue)[-1] == "filled"
    assert {row["class"] for row in venue.rows()} == {"combo"}
