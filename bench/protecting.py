"""From a bot's fill to the live stop, over loopback HTTP, guard and exchange in processes of their own.

Both moments are the exchange's: when it filled the bot's order, and when it took the stop that covers it whole. The bot
buys another instrument each time, at moments drawn so that they meet no rhythm of the guard.
"""

import random
import statistics
import tempfile
import time
from pathlib import Path
from typing import Any

from bench.figures import Figure
from bench.stage import Exchange, exchange, guard, moment, until

FILLS = 200
FILLS_WITHOUT_STREAM = 12
POLL = 5.0
DEAF = [
    {"operation": "stream_connect", "fault": {"kind": "cut"}},
    {"operation": "quote_stream_connect", "fault": {"kind": "cut"}},
]


def figures() -> list[Figure]:
    with_stream = _measure(FILLS, pauses=(0.03, 0.15), deaf=False)
    without = _measure(FILLS_WITHOUT_STREAM, pauses=(0.3, 2.9), deaf=True)
    return [
        Figure(
            name="fill to live stop, median",
            value=statistics.median(with_stream),
            goal=0.050,
            detail=f"{FILLS} fills; 95 of 100 within {sorted(with_stream)[int(FILLS * 0.95)] * 1e3:.0f} ms",
        ),
        Figure(name=f"fill to live stop, worst of {FILLS}", value=max(with_stream), goal=0.500),
        Figure(
            name=f"fill to live stop, stream down, worst of {FILLS_WITHOUT_STREAM}",
            value=max(without),
            goal=POLL + 1.0,
            detail=f"median {statistics.median(without):.2f} s; one poll is {POLL:g} s",
        ),
    ]


def _measure(count: int, *, pauses: tuple[float, float], deaf: bool) -> list[float]:
    """Seconds from each fill to its stop."""
    names = [f"F{number:03}" for number in range(count)]
    draw = random.Random(count)
    with tempfile.TemporaryDirectory() as folder, exchange(names, "--per-minute", "0") as at:
        for name in names:
            at.quote(name, "99.99", "100.01")
        if deaf:
            at.ask("POST", "/sim/faults", DEAF)
        with guard(Path(folder), at):
            until(lambda: deaf or at.listeners()[0] == 1, "the guard on the order stream")
            time.sleep(1.0)  # its first reads are over
            for name in names:
                at.buy(name)
                time.sleep(draw.uniform(*pauses))
            until(lambda: len(_stops(at.orders())) == count, f"{count} stops", within=POLL + 5)
            return _delays(at)


def _delays(at: Exchange) -> list[float]:
    orders = at.orders()
    stops = _stops(orders)
    found = []
    for bought in (order for order in orders if order["side"] == "buy"):
        stop = stops[bought["symbol"]]
        assert stop["qty"] == bought["filled_qty"], (stop, bought)
        found.append((moment(stop["submitted_at"]) - moment(bought["filled_at"])).total_seconds())
    return found


def _stops(orders: list[Any]) -> dict[str, Any]:
    """The stop of each instrument that is live."""
    return {order["symbol"]: order for order in orders if order["type"] == "stop" and order["status"] == "new"}
