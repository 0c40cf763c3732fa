"""The founding loss over real sockets: a bot rewrites its file, a spread is lost; the guard says so, its stop stays."""

import json
import os
import signal
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from standfast.model.journal import AlertRaised
from tests.acceptance.stage import Guard, until
from tests.acceptance.test_spreads import BOUGHT, POLICY, SOLD, Desk, bought_by_a_bot
from tests.acceptance.test_tradier import Venue

SPREAD = {"id": "spx-1", "status": "open", "option_symbols": [SOLD, BOUGHT], "contracts": 3, "credit": 3.70}
OTHER = {"id": "ndx-1", "status": "closed", "option_symbols": ["NDXP260105P24000000"], "contracts": 1, "credit": 9.0}
TRACKER = """
[accounts.tracker]
kind = "json"
path = "orders_paper.json"
entries = "$.orders[*]"
position = "id"
symbols = "option_symbols[*]"
side = ["=sell", "=buy"]
quantity = "contracts"
only = { status = ["open", "closing"] }
[[policies]]
"""


class Tracked(Desk):
    """A desk whose bot keeps a record."""

    @property
    def record(self) -> Path:
        return self.folder / "orders_paper.json"

    def at(self, venue: Venue, policy: str = POLICY) -> None:
        super().at(venue, policy)
        self.config.write_text(self.config.read_text().replace("\n[[policies]]\n", TRACKER, 1))

    def write(self, *entries: object) -> None:
        """As a bot does: truncate, and write anew."""
        self.record.write_text(json.dumps({"orders": entries}, indent=2))

    def told(self) -> list[str]:
        return [fact.text for fact in self.facts(AlertRaised) if "own record" in fact.text]

    def breaks(self) -> list[dict[str, Any]]:
        found = json.loads(self.run("breaks", "--json").out)["breaks"]
        return [each for each in found if each["kind"] == "bot_lost"]


@pytest.fixture
def tracked(tmp_path: Path) -> Iterator[Tracked]:
    found = Tracked(tmp_path)
    with found:
        yield found


def holding(tracked: Tracked) -> tuple[Venue, Guard]:
    """A spread of the bot's, in its record, and guarded as one position."""
    venue = tracked.venue()
    tracked.at(venue)
    guard = tracked.guarded()
    bought_by_a_bot(venue)
    tracked.write(SPREAD, OTHER)
    until(lambda: tracked.book().state.structures, "the structure", told=guard.tail)
    return venue, guard


def test_a_spread_that_the_bots_file_loses_is_told_and_keeps_its_stop(tracked: Tracked) -> None:
    venue, guard = holding(tracked)

    tracked.write(OTHER)  # the other trade was closed, and the file written anew without this one

    (text,) = until(tracked.told, "the alarm", told=guard.tail)
    assert "the bot's own record has nothing, the broker holds 3 x" in text
    assert "The guard keeps it under its rules" in text
    (shown,) = tracked.breaks()
    structure = tracked.structure()
    assert (shown["booked"], shown["confirmed"]) == ("nothing", True)
    assert structure.id in tracked.run("explain", shown["id"]).out

    venue.quote(BOUGHT, "1.00", "1.10")
    venue.quote(SOLD, "6.50", "6.60")  # closing costs 5.60 at the worst side: 51 % more than was received

    proof = until(lambda: tracked.proven(structure.id), "the spread to be settled", told=guard.tail)
    assert proof.reason == "stop_loss"
    assert venue.positions() == tracked.held() == {}
    until(lambda: not tracked.breaks(), "the break to end", told=guard.tail)
    assert len(tracked.told()) == 1
    assert json.loads(tracked.record.read_text()) == {"orders": [OTHER]}


def test_half_written_links_and_a_missing_file_are_told_only_when_they_last(tracked: Tracked) -> None:
    _, guard = holding(tracked)
    whole = tracked.record.read_bytes()
    for cut in (0, 1, len(whole) // 2, len(whole) - 1):
        tracked.record.write_bytes(whole[:cut])
        tracked.record.write_bytes(whole)
    new = tracked.folder / "new.json"
    new.write_bytes(whole)
    tracked.record.unlink()
    tracked.record.symlink_to(new)
    assert tracked.told() == []

    tracked.record.unlink()
    os.mkfifo(tracked.record)

    (text,) = until(tracked.told, "the blindness", told=guard.tail)
    assert "cannot be read" in text
    assert "not a regular file" in text
    (blind,) = [each for each in json.loads(tracked.run("breaks", "--json").out)["breaks"] if each["kind"] == "blind"]
    assert blind["instrument"] is None
    tracked.record.unlink()
    tracked.write(SPREAD)
    until(lambda: not tracked.book().state.breaks, "it to see again", told=guard.tail)
    assert tracked.held() == {SOLD: Decimal(-3), BOUGHT: Decimal(3)}


def test_scan_and_doctor_read_it_without_a_guard(tracked: Tracked) -> None:
    venue = tracked.venue()
    tracked.at(venue)
    bought_by_a_bot(venue)
    tracked.write(SPREAD)
    until(lambda: venue.positions(), "the spread")
    checks = {each["name"]: each for each in json.loads(tracked.run("doctor", "--json").out)["checks"]}
    assert checks["paper: bot's own record"]["ok"]
    assert "1 entries, 2 instruments" in checks["paper: bot's own record"]["detail"]
    kinds = {each["kind"] for each in json.loads(tracked.run("scan", "--json").out)["breaks"]}
    assert "bot_lost" not in kinds

    tracked.write()

    found = [each for each in json.loads(tracked.run("scan", "--json").out)["breaks"] if each["kind"] == "bot_lost"]
    assert {each["instrument"]: each["reported"] for each in found} == {SOLD: "-3", BOUGHT: "3"}
    tracked.record.unlink()
    scanned = tracked.run("scan", "--json")
    assert scanned.code == 3
    assert "No such file" in json.loads(scanned.out)["unverified"][0]
    checks = {each["name"]: each for each in json.loads(tracked.run("doctor", "--json").out)["checks"]}
    assert not checks["paper: bot's own record"]["ok"]
    assert "accounts.tracker" in checks["paper: bot's own record"]["remedy"]


def test_another_record_is_read_after_a_reload(tracked: Tracked) -> None:
    _, guard = holding(tracked)
    other = tracked.folder / "moved.json"
    other.write_text(json.dumps({"orders": [OTHER]}))
    tracked.config.write_text(tracked.config.read_text().replace("orders_paper.json", "moved.json"))

    guard.send(signal.SIGHUP)

    (text,) = until(tracked.told, "the alarm", told=guard.tail)
    assert "has nothing" in text
    assert "moved.json" in text
