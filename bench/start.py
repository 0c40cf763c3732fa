"""How long a verb takes to start, next to its floor: the start of bare Python, strictly alternating.

Whole processes are timed, as a shell would see them: the installed command, from start to end. Byte code is written
before the first round (an installation has it) whatever the environment says about it.
"""

import asyncio
import os
import statistics
import subprocess
import sys
import sysconfig
import tempfile
import time
from collections.abc import Sequence
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path

from bench.figures import Figure
from standfast.model.ids import AccountId, BrokerOrderId, ExecutionId, Holding, InstrumentId, PositionId
from standfast.model.journal import Allocation, Fact, FillBooked, OpeningRequested
from standfast.model.order import Fill, Side
from standfast.stores.sqlite.store import SqliteStore

ROUNDS = 21
WARM_UP = 2
HELP_GOAL = 8.0
POSITIONS_GOAL = 12.0
HELD = 10
START = datetime(2026, 1, 5, 15, tzinfo=UTC)
ACCOUNT = AccountId("paper")

SETTINGS = """\
[[accounts]]
name = "paper"
broker = "alpaca"
key_id = "env:KEY"
secret = "env:SECRET"

[[policies]]
name = "default"
stop_loss = "2%"
"""


def figures() -> list[Figure]:
    """The slowest help of any verb, and `positions` over a small ledger; seconds, medians."""
    with tempfile.TemporaryDirectory() as folder:
        config = Path(folder) / "standfast.toml"
        config.write_text(SETTINGS)
        asyncio.run(_write_ledger(Path(folder) / "standfast.db"))
        verb = _slowest_help()
        return [
            _measure(f"start: standfast {verb} --help", HELP_GOAL, [*verb.split(), "--help"]),
            _measure("start: standfast positions", POSITIONS_GOAL, ["positions", "--config", str(config)]),
        ]


def _slowest_help() -> str:
    from standfast.cli.main import VERBS

    took = {verb: min(_seconds([*_command(), *verb.split(), "--help"]) for _ in range(3)) for verb in VERBS}
    return max(took, key=lambda verb: took[verb])


def _measure(name: str, goal: float, arguments: Sequence[str]) -> Figure:
    floors, values = [], []
    for turn in range(ROUNDS + WARM_UP):
        floor, value = _seconds([sys.executable, "-c", "pass"]), _seconds([*_command(), *arguments])
        if turn >= WARM_UP:
            floors.append(floor)
            values.append(value)
    value, floor = statistics.median(values), statistics.median(floors)
    return Figure(name=name, value=value, floor=floor, goal=goal)


def _command() -> list[str]:
    installed = Path(sysconfig.get_path("scripts")) / "standfast"
    return [str(installed)] if installed.exists() else [sys.executable, "-m", "standfast"]


def _seconds(command: Sequence[str]) -> float:
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("PYTHON", "STANDFAST"))}
    began = time.perf_counter()
    subprocess.run(command, env=environment, stdout=subprocess.DEVNULL, check=True)
    return time.perf_counter() - began


async def _write_ledger(path: Path) -> None:
    store = SqliteStore(path, ballast=0)
    journal = await store.acquire(ACCOUNT, "bench", START)
    for number in range(HELD):
        await journal.append(_opened(number), START)
    await journal.release()
    await store.close()


def _opened(number: int) -> list[Fact]:
    position, holding = PositionId(f"p{number}"), Holding(InstrumentId(f"S{number}"))
    fill = Fill(
        execution_id=ExecutionId(f"x{number}"),
        broker_order_id=BrokerOrderId(f"b{number}"),
        holding=holding,
        side=Side.BUY,
        quantity=Decimal(10),
        price=Decimal(100),
        at=START,
    )
    return [
        OpeningRequested(
            position=position, key=f"k{number}", holding=holding, quantity=Decimal(10), strategy="bench", by="bench"
        ),
        FillBooked(fill=fill, allocations=(Allocation(position=position, quantity=Decimal(10), opens=True),)),
    ]
