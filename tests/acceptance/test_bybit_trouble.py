"""A served Bybit that misbehaves while somebody trades: when it behaves again, books, broker and stops agree."""

import random
from decimal import Decimal
from pathlib import Path

import pytest

from tests.acceptance.perpetuals import BTC, LONG, NAME, SHORT, Place, Venue
from tests.acceptance.stage import pause, until

POLICY = """\
exits_held_by = "broker"
stop_loss = "1%"
take_profit = "2%"
trailing = [ { arm = "0.6%", give_back = "0.4pt" } ]
"""
FAULTS: tuple[dict[str, object], ...] = (
    {"kind": "server_error", "status": 504, "after": True},
    {"kind": "server_error", "status": 502},
    {"kind": "never_arrives"},
    {"kind": "reset"},
    {"kind": "reset", "after": True},
    {"kind": "garbled"},
    {"kind": "slow", "seconds": 3},
    {"kind": "empty"},
    {"kind": "partial"},
    {"kind": "rate_limited"},
)
OPERATIONS = ("submit", "cancel", "orders", "positions", "executions", "stream", "outcomes")
STALE = {"operation": "positions", "fault": {"kind": "stale", "age": 0, "at_most": 20}, "count": 10}
NAMES = {0: NAME, 1: LONG, 2: SHORT}


def traded(venue: Venue, draw: random.Random, *, hedged: bool) -> None:
    """Somebody buys or sells; in a hedged account each side is added to."""
    index = draw.choice((1, 2)) if hedged else 0
    side = {1: "buy", 2: "sell"}.get(index) or draw.choice(("buy", "sell"))
    venue.trade(side, draw.choice(("0.01", "0.02", "0.05")), index=index)


def troubled(venue: Venue, draw: random.Random) -> None:
    rules: list[dict[str, object]] = [
        {"operation": draw.choice(OPERATIONS), "fault": draw.choice(FAULTS), "count": draw.randint(1, 6)}
        for _ in range(draw.randint(1, 3))
    ]
    venue.trouble(*rules, *([STALE] if draw.random() < 0.4 else []))


def agrees(place: Place, venue: Venue) -> bool:
    """What is held, what is booked and what stops protect are the same."""
    held = {NAMES[index]: quantity for index, quantity in venue.held().items()}
    booked: dict[str, Decimal] = {}
    for position in place.book().state.positions.values():
        if position.held:
            name = str(position.holding)
            booked[name] = booked.get(name, Decimal(0)) + position.net
    stopped: dict[str, Decimal] = {}
    for row in venue.resting():
        if row["client_order_id"].startswith("sf"):
            name = NAMES[int(row["index"])]
            stopped[name] = stopped.get(name, Decimal(0)) + Decimal(row["quantity"])
    return held == booked and {name: abs(net) for name, net in held.items()} == stopped


@pytest.mark.parametrize("hedged", [False, True], ids=["one-way", "hedged"])
def test_when_it_behaves_again_everything_agrees(tmp_path: Path, *, hedged: bool) -> None:
    draw = random.Random(f"trouble {hedged}")
    place = Place(tmp_path)
    with place:
        venue = place.venue()
        if hedged:
            venue.ask("POST", "/sim/mode", {"instrument": BTC, "hedged": True})
        place.at(venue, POLICY)
        guard = place.guarded()
        price = 50_000.0
        for step in range(30):
            price *= 1 + draw.uniform(-0.004, 0.004)
            venue.moved(f"{price:.1f}")
            if step % 4 == 0:  # no more than Bybit takes stops for one contract
                traded(venue, draw, hedged=hedged)
            if draw.random() < 0.25:
                troubled(venue, draw)
            if step == 15:
                guard.kill()
                guard = place.guarded()
            pause(draw.uniform(0.1, 0.6))
        venue.trouble()

        until(lambda: agrees(place, venue), "books, broker and stops to agree", told=guard.tail)
        assert len(guard.workers()) == 1, guard.tail()
