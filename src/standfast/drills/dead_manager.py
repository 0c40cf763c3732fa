"""dead-manager: the task that looks after a spread dies of an empty quote, and nobody starts it again.

It had begun with the websocket, its positions lived in its memory, and a position whose leg had no quote was skipped
without a word. Beside it here: the machine goes down once, and the broker refuses two closing orders.
"""

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from itertools import pairwise

from standfast.core.policy import HeldBy, Policy
from standfast.drills.claims import flat
from standfast.drills.drill import Drill
from standfast.drills.line import Line, NoAnswer, Spread
from standfast.drills.scene import SECOND, Scene
from standfast.drills.spreads import (
    LAST_DAY,
    alarms,
    asked_cost,
    held_as_one,
    loss_at_first_quote,
    names_of,
    proven,
    result_of,
    structure_told,
)
from standfast.drills.stage import Stage
from standfast.exchange.faults import RefusedWith
from standfast.model.journal import (
    GuardStarted,
    LotFound,
    OrderRejected,
    PositionAdopted,
    StructureFormed,
)

SPX, SOLD, BOUGHT = "SPX", "SPXW261016P06700000", "SPXW261016P06690000"
SPREAD = Spread(legs=f"{SOLD}:-1 {BOUGHT}:+1", units=3)
STOP = Decimal("0.30")
OUTAGE = 60.0
BACK_WITHIN, TOLD_WITHIN, STATUS_EVERY = 10.0, 60.0, 60.0
REFUSAL: dict[str, object] = {"errors": {"error": "Order rejected: the exchange is not accepting this strategy."}}

SCENE = Scene(
    start=datetime(2026, 10, 8, 14, 30, tzinfo=UTC),
    prices={SPX: ("6719.50", "6720.50"), SOLD: ("8.60", "8.70"), BOUGHT: ("4.80", "4.90")},
    every=2 * SECOND,
    policies=(Policy(name="spreads", held_by=HeldBy.GUARD, stop_loss=STOP, expiring_flat_by=LAST_DAY),),
    dialect="tradier",
    speed=10.0,
)


class Bot:
    """One manager, one task. A quote error gives no quotes, and what has no quote is skipped: or ends the task."""

    def __init__(self, stage: Stage) -> None:
        self.line: Line = stage.bot
        self.says = stage.says
        self.positions: dict[str, Decimal] = {}
        self.is_alive = False

    async def enter(self) -> None:
        await self.line.open(SPREAD, "3.70")
        self.positions = {"SPXW": Decimal("3.70")}
        self.is_alive = True

    async def look(self) -> None:
        if not self.is_alive:
            return
        try:
            cost = await asked_cost(self.line, SPREAD)
        except NoAnswer:
            self.is_alive = False
            self.says("KeyError in the position manager; the task ends, and nothing awaits it")
            return
        if cost is not None and cost >= self.positions["SPXW"] * (1 + STOP):
            await self.line.close(SPREAD)


async def story(stage: Stage) -> None:
    bot = Bot(stage)
    entered = stage.now
    await bot.enter()
    await stage.wait(70)
    await bot.look()
    await _blind(stage, bot)
    await _killed(stage)
    stage.fault("submit", RefusedWith(status=400, body=REFUSAL), count=2)
    for spx, sold, bought in (("6712", "9.60", "5.40"), ("6704", "12.20", "6.80"), ("6680", "24.00", "16.00")):
        await stage.prices({SPX: _around(spx, "0.50"), SOLD: _around(sold, "0.05"), BOUGHT: _around(bought, "0.05")})
        await stage.wait(75)
        await bot.look()
    if not stage.is_guarded:
        stage.faults.clear()
    await _claims(stage, entered)


def _around(price: str, by: str) -> tuple[str, str]:
    return str(Decimal(price) - Decimal(by)), str(Decimal(price) + Decimal(by))


async def _blind(stage: Stage, bot: Bot) -> None:
    """The bot's manager dies of it; the guard says what it cannot see, and goes on."""
    began = stage.now
    stage.no_quotes(OUTAGE)
    await stage.wait(5)
    await bot.look()
    await stage.wait(OUTAGE - 5)
    named = [(at, text) for at, text in await alarms(stage, began) if SOLD in text]
    shown = f"after {(named[0][0] - began).total_seconds():.0f} s: {named[0][1]}" if named else "not a word"
    in_time = bool(named) and (named[0][0] - began).total_seconds() <= TOLD_WITHIN
    stage.claim_of_guard("that there is no quote is said aloud, by the contracts' names", shown, holds=in_time)
    await stage.wait(15)


async def _killed(stage: Stage) -> None:
    """Every position is back before anything is decided: the books are the ledger's, not the process's."""
    if not stage.is_guarded:
        return
    stage.say("the guard's worker is killed")
    before = stage.now
    await stage.crash_guard()
    await stage.wait(5)
    entries = [entry for entry in await stage.entries() if entry.at >= before]
    came = next((entry.at for entry in entries if isinstance(entry.fact, GuardStarted)), None)
    back = (came - before).total_seconds() if came is not None else float("inf")
    stage.claim_of_guard(f"killed, it is back within {BACK_WITHIN:g} s", f"{back:.1f} s", holds=back <= BACK_WITHIN)
    told = [text for _, text in await alarms(stage, before) if "restarted" in text]
    stage.claim("that it ended is told", (told or ["nobody is told"])[0], holds=bool(told))
    anew = [entry.fact for entry in entries if isinstance(entry.fact, LotFound | PositionAdopted | StructureFormed)]
    stage.claim_of_guard(
        "the spread is in the books again, as it was, without being found anew",
        f"{structure_told(stage, SPREAD)}; found anew: {len(anew)}",
        holds=held_as_one(stage, SPREAD) and not anew,
    )


async def _claims(stage: Stage, entered: datetime) -> None:
    refused = [entry for entry in await stage.entries() if isinstance(entry.fact, OrderRejected)]
    stage.claim_of_guard("two refused closes were tried again", f"{len(refused)} refusals", holds=len(refused) == 2)
    loss_at_first_quote(stage, SPREAD, entered, STOP)
    flat(stage, *names_of(SPREAD))
    await proven(stage, *names_of(SPREAD))
    _statuses(stage)
    stage.lost = max(Decimal(0), -result_of(stage, *names_of(SPREAD)))


def _statuses(stage: Stage) -> None:
    """While it was held, the status line had it, with its result where there were quotes."""
    lines = [(at, line) for at, positions in stage.statuses for line in positions if SOLD in line]
    gaps = [later - earlier for (earlier, _), (later, _) in pairwise(lines)]
    longest = max(gaps, default=timedelta(0)).total_seconds()
    shown = f"{len(lines)} lines, at most {longest:.0f} s apart; the last: {lines[-1][1]}" if lines else "none"
    stage.claim_of_guard(
        f"a status line with its result came every {STATUS_EVERY:g} s at least",
        shown,
        holds=len(lines) > 3 and longest <= STATUS_EVERY and sum("%" in line for _, line in lines) > 2,
    )


DRILL = Drill(name="dead-manager", scene=SCENE, story=story)
