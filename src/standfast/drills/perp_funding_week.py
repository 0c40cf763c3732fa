"""perp-funding-week: a long is held for a week and sold a little higher. Three times a day its funding was paid.

The bot counts what it bought and sold for: a profit. The account has lost money, and nobody's books say so.
"""

from datetime import timedelta
from decimal import Decimal

from standfast.drills.perpetual.claims import covered, flat
from standfast.drills.perpetual.drill import PerpetualDrill
from standfast.drills.perpetual.scene import AVL, PerpetualScene
from standfast.drills.perpetual.stage import PerpetualStage
from standfast.model.journal import FillBooked, MovementBooked

QUANTITY = 500
RATE = Decimal("0.001")
"""What a long pays of its value, three times a day."""
DAY = timedelta(days=1)
SCENE = PerpetualScene(
    prices={AVL: ("19.999", "20.000")}, every=timedelta(seconds=60), changes={"funding_rate": RATE}, speed=20.0
)
CENT = Decimal("0.01")
ZERO = Decimal(0)


class Bot:
    """Its result is the price it sold at, less the one it bought at."""

    def __init__(self, stage: PerpetualStage) -> None:
        self.line = stage.bot
        self.says = stage.says
        self.result = ZERO

    async def enter(self) -> None:
        await self.line.buy(AVL, QUANTITY)

    async def close(self, entry: str, price: str) -> None:
        await self.line.sell(AVL, QUANTITY, reduces=True)
        self.result = (Decimal(price) - Decimal(entry)) * QUANTITY
        self.says(f"closed with a profit of {self.result:.2f}")


async def story(stage: PerpetualStage) -> None:
    bot = Bot(stage)
    await bot.enter()
    await stage.wait(10)
    for _ in range(6):
        await stage.leave_out(stage.now + DAY)
        await stage.wait(10)
    funded = stage.now.replace(hour=16, minute=0, second=0, microsecond=0)
    await stage.leave_out(funded - timedelta(seconds=10))
    await stage.wait(40)
    if stage.is_guarded:
        covered(stage, AVL, "a week later")
    await stage.price(AVL, "20.100")
    await bot.close("20.000", "20.100")
    await stage.wait(30)
    flat(stage, AVL)
    told = await _booked(stage) if stage.is_guarded else bot.result
    true = stage.result
    told_so = f"{told:.2f} of {true:.2f}, {stage.truth.funding:.2f} of it funding"
    stage.claim("the week's result is in somebody's books, to the cent", told_so, holds=abs(told - true) < CENT)
    stage.lost = abs(told - true)


async def _booked(stage: PerpetualStage) -> Decimal:
    """What was traded, its fees, and what was paid for holding it."""
    facts = [entry.fact for entry in await stage.entries()]
    fees = sum((fact.fill.fee for fact in facts if isinstance(fact, FillBooked)), ZERO)
    paid = sum((fact.movement.amount or ZERO for fact in facts if isinstance(fact, MovementBooked)), ZERO)
    return sum((position.pnl for position in stage.closed()), ZERO) - fees + paid


DRILL = PerpetualDrill(name="perp-funding-week", scene=SCENE, story=story)
