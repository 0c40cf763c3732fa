"""Ten restarts with nothing changed: five asked for (SIGTERM), five by `kill -9`, each into an account that agrees.

Counted are the orders the exchange was sent and the facts about positions, orders and breaks that the journal gained.
"""

import os
import signal
import tempfile
import time
from collections import Counter
from pathlib import Path

import psutil

from bench.figures import Figure
from bench.stage import exchange, guard, until
from standfast.model.ids import AccountId
from standfast.stores.sqlite.reading import LedgerReader

HELD = 20
RESTARTS = 10
LOOKS_FOR = 3.0
"""Seconds each life lasts once it guards: every kind of read, and looks at everything."""
WRITES = frozenset({"submit", "cancel", "replace", "close", "close_all", "cancel_all"})
OF_THE_GUARD = frozenset(
    {"GuardStarted", "GuardStopped", "GuardFailed", "SessionSeen", "WatermarkMoved", "AlertRaised", "AlertDelivered"}
)
"""Facts about the guard itself; a killed one is told to people."""


def figures() -> list[Figure]:
    names = [f"R{number:02}" for number in range(HELD)]
    with tempfile.TemporaryDirectory() as name, exchange(names, "--per-minute", "0") as at:
        folder = Path(name)
        for each in names:
            at.quote(each, "99.99", "100.01")
        with guard(folder, at):
            until(lambda: at.listeners()[0] == 1, "the guard on the order stream")
            for each in names:
                at.buy(each)
            until(lambda: sum(order["type"] == "stop" for order in at.orders()) == HELD, f"{HELD} stops")
            time.sleep(LOOKS_FOR + 3.0)
        asked, head = len(at.log()), _head(folder)
        for life in range(RESTARTS):
            with guard(folder, at) as parent:
                time.sleep(LOOKS_FOR)
                if life % 2:
                    _kill(parent)
        gained = _gained(folder, head)
        orders = [row for row in at.log()[asked:] if row["operation"] in WRITES]
    about = Counter({kind: count for kind, count in gained.items() if kind not in OF_THE_GUARD})
    kinds = ", ".join(f"{count} {kind}" for kind, count in sorted(gained.items()))
    return [
        Figure(name=f"{RESTARTS} restarts: new orders", value=len(orders), unit="", goal=0),
        Figure(
            name=f"{RESTARTS} restarts: new facts",
            value=about.total(),
            unit="",
            goal=0,
            detail=f"of the guard: {kinds}",
        ),
    ]


def _kill(parent: psutil.Process) -> None:
    """The worker first, as a crash of everything at once would."""
    for process in [*parent.children(), parent]:
        os.kill(process.pid, signal.SIGKILL)


def _head(folder: Path) -> int:
    with LedgerReader(folder / "standfast.db") as reader:
        return int(reader.head(AccountId("paper"))[0])


def _gained(folder: Path, head: int) -> Counter[str]:
    with LedgerReader(folder / "standfast.db") as reader:
        return Counter(type(entry.fact).__name__ for entry in reader.entries(AccountId("paper"), head))
