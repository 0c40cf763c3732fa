"""expired-in-the-money: on Friday a sold put ends in the money; on Monday three hundred shares are there, and gap down.

The bot counts an expired spread as over. Half of it was: the bought put expired, the sold one was assigned. A second
spread, on an index, ends in the money as well and is paid in cash: that is a loss too, but it is over.
"""

from datetime import UTC, datetime, timedelta
from decimal import Decimal

from standfast.core.policy import HeldBy, Match, Policy
from standfast.drills.claims import flat
from standfast.drills.drill import Drill
from standfast.drills.line import Line, Spread
from standfast.drills.scene import AAPL, SECOND, Scene
from standfast.drills.spreads import LAST_DAY, asked_cost, compared, proven, result_of
from standfast.drills.stage import Stage
from standfast.exchange.contracts import HUNDRED
from standfast.model.position import CloseReason

SPX, SPX_SOLD, SPX_BOUGHT = "SPX", "SPXW261009P06700000", "SPXW261009P06690000"
SOLD, BOUGHT = "AAPL261009P00100000", "AAPL261009P00095000"
SHARES = Spread(legs=f"{SOLD}:-1 {BOUGHT}:+1", units=3)
CASH = Spread(legs=f"{SPX_SOLD}:-1 {SPX_BOUGHT}:+1", units=1)
START = datetime(2026, 10, 9, 19, 5, tzinfo=UTC)
CLOSE = datetime(2026, 10, 9, 20, 0, tzinfo=UTC)
LAST_LOOK = datetime(2026, 10, 9, 19, 10, tzinfo=UTC)
MONDAY = datetime(2026, 10, 12, 13, 30, tzinfo=UTC)

SCENE = Scene(
    start=START,
    prices={
        AAPL: ("100.60", "100.62"),
        SOLD: ("0.60", "0.65"),
        BOUGHT: ("0.05", "0.10"),
        SPX: ("6709.50", "6710.50"),
        SPX_SOLD: ("3.90", "4.00"),
        SPX_BOUGHT: ("1.90", "2.00"),
    },
    every=10 * SECOND,
    policies=(
        Policy(name="to settle", match=Match(instrument="SPXW*"), held_by=HeldBy.GUARD, stop_loss=Decimal("9.00")),
        Policy(name="spreads", held_by=HeldBy.GUARD, stop_loss=Decimal("2.00"), expiring_flat_by=LAST_DAY),
    ),
    dialect="tradier",
    speed=10.0,
)
"""What becomes shares is flat by 15:10, as the guard does where nothing else is said; what becomes cash is left."""


class Bot:
    """Its record of a spread ends with the day of the spread."""

    def __init__(self, stage: Stage) -> None:
        self.line: Line = stage.bot
        self.says = stage.says

    async def enter(self) -> None:
        await self.line.open(SHARES, "0.45")
        await self.line.open(CASH, "1.80")

    async def look(self) -> None:
        held = await self.line.positions()
        today = {name: quantity for name, quantity in held.items() if name in (SOLD, BOUGHT, SPX_SOLD, SPX_BOUGHT)}
        self.says(f"has {len(today) or 'no'} contracts that end today; they will be gone by themselves")


async def story(stage: Stage) -> None:
    bot = Bot(stage)
    await bot.enter()
    await stage.wait_until(LAST_LOOK + timedelta(seconds=40))
    await bot.look()
    cost = await asked_cost(stage.bot, SHARES)
    stage.claim_of_guard(
        "what becomes shares is flat half a minute after 15:10, at no more than the worse side",
        f"{stage.truth.net(SOLD)} {SOLD}, {stage.truth.net(BOUGHT)} {BOUGHT}; {cost} to close",
        holds=not stage.truth.net(SOLD) and not stage.truth.net(BOUGHT),
    )
    await stage.prices({AAPL: ("99.40", "99.42"), SOLD: ("0.60", "0.65"), BOUGHT: ("0", "0.05")})
    await stage.prices({SPX: ("6693.50", "6694.50"), SPX_SOLD: ("6.00", "6.10"), SPX_BOUGHT: ("0.10", "0.15")})
    await stage.hours(CLOSE + timedelta(minutes=65))
    await stage.wait(30)
    await stage.night(MONDAY)
    await stage.price("91.00", "91.02", AAPL)
    await stage.wait(60)
    await _claims(stage)


async def _claims(stage: Stage) -> None:
    flat(stage, AAPL, SOLD, BOUGHT, SPX_SOLD, SPX_BOUGHT)
    result = result_of(stage, AAPL, SOLD, BOUGHT)
    most = (Decimal("0.65") - Decimal("0.05") - Decimal("0.50")) * SHARES.units * HUNDRED
    stage.claim(
        "the spread that becomes shares cost no more than closing it on Friday",
        f"{result:+,.2f} USD, closing it cost {most:,.2f}",
        holds=-result <= most,
    )
    if stage.is_guarded:
        ended = {
            str(each.holding): each.close_reason for each in stage.closed() if each.holding.instrument[:4] == "SPXW"
        }
        shown = ", ".join(f"{name} {reason}" for name, reason in ended.items())
        stage.claim("the other one has ended by expiry", shown, holds=set(ended.values()) == {CloseReason.EXPIRY})
    await compared(stage)
    await proven(stage, SOLD, BOUGHT, SPX_SOLD, SPX_BOUGHT)


DRILL = Drill(name="expired-in-the-money", scene=SCENE, story=story)
