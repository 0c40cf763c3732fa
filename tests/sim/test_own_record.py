"""The bot's own record under a guard: what it drops is told once and in one pass, and its slowness is not.

Every run draws fresh openings, removals and delays; the seed stands in the message of a failure.
"""

import asyncio
import os
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import timedelta
from decimal import Decimal
from random import Random

import pytest

from standfast.core.policy import BotRecord, HeldBy, Policy
from standfast.exchange.assets import asset_of
from standfast.exchange.orders import Side, Terms, Ticket
from standfast.exchange.script import Script
from standfast.model.breaks import Break, BreakKind
from standfast.model.errors import RecordUnreadable
from standfast.model.ids import Holding, InstrumentId
from standfast.model.journal import AlertRaised, BreakConfirmed, BreakSeen, CloseRequested
from standfast.model.tracked import RecordRead, TrackedEntry, TrackedLeg
from standfast.sim.spreads import life
from standfast.sim.world import World, play
from tests.sim.stories import RULES, START, D

pytestmark = pytest.mark.timeout(300)  # hours are played here, on a machine that may be busy

ONE_PASS = 60.0
"""Seconds: every full look is at most so far apart."""
STRIKES = range(3600, 3900, 50)
PUTS = [f"SPXW261106P0{strike}000" for strike in STRIKES]
SHARES = ["AAPL", "MSFT", "SPY", "QQQ"]
GUARDED = replace(
    RULES,
    policies=(Policy(name="default", held_by=HeldBy.GUARD, stop_loss=D("0.9")),),
    record=BotRecord(lag=timedelta(seconds=30)),
)
ZERO = timedelta(0)


def prices() -> Script:
    shares = {name: [(ZERO, "100.00", "100.02")] for name in SHARES}
    puts = {name: [(ZERO, f"{2 + i}.00", f"{2 + i}.05")] for i, name in enumerate(PUTS)}
    return Script({**shares, **puts, "SPX": [(ZERO, "3999.00", "4001.00")]})


@dataclass
class Record:
    """What the bot writes down, and a tracker that reads it."""

    entries: dict[str, TrackedEntry] = field(default_factory=dict)
    trouble: str = ""
    label: str = "orders.json"
    world: World | None = None

    async def read(self) -> RecordRead:
        assert self.world is not None
        began, entries = self.world.now, tuple(self.entries.values())
        await asyncio.sleep(0.01)
        if self.trouble:
            raise RecordUnreadable(self.trouble)
        return RecordRead(entries=entries, began=began)

    async def close(self) -> None:
        """Nothing is open."""


class Bot:
    """Opens and closes singles and spreads; its record follows when it gets round to it."""

    def __init__(self, world: World, draw: Random) -> None:
        self.world, self.draw = world, draw
        self.record = Record(world=world)
        self.held: dict[str, TrackedEntry] = {}
        self.opened = 0

    async def guard(self) -> None:
        await self.world.start_guard()
        account = self.world.account
        assert account is not None
        account.record.watch(lambda: self.record, timedelta(seconds=1), told="orders.json")

    async def open(self, *, lag: float) -> None:
        self.opened += 1
        entry = self._spread() if self.draw.random() < 0.6 else self._single()
        await self._trade(entry, opens=True)
        self.held[entry.name] = entry
        await self.world.run_for(lag)
        self.record.entries[entry.name] = entry

    async def close(self, name: str, *, lag: float) -> None:
        entry = self.held.pop(name)
        await self._trade(entry, opens=False)
        await self.world.run_for(lag)
        self.record.entries.pop(name)

    def _single(self) -> TrackedEntry:
        legs = (leg(self.draw.choice(SHARES), self.draw.randint(1, 9)),)
        return TrackedEntry(name=f"t{self.opened}", legs=legs)

    def _spread(self) -> TrackedEntry:
        """Bull puts whose contracts others share: sold ones always above the bought ones, so that none meet."""
        units, sold = self.draw.randint(1, 3), self.draw.choice(PUTS[3:])
        return TrackedEntry(name=f"t{self.opened}", legs=(leg(sold, -units), leg(self.draw.choice(PUTS[:3]), units)))

    async def _trade(self, entry: TrackedEntry, *, opens: bool) -> None:
        await self.world.submit(ticket(entry, opens=opens))


