"""leg-liquidated: on the last day the broker sells the bought leg, which is in the money, and leaves the sold one.

The bot's record says that a debit spread can lose no more than it cost. What is left of it is a call sold alone, and
the market rallies into the close.
"""

from datetime import UTC, datetime, time, timedelta
from decimal import Decimal

from standfast.core.policy import HeldBy, Policy
from standfast.drills.claims import flat
from standfast.drills.drill import Drill
from standfast.drills.line import Line, Spread
from standfast.drills.scene import AAPL, SECOND, Scene
from standfast.drills.spreads import LAST_DAY, alarms, proven, result_of
from standfast.drills.stage import Stage
from standfast.exchange.rules import Rules

BOUGHT, SOLD = "AAPL261008C00095000", "AAPL261008C00100000"
SPREAD = Spread(legs=f"{BOUGHT}:+1 {SOLD}:-1", units=3)
LIQUIDATION = time(15, 0)
START = datetime(2026, 10, 8, 18, 58, tzinfo=UTC)
CLOSE = datetime(2026, 10, 8, 20, 0, tzinfo=UTC)
MORNING = datetime(2026, 10, 9, 13, 30, tzinfo=UTC)
ALONE_AT_MOST = 30.0

SCENE = Scene(
    start=START,
    prices={AAPL: ("98.00", "98.02"), BOUGHT: ("3.00", "3.10"), SOLD: ("0.45", "0.50")},
    every=5 * SECOND,
    policies=(Policy(name="spreads", held_by=HeldBy.GUARD, stop_loss=Decimal("0.80"), expiring_flat_by=LAST_DAY),),
    dialect="tradier",
    exchange=Rules(liquidates_expiring_at=LIQUIDATION),
    speed=10.0,
)
"""This broker is earlier than the guard's own 15:10."""


class Bot:
    """What it risks stands in its record: the debit, and no more. It looks at the record."""

    def __init__(self, stage: Stage) -> None:
        self.line: Line = stage.bot
        self.says = stage.says

    async def enter(self) -> None:
        await self.line.open(SPREAD, "-2.70")

    def look(self) -> None:
        self.says("looks at its record: one call spread, which can lose what it cost and ends today")


async def story(stage: Stage) -> None:
    bot = Bot(stage)
    await bot.enter()
    await stage.wait_until(START + timedelta(seconds=125))
    await stage.wait(ALONE_AT_MOST)
    left = _left_alone(stage)
    stage.claim(
        f"the sold calls were not left alone for more than {ALONE_AT_MOST:g} s",
        f"{left.total_seconds():.1f} s",
        holds=left.total_seconds() <= ALONE_AT_MOST,
    )
    bot.look()
    await stage.prices({AAPL: ("99.40", "99.42"), BOUGHT: ("4.40", "4.50"), SOLD: ("0.70", "0.80")})
    await stage.wait(20)
    await stage.prices({AAPL: ("102.60", "102.62"), BOUGHT: ("7.60", "7.70"), SOLD: ("2.60", "2.70")})
    await stage.wait(20)
    bot.look()
    await stage.hours(CLOSE + timedelta(minutes=65))
    await stage.wait(10)
    await stage.night(MORNING)
    await stage.price("111.00", "111.02", AAPL)
    await stage.wait(30)
    await _claims(stage)


def _left_alone(stage: Stage) -> timedelta:
    """How long sold calls have been held without the bought ones, up to now."""
    since, total = None, timedelta(0)
    bought = sold = Decimal(0)
    for fill in stage.engine.truth(stage.account).fills:
        bought += fill.quantity if fill.instrument == BOUGHT else 0
        sold += fill.quantity if fill.instrument == SOLD else 0
        if since is None and -sold > bought:
            since = fill.at
        elif since is not None and -sold <= bought:
            total, since = total + (fill.at - since), None
    return total if since is None else total + (stage.now - since)


async def _claims(stage: Stage) -> None:
    flat(stage, AAPL, SOLD, BOUGHT)
    result = result_of(stage, AAPL, SOLD, BOUGHT)
    cost = Decimal("2.65") * SPREAD.units * 100
    stage.claim("no more was lost than the spread cost", f"{result:+,.2f} of {cost:,.2f} USD", holds=-result <= cost)
    told = [text for _, text in await alarms(stage)]
    named = [text for text in told if SOLD in text or BOUGHT in text]
    stage.claim_of_guard("a person is told, by the contract's name", (named or ["nobody"])[0], holds=bool(named))
    await proven(stage, SOLD, BOUGHT)


DRILL = Drill(name="leg-liquidated", scene=SCENE, story=story)
