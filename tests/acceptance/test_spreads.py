"""A spread at Tradier over real sockets: opened, judged and closed as one position, and proven flat leg by leg."""

import json
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from standfast.model.alert import Severity
from standfast.model.ids import PositionId
from standfast.model.journal import AlertRaised, CloseRequested, PositionSettled
from standfast.model.position import Standing
from standfast.model.structure import BookedStructure
from tests.acceptance.stage import WAIT, Guard, until
from tests.acceptance.test_tradier import LOST_ANSWER, NEVER_THERE, NUMBER, Place, Venue
from tests.cli.running import Ran

SOLD, BOUGHT = "SPXW260105P06885000", "SPXW260105P06785000"
LEGS = f"{SOLD}:-1 {BOUGHT}:+1"
POLICY = 'exits_held_by = "guard"\nstop_loss = "50%"\n'


class Desk(Place):
    def venue(self) -> Venue:
        named = ("--instrument", f"{SOLD}=5", "--instrument", f"{BOUGHT}=1", "--instrument", "SPX=6900")
        still = ("--no-market", "--per-minute", "0", "--log", str(self.tape), "--dialect", "tradier")
        started = Venue(("--port", "0", "--clock", "x10", *still, *named), self.folder)
        self.started.append(started)
        started.quote("SPX", "6899.50", "6900.50")
        started.quote(SOLD, "4.90", "5.00")
        started.quote(BOUGHT, "1.10", "1.20")
        return started

    def opened(self, *more: str) -> Ran:
        return self.run("open", "paper", "--legs", LEGS, "--quantity", "3", "--credit", "3.70", "--wait", WAIT, *more)

    def structure(self) -> BookedStructure:
        (found,) = self.book().state.structures.values()
        return found

    def proven(self, id: PositionId) -> PositionSettled | None:
        return next((fact for fact in self.facts(PositionSettled) if fact.position == id), None)


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    found = Desk(tmp_path)
    with found:
        yield found


def spreads(venue: Venue) -> list[dict[str, Any]]:
    return [row for row in venue.rows() if row["class"] == "multileg"]


def pnl(desk: Desk) -> Decimal:
    return sum((position.pnl - position.fees for position in desk.book().state.closed.values()), Decimal(0))


def cash(venue: Venue) -> Decimal:
    return Decimal(str(venue.tradier("GET", f"/v1/accounts/{NUMBER}/balances")["balances"]["total_cash"]))


def guarded(desk: Desk, policy: str = POLICY) -> tuple[Venue, Guard]:
    venue = desk.venue()
    desk.at(venue, policy)
    return venue, desk.guarded()


def test_a_put_spread_is_opened_as_one_runs_into_its_stop_and_is_proven_flat(desk: Desk) -> None:
    venue, guard = guarded(desk)
    before = cash(venue)

    opened = desk.opened()

    assert opened.code == 0, opened.out + opened.err + guard.tail()
    (order,) = spreads(venue)
    assert (order["type"], order["status"]) == ("credit", "filled")
    held = {SOLD: Decimal(-3), BOUGHT: Decimal(3)}
    assert venue.positions() == desk.held() == held
    structure = desk.structure()

    venue.quote(BOUGHT, "1.00", "1.10")
    venue.quote(SOLD, "6.50", "6.60")  # closing costs 5.60 at the worst side: 51 % more than was received

    proof = until(lambda: desk.proven(structure.id), "the spread to be settled", told=guard.tail)
    assert proof.reason == "stop_loss"
    assert venue.positions() == desk.held() == {}
    assert venue.resting() == []
    assert [order["status"] for order in spreads(venue)][-1] == "filled"
    assert cash(venue) - before == pnl(desk) < 0


def test_a_spread_is_closed_by_its_operator(desk: Desk) -> None:
    venue, guard = guarded(desk)
    assert desk.opened().code == 0, guard.tail
    structure = desk.structure()

    closed = desk.run("close", structure.id, "--wait", WAIT)

    assert closed.code == 0, closed.out + closed.err + guard.tail()
    assert venue.positions() == desk.held() == {}


def test_every_verb_shows_it_as_one_position_with_its_legs(desk: Desk) -> None:
    _, guard = guarded(desk)
    assert desk.opened().code == 0, guard.tail
    structure = desk.structure()

    (shown,) = json.loads(desk.run("positions", "--json").out)["positions"]

    assert (shown["id"], shown["kind"], shown["units"], shown["direction"]) == (structure.id, "vertical", "3", "short")
    assert {leg["instrument"]: leg["quantity"] for leg in shown["legs"]} == {SOLD: "-3", BOUGHT: "3"}
    assert shown["protection"] == {
        "held_by": "guard",
        "stop_price": "-5.55",
        "quantity": "3",
        "covered": True,
        "naked_seconds": "0",
    }
    assert f"vertical {LEGS}" in " ".join(desk.run("positions").out.split())
    assert desk.run("close", structure.id, "--wait", WAIT).code == 0
    assert json.loads(desk.run("positions", "--json").out) == {"positions": []}
    (past,) = json.loads(desk.run("history", "--json").out)["history"]
    assert (past["id"], past["close_reason"], len(past["fills"])) == (structure.id, "operator", 4)
    told = desk.run("explain", structure.id).out
    assert "asks to open" in told
    assert "for all legs" in told
    assert f"{BOUGHT} at 1.2" in told


