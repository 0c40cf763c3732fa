"""Spreads watched in columns: a sweep of every quote, and one tick that touches ten of them.

A thousand two-leg spreads over two hundred contracts, nothing near its rules. The sweep takes a bid and an ask of
every contract and says which spreads need an exact look. Its floor is a NumPy sum over each column the sweep reads:
the places of both legs, both bounds, bids and asks. For comparison: one NumPy sum over a matrix of both legs' prices,
which leaves out finding those prices and comparing them with anything.
"""

import random
import statistics
import time
from collections.abc import Callable
from datetime import date
from decimal import Decimal

import numpy as np

from bench.figures import Figure
from standfast.core.columns import Columns, bounds
from standfast.core.policy import Policy
from standfast.model.ids import PositionId
from standfast.model.instrument import Instrument
from standfast.model.option import OptionContract, Right
from standfast.model.structure import HeldLeg, Leg, Structure

SPREADS = 1_000
CONTRACTS = 200
TOUCHED = SPREADS * 2 // CONTRACTS
ROUNDS = 300
TICKS = 20_000
SWEEP_GOAL = 20
TICK_GOAL = 20e-6
POLICY = Policy(name="spreads", stop_loss=Decimal("0.15"), take_profit=Decimal("0.5"), emergency_stop=Decimal("0.4"))


def figures() -> list[Figure]:
    draw = random.Random(1)
    columns = Columns(each for each in (bounds(one, POLICY) for one in _spreads()) if each is not None)
    assert (len(columns.watched), len(columns.contracts)) == (SPREADS, CONTRACTS)
    bids, asks = _quotes(columns, draw)
    assert columns.sweep(bids, asks) == [], "nothing is near its rules"
    _prove_awake(columns, bids, asks)
    read = _columns_read(columns, bids, asks)
    matrix = np.array([draw.random() for _ in range(2 * SPREADS)]).reshape(SPREADS, 2)
    sweeps, floors, sums = [], [], []
    for _ in range(ROUNDS):
        floors.append(_timed(lambda: [np.sum(column) for column in read]))
        sweeps.append(_timed(lambda: columns.sweep(bids, asks)))
        sums.append(_timed(lambda: np.sum(matrix)))
    sweep, one_sum = statistics.median(sweeps), statistics.median(sums)
    ticks = _ticks(columns, bids, asks, draw)
    return [
        Figure(
            name=f"sweep of {CONTRACTS} quotes, {SPREADS} spreads",
            value=sweep,
            floor=statistics.median(floors),
            goal=SWEEP_GOAL,
            detail=f"one NumPy sum of both legs' prices: {one_sum * 1e6:.1f} us, {sweep / one_sum:.0f} x",
        ),
        Figure(
            name=f"tick that touches {TOUCHED} spreads",
            value=statistics.median(ticks),
            goal=TICK_GOAL,
            detail=f"99 of 100 within {statistics.quantiles(ticks, n=100)[98] * 1e6:.1f} us",
        ),
    ]


def _timed(work: Callable[[], object]) -> float:
    began = time.perf_counter()
    work()
    return time.perf_counter() - began


def _spreads() -> list[Structure]:
    """Half of the contracts are sold in ten spreads each, for 8.00; the other half bought, for 4.30."""
    names = [OptionContract("SPXW", date(2026, 2, 4), Right.PUT, Decimal(3000 + 5 * each)) for each in range(CONTRACTS)]
    listed = [Instrument(id=name.instrument, multiplier=Decimal(100)) for name in names]
    bought, sold = listed[0::2], listed[1::2]
    half = len(sold)
    return [_spread(number, sold[number % half], bought[(number + number // half) % half]) for number in range(SPREADS)]


def _spread(number: int, sold: Instrument, bought: Instrument) -> Structure:
    legs = (
        HeldLeg(leg=Leg.of(sold, -1), opened=Decimal(3), entry_value=3 * Decimal("8.00")),
        HeldLeg(leg=Leg.of(bought, 1), opened=Decimal(3), entry_value=3 * Decimal("4.30")),
    )
    return Structure(id=PositionId(f"p{number:09}"), strategy="spreads", legs=legs, units=Decimal(3))


def _quotes(columns: Columns, draw: random.Random) -> tuple[list[float], list[float]]:
    """About what they were traded at, in the order of the columns' contracts."""
    sold = {each.legs[0].holding for each in columns.watched}
    bids = [(7.80 if holding in sold else 4.20) + draw.randint(0, 10) / 100 for holding in columns.contracts]
    return bids, [bid + 0.05 for bid in bids]


def _prove_awake(columns: Columns, bids: list[float], asks: list[float]) -> None:
    """One contract that leaps wakes the ten spreads it is part of, by a tick and by a sweep."""
    leapt, ask = [50.0, *bids[1:]], [50.1, *asks[1:]]
    assert len(columns.sweep(leapt, ask)) == TOUCHED == len(columns.take(0, 50.0, 50.1))
    columns.sweep(bids, asks)


def _columns_read(
    columns: Columns, bids: list[float], asks: list[float]
) -> list["np.ndarray[tuple[int], np.dtype[np.float64]]"]:
    sold = [float(columns.contracts[each.legs[0].holding]) for each in columns.watched]
    bought = [float(columns.contracts[each.legs[1].holding]) for each in columns.watched]
    lows, highs = [each.low for each in columns.watched], [each.high for each in columns.watched]
    return [np.array(column) for column in (sold, bought, lows, highs, bids, asks)]


def _ticks(columns: Columns, bids: list[float], asks: list[float], draw: random.Random) -> list[float]:
    found = []
    for _ in range(TICKS):
        contract, move = draw.randrange(CONTRACTS), draw.choice((-0.01, 0.0, 0.01))
        bid, ask = bids[contract] + move, asks[contract] + move
        began = time.perf_counter()
        woken = columns.take(contract, bid, ask)
        found.append(time.perf_counter() - began)
        assert not woken
    return found