def leg(name: str, quantity: int) -> TrackedLeg:
    return TrackedLeg(holding=Holding(InstrumentId(name)), quantity=Decimal(quantity))


def ticket(entry: TrackedEntry, *, opens: bool) -> Ticket:
    first = entry.legs[0]
    assert first.quantity is not None
    if len(entry.legs) == 1:
        side = Side.BUY if (first.quantity > 0) is opens else Side.SELL
        return Ticket(terms=Terms(instrument=first.holding.instrument, side=side, quantity=abs(first.quantity)))
    legs = tuple((each.holding.instrument, int(each.quantity or 0)) for each in entry.legs)
    return life.ticket(legs, opens=opens)


def lost(world: World) -> list[Break]:
    """Confirmed breaks of the record that are open."""
    breaks = world.book.state.breaks.values()
    return [each for each in breaks if each.finding.kind is BreakKind.BOT_LOST and each.confirmed]


def is_blind(world: World) -> bool:
    return any(each.finding.kind is BreakKind.BLIND and each.confirmed for each in world.book.breaks_at(None))


async def alarms(world: World) -> list[str]:
    return [
        e.fact.text for e in await world.entries() if isinstance(e.fact, AlertRaised) and "own record" in e.fact.text
    ]


async def confirmed(world: World) -> int:
    """How often a break of the record was confirmed, ever."""
    entries = await world.entries()
    kinds = {e.fact.id: e.fact.finding.kind for e in entries if isinstance(e.fact, BreakSeen)}
    return sum(isinstance(e.fact, BreakConfirmed) and kinds[e.fact.id] is BreakKind.BOT_LOST for e in entries)


def played(story: Callable[[Bot], object], seed: int = 7) -> None:
    async def told(world: World) -> None:
        bot = Bot(world, Random(seed))
        await bot.guard()
        await world.run_for(40)
        await story(bot)  # type: ignore[misc]  # a story is a coroutine

    assets = [asset_of(name) for name in (*SHARES, "SPX", *PUTS)]
    play(
        told, GUARDED, prices(), start=START, seed=seed, instruments=assets, cash=D(10_000_000), real_seconds=300,
        through="tradier",
    )  # fmt: skip


async def ended(world: World, found: Break, told: str) -> None:
    await world.until(lambda: found.id not in world.book.state.breaks, ONE_PASS, f"{told}: to end")


def test_a_hundred_random_removals_are_a_hundred_reports_and_none_is_false() -> None:
    seed = int.from_bytes(os.urandom(4))

    async def story(bot: Bot) -> None:
        world, draw = bot.world, bot.draw
        for _ in range(8):
            await bot.open(lag=draw.uniform(0, 15))
        await world.run_for(40)
        assert await alarms(world) == [], f"seed {seed}"
        for number in range(1, 101):
            name = draw.choice(sorted(bot.held))
            gone = bot.record.entries.pop(name)
            took = await world.until(lambda: lost(world), ONE_PASS, f"seed {seed}: removal {number} of {gone}")
            assert took < ONE_PASS
            (found,) = lost(world)
            told = f"seed {seed}: removal {number} of {gone}, found {found.finding}"
            named = {each.holding.instrument for each in gone.legs}
            assert all(each in f"{found.finding.holding} {found.finding.reported}" for each in named), told
            bot.record.entries[name] = gone
            await ended(world, found, told)
            if number % 5 == 0:
                await bot.close(draw.choice(sorted(bot.held)), lag=draw.uniform(0, 15))
                await bot.open(lag=draw.uniform(0, 15))
                await world.run_for(draw.uniform(30, 40))
            assert len(await alarms(world)) == number == await confirmed(world), f"{told}: {await alarms(world)}"
        assert not any(isinstance(e.fact, CloseRequested) for e in await world.entries()), f"seed {seed}"

    played(story, seed)