def test_a_stop_and_a_target_of_its_own_are_held_until_they_are_changed(desk: Desk) -> None:
    venue, guard = guarded(desk)
    wrong = desk.opened("--stop", "5.00")
    assert (wrong.code, "written below nothing" in wrong.out) == (1, True)

    opened = desk.opened("--stop", "-5.00", "--target", "-1.00")

    assert opened.code == 0, opened.out + opened.err + guard.tail()
    structure = desk.structure()
    assert (structure.stop, structure.target) == (Decimal("-5.00"), Decimal("-1.00"))
    (shown,) = desk.run("positions", "--json").document["positions"]
    assert shown["protection"]["stop_price"] == "-5"
    raised = desk.run("protect", structure.id, "--stop", "-4.50", "--wait", WAIT)
    assert raised.code == 0, raised.out + raised.err
    assert "stop -4.5, target -1" in raised.out

    venue.quote(SOLD, "5.50", "5.65")  # 4.55 to close: beyond the stop it was given, and within the policy's

    proof = until(lambda: desk.proven(structure.id), "the spread to be settled", told=guard.tail)
    assert proof.reason == "stop_loss"
    assert venue.positions() == desk.held() == {}


def test_the_portfolio_shows_both_sides_of_the_quotes_what_a_day_costs_and_the_worst_at_expiry(desk: Desk) -> None:
    venue, guard = guarded(desk)
    assert desk.opened().code == 0, guard.tail
    venue.quote(SOLD, "4.40", "4.60")
    venue.quote(BOUGHT, "1.00", "1.20")

    ran = desk.run("portfolio", "--json")

    assert ran.code == 0, ran.err
    (found,) = ran.document["portfolio"]
    (position,) = found["positions"]
    assert (position["entry"], position["now"], position["mid"]) == ("-3.7", "-3.6", "-3.4")
    assert (position["pnl"], position["pnl_mid"]) == (found["pnl"], found["pnl_mid"]) == ("30", "90")
    assert (position["result"], position["result_mid"]) == ("0.027027", "0.081081")
    (case,) = found["worst_cases"]
    assert case["worst"] == {"amount": "-28890", "at": "0"}
    assert case["best"] == {"amount": "1110", "at": "6885"}
    assert (case["underlying"], case["expiry"], found["worst_total"]) == ("SPX", "2026-01-05", "-28890")
    (lean,) = found["underlyings"]
    assert Decimal(lean["delta"]) > 0, "a sold put spread gains when the underlying rises"
    assert (found["without_greeks"], found["without_quote"], found["failure"], ran.code) == ([], [], None, 0)
    table = " ".join(desk.run("portfolio").out.split())
    assert "-3.7 -3.6 -3.4 +2.70% +8.11% +30.00 +90.00" in table
    assert "worst of all -28,890.00" in table

    venue.quote(BOUGHT, "0", "1.20")
    blind = desk.run("portfolio", "--json")

    (found,) = blind.document["portfolio"]
    assert (blind.code, found["without_quote"], found["pnl"]) == (3, [BOUGHT], None)


def bought_by_a_bot(
    venue: Venue, symbol: str = "SPX", sold: str = SOLD, bought: str = BOUGHT, credit: str = "3.70"
) -> None:
    venue.order(
        **{
            "class": "multileg",
            "symbol": symbol,
            "type": "credit",
            "price": credit,
            "option_symbol[0]": sold,
            "side[0]": "sell_to_open",
            "quantity[0]": "3",
            "option_symbol[1]": bought,
            "side[1]": "buy_to_open",
            "quantity[1]": "3",
        }
    )


@pytest.mark.parametrize("when", ["before the guard", "under its eyes"])
def test_a_spread_that_a_bot_opened_is_guarded_as_one_position(desk: Desk, when: str) -> None:
    venue = desk.venue()
    desk.at(venue, POLICY)
    if when == "before the guard":
        bought_by_a_bot(venue)
    guard = desk.guarded()
    if when == "under its eyes":
        bought_by_a_bot(venue)

    (structure,) = until(lambda: list(desk.book().state.structures.values()), "the structure", told=guard.tail)
    assert {leg.holding.instrument: leg.ratio for leg in structure.legs} == {SOLD: -1, BOUGHT: 1}
    assert (structure.units, structure.standing) == (Decimal(3), Standing.ADOPTED)
    venue.quote(BOUGHT, "1.00", "1.10")
    venue.quote(SOLD, "7.50", "7.60")

    proof = until(lambda: desk.proven(structure.id), "the spread to be settled", told=guard.tail)
    assert proof.reason == "stop_loss"
    assert venue.positions() == desk.held() == {}
    assert venue.resting() == []


