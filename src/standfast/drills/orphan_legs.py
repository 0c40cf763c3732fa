"""orphan-legs: six legs are found at the broker where the bot expects two or four, so it looks after none of them.

An iron condor, opened leg by leg, and beside it a put sold and a call bought that belong to nothing. The guard comes to
an account that has held them since the morning.
"""

from datetime import UTC, datetime
from decimal import Decimal

from standfast.core.policy import HeldBy, Policy
from standfast.drills.claims import flat
from standfast.drills.drill import Drill
from standfast.drills.line import Line, Spread, alone
from standfast.drills.scene import SECOND, Scene
from standfast.drills.spreads import LAST_DAY, alarms, held_as_one, loss_at_first_quote, proven, structure_told
from standfast.drills.stage import Stage

SPX = "SPX"
PUT_SOLD, PUT_BOUGHT = "SPXW261016P06600000", "SPXW261016P06590000"
CALL_SOLD, CALL_BOUGHT = "SPXW261016C06820000", "SPXW261016C06830000"
LONE_SOLD, LONE_BOUGHT = "SPXW261016P06640000", "SPXW261016C06790000"
CONDOR = Spread(legs=f"{PUT_BOUGHT}:+1 {PUT_SOLD}:-1 {CALL_SOLD}:-1 {CALL_BOUGHT}:+1", units=2)
ALONE = Spread(legs=f"{LONE_SOLD}:-1")
LEGS = {PUT_SOLD: -2, PUT_BOUGHT: 2, CALL_SOLD: -2, CALL_BOUGHT: 2, LONE_SOLD: -1, LONE_BOUGHT: 1}
STOP = Decimal("0.50")
EXPECTED = (2, 4)

SCENE = Scene(
    start=datetime(2026, 10, 8, 14, 30, tzinfo=UTC),
    prices={
        SPX: ("6709.50", "6710.50"),
        PUT_SOLD: ("12.00", "12.20"),
        PUT_BOUGHT: ("10.40", "10.60"),
        CALL_SOLD: ("11.00", "11.20"),
        CALL_BOUGHT: ("9.40", "9.60"),
        LONE_SOLD: ("19.00", "19.20"),
        LONE_BOUGHT: ("17.00", "17.20"),
    },
    every=5 * SECOND,
    policies=(Policy(name="options", held_by=HeldBy.GUARD, stop_loss=STOP, expiring_flat_by=LAST_DAY),),
    dialect="tradier",
    cash=Decimal(1_000_000),
    speed=10.0,
)


class Bot:
    """Knows verticals and condors: two legs or four on one underlying. Anything else it cannot place, and skips."""

    def __init__(self, stage: Stage) -> None:
        self.line: Line = stage.bot
        self.says = stage.says

    async def enter(self) -> None:
        for name, quantity in sorted(LEGS.items(), key=lambda each: -each[1]):  # what is bought first
            await self.line.submit(alone(name, quantity))

    async def look(self) -> None:
        held = await self.line.positions()
        if held and len(held) not in EXPECTED:
            self.says(f"finds {len(held)} legs where two or four were expected: unknown, skipped")


FALL = (
    ("6690", "15.00", "13.00", "8.60", "7.30", "23.40", "13.80"),
    ("6670", "19.50", "17.00", "6.60", "5.60", "29.50", "11.00"),
    ("6640", "28.50", "25.00", "4.40", "3.70", "41.50", "7.80"),
    ("6600", "46.00", "40.50", "2.40", "2.00", "63.00", "4.60"),
    ("6560", "70.00", "63.00", "1.20", "1.00", "93.00", "2.60"),
)
ORDER = (SPX, PUT_SOLD, PUT_BOUGHT, CALL_SOLD, CALL_BOUGHT, LONE_SOLD, LONE_BOUGHT)


async def story(stage: Stage) -> None:
    bot = Bot(stage)
    await stage.stop_guard()
    await bot.enter()
    await stage.wait(5)
    if stage.is_guarded:
        await stage.start_guard()
    await stage.wait(60)
    await bot.look()
    await _found(stage)
    for row in FALL:
        half = {name: Decimal("0.50") if name == SPX else Decimal("0.10") for name in ORDER}
        shown = zip(ORDER, map(Decimal, row), strict=True)
        await stage.prices({name: (str(price - half[name]), str(price + half[name])) for name, price in shown})
        await stage.wait(45)
        await bot.look()
    await stage.wait(30)
    _claims(stage)
    await proven(stage, PUT_SOLD, PUT_BOUGHT, CALL_SOLD, CALL_BOUGHT, LONE_SOLD)


async def _found(stage: Stage) -> None:
    """A minute after it came the guard has them all: what is recognised as one, what is left over alone, and said."""
    stage.claim_of_guard(
        "the four legs that are a condor are held as one",
        structure_told(stage, CONDOR),
        holds=held_as_one(stage, CONDOR),
    )
    booked = {str(each.holding): each.net for each in stage.positions()} if stage.is_guarded else {}
    shown = ", ".join(f"{quantity:+} {name}" for name, quantity in sorted(booked.items()))
    stage.claim_of_guard("every leg is in the books, none is skipped", shown, holds=booked == LEGS)
    told = [text for _, text in await alarms(stage)]
    for name in (LONE_SOLD, LONE_BOUGHT):
        named = [text for text in told if name in text]
        stage.claim_of_guard(
            f"{name}, which belongs to nothing, is reported", (named or ["not told"])[0], holds=bool(named)
        )


def _claims(stage: Stage) -> None:
    flat(stage, PUT_SOLD, PUT_BOUGHT, CALL_SOLD, CALL_BOUGHT, LONE_SOLD)
    loss_at_first_quote(stage, CONDOR, SCENE.start, STOP)
    loss_at_first_quote(stage, ALONE, SCENE.start, STOP)


DRILL = Drill(name="orphan-legs", scene=SCENE, story=story)
