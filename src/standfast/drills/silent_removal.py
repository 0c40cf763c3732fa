"""silent-removal: closing one spread rewrites the bot's file, and another one is no longer in it, open at the broker.

The bot looks after what stands in its file, every few seconds, and does so well. What its file has lost has no stop.
With recorded quotes (`--replay`) the same happens to a spread sold on the afternoon of 6 January 2021.
"""

import json
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path

from standfast.core.policy import HeldBy, Match, Policy
from standfast.drills.claims import flat
from standfast.drills.drill import Drill
from standfast.drills.line import Line, Spread
from standfast.drills.record import NAMES
from standfast.drills.scene import SECOND, Scene
from standfast.drills.spreads import (
    LAST_DAY,
    alarms,
    asked_cost,
    brought,
    held_as_one,
    loss_at_first_quote,
    names_of,
    proven,
    result_of,
    structure_told,
    width,
)
from standfast.drills.stage import Stage
from standfast.exchange.quotes_file import quotes
from standfast.exchange.quotes_name import UnreadableQuotes
from standfast.model.breaks import BreakKind, Finding
from standfast.model.journal import BreakSeen

STOP = Decimal("0.15")
PASS = timedelta(seconds=5)
POLICY = Policy(name="spreads", held_by=HeldBy.GUARD, stop_loss=STOP, expiring_flat_by=LAST_DAY)
BENEATH = Policy(
    name="beneath",
    match=Match(instrument="NDXP*"),
    held_by=HeldBy.GUARD,
    stop_loss=Decimal("0.50"),
    expiring_flat_by=LAST_DAY,
)
"""Where the bot's own stop is the nearer one: two that stop at once are in each other's way."""

SPX, SOLD, BOUGHT = "SPX", "SPXW261008P06700000", "SPXW261008P06690000"
NDX, NDX_SOLD, NDX_BOUGHT = "NDX", "NDXP261008P24000000", "NDXP261008P23975000"
SPREAD = Spread(legs=f"{SOLD}:-1 {BOUGHT}:+1", units=3)
OTHER = Spread(legs=f"{NDX_SOLD}:-1 {NDX_BOUGHT}:+1", units=1)


def new_york(hour: int, minute: int, second: int = 0) -> datetime:
    """Of the day of the drill, in UTC."""
    return datetime(2026, 10, 8, hour + 4, minute, second, tzinfo=UTC)


ENTRY, SECOND_ENTRY, SECOND_EXIT = new_york(11, 30), new_york(11, 31, 49), new_york(11, 32, 36)
FALL, FOUND = new_york(12, 5), new_york(16, 8)

SCENE = Scene(
    start=new_york(11, 29, 50),
    prices={
        SPX: ("6719.50", "6720.50"),
        SOLD: ("8.60", "8.70"),
        BOUGHT: ("4.80", "4.90"),
        NDX: ("24199.00", "24201.00"),
        NDX_SOLD: ("21.00", "21.20"),
        NDX_BOUGHT: ("14.80", "15.00"),
    },
    every=10 * SECOND,
    policies=(BENEATH, POLICY),
    dialect="tradier",
    record=NAMES,
    speed=10.0,
)


class Bot:
    """Two managers, each with a list of its own, write one file. Whoever writes last writes what it knows."""

    def __init__(self, stage: Stage) -> None:
        self.line: Line = stage.bot
        self.stage = stage
        self.spreads: dict[str, Spread] = {}

    async def enter(self, name: str, spread: Spread, credit: str) -> None:
        await self.line.open(spread, credit)
        self.spreads[name] = spread
        self.write({**self.tracked, name: credit})

    async def look(self) -> None:
        """Close what costs 15 % more to close than it brought, of what the file knows."""
        for name, credit in self.tracked.items():
            cost = await asked_cost(self.line, self.spreads[name])
            if cost is not None and cost >= Decimal(credit) * (1 + STOP):
                await self.line.close(self.spreads[name])
                self.write({})  # the list of this manager, which had one spread

    @property
    def tracked(self) -> dict[str, str]:
        """Credit by name, as the file has it."""
        return {row["name"]: row["credit"] for row in json.loads(self.stage.record)}

    def write(self, tracked: dict[str, str]) -> None:
        rows = [
            {"name": name, "credit": credit, "option_symbols": names_of(self.spreads[name])}
            for name, credit in tracked.items()
        ]
        self.stage.writes(json.dumps(rows))
        self.stage.says(f"writes its file: {', '.join(tracked) or 'nothing is open'}")


@dataclass(frozen=True, slots=True)
class Step:
    """Where the market goes: the index, what was sold and what was bought."""

    spx: tuple[str, str]
    sold: tuple[str, str]
    bought: tuple[str, str]

    async def happen(self, stage: Stage) -> None:
        await stage.prices({SPX: self.spx, SOLD: self.sold, BOUGHT: self.bought})


PEAK = Step(("6723.50", "6724.50"), ("8.00", "8.10"), ("4.80", "4.90"))
AFTERNOON = (
    Step(("6717.50", "6718.50"), ("9.10", "9.20"), ("5.10", "5.20")),
    Step(("6714.50", "6715.50"), ("10.10", "10.20"), ("5.90", "6.00")),
    Step(("6709.50", "6710.50"), ("12.60", "12.80"), ("7.70", "7.90")),
    Step(("6699.50", "6700.50"), ("18.00", "18.40"), ("12.10", "12.50")),
    Step(("6679.50", "6680.50"), ("27.60", "28.40"), ("19.20", "20.00")),
    Step(("6640.50", "6641.50"), ("58.00", "60.00"), ("48.40", "50.05")),
)


