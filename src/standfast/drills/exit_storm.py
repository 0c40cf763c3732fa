"""exit-storm: a close cannot be verified, so it is fired again at every look, and a profit is booked each time."""

from decimal import Decimal

from standfast.core.policy import HeldBy, Policy
from standfast.drills.claims import ends_at_stop, flat, never_beyond, one_close
from standfast.drills.drill import Drill
from standfast.drills.line import Line, NoAnswer
from standfast.drills.scene import AAPL, Scene
from standfast.drills.stage import Stage
from standfast.exchange.faults import Lost, ServerError
from standfast.model.journal import FillBooked

STORM = 30.0
SCENE = Scene(policies=(Policy(name="drill", held_by=HeldBy.GUARD, stop_loss=Decimal("0.02")),))
"""Held by the guard: nothing has to be cancelled first, so the close is sent into the storm."""


class Bot:
    """Takes its profit at 103, and is not done before it has read that the sale has filled."""

    def __init__(self, stage: Stage) -> None:
        self.line: Line = stage.bot
        self.says = stage.says
        self.booked = Decimal(0)
        self.fired = 0
        self.is_done = False

    async def enter(self) -> None:
        await self.line.buy(AAPL, 100)

    async def look(self) -> None:
        if self.is_done:
            return
        sale = await self.line.sell(AAPL, 100)
        self.fired += 1
        self.booked += Decimal(100) * (Decimal("103.00") - Decimal("100.02"))
        try:
            self.is_done = not (await self.line.order(sale)).is_open
        except NoAnswer:
            self.says(f"cannot verify the exit; booked so far {self.booked:.2f}; tries again")


async def story(stage: Stage) -> None:
    bot = Bot(stage)
    if stage.is_guarded:
        await stage.act("open", instrument=AAPL, quantity="100", key="trade-1")
        await stage.price("103.00", "103.02")
        await stage.wait(3)
        position = stage.position()
        _blind(stage)
        done = await stage.act("close", position=position.id, within=90)
        stage.claim("the close is proven once somebody answers", done.detail, holds=done.ok)
        await _booked_once(stage)
    else:
        await bot.enter()
        await stage.price("103.00", "103.02")
        _blind(stage)
        while not bot.is_done:
            await bot.look()
            await stage.wait(3)
        true = stage.truth.realised
        stage.claim("profit is booked once", f"booked {bot.booked:.2f}, true {true:.2f}", holds=bot.booked == true)
    one_close(stage, AAPL, "sell", 100)
    never_beyond(stage, AAPL, 0, 100)
    flat(stage, AAPL)
    await stage.slide("104.00", "106.00", "109.00")
    ends_at_stop(stage, 0)


def _blind(stage: Stage) -> None:
    """Orders cannot be read by id or list, nor history; the stream says nothing."""
    for read in ("order", "orders", "activities"):
        stage.fault(read, ServerError(status=503), seconds=STORM)
    stage.fault("stream", Lost(), seconds=STORM)


async def _booked_once(stage: Stage) -> None:
    parts = [part for e in await stage.entries() if isinstance(e.fact, FillBooked) for part in e.fact.allocations]
    sold = sum((part.quantity for part in parts if not part.opens), Decimal(0))
    profit = sum((part.realised for part in parts), Decimal(0))
    true = stage.truth.realised
    stage.claim("profit is booked once", f"booked {profit:.2f} on {sold}, true {true:.2f}", holds=profit == true)


DRILL = Drill(name="exit-storm", scene=SCENE, story=story)
