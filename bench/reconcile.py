"""One reconcile pass over positions that agree: from the body of the reply to "nothing to do", next to its bare decode.

The pass is the guard's own: the real reader asks the real adapter, whose transport hands over the body; what comes back
is compared with a book of as many positions, and the cycle runs. The floor decodes the same body into
`Struct(symbol, qty, side: str)`. Bodies alternate between two of equal rows and different prices, as live ones do, so
that no shortcut over equal bytes helps. A second floor is what one would write first: json, Decimal, a dictionary.
"""

import asyncio
import json
import statistics
import time
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

import msgspec

from bench.figures import Figure
from bench.holdings import Pair, bodies
from standfast.brokers.alpaca.adapter import AlpacaBroker, AlpacaSettings
from standfast.brokers.shared.transport import Exchange, Response, Socket, TransportError
from standfast.core.book import Book
from standfast.core.policy import Foreign, HeldBy, Match, Mode, Policy, Rules
from standfast.model.ids import AccountId, Holding, InstrumentId, PositionId
from standfast.model.journal import Fact, PositionAdopted
from standfast.model.secret import Secret
from standfast.runtime.account import Account
from standfast.runtime.clock import RealClock
from standfast.runtime.ledger import Ledger
from standfast.stores.memory import MemoryStore

ROUNDS = 21
GOALS = {"same order": 1.5, "other order": 2.5}
SMALL, LARGE = 10_000, 100_000
GROWTH_GOAL = 12.0
NAIVE_GOAL = 1 / 5
ACCOUNT = AccountId("bench")
"""A name."""


class Bare(msgspec.Struct):
    symbol: str
    qty: str
    side: str


class Handing:
    """A transport that answers everything with the body it was given."""

    def __init__(self) -> None:
        self.body = b"[]"

    async def request(self, exchange: Exchange) -> Response:
        return Response(200, {}, self.body)

    async def connect(self, url: str, headers: Mapping[str, str]) -> Socket:
        raise TransportError("no stream here")

    async def close(self) -> None:
        pass


@dataclass(frozen=True, slots=True)
class Guarding:
    account: Account
    transport: Handing

    async def pass_over(self, body: bytes) -> float:
        """Seconds for one read and the cycle that follows; nothing may come of it."""
        self.transport.body = body
        head = self.account.ledger.book.head
        began = time.perf_counter()
        read = await self.account.reader.attempt(self.account.reader.kinds["positions"])
        await self.account.run_once()
        seconds = time.perf_counter() - began
        assert read, "the read failed"
        assert self.account.ledger.book.head == head, "nothing differs, so nothing is recorded"
        return seconds


def figures() -> list[Figure]:
    return asyncio.run(_measure())


async def _measure() -> list[Figure]:
    found = []
    bare = msgspec.json.Decoder(list[Bare])
    for name, pair in bodies(SMALL).items():
        guarding = await _guarding(pair)
        floor, value = await _alternating(lambda body: _timed(bare.decode, body), guarding.pass_over, pair)
        found.append(Figure(name=f"reconcile {SMALL:,} positions, {name}", value=value, floor=floor, goal=GOALS[name]))
    small, large = (bodies(count)["same order"] for count in (SMALL, LARGE))
    guarding = await _guarding(small)
    floor, value = await _alternating(_naive(small), guarding.pass_over, small)
    found.append(
        Figure(
            name="the same next to json + Decimal",
            value=value,
            floor=floor,
            goal=NAIVE_GOAL,
            detail=f"{floor / value:.1f} x faster",
        )
    )
    found.append(await _growth(guarding, small, large))
    return found


async def _growth(guarding: Guarding, small: Pair, large: Pair) -> Figure:
    many = await _guarding(large)
    seconds: tuple[list[float], list[float]] = ([], [])
    for turn in range(ROUNDS):
        seconds[0].append(await guarding.pass_over(small[turn % 2]))
        seconds[1].append(await many.pass_over(large[turn % 2]))
    floor, value = (statistics.median(each) for each in seconds)
    return Figure(name=f"reconcile {LARGE:,} next to {SMALL:,}", value=value, floor=floor, goal=GROWTH_GOAL)


async def _alternating(
    floor: Callable[[bytes], Awaitable[float]], ours: Callable[[bytes], Awaitable[float]], pair: Pair
) -> tuple[float, float]:
    floors, passes = [], []
    for turn in range(ROUNDS):
        floors.append(await floor(pair[turn % 2]))
        passes.append(await ours(pair[turn % 2]))
    return statistics.median(floors), statistics.median(passes)


async def _timed(work: Callable[[bytes], object], body: bytes) -> float:
    began = time.perf_counter()
    work(body)
    return time.perf_counter() - began


def _naive(pair: Pair) -> Callable[[bytes], Awaitable[float]]:
    booked = {row["symbol"]: _net(row) for row in json.loads(pair[0])}

    def compare(body: bytes) -> None:
        reported = {row["symbol"]: _net(row) for row in json.loads(body)}
        assert not [name for name in booked.keys() | reported.keys() if booked.get(name) != reported.get(name)]

    return lambda body: _timed(compare, body)


def _net(row: dict[str, Any]) -> Decimal:
    return Decimal(row["qty"]) if row["side"] == "long" else -Decimal(row["qty"])


# --- a guard whose book agrees ----------------------------------------------------------------------


async def _guarding(pair: Pair) -> Guarding:
    transport, clock = Handing(), RealClock()
    settings = AlpacaSettings(
        account=ACCOUNT, key_id=Secret("key"), secret=Secret("secret"), requests_per_minute=1_000_000, rate_share=1.0
    )
    broker = AlpacaBroker(settings, clock=clock, transport=transport)
    store = MemoryStore()
    journal = await store.acquire(ACCOUNT, "bench", clock.now())
    book = Book.empty(ACCOUNT)
    ledger = Ledger(journal=journal, store=store, book=book, broker=broker, clock=clock, rules=_rules())
    await ledger.record(list(_adopted(pair[0])))
    settled: list[bool] = []

    def spawn(work: Awaitable[None], name: str) -> None:
        assert not settled, f"nothing is to be done, least of all {name}"
        work.close()  # type: ignore[attr-defined]  # a coroutine: what the first look asks about instruments

    account = Account(ledger, spawn, lease_clock=clock, session_close=lambda day: None)
    guarding = Guarding(account, transport)
    transport.body = pair[1]
    await account.reader.attempt(account.reader.kinds["positions"])
    await account.run_once()  # the first pass looks at everything
    settled.append(True)
    assert not book.state.breaks, list(book.state.breaks.values())[:3]
    return guarding


def _rules() -> Rules:
    policy = Policy(name="default", match=Match(), held_by=HeldBy.GUARD)
    return Rules(account=ACCOUNT, mode=Mode.ALERT, foreign=Foreign.ADOPT, policies=(policy,))


def _adopted(body: bytes) -> list[Fact]:
    return [
        PositionAdopted(
            position=PositionId(f"p{row['symbol']}"),
            holding=Holding(InstrumentId(row["symbol"])),
            quantity=_net(row),
            price=Decimal(row["avg_entry_price"]),
            anchor=None,
            strategy="bench",
            by="bench",
        )
        for row in json.loads(body)
    ]
