"""A quote inside the trigger band: from the decoded message to "nothing to do", next to the decoding of that message.

The floor decodes frames of one quote each, as the stream sends them, into the typed row the guard uses. The value is
what the guard then does with them: keep the quote, compare it with its band. Quotes of a hundred watched instruments
come in turn. For comparison: what a look at a kept quote costs, which only a rule that may fire pays.
"""

import json
import random
import statistics
import time
from collections.abc import Callable
from datetime import UTC, datetime
from decimal import Decimal
from typing import cast

from bench.figures import Figure
from standfast.brokers.alpaca.quote_stream import QUOTES
from standfast.core.bands import Band
from standfast.core.watching import Watch
from standfast.model.ids import Holding, InstrumentId
from standfast.model.quote import Quote
from standfast.ports import Broker, Ticks
from standfast.runtime.clock import RealClock
from standfast.runtime.quotes import Quotes

WATCHED = 100
FRAMES = 1_000
REPEATS = 10
ROUNDS = 25
GOAL = 0.6
RECEIVED = datetime(2026, 1, 5, 15, 30, tzinfo=UTC)


class NoBroker:
    """Watching reaches nobody: no quote comes but those we take."""

    def watch(self, holdings: frozenset[Holding]) -> None:
        assert len(holdings) == WATCHED, len(holdings)


def figures() -> list[Figure]:
    woken: list[Holding] = []
    quotes = Quotes(cast(Broker, NoBroker()), RealClock(), woken.append)
    holdings = [Holding(InstrumentId(f"Q{number:03}")) for number in range(WATCHED)]
    quotes.watch(Watch({holding: Band(98.0, 104.0, 1.0) for holding in holdings}))
    frames = _frames(holdings)
    decoded = [Ticks(RECEIVED, QUOTES.decode(frame)) for frame in frames]

    def decode() -> None:
        for frame in frames:
            QUOTES.decode(frame)

    def take() -> None:
        for ticks in decoded:
            quotes.take(ticks)

    floors, values = [], []
    for _ in range(ROUNDS):
        floors.append(_each(decode))
        values.append(_each(take))
    assert not woken, "every quote lies inside its band"
    _prove_exact(quotes, holdings[-1], frames[-1])
    return [
        Figure(
            name="quote inside the band",
            value=statistics.median(values),
            floor=statistics.median(floors),
            goal=GOAL,
            detail=f"a look at a kept quote: {_looking(quotes, holdings, decoded) * 1e6:.1f} us",
        )
    ]


def _each(work: Callable[[], None]) -> float:
    """Seconds for one frame."""
    began = time.perf_counter()
    for _ in range(REPEATS):
        work()
    return (time.perf_counter() - began) / (FRAMES * REPEATS)


def _looking(quotes: Quotes, holdings: list[Holding], decoded: list[Ticks]) -> float:
    seconds = []
    for _ in range(ROUNDS):
        for ticks in decoded[: 2 * WATCHED]:
            quotes.take(ticks)
        began = time.perf_counter()
        for holding in holdings:
            quotes.sights[holding]
        seconds.append((time.perf_counter() - began) / len(holdings))
    return statistics.median(seconds)


def _prove_exact(quotes: Quotes, holding: Holding, frame: bytes) -> None:
    """What was kept is what was sent, to the last digit."""
    sent = json.loads(frame, parse_float=Decimal)[0]
    kept: Quote = quotes.sights[holding].quote
    assert (kept.bid, kept.ask) == (sent["bp"], sent["ap"]), (kept, sent)


def _frames(holdings: list[Holding]) -> list[bytes]:
    draw = random.Random(1)
    return [_frame(str(holdings[number % WATCHED].instrument), draw) for number in range(FRAMES)]


def _frame(instrument: str, draw: random.Random) -> bytes:
    bid = draw.randint(9_900, 10_300) / 100
    quote = {
        "T": "q",
        "S": instrument,
        "bx": "V",
        "bp": bid,
        "bs": draw.randint(1, 90),
        "ax": "V",
        "ap": round(bid + 0.02, 2),
        "as": draw.randint(1, 90),
        "c": ["R"],
        "z": "B",
        "t": f"2026-01-05T15:29:59.{draw.randint(0, 999_999_999):09}Z",
    }
    return json.dumps([quote], separators=(",", ":")).encode()