def test_a_sold_leg_whose_delta_goes_beyond_the_limit_closes_the_whole_spread(desk: Desk) -> None:
    policy = 'exits_held_by = "guard"\nemergency_stop = "99%"\nshort_delta_limit = 0.01\n'
    venue, guard = guarded(desk, policy)
    refused = desk.opened()
    assert "short_delta_limit = 0.01 would close it at once" in refused.out, refused.out + refused.err
    bought_by_a_bot(venue)

    (proof,) = until(lambda: closed_as_one(desk), "the spread to be closed", told=guard.tail)
    assert proof.reason == "stop_loss"
    (asked,) = (fact for fact in desk.facts(CloseRequested) if fact.position == proof.position)
    assert SOLD in asked.detail
    assert "delta" in asked.detail
    assert venue.positions() == desk.held() == {}


def closed_as_one(desk: Desk) -> list[PositionSettled]:
    known = desk.book().state.closed_structures
    return [fact for fact in desk.facts(PositionSettled) if fact.position in known]


@pytest.mark.parametrize("fault", [LOST_ANSWER, NEVER_THERE], ids=["taken", "not taken"])
def test_an_opening_whose_answer_is_lost_is_found_or_given_up_and_never_doubled(
    desk: Desk, fault: dict[str, object]
) -> None:
    venue, guard = guarded(desk)
    venue.trouble({"operation": "submit", "fault": fault, "count": 1})

    opened = desk.opened()

    is_taken = fault is LOST_ANSWER
    assert (opened.code == 0) is is_taken, opened.out + opened.err + guard.tail()
    assert len(spreads(venue)) == (1 if is_taken else 0)
    assert venue.positions() == desk.held() == ({SOLD: Decimal(-3), BOUGHT: Decimal(3)} if is_taken else {})
    assert len(desk.book().state.structures) == (1 if is_taken else 0)


def test_a_guard_that_is_killed_while_a_spread_is_closed_closes_it_and_nothing_twice(desk: Desk) -> None:
    venue, guard = guarded(desk)
    assert desk.opened().code == 0
    structure = desk.structure()
    slow = {"kind": "slow", "seconds": 4, "late": "answer"}
    venue.trouble({"operation": "submit", "fault": slow, "count": 1})
    desk.run("close", structure.id, "--wait", "0s")

    until(lambda: len(spreads(venue)) == 2, "the close to be at the exchange", told=guard.tail)
    guard.kill()
    again = desk.guarded()

    until(lambda: desk.proven(structure.id), "the spread to be settled", told=again.tail)
    assert venue.positions() == desk.held() == {}
    assert venue.resting() == []


CALL, FAR = "SPY260105C00600000", "SPY260105C00610000"
ALERTING = 'match = { kind = "option" }\nexits_held_by = "guard"\nstop_loss = "900%"\n'


def test_the_pin_risk_of_a_sold_option_is_told_with_strike_and_distance_though_nothing_of_its_underlying_is_held(
    desk: Desk,
) -> None:
    named = ("--instrument", f"{CALL}=2", "--instrument", f"{FAR}=0.3", "--instrument", "SPY=606")
    still = ("--no-market", "--per-minute", "0", "--log", str(desk.tape), "--dialect", "tradier")
    venue = Venue(("--port", "0", "--clock", "x10", *still, *named), desk.folder)
    desk.started.append(venue)
    for name, bid, ask in (("SPY", "605.99", "606.01"), (CALL, "2.00", "2.02"), (FAR, "0.30", "0.32")):
        venue.quote(name, bid, ask)
    desk.at(venue, ALERTING)
    desk.config.write_text(desk.config.read_text().replace('mode = "repair"', 'mode = "alert"'))
    bought_by_a_bot(venue, "SPY", CALL, FAR, "1.60")
    venue.ask("POST", "/sim/advance", {"to": "2026-01-05T19:58:00Z"})
    for name, bid, ask in (("SPY", "605.99", "606.01"), (CALL, "2.00", "2.02"), (FAR, "0.30", "0.32")):
        venue.quote(name, bid, ask)
    guard = desk.guarded()
    until(lambda: desk.book().state.structures, "the structure", told=guard.tail)
    pinned = [alert for alert in desk.facts(AlertRaised) if "assigned" in alert.text]
    assert pinned == [], "it is a whole percent away"

    venue.quote("SPY", "600.49", "600.51")

    (alert,) = until(lambda: [a for a in desk.facts(AlertRaised) if "assigned" in a.text], "the alarm", told=guard.tail)
    assert alert.severity is Severity.CRITICAL
    assert f"{CALL} is sold, expires today, and SPY is at 600.50, 0.50 (0.08%) above its strike 600" in alert.text
    assert "SPY" not in venue.positions()
