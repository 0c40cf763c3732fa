"""Bodies of positions reads, as the broker writes them: 512 bytes a row."""

import json
import random

Pair = tuple[bytes, bytes]


def bodies(count: int, seed: int = 7) -> dict[str, Pair]:
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
