"""A guard with nothing to do: a hundred covered positions, the reads and the quotes of a quiet market.

Resident memory is the sum of parent and worker, pages they share counted twice;
processor time is what both used over the seconds watched. The exchange sends a quote inside the band to every position
once in two seconds.
"""

import tempfile
import time
from itertools import cycle
from pathlib import Path

import psutil

from bench.figures import Figure
from bench.stage import Exchange, exchange, guard, until

HELD = 100
SECONDS = 40.0
QUOTE_EVERY = 2.0 / HELD
MEMORY_GOAL = 120.0
PROCESSOR_GOAL = 5.0


def figures() -> list[Figure]:
    names = [f"I{number:03}" for number in range(HELD)]
    with tempfile.TemporaryDirectory() as folder, exchange(names, "--per-minute", "0") as at:
        for name in names:
            at.quote(name, "99.99", "100.01")
        with guard(Path(folder), at) as parent:
            until(lambda: at.listeners()[0] == 1, "the guard on the order stream")
            for name in names:
                at.buy(name)
            until(lambda: _stops(at) == HELD, f"{HELD} stops")
            until(lambda: at.listeners()[1] == 1, "the guard on the quote stream")
            time.sleep(6.0)  # what the fills stirred up has settled
            both = [parent, *parent.children()]
            assert len(both) == 2, both
            return _watch(at, names, both)


def _watch(at: Exchange, names: list[str], processes: list[psutil.Process]) -> list[Figure]:
    asked = len(at.log())
    used, began = _processor(processes), time.monotonic()
    most = 0.0
    for name in cycle(names):
        at.quote(name, "99.98", "100.02")
        most = max(most, _memory(processes)) if name == names[0] else most
        time.sleep(QUOTE_EVERY)
        if time.monotonic() - began >= SECONDS:
            break
    seconds = time.monotonic() - began
    share = (_processor(processes) - used) / seconds * 100
    writes = [row for row in at.log()[asked:] if row["operation"] in ("submit", "cancel", "replace")]
    assert not writes, writes[:3]
    detail = f"over {seconds:.0f} s, {(len(at.log()) - asked) / seconds * 60:.0f} requests a minute"
    return [
        Figure(name=f"idle guard, {HELD} positions: memory", value=most, unit="MB", goal=MEMORY_GOAL),
        Figure(
            name=f"idle guard, {HELD} positions: processor", value=share, unit="%", goal=PROCESSOR_GOAL, detail=detail
        ),
    ]


def _stops(at: Exchange) -> int:
    return sum(order["type"] == "stop" and order["status"] == "new" for order in at.orders())


def _processor(processes: list[psutil.Process]) -> float:
    """Seconds used so far."""
    times = [process.cpu_times() for process in processes]
    return float(sum(each.user + each.system for each in times))


def _memory(processes: list[psutil.Process]) -> float:
    """Resident megabytes of them together, pages they share counted in full."""
    return float(sum(process.memory_info().rss for process in processes)) / 1e6
