"""A bot's existing record taken into the ledger over real sockets: beside a guard and alone, from a file or a table."""

import json
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import apsw
import pytest

from standfast.model.ids import PositionId
from standfast.model.journal import PositionDescribed
from tests.acceptance.stage import until
from tests.acceptance.test_own_record import Tracked
from tests.acceptance.test_spreads import BOUGHT, SOLD, bought_by_a_bot
from tests.acceptance.test_tradier import Venue
from tests.trackers.postgres_server import running

POLICIES = """exits_held_by = "guard"
stop_loss = "90%"
[[policies]]
name = "gamma"
match = { strategy = "gamma" }
exits_held_by = "guard"
stop_loss = "50%"
"""
SPREAD = {
    "id": "spx-1",
    "strategy": "gamma",
    "legs": [{"symbol": SOLD, "side": "sell"}, {"symbol": BOUGHT, "side": "buy"}],
    "contracts": 3,
    "credit": 3.75,
    "entered": "2026-01-05T14:25:00Z",
    "stop": 9.9,
}
PHANTOM = {**SPREAD, "id": "spx-0", "legs": [{"symbol": "SPX", "side": "buy"}], "credit": 1.0, "stop": None}
FILE = """
[accounts.tracker]
kind = "json"
path = "orders_paper.json"
entries = "$[*]"
position = "id"
strategy = "strategy"
symbols = "legs[*].symbol"
side = "legs[*].side"
quantity = "contracts"
entry_price = "credit"
entry_time = "entered"
stop = "stop"
[[policies]]
"""
TABLE = """
[accounts.tracker]
kind = "sql"
path = "{path}"
entries = "SELECT * FROM legs WHERE closed = 0"
position = "trade"
strategy = "strategy"
symbols = "symbol"
quantity = "quantity"
entry_price = "price"
[[policies]]
"""
LEGS = f"""
CREATE TABLE legs (trade TEXT, strategy TEXT, symbol TEXT, quantity INTEGER, price NUMERIC(10, 2), closed INTEGER);
INSERT INTO legs VALUES ('t-1', 'gamma', '{SOLD}', -3, 4.85, 0);
INSERT INTO legs VALUES ('t-1', 'gamma', '{BOUGHT}', 3, 1.15, 0);
INSERT INTO legs VALUES ('t-0', 'gamma', '{SOLD}', -1, 4.00, 1);
"""


class Desk(Tracked):
    tracker = FILE

    def at(self, venue: Venue, policy: str = POLICIES) -> None:
        super().at(venue, policy)
        text = self.config.read_text()
        start = text.index("[accounts.tracker]")
        end = text.index("[[policies]]", start)
        text = text[:start] + self.tracker.strip().removesuffix("[[policies]]") + text[end:]
        first, second = text.split('[[policies]]\nname = "default"\n', 1)
        general, gamma = second.split('[[policies]]\nname = "gamma"\n', 1)
        gamma, alerts = gamma.split("[[alerts]]", 1)
        swapped = f'[[policies]]\nname = "gamma"\n{gamma}[[policies]]\nname = "default"\n{general}[[alerts]]{alerts}'
        self.config.write_text(first + swapped)

    def write(self, *entries: object) -> None:
        self.record.write_text(json.dumps(entries))

    def imported(self, *more: str) -> tuple[int, dict[str, Any]]:
        ran = self.run("import", "paper", "--json", *more)
        rows = json.loads(ran.out)["import"] if ran.out else []
        assert rows or ran.code, ran.err
        return ran.code, {row["name"]: row for row in rows}

    def strategies(self) -> dict[PositionId, str]:
        return {each.id: each.strategy for each in self.book().state.structures.values()}


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    found = Desk(tmp_path)
    with found:
        yield found


def standing(desk: Desk) -> Venue:
    """A spread that the bot has held since before there was a guard."""
    venue = desk.venue()
    desk.at(venue)
    bought_by_a_bot(venue)
    until(lambda: venue.positions(), "the spread")
    return venue


