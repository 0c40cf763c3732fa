"""A spread at Tradier over real sockets: opened, judged and closed as one position, and proven flat leg by leg."""

from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from standfast.model.ids import PositionId
from standfast.model.journal import PositionSettled
from standfast.model.structure import BookedStructure
from tests.acceptance.stage import Guard, Ran, until
from tests.acceptance.test_tradier import NUMBER, Place, Venue

SOLD, BOUGHT = "SPXW260105P06885000", "SPXW260105P06785000"
LEGS = f"{SOLD}:-1 {BOUGHT}:+1"
POLICY = 'exits_held_by = "guard"\nstop_loss = "50%"\n'


class Desk(Place):
    def venue(self) -> Venue:
        named = ("--instrument", f"{SOLD}=5", "--instrument", f"{BOUGHT}=1")
        still = ("--no-market", "--per-minute", "0", "--log", str(self.tape), "--dialect", "tradier")
        started = Venue(("--port", "0", "--clock", "x10", *still, *named), self.folder)
        self.started.append(started)
        started.quote(SOLD, "4.90", "5.00")
        started.quote(BOUGHT, "1.10", "1.20")
        return started

    def opened(self, *more: str) -> Ran:
        return self.run("open", "paper", "--legs", LEGS, "--quantity", "3", "--credit", "3.70", "--wait", "30s", *more)

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

    assert opened.code == 0, opened.out + opened.err + guard.tail
    (order,) = spreads(venue)
    assert (order["type"], order["status"]) == ("credit", "filled")
    held = {SOLD: Decimal(-3), BOUGHT: Decimal(3)}
    assert venue.positions() == desk.held() == held
    structure = desk.structure()

    venue.quote(BOUGHT, "1.00", "1.10")
    venue.quote(SOLD, "6.50", "6.60")  # closing costs 5.60 at the worst side: 51 % more than was received

    proof = until(lambda: desk.proven(structure.id), "the spread to be settled", 60, told=guard.tail)
    assert proof.reason == "stop_loss"
    assert venue.positions() == desk.held() == {}
    assert venue.resting() == []
    assert [order["status"] for order in spreads(venue)][-1] == "filled"
    assert cash(venue) - before == pnl(desk) < 0


def test_a_spread_is_closed_by_its_operator(desk: Desk) -> None:
    venue, guard = guarded(desk)
    assert desk.opened().code == 0, guard.tail
    structure = desk.structure()

    closed = desk.run("close", structure.id, "--wait", "60s")

    assert closed.code == 0, closed.out + closed.err + guard.tail
    assert venue.positions() == desk.held() == {}
