"""Two hundred Bybit accounts with ten positions each in one guard on one core: are they all looked at in time?

The log of the exchange says when the positions of each account were asked for. Markets are loaded once. Every account
has its order stream, its stops rest at the exchange, and the exchange sends ten quotes a second inside the bands.
"""

import itertools
import os
import tempfile
import threading
import time
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import Any

import psutil

from bench.figures import Figure
from bench.stage import Exchange, exchange, guarding, moment, until

ACCOUNTS = 200
HELD = 10
POLL = 5.0
SECONDS = 60.0
STARTS_WITHIN = 600.0
QUOTE_EVERY = 0.1
NAMES = [f"A{number:02}USDT" for number in range(HELD)]
ACCOUNT = """\
[[accounts]]
name = "a{number:03}"
broker = "ccxt:bybit"
mode = "repair"
key_id = "key{number:03}"
secret = "secret"
foreign = "adopt"
rest_url = "{url}"
"""
POLICY = """\
[[policies]]
name = "default"
exits_held_by = "broker"
stop_loss = "2%"
"""


def figures(accounts: int = ACCOUNTS) -> list[Figure]:
    names = [f"a{number:03}:key{number:03}:secret" for number in range(accounts)]
    with tempfile.TemporaryDirectory() as folder, exchange(NAMES, *BYBIT, cash=1_000_000, accounts=names) as at:
        for name in NAMES:
            at.quote(name, "99.99", "100.01")
        for account, name in itertools.product(range(accounts), NAMES):
            order = {"account": f"a{account:03}", "instrument": name, "side": "buy", "quantity": "1"}
            at.ask("POST", "/sim/order", order)
        config = Path(folder) / "standfast.toml"
        config.write_text("".join(ACCOUNT.format(number=each, url=at.url) for each in range(accounts)) + POLICY)
        began = time.monotonic()
        with on_one_core(), guarding(config) as parent:
            until(lambda: _stops(at) == accounts * HELD, f"{accounts * HELD} stops", within=STARTS_WITHIN)
            ready = time.monotonic() - began
            time.sleep(2 * POLL)  # what the stops stirred up has settled
            return _watch(at, parent, accounts, ready)


BYBIT = ("--dialect", "bybit", "--per-minute", "0")


@contextmanager
def on_one_core() -> Iterator[None]:
    """Who is started in here stays on one core; we and the exchange use the others."""
    before = os.sched_getaffinity(0)
    os.sched_setaffinity(0, {max(before)})
    try:
        yield
    finally:
        os.sched_setaffinity(0, before)


def _watch(at: Exchange, parent: psutil.Process, accounts: int, ready: float) -> list[Figure]:
    worker = max([parent, *parent.children()], key=lambda each: each.memory_info().rss)
    others = [each for each in psutil.Process().children() if each.pid != parent.pid]
    used, theirs, since, most = _processor(worker), sum(map(_processor, others)), at.now(), 0.0
    sleeper = Sleeper()
    sleeper.start()
    ends = time.monotonic() + SECONDS
    for name in itertools.cycle(NAMES):
        at.quote(name, "99.98", "100.02")
        most = max(most, worker.memory_info().rss / 1e6)
        time.sleep(QUOTE_EVERY)
        if time.monotonic() >= ends:
            break
    sleeper.stop()
    share = (_processor(worker) - used) / SECONDS * 100
    busy = (sum(map(_processor, others)) - theirs) / SECONDS * 100
    asked = [row for row in at.log() if moment(row["at"]) >= since]
    detail = f"{len(asked) / SECONDS:.0f} requests a second; guard {share:.0f} % of a core, exchange {busy:.0f} %"
    return [
        Figure(
            name=f"{accounts} Bybit accounts x {HELD} positions: latest positions poll",
            value=_late(asked, accounts),
            goal=1.0,
            detail=f"{detail}; all stops rest {ready:.0f} s after the start; who only slept on that core woke up to "
            f"{sleeper.latest:.2f} s late",
        ),
        Figure(name=f"{accounts} Bybit accounts x {HELD} positions: memory", value=most, unit="MB", goal=1000.0),
    ]


class Sleeper(threading.Thread):
    """Sleeps on the guard's core and does nothing else: how late it wakes is the machine's doing."""

    def __init__(self) -> None:
        super().__init__(daemon=True)
        self.latest = 0.0
        self._is_over = threading.Event()

    def run(self) -> None:
        os.sched_setaffinity(0, {max(os.sched_getaffinity(0))})
        while not self._is_over.is_set():
            began = time.monotonic()
            time.sleep(0.01)
            self.latest = max(self.latest, time.monotonic() - began - 0.01)

    def stop(self) -> None:
        self._is_over.set()
        self.join()


def _late(asked: list[Any], accounts: int) -> float:
    """By how much the longest time between two looks at an account's positions exceeded the period."""
    looks: dict[str, list[datetime]] = defaultdict(list)
    for row in asked:
        if row["operation"] == "positions":
            looks[row["account"]].append(moment(row["at"]))
    assert len(looks) == accounts, f"{len(looks)} accounts were looked at"
    gaps = [
        (after - before).total_seconds()
        for times in looks.values()
        for before, after in itertools.pairwise(sorted(times))
    ]
    return max(max(gaps) - POLL, 0.0)


def _stops(at: Exchange) -> int:
    found = at.ask("GET", "/sim/truth")["accounts"].values()
    return sum(1 for account in found for order in account["orders"] if order["trigger_price"])


def _processor(process: psutil.Process) -> float:
    """Seconds used so far."""
    times = process.cpu_times()
    return float(times.user + times.system)
