"""From a fill at a served Bybit to its proof in the journal: guard and exchange in processes of their own.

With the stream up a fill is proven by its order, read by id, and by the account's executions. With REST alone, and a
list of positions that is five seconds behind, an opening of the guard's own is: the list only confirms it.
"""

import asyncio
import random
import statistics
import tempfile
import time
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path

from bench.figures import Figure
from bench.stage import Exchange, exchange, guard, until
from standfast.model.ids import AccountId, EntryNumber, RequestId
from standfast.model.journal import FillBooked
from standfast.ports import Request
from standfast.stores.sqlite.reading import LedgerReader
from standfast.stores.sqlite.store import SqliteStore

FILLS = 100
OPENINGS = 20
LAG = 5.0
NAMES = [f"F{number:02}USDT" for number in range(20)]
ACCOUNT = AccountId("paper")
DEAF = [
    {"operation": "stream_connect", "fault": {"kind": "cut"}},
    {"operation": "quote_stream_connect", "fault": {"kind": "cut"}},
    {"operation": "positions", "fault": {"kind": "stale", "age": LAG}},
]


def figures() -> list[Figure]:
    found = []
    for run in (_of_the_bot, partial(_of_our_own, deaf=False), partial(_of_our_own, deaf=True)):
        with tempfile.TemporaryDirectory() as folder:
            found.append(sorted(run(Path(folder))))
    bots, own, deaf = found
    return [
        Figure(
            name="fill of an opening to proof, median", value=statistics.median(own), goal=0.020, detail=_spread(own)
        ),
        Figure(name="fill of a bot's order to proof, median", value=statistics.median(bots), detail=_spread(bots)),
        Figure(
            name=f"fill of an opening to proof, REST only, positions {LAG:g} s late, worst",
            value=deaf[-1],
            goal=LAG + 2.0,
            detail=_spread(deaf),
        ),
    ]


def _spread(seconds: list[float]) -> str:
    """Of seconds in their order."""
    most, all_ = seconds[int(len(seconds) * 0.95)], seconds[-1]
    return f"{len(seconds)} at Bybit; 95 of 100 within {most * 1e3:.0f} ms, all within {all_ * 1e3:.0f} ms"


def _of_the_bot(folder: Path) -> list[float]:
    """Seconds from each fill of a bot's to its entry, with the stream up."""
    draw = random.Random(FILLS)
    with exchange(NAMES, "--dialect", "bybit", "--per-minute", "0") as at:
        _quote(at)
        with guard(folder, at, broker="ccxt:bybit", clock=""):
            until(lambda: at.listeners()[0] == 1, "the guard on the order stream")
            time.sleep(2.0)  # its first reads are over
            for number in range(FILLS):
                at.ask("POST", "/sim/order", {"instrument": NAMES[number % 20], "side": "buy", "quantity": "1"})
                time.sleep(draw.uniform(0.1, 0.3))
            return _delays(folder, at, FILLS)


def _of_our_own(folder: Path, *, deaf: bool) -> list[float]:
    """The same of openings through the guard; deaf: without a stream, and with a list that is late."""
    with exchange(NAMES, "--dialect", "bybit", "--per-minute", "0") as at:
        _quote(at)
        if deaf:
            at.ask("POST", "/sim/faults", DEAF)
        with guard(folder, at, broker="ccxt:bybit", clock=""):
            until(lambda: deaf or at.listeners()[0] == 1, "the guard on the order stream")
            time.sleep(2.0)
            asyncio.run(_ask_for(folder, OPENINGS))
            return _delays(folder, at, OPENINGS)


async def _ask_for(folder: Path, count: int) -> None:
    """Openings, as `standfast open` puts them into the ledger; each is asked for when the last is proven."""
    store = SqliteStore(folder / "standfast.db")
    try:
        for number in range(count):
            name = NAMES[number].removesuffix("USDT")
            arguments = {"account": ACCOUNT, "instrument": f"{name}/USDT:USDT", "quantity": "1"}
            await store.put_request(
                Request(
                    id=RequestId(f"r{number:09}"),
                    account=ACCOUNT,
                    verb="open",
                    arguments=arguments,
                    by="bench",
                    at=datetime.now(UTC),
                )
            )
            await asyncio.to_thread(until, partial(_has_booked, folder, number + 1), "the opening's fill", within=60)
    finally:
        await store.close()


def _has_booked(folder: Path, count: int) -> bool:
    return len(_booked(folder)) == count


def _quote(at: Exchange) -> None:
    for name in NAMES:
        at.quote(name, "99.99", "100.01")


def _delays(folder: Path, at: Exchange, count: int) -> list[float]:
    """Of this many fills, in the order they were booked in."""
    until(lambda: len(_booked(folder)) == count, f"{count} fills in the journal", within=60)
    ahead = _ahead(at)
    return [(booked - filled + ahead).total_seconds() for booked, filled in _booked(folder)]


def _booked(folder: Path) -> list[tuple[datetime, datetime]]:
    """When each fill was booked, by this machine's clock, and when it was, by the exchange's."""
    with LedgerReader(folder / "standfast.db") as reader:
        entries = reader.entries(ACCOUNT, EntryNumber(0))
        return [(each.at, each.fact.fill.at) for each in entries if isinstance(each.fact, FillBooked)]


def _ahead(at: Exchange) -> timedelta:
    """How far the exchange's clock is ahead of this machine's: by the quickest of many answers."""
    found = []
    for _ in range(200):
        began, told, ended = datetime.now(UTC), at.now(), datetime.now(UTC)
        found.append((ended - began, told - (began + (ended - began) / 2)))
    return min(found)[1]
