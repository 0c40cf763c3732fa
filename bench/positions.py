"""One positions read in which nothing differs: the adapter's work against the bare decode of the same body.

The floor decodes the body into `Struct(symbol, qty, side: str)`. Bodies alternate between two of equal rows and
different prices, as live bodies do, so that no shortcut over equal bytes helps.
"""

import json
import random
import statistics
import time
from collections.abc import Callable
from typing import Any

import msgspec

from standfast.brokers.alpaca.kept import KeptPositions

ROUNDS = 21
GOALS = {"same order": 1.5, "other order": 2.5}
GROWTH_GOAL = 12.0


class Bare(msgspec.Struct):
    symbol: str
    qty: str
    side: str


def bodies(count: int, seed: int = 7) -> dict[str, tuple[bytes, bytes]]:
    """Pairs of bodies that hold the same positions at other prices; one pair in another order each time."""
    draw = random.Random(seed)
    rows = [_row(number, draw) for number in range(count)]
    moved = [row | {"current_price": f"{draw.uniform(10, 500):.2f}"} for row in rows]
    shuffled, again = list(rows), list(moved)
    draw.shuffle(shuffled)
    draw.shuffle(again)
    return {
        "same order": (_body(rows), _body(moved)),
        "other order": (_body(shuffled), _body(again)),
    }


def figures(counts: tuple[int, ...] = (10_000, 100_000)) -> list[dict[str, Any]]:
    """Median seconds of floor and pass, strictly alternating, with ratio and goal."""
    found = []
    for count in counts:
        for name, pair in bodies(count).items():
            floor, ours = _alternating(pair)
            goal = GOALS[name] if count == 10_000 else None
            found.append(_figure(f"positions read, {count:,} rows, {name}", floor, ours, goal))
    if len(counts) == 2:
        small, large = _growing(*(bodies(count)["same order"] for count in counts))
        found.append(_figure(f"positions read, {counts[1]:,} against {counts[0]:,}", small, large, GROWTH_GOAL))
    return found


def _growing(small: tuple[bytes, bytes], large: tuple[bytes, bytes]) -> tuple[float, float]:
    """The same pass over two sizes, strictly alternating."""
    sides: list[tuple[KeptPositions, tuple[bytes, bytes], list[float]]] = [
        (KeptPositions(), pair, []) for pair in (small, large)
    ]
    for round_number in range(ROUNDS):
        for kept, pair, seconds in sides:
            seconds.append(_timed(kept.take, pair[round_number % 2])[0])
    of_small, of_large = (statistics.median(seconds[1:]) for _, _, seconds in sides)  # the first builds everything
    return of_small, of_large


def _alternating(pair: tuple[bytes, bytes]) -> tuple[float, float]:
    bare = msgspec.json.Decoder(list[Bare])
    kept = KeptPositions()
    held, _ = kept.take(pair[1])
    floors, passes = [], []
    for round_number in range(ROUNDS):
        body = pair[round_number % 2]
        floors.append(_timed(bare.decode, body)[0])
        seconds, (same, changed) = _timed(kept.take, body)
        passes.append(seconds)
        assert same is held, "an unchanged list is the same object"
        assert not changed, sorted(changed)[:3]
    return statistics.median(floors), statistics.median(passes)


def _timed(work: Callable[[bytes], Any], body: bytes) -> tuple[float, Any]:
    began = time.perf_counter()
    answer = work(body)
    return time.perf_counter() - began, answer


def _figure(name: str, floor: float, ours: float, goal: float | None) -> dict[str, Any]:
    ratio = ours / floor
    return {
        "name": name,
        "floor": floor,
        "value": ours,
        "ratio": ratio,
        "goal": goal,
        "held": goal is None or ratio <= goal,
    }


def _row(number: int, draw: random.Random) -> dict[str, str | bool]:
    price = f"{draw.uniform(10, 500):.2f}"
    return {
        "asset_id": f"{draw.getrandbits(128):032x}",
        "symbol": f"S{number:06d}",
        "exchange": "NASDAQ",
        "asset_class": "us_equity",
        "asset_marginable": True,
        "qty": str(draw.randint(1, 5_000)),
        "avg_entry_price": price,
        "side": draw.choice(("long", "short")),
        "market_value": f"{draw.uniform(100, 99_999):.2f}",
        "cost_basis": f"{draw.uniform(100, 99_999):.2f}",
        "unrealized_pl": f"{draw.uniform(-999, 999):.4f}",
        "unrealized_plpc": f"{draw.uniform(-1, 1):.16f}",
        "unrealized_intraday_pl": f"{draw.uniform(-999, 999):.4f}",
        "unrealized_intraday_plpc": f"{draw.uniform(-1, 1):.16f}",
        "current_price": price,
        "lastday_price": price,
        "change_today": f"{draw.uniform(-1, 1):.16f}",
        "qty_available": "0",
    }


def _body(rows: list[dict[str, str | bool]]) -> bytes:
    return json.dumps(rows, separators=(",", ":")).encode()


if __name__ == "__main__":
    for figure in figures():
        goal = "" if figure["goal"] is None else f" (goal {figure['goal']:g})"
        print(f"{figure['name']}: {figure['value'] * 1e3:.2f} ms, {figure['ratio']:.2f} x{goal}")
