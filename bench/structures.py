"""Spreads watched by their net prices: a sweep of every quote, and one tick that touches ten of them.

A thousand two-leg spreads over two hundred contracts, nothing near its rules, in the `Quotes` that a guard has. The
sweep is one message with a quote of every contract, from the tick to "nothing to do": each is kept, compared with its
contract's band and put into the columns, and every spread's net price is compared with its bounds. The floor is a NumPy
sum over each column that this reads: the places of both legs, both bounds, bids and asks. For comparison: the columns
alone, and one NumPy sum over a matrix of both legs' prices, which leaves out finding those prices and comparing them.
"""

import math
import random
import statistics
import time
from collections.abc import Callable, Sequence
from datetime import UTC, date, datetime
from decimal import Decimal
from functools import partial
from typing import cast

import numpy as np

from bench.figures import Figure
from standfast.core.bands import NOTHING_WAKES
from standfast.core.columns import Columns, bounds, width
from standfast.core.policy import Policy
from standfast.core.watching import Watch
from standfast.model.ids import Holding, PositionId
from standfast.model.instrument import Instrument
from standfast.model.option import OptionContract, Right
from standfast.model.quote import ExactTick, Quote
from standfast.model.structure import HeldLeg, Leg, Structure
from standfast.ports import Broker, Ticks
from standfast.runtime.clock import RealClock
from standfast.runtime.quotes import Quotes

SPREADS = 1_000
CONTRACTS = 200
TOUCHED = SPREADS * 2 // CONTRACTS
ROUNDS = 300
TICKS = 20_000
SWEEP_GOAL = 20
TICK_GOAL = 20e-6
RECEIVED = datetime(2026, 1, 5, 15, 30, tzinfo=UTC)
POLICY = Policy(name="spreads", stop_loss=Decimal("0.15"), take_profit=Decimal("0.5"), emergency_stop=Decimal("0.4"))


class NoBroker:
    """Watching reaches nobody: no quote comes but those we take."""

    def watch(self, holdings: frozenset[Holding]) -> None:
        assert len(holdings) == CONTRACTS, len(holdings)


def figures() -> list[Figure]:
    draw, woken = random.Random(1), list[Holding]()
    quotes = Quotes(cast(Broker, NoBroker()), RealClock(), woken.append)
    spreads, columns = _spreads(), quotes.columns
    quotes.watch(_watch(spreads))
    assert (len(columns.watched), len(columns.contracts)) == (SPREADS, CONTRACTS)
    bids, asks = _quotes(columns, draw)
    holdings = list(columns.contracts)
    whole = _ticks_of(holdings, bids, asks)
    quotes.take(whole)
    assert woken == [], "nothing is near its rules"
    _prove_awake(quotes, holdings, woken, whole)
    read = _columns_read(columns, bids, asks)
    matrix = np.array([draw.random() for _ in range(2 * SPREADS)]).reshape(SPREADS, 2)
    sweeps, floors, sums, alone = [], [], [], []
    for _ in range(ROUNDS):
        floors.append(_timed(lambda: [np.sum(column) for column in read]))
        sweeps.append(_timed(lambda: quotes.take(whole)))
        alone.append(_timed(columns.sweep))
        sums.append(_timed(lambda: np.sum(matrix)))
    sweep, one_sum = statistics.median(sweeps), statistics.median(sums)
    single = _single_ticks(quotes, holdings, bids, asks, draw)
    assert woken == [], "nothing came near its rules"
    return [
        Figure(
            name=f"sweep of {CONTRACTS} quotes, {SPREADS} spreads",
            value=sweep,
            floor=statistics.median(floors),
            goal=SWEEP_GOAL,
            detail=f"the columns alone {statistics.median(alone) * 1e6:.1f} us; one NumPy sum of both legs' prices "
            f"{one_sum * 1e6:.1f} us, {sweep / one_sum:.0f} x",
        ),
        Figure(
            name=f"tick that touches {TOUCHED} spreads",
            value=statistics.median(single),
            goal=TICK_GOAL,
            detail=f"99 of 100 within {statistics.quantiles(single, n=100)[98] * 1e6:.1f} us",
        ),
    ]


def _watch(spreads: list[Structure]) -> Watch:
    """As `core.watching` figures it."""
    widths: dict[Holding, float] = {}
    for one in spreads:
        for leg in one.shape:
            widths[leg.holding] = min(widths.get(leg.holding, math.inf), width(one, POLICY))
    return Watch(
        bands={holding: NOTHING_WAKES._replace(spread=spread) for holding, spread in widths.items()},
        bounds={one.id: bounds(one, POLICY) for one in spreads},
    )


def _ticks_of(holdings: Sequence[Holding], bids: Sequence[float], asks: Sequence[float]) -> Ticks:
    made = []
    for holding, bid, ask in zip(holdings, bids, asks, strict=True):
        quote = Quote(Decimal(f"{bid:.2f}"), Decimal(f"{ask:.2f}"), RECEIVED, RECEIVED)
        made.append(ExactTick.of(holding.instrument, quote))
    return Ticks(RECEIVED, made)


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


def _prove_awake(quotes: Quotes, holdings: list[Holding], woken: list[Holding], whole: Ticks) -> None:
    """One contract that leaps wakes the ten spreads it is part of, by a tick and by a sweep."""
    leapt = _ticks_of(holdings[:1], [50.0], [50.1])
    quotes.take(leapt)
    assert len(woken) == TOUCHED, len(woken)
    quotes.take(whole)
    woken.clear()
    quotes.take(Ticks(RECEIVED, [*leapt.each, *whole.each[1:]]))
    assert len(woken) == TOUCHED, len(woken)
    quotes.take(whole)
    woken.clear()


def _columns_read(
    columns: Columns, bids: list[float], asks: list[float]
) -> list["np.ndarray[tuple[int], np.dtype[np.float64]]"]:
    sold = [float(columns.contracts[each.legs[0].holding]) for each in columns.watched]
    bought = [float(columns.contracts[each.legs[1].holding]) for each in columns.watched]
    lows, highs = [each.low for each in columns.watched], [each.high for each in columns.watched]
    return [np.array(column) for column in (sold, bought, lows, highs, bids, asks)]


def _single_ticks(
    quotes: Quotes, holdings: list[Holding], bids: list[float], asks: list[float], draw: random.Random
) -> list[float]:
    found = []
    for _ in range(TICKS):
        contract, move = draw.randrange(CONTRACTS), draw.choice((-0.01, 0.0, 0.01))
        tick = _ticks_of([holdings[contract]], [bids[contract] + move], [asks[contract] + move])
        found.append(_timed(partial(quotes.take, tick)))
    return found
