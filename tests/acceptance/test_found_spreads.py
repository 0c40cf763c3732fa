"""Legs that a guard finds at Tradier: made into spreads, told where they fit nowhere, taken apart again by hand."""

import json
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path

import pytest

from standfast.model.journal import AlertRaised, EndsCompared, LotSplit, StructureFormed
from tests.acceptance.stage import WAIT, Guard, until
from tests.acceptance.test_spreads import Desk, bought_by_a_bot
from tests.acceptance.test_tradier import Venue

SOLD, BOUGHT, LOWER = "SPXW260105P06885000", "SPXW260105P06785000", "SPXW260105P06685000"
PRICES = {"SPX": ("6899.50", "6900.50"), SOLD: ("4.90", "5.00"), BOUGHT: ("1.10", "1.20"), LOWER: ("0.40", "0.45")}
POLICY = """\
match = { kind = "option" }
exits_held_by = "guard"
stop_loss = "200%"
[[policies]]
name = "rest"
match = { account = "*" }
"""


class Market(Desk):
    prices = PRICES

    def venue(self) -> Venue:
        named = [word for name, (bid, _) in self.prices.items() for word in ("--instrument", f"{name}={bid}")]
        still = ("--no-market", "--per-minute", "0", "--log", str(self.tape), "--dialect", "tradier")
        started = Venue(("--port", "0", "--clock", "x10", *still, *named), self.folder)
        self.started.append(started)
        for name, (bid, ask) in self.prices.items():
            started.quote(name, bid, ask)
        return started


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Market]:
    found = Market(tmp_path)
    with found:
        yield found


def found(desk: Market, **held: int) -> tuple[Venue, Guard]:
    """A bot has traded leg by leg, what is bought first; then a guard is started."""
    venue = desk.venue()
    desk.at(venue, POLICY)
    for name, quantity in sorted(held.items(), key=lambda each: -each[1]):
        side = "buy_to_open" if quantity > 0 else "sell_to_open"
        form = {"class": "option", "symbol": "SPX", "option_symbol": name, "side": side, "quantity": str(abs(quantity))}
        venue.order(**form)
    return venue, desk.guarded()


def shapes(desk: Market) -> list[tuple[Decimal, dict[str, int]]]:
    kept = desk.book().state.structures.values()
    return [(each.units, {str(leg.holding.instrument): leg.ratio for leg in each.legs}) for each in kept]


def test_spreads_that_share_a_contract_are_booked_as_two_and_one_is_taken_apart_by_hand(desk: Market) -> None:
    held = {SOLD: -5, BOUGHT: 3, LOWER: 2}
    venue, guard = found(desk, **held)

    formed = until(lambda: shapes(desk) if len(shapes(desk)) == 2 else None, "two spreads", told=guard.tail)

    assert (Decimal(3), {SOLD: -1, BOUGHT: 1}) in formed
    assert (Decimal(2), {SOLD: -1, LOWER: 1}) in formed
    assert len(desk.facts(LotSplit)) == 1
    assert desk.held() == venue.positions() == {name: Decimal(quantity) for name, quantity in held.items()}
    rows = json.loads(desk.run("positions", "--json").out)["positions"]
    assert sorted(row["kind"] for row in rows) == ["vertical", "vertical"]
    told = desk.run("explain", rows[0]["id"]).out
    assert "one structure" in told

    entry = next(str(each.number) for each in desk.entries() if isinstance(each.fact, StructureFormed))
    undone = desk.run("undo", entry, "--account", "paper", "--wait", WAIT)

    assert undone.code == 0, undone.out + undone.err
    assert "judged alone" in undone.out
    assert len(shapes(desk)) == 1
    assert desk.held() == venue.positions()


def test_a_leg_that_fits_nowhere_is_guarded_alone_and_told(desk: Market) -> None:
    venue, guard = found(desk, **{SOLD: -2, BOUGHT: 3})

    (alert,) = until(
        lambda: [each for each in desk.facts(AlertRaised) if "fit in no structure" in each.text],
        "the alarm",
        told=lambda: (shapes(desk), desk.facts(AlertRaised), guard.tail()),
    )

    assert shapes(desk) == [(Decimal(2), {SOLD: -1, BOUGHT: 1})]
    assert f"{BOUGHT} " in alert.text
    assert ": +1 of it fit" in alert.text
    broken = json.loads(desk.run("breaks", "--json").out)["breaks"]
    assert ("structure", BOUGHT) in {(each["kind"], each["instrument"]) for each in broken}
    assert desk.held() == venue.positions()


def test_how_a_spread_expired_is_inferred_at_its_end_and_compared_with_the_brokers_account_of_the_day(
    desk: Market,
) -> None:
    venue = desk.venue()
    desk.at(venue, POLICY)
    desk.config.write_text(desk.config.read_text().replace('mode = "repair"', 'mode = "alert"'))
    bought_by_a_bot(venue)
    guard = desk.guarded()
    until(lambda: desk.book().state.structures, "the structure", told=guard.tail)
    venue.ask("POST", "/sim/advance", {"to": "2026-01-06T00:30:00Z"})
    until(lambda: desk.held() == {}, "its end to be booked", told=guard.tail)
    assert len(desk.book().state.inferred) == 2
    past = json.loads(desk.run("history", "--json").out)
    assert sum(Decimal(day["pnl"]) for day in past["days"]) == sum(Decimal(row["pnl"]) for row in past["history"]) != 0
    assert guard.stop() == 0

    venue.ask("POST", "/sim/advance", {"to": "2026-01-06T14:31:00Z"})
    desk.guarded()

    (compared,) = until(lambda: desk.facts(EndsCompared), "the comparison", told=guard.tail)
    assert (compared.day, compared.agrees) == ("2026-01-05", True), compared.told
    assert desk.book().state.inferred == {}