@pytest.mark.parametrize("fixed", [1000, 1001, None])
def test_a_record_that_is_seconds_behind_or_ahead_is_no_alarm(fixed: int | None) -> None:
    seed = fixed if fixed is not None else int.from_bytes(os.urandom(4))

    async def story(bot: Bot) -> None:
        for _ in range(12):
            await bot.open(lag=bot.draw.uniform(0, 25))
            await bot.world.run_for(bot.draw.uniform(0, 30))
            await bot.close(bot.draw.choice(sorted(bot.held)), lag=bot.draw.uniform(0, 25))
            early = bot.draw.choice(sorted(bot.held)) if bot.held else None
            if early is not None:  # it is taken off the record first, and sold a moment later
                entry = bot.held.pop(early)
                del bot.record.entries[early]
                await bot.world.run_for(bot.draw.uniform(0, 8))
                await bot.world.submit(ticket(entry, opens=False))
        await bot.world.run_for(60)
        assert await alarms(bot.world) == [], f"seed {seed}"
        assert await confirmed(bot.world) == 0, f"seed {seed}"

    played(story, seed)


def test_what_was_dropped_while_no_guard_looked_is_told_by_the_next_one() -> None:
    async def story(bot: Bot) -> None:
        await bot.open(lag=1)
        await bot.world.run_for(40)
        bot.world.kill_guard()
        bot.record.entries.clear()
        await bot.guard()
        await bot.world.until(lambda: lost(bot.world), 2 * ONE_PASS, "the loss to be told")
        await bot.world.run_for(1)
        (text,) = await alarms(bot.world)
        assert "has nothing" in text
        assert "The guard keeps it under its rules" in text

    played(story)


def test_what_the_record_holds_and_the_broker_does_not_is_told_once_it_cannot_be_slowness() -> None:
    async def story(bot: Bot) -> None:
        await bot.open(lag=1)
        await bot.world.run_for(40)
        (name,) = bot.held
        entry = bot.held.pop(name)
        await bot.world.submit(ticket(entry, opens=False))
        await bot.world.run_for(25)
        assert await alarms(bot.world) == []
        took = await bot.world.until(lambda: lost(bot.world), ONE_PASS, "the phantom to be told")
        assert took > 4
        assert all("the broker holds nothing" in text for text in await alarms(bot.world))
        del bot.record.entries[name]
        await bot.world.until(lambda: not lost(bot.world), ONE_PASS, "it to end")

    played(story)


def test_a_record_that_cannot_be_read_says_nothing_and_is_told() -> None:
    async def story(bot: Bot) -> None:
        world = bot.world
        await bot.open(lag=1)
        await world.run_for(40)
        bot.record.trouble = "is no whole JSON document"
        bot.record.entries.clear()
        await world.run_for(20)
        assert await alarms(world) == []
        await world.until(lambda: is_blind(world), 20, "the blindness to be told")
        await world.run_for(1)
        (text,) = await alarms(world)
        assert "cannot be read" in text
        assert "orders.json is no whole JSON document" in text
        assert not lost(world)
        bot.record.entries.update(bot.held)
        bot.record.trouble = ""
        await world.until(lambda: not is_blind(world), 10, "it to see again")
        await world.run_for(40)
        assert len(await alarms(world)) == 1

    played(story)


def test_a_file_that_was_half_written_for_a_moment_is_no_alarm() -> None:
    """A table that is cut short at the end of a row looks whole: the second look finds it mended."""

    async def story(bot: Bot) -> None:
        for _ in range(4):
            await bot.open(lag=1)
        await bot.world.run_for(40)
        for _ in range(20):
            bot.record.entries.clear()
            await bot.world.run_for(1.5)
            bot.record.entries.update(bot.held)
            await bot.world.run_for(bot.draw.uniform(2, 20))
        assert await alarms(bot.world) == []

    played(story)
