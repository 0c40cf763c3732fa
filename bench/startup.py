"""Starting a guard on a ledger with many open positions, each with its entry, its fill and its resting stop.

The exchange holds the same: built by its engine, served from this process with its request budget lifted. The ledger is
written through the real store from what that engine answered, with a saved book as old as a running guard would leave
behind when it is killed. What is measured is the processor time of a whole `standfast guard --once`: interpreter,
imports, ledger, reads, one look at everything that agrees, and the end of the process.
"""

import asyncio
import resource
import statistics
import tempfile
from pathlib import Path

from bench.figures import Figure
from bench.history import ACCOUNT, LATER, history, options, write
from bench.restart import OF_THE_GUARD, WRITES
from bench.stage import STANDFAST, environment, settings
from standfast.exchange.dialects.venue import Venue
from standfast.exchange.server import ExchangeServer, build
from standfast.stores.sqlite.reading import LedgerReader

SMALL, LARGE = 1_000, 10_000
GOAL = 3.0
GROWTH_GOAL = 12.0
ROUNDS = 3


def figures() -> list[Figure]:
    seconds = {count: asyncio.run(_measure(count)) for count in (SMALL, LARGE)}
    small, large = (statistics.median(each) for each in seconds.values())
    best, worst = min(seconds[LARGE]), max(seconds[LARGE])
    said = f"median of {ROUNDS} whole processes, the best {best:.2f} s, the worst {worst:.2f} s"
    return [
        Figure(name=f"start-up on {LARGE:,} open positions, processor", value=large, goal=GOAL, detail=said),
        Figure(name=f"start-up on {LARGE:,} next to {SMALL:,}", value=large, floor=small, goal=GROWTH_GOAL),
    ]


async def _measure(count: int) -> list[float]:
    """Seconds of the guard's own processor time, for each start."""
    venue = build(options(count))
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        began = venue.now
        facts = list(history(venue, count))
        venue.advance(began + LATER)
        await write(folder / "standfast.db", facts, began)
        async with ExchangeServer(venue, per_minute=None) as server:
            config = settings(folder, server.url, held_by="broker")
            return [await _start(venue, config) for _ in range(ROUNDS)]


async def _start(venue: Venue, config: Path) -> float:
    head, asked = _head(config), len(venue.log)
    before = _spent()
    command = [*STANDFAST, "guard", "--once", "--config", str(config)]
    with config.with_name("guard.log").open("ab") as log:
        process = await asyncio.create_subprocess_exec(*command, stdout=log, stderr=log, env=environment())
        code = await process.wait()
    spent = _spent() - before
    assert code == 0, code
    _prove_quiet(config, head, [row.operation for row in list(venue.log)[asked:]])
    return spent


def _spent() -> float:
    """Processor seconds of the children that have ended."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def _prove_quiet(config: Path, head: int, asked: list[str]) -> None:
    """Everything was read, nothing was sent, and nothing was recorded but that the guard came and went."""
    assert {"positions", "orders", "activities", "clock"} <= set(asked), asked[:20]
    assert not WRITES & set(asked), [row for row in asked if row in WRITES][:3]
    with LedgerReader(config.with_name("standfast.db")) as reader:
        gained = [type(entry.fact).__name__ for entry in reader.entries(ACCOUNT, head)]
    assert set(gained) <= OF_THE_GUARD, gained[:10]


def _head(config: Path) -> int:
    with LedgerReader(config.with_name("standfast.db")) as reader:
        return int(reader.head(ACCOUNT)[0])