async def story(stage: Stage) -> None:
    bot = Bot(stage)
    await stage.wait_until(ENTRY)
    await bot.enter("SPXW", SPREAD, "3.70")
    await stage.wait(50)
    await PEAK.happen(stage)
    await stage.wait_until(SECOND_ENTRY)
    await bot.enter("NDXP", OTHER, "6.00")
    await stage.wait_until(SECOND_EXIT)
    await stage.prices({NDX: ("24149.00", "24151.00"), NDX_SOLD: ("27.60", "27.80"), NDX_BOUGHT: ("20.60", "20.80")})
    await bot.look()
    dropped = stage.now
    await stage.wait(10)
    stage.claim_of_guard(
        "10 s after the bot's file has lost it the spread is in the books, whole",
        structure_told(stage, SPREAD),
        holds=held_as_one(stage, SPREAD),
    )
    await stage.wait(20)
    await _reported(stage, SPREAD, dropped)
    await stage.hours(FALL)
    for step in AFTERNOON:
        await step.happen(stage)
        await stage.wait(30)
        await bot.look()
    await stage.leave_out(FOUND)
    await _found(stage, SPREAD, ENTRY)


async def _reported(stage: Stage, spread: Spread, dropped: datetime) -> None:
    """The file's own loss is a break within one pass, and said aloud as soon as the broker's list cannot be older."""
    entries = [entry for entry in await stage.entries() if entry.at >= dropped]
    seen = [entry.at for entry in entries if isinstance(entry.fact, BreakSeen) and _is_lost(entry.fact.finding)]
    after = f"after {(seen[0] - dropped).total_seconds():.1f} s" if seen else "never"
    soon = bool(seen) and seen[0] - dropped <= PASS
    stage.claim_of_guard("that the bot's file has lost it is noticed within one pass", after, holds=soon)
    told = await alarms(stage, dropped)
    named = [(at, text) for at, text in told if "record" in text and any(name in text for name in names_of(spread))]
    shown = f"after {(named[0][0] - dropped).total_seconds():.1f} s: {named[0][1]}" if named else "nobody is told"
    stage.claim_of_guard("a person is told, by the contracts' names", shown, holds=bool(named))


def _is_lost(finding: Finding) -> bool:
    return finding.kind is BreakKind.BOT_LOST


async def _found(stage: Stage, spread: Spread, since: datetime) -> None:
    held = await stage.bot.positions()
    left = {name: held[name] for name in names_of(spread) if name in held}
    result = result_of(stage, *names_of(spread))
    shown = ", ".join(f"{quantity:+} {name}" for name, quantity in left.items()) or "none of its contracts"
    most = (width(spread) - brought(stage, spread)) * spread.units * 100
    stage.says(f"is asked: {shown} at the broker; {result:+,.2f} USD, {-result / most:.1%} of the most it can lose")
    loss_at_first_quote(stage, spread, since, STOP)
    flat(stage, *names_of(spread))
    await proven(stage, *names_of(spread))
    stage.lost = max(Decimal(0), -result)


# --- 6 January 2021 ---------------------------------------------------------------------------------

RECORDED = Spread(legs="SPXW210106P03800000:-1 SPXW210106P03700000:+1", units=3)
"""Sold in a quiet hour, out of the money by nothing: the index stood at 3,783."""


def recorded(hour: int, minute: int, second: int = 0) -> datetime:
    return datetime(2021, 1, 6, hour + 5, minute, second, tzinfo=UTC)


def replayed(path: Path) -> Drill:
    """On the quotes of that day, which are in a file (or a folder of such) as LEAN keeps them."""
    files = sorted(path.rglob("20210106_quote*.zip")) if path.is_dir() else [path]
    found = {name for file in files for name in quotes(file).instruments}
    lacking = [name for name in names_of(RECORDED) if name not in found]
    if lacking:
        raise UnreadableQuotes(f"{path}: holds no quotes of {', '.join(lacking)}")
    scene = replace(SCENE, start=recorded(14, 10), prices={}, replay=tuple(files), speed=60.0)
    return Drill(name=DRILL.name, scene=scene, story=afternoon)


async def afternoon(stage: Stage) -> None:
    bot = Bot(stage)
    await stage.wait_until(recorded(14, 10, 30))
    await bot.enter("SPXW", RECORDED, "18.40")
    await stage.wait_until(recorded(14, 12))
    bot.write({})
    dropped = stage.now
    await stage.wait(40)
    await _reported(stage, RECORDED, dropped)
    for minute in range(15, 60, 5):
        await stage.wait_until(recorded(14, minute))
        stage.shows(f"{await asked_cost(stage.bot, RECORDED):.2f} to close a spread")
        await bot.look()
    await stage.leave_out(recorded(17, 5))
    await _found(stage, RECORDED, recorded(14, 10, 30))


DRILL = Drill(name="silent-removal", scene=SCENE, story=story, replayed=replayed)