def test_it_shows_first_takes_in_what_the_broker_holds_and_nothing_twice(desk: Desk) -> None:
    venue = standing(desk)
    desk.write(SPREAD, PHANTOM)

    code, shown = desk.imported("--dry-run")
    assert code == 1
    assert shown["spx-1"]["ok"], shown["spx-1"]["detail"]
    assert not shown["spx-0"]["ok"]
    assert "the broker does not hold it" in shown["spx-0"]["detail"]
    assert not desk.ledger.exists(), "a dry run writes nothing"
    assert desk.run("import", "paper").code == 1, "without a terminal and without --yes nothing is done"
    assert not desk.ledger.exists()

    code, done = desk.imported("--yes")

    assert code == 1
    assert [row["ok"] for row in (done["spx-1"], done["spx-0"])] == [True, False], done
    structure = desk.structure()
    assert (structure.strategy, structure.stop, structure.units) == ("gamma", Decimal("-9.9"), Decimal(3))
    assert str(structure.opened_at) == "2026-01-05 14:25:00+00:00"
    (shown_now,) = json.loads(desk.run("positions", "--json").out)["positions"]
    assert (shown_now["strategy"], shown_now["adopted"]) == ("gamma", True)
    head = len(desk.entries())

    code, again = desk.imported("--yes")

    assert code == 1
    assert again["spx-1"]["detail"] == f"{structure.id} is in the books already"
    assert len(desk.entries()) == head
    assert venue.positions() == desk.held() == {SOLD: Decimal(-3), BOUGHT: Decimal(3)}


def test_what_a_running_guard_has_adopted_gets_its_name_and_its_own_policy(desk: Desk) -> None:
    venue = standing(desk)
    guard = desk.guarded()
    until(lambda: list(desk.strategies().values()) == ["foreign"], "the structure", told=guard.tail)
    desk.write({**SPREAD, "stop": None})

    code, done = desk.imported("--yes")

    assert code == 0, done["spx-1"]["detail"]
    structure = desk.structure()
    assert structure.strategy == "gamma"
    assert {fact.by.partition("@")[2] != "" for fact in desk.facts(PositionDescribed)} == {True}
    assert desk.imported()[0] == 0, "nothing is left to do, and nobody is asked"
    told = desk.run("explain", structure.id).out
    assert "says it is gamma" in told

    venue.quote(BOUGHT, "1.00", "1.10")
    venue.quote(SOLD, "7.00", "7.10")  # 56 % more than it cost when it was adopted: beyond its own policy's stop alone

    proof = until(lambda: desk.proven(structure.id), "the spread to be settled", told=guard.tail)
    assert proof.reason == "stop_loss"
    assert venue.positions() == desk.held() == {}


@pytest.mark.parametrize("kind", ["sqlite", "postgresql"])
def test_a_table_of_legs_is_taken_in_from_a_database(
    desk: Desk, kind: str, tmp_path_factory: pytest.TempPathFactory
) -> None:
    if kind == "sqlite":
        bot = apsw.Connection(str(desk.folder / "bot.db"))
        bot.execute(LEGS)
        bot.close()
        _taken_from_a_table(desk, "bot.db")
        return
    asyncpg: Any = pytest.importorskip("asyncpg", reason="PostgreSQL: pip install 'standfast[postgres]'")
    with running(tmp_path_factory.mktemp("postgres")) as address:
        _fill(asyncpg, address)
        _taken_from_a_table(desk, address)


def _fill(asyncpg: Any, address: str) -> None:
    import asyncio

    async def fill() -> None:
        connection = await asyncpg.connect(address)
        await connection.execute(LEGS)
        await connection.close()

    asyncio.run(fill())


def _taken_from_a_table(desk: Desk, path: str) -> None:
    desk.tracker = TABLE.format(path=path)
    standing(desk)

    code, done = desk.imported("--yes")

    assert code == 0, done
    assert list(done) == ["t-1"]
    prices = {p.holding.instrument: p.entry_price for p in desk.book().state.positions.values()}
    assert prices == {SOLD: Decimal("4.85"), BOUGHT: Decimal("1.15")}
    assert desk.structure().strategy == "gamma"


@pytest.mark.parametrize(
    ("gone", "told"),
    [
        ('quantity = "contracts"\n', "tracker.side"),
        ('quantity = "contracts"\nside = "legs[*].side"\n', "tracker.quantity is missing"),
        (None, "tracker is missing"),
    ],
)
def test_without_a_mapping_it_says_what_to_write(desk: Desk, gone: str | None, told: str) -> None:
    venue = desk.venue()
    desk.at(venue)
    text = desk.config.read_text()
    start, end = text.index("[accounts.tracker]"), text.index("[[policies]]")
    for line in (gone or "").splitlines(keepends=True):
        text = text.replace(line, "")
    desk.config.write_text(text if gone else text[:start] + text[end:])
    desk.config.chmod(0o600)

    ran = desk.run("import", "paper", "--dry-run")

    assert ran.code == 78
    assert told in ran.err
